/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Architectural constants, each once: control registers, flags, exception vectors,
 * MSRs, CPUID bits (SDM vol. 1 to 4).  VMX's own are in vmx/cpu/vmcs.h.
 */
#ifndef VMX_X86_H
#define VMX_X86_H

#include "vmx/base/types.h"

/* Control registers (SDM vol. 3, section 2.5) */
#define CR0_PE			BIT(0)
#define CR0_ET			BIT(4)
#define CR0_NE			BIT(5)
#define CR0_WP			BIT(16)
#define CR0_NW			BIT(29)
#define CR0_CD			BIT(30)
#define CR0_PG			BIT(31)

#define CR4_PAE			BIT(5)
#define CR4_MCE			BIT(6)
#define CR4_PGE			BIT(7)
#define CR4_OSFXSR		BIT(9)
#define CR4_OSXMMEXCPT		BIT(10)
#define CR4_UMIP		BIT(11)
#define CR4_LA57		BIT(12)
#define CR4_VMXE		BIT(13)
#define CR4_FSGSBASE		BIT(16)
#define CR4_PCIDE		BIT(17)
#define CR4_OSXSAVE		BIT(18)
#define CR4_SMEP		BIT(20)
#define CR4_SMAP		BIT(21)
#define CR4_PKE			BIT(22)
#define CR4_CET			BIT(23)

#define XCR0_X87		BIT(0)
#define XCR0_SSE		BIT(1)

#define EFER_SCE		BIT(0)
#define EFER_LME		BIT(8)
#define EFER_LMA		BIT(10)
#define EFER_NXE		BIT(11)

#define DEBUGCTL_BTF		BIT(1)

/* RFLAGS (SDM vol. 1, section 3.4.3) */
#define RFLAGS_CF		BIT(0)
#define RFLAGS_FIXED		BIT(1)
#define RFLAGS_PF		BIT(2)
#define RFLAGS_AF		BIT(4)
#define RFLAGS_ZF		BIT(6)
#define RFLAGS_SF		BIT(7)
#define RFLAGS_TF		BIT(8)
#define RFLAGS_IF		BIT(9)
#define RFLAGS_DF		BIT(10)
#define RFLAGS_OF		BIT(11)
#define RFLAGS_STATUS		(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | \
				 RFLAGS_SF | RFLAGS_OF)
#define RFLAGS_RF		BIT(16)
#define RFLAGS_AC		BIT(18)

/* Debug registers (SDM vol. 3, section 18.2) */
#define DR6_RESET		0xffff0ff0u
#define DR6_TRAPS		MASK(3, 0)
#define DR6_CAUSES		(BIT(14) | BIT(13) | MASK(3, 0))	/* BS BD B3..B0 */
#define DR7_RESET		0x400u
#define DR7_GD			BIT(13)

/* Exception vectors (SDM vol. 3, table 6-1) */
#define VEC_DB			1
#define VEC_NMI			2
#define VEC_UD			6
#define VEC_DF			8
#define VEC_SS			12
#define VEC_GP			13
#define VEC_PF			14
#define VEC_AC			17
#define VEC_MC			18
#define VEC_VE			20

/* Page-fault error code (SDM vol. 3, section 4.7) */
#define PF_PRESENT		BIT(0)
#define PF_WRITE		BIT(1)
#define PF_USER			BIT(2)
#define PF_RESERVED		BIT(3)
#define PF_FETCH		BIT(4)
#define PF_PROTECTION_KEY	BIT(5)

/* Page-table entries (SDM vol. 3, section 4.5) */
#define PTE_P			BIT(0)
#define PTE_W			BIT(1)
#define PTE_U			BIT(2)
#define PTE_A			BIT(5)
#define PTE_D			BIT(6)
#define PTE_PS			BIT(7)

#define CACHE_LINE		64	/* of every processor with VMX */

/* Memory types (SDM vol. 3, table 12-2) and what a PAT holds after reset */
#define MEMTYPE_UC		0
#define MEMTYPE_WT		4
#define MEMTYPE_WB		6
#define PAT_RESET		0x0007040600070406ULL

/* Types of INVEPT and INVVPID (SDM vol. 3, section 31.3) */
#define INVEPT_SINGLE		1
#define INVEPT_ALL		2
#define INVVPID_ADDRESS		0
#define INVVPID_SINGLE		1
#define INVVPID_ALL		2

/* Model-specific registers (SDM vol. 4) */
#define MSR_TSC			0x10
#define MSR_KVM_WALL_CLOCK_OLD	0x11
#define MSR_KVM_SYSTEM_TIME_OLD	0x12
#define MSR_APIC_BASE		0x1b
#define MSR_TSC_ADJUST		0x3b
#define APIC_BASE_X2APIC	0xfee00c00ULL	/* enabled, where it is after reset */
#define APIC_BASE_BSP		BIT(8)
#define MSR_FEATURE_CONTROL	0x3a
#define MSR_TEST_CTRL		0x33
#define MSR_SPEC_CTRL		0x48
#define MSR_PRED_CMD		0x49
#define MSR_UCODE_WRITE		0x79
#define MSR_SMM_MONITOR_CTL	0x9b
#define MSR_PMC0		0xc1
#define MSR_PMC7		0xc8
#define MSR_MTRRCAP		0xfe
#define MSR_ARCH_CAPABILITIES	0x10a
#define MSR_FLUSH_CMD		0x10b
#define MSR_TSX_CTRL		0x122
#define MSR_MCU_OPT_CTRL	0x123
#define MSR_MISC_FEATURES	0x140
#define MSR_OC_MAILBOX		0x150
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_MCG_STATUS		0x17a
#define MSR_PERFEVTSEL0		0x186
#define MSR_PERFEVTSEL7		0x18d
#define MSR_MISC_ENABLE		0x1a0
#define MSR_OFFCORE_RSP0	0x1a6
#define MSR_OFFCORE_RSP1	0x1a7
#define MSR_DEBUGCTL		0x1d9
#define MSR_SMRR_BASE		0x1f2
#define MSR_SMRR_MASK		0x1f3
#define MSR_MTRR_PHYSBASE0	0x200
#define MSR_MTRR_FIX64K		0x250
#define MSR_MTRR_FIX16K_80000	0x258
#define MSR_MTRR_FIX16K_A0000	0x259
#define MSR_MTRR_FIX4K_C0000	0x268
#define MSR_MTRR_FIX4K_F8000	0x26f
#define MSR_PAT			0x277
#define MSR_NO_EVICT_MODE	0x2e0
#define MSR_MTRR_DEF_TYPE	0x2ff
#define MSR_FIXED_CTR0		0x309
#define MSR_FIXED_CTR2		0x30b
#define MSR_PERF_CAPABILITIES	0x345
#define MSR_FIXED_CTR_CTRL	0x38d
#define MSR_PERF_GLOBAL_CTRL	0x38f
#define MSR_PEBS_ENABLE		0x3f1
#define MSR_PEBS_DATA_CFG	0x3f2
#define MSR_MC0_CTL		0x400
#define MSR_MC31_MISC		0x47f
#define MSR_VMX_BASIC		0x480
#define MSR_VMX_PINBASED	0x481
#define MSR_VMX_PROCBASED	0x482
#define MSR_VMX_EXIT		0x483
#define MSR_VMX_ENTRY		0x484
#define MSR_VMX_MISC		0x485
#define MSR_VMX_CR0_FIXED0	0x486
#define MSR_VMX_CR0_FIXED1	0x487
#define MSR_VMX_CR4_FIXED0	0x488
#define MSR_VMX_CR4_FIXED1	0x489
#define MSR_VMX_VMCS_ENUM	0x48a
#define MSR_VMX_PROCBASED2	0x48b
#define MSR_VMX_EPT_VPID_CAP	0x48c
#define MSR_VMX_TRUE_PINBASED	0x48d
#define MSR_VMX_TRUE_PROCBASED	0x48e
#define MSR_VMX_TRUE_EXIT	0x48f
#define MSR_VMX_TRUE_ENTRY	0x490
#define MSR_VMX_VMFUNC		0x491
#define MSR_VMX_PROCBASED3	0x492
#define MSR_VMX_EXIT2		0x493
#define MSR_RTIT_OUTPUT_BASE	0x560
#define MSR_RTIT_LAST		0x58f
#define MSR_DS_AREA		0x600
#define MSR_X2APIC_ID		0x802
#define MSR_X2APIC_VERSION	0x803
#define MSR_X2APIC_LAST		0x83f
#define MSR_TME_ACTIVATE	0x982
#define MSR_TME_EXCLUDE_BASE	0x984
#define MSR_BNDCFGS		0xd90
#define MSR_XSS			0xda0
#define MSR_LBR_CTL		0x14ce
#define MSR_HW_FEEDBACK_PTR	0x17d0
#define MSR_HW_FEEDBACK_CONFIG	0x17d1
#define MSR_KVM_FIRST		0x4b564d00
#define MSR_KVM_LAST		0x4b564d04
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_FMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103

#define MCG_STATUS_RIPV	BIT(0)
#define MISC_ENABLE_LIMIT_CPUID	BIT(22)
#define MISC_ENABLE_XD_DISABLE	BIT(34)
#define XSTATE_PT		8
#define XSS_PT			BIT(XSTATE_PT)

#define PERF_METRICS		BIT(15)	/* IA32_PERF_CAPABILITIES */
#define PERF_GLOBAL_METRICS	BIT(48)
#define SPEC_CTRL_IBRS		BIT(0)
#define PRED_CMD_IBPB		BIT(0)
#define FLUSH_CMD_L1D		BIT(0)
/* RNGDS_MITG_DIS, FB_CLEAR_DIS, GDS_MITG_DIS: less is cleared between contexts */
#define MCU_OPT_DISABLES	(BIT(0) | BIT(3) | BIT(4))

#define ARCH_RDCL_NO		BIT(0)
#define ARCH_SKIP_L1D_FLUSH	BIT(3)
#define ARCH_MDS_NO		BIT(5)

/* CPUID feature bits */
#define CPUID1_ECX_VMX		BIT(5)
#define CPUID1_ECX_OSXSAVE	BIT(27)
#define CPUID1_ECX_RDRAND	BIT(30)
#define CPUID6_EAX_HW_FEEDBACK	BIT(19)
#define CPUID6_EAX_DIRECTOR	BIT(23)
#define CPUID_TOPOLOGY		0xb	/* EBX of subleaf 0: threads of a core */
#define CPUID7_EBX_RDSEED	BIT(18)
#define CPUID7_EBX_CLFLUSHOPT	BIT(23)
#define CPUID7_EBX_PT		BIT(25)
#define CPUID7_ECX_PKU		BIT(3)
#define CPUID7_ECX_OSPKE	BIT(4)
#define CPUID7_EDX_MD_CLEAR	BIT(10)
#define CPUID7_EDX_IBRS_IBPB	BIT(26)
#define CPUID7_EDX_L1D_FLUSH	BIT(28)
#define CPUID7_EDX_ARCH_CAPS	BIT(29)
#define CPUID_D1_XSAVEOPT	BIT(0)
#define CPUID_D1_XSAVEC		BIT(1)
#define CPUID_D1_XGETBV1	BIT(2)

#endif /* VMX_X86_H */
