/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMCS: field encodings, control bits, exit reasons (SDM vol. 3, chapter 25
 * and appendices A to C).
 */
#ifndef VMX_VMCS_H
#define VMX_VMCS_H

#include "vmx/base/types.h"

/* Field encodings: VMCS_GUEST_RIP and so on. */
enum vmcs_encoding {
#define VMCS_FIELD(name, enc, exists, class, sync, see, set) VMCS_##name = enc,
#include "vmx/cpu/vmcs_fields.h"
};

/* Dense row numbers, the index of a field in the layer's copies: ROW_GUEST_RIP and so on. */
enum vmcs_row {
#define VMCS_FIELD(name, enc, exists, class, sync, see, set) ROW_##name,
#include "vmx/cpu/vmcs_fields.h"
	NR_VMCS_ROWS
};

#define VMCS_ROW_WORDS	((NR_VMCS_ROWS + 63) / 64)

enum vmcs_exists {
	EXISTS_NEVER, EXISTS_ALWAYS, EXISTS_VPID, EXISTS_EPT, EXISTS_MSR_BITMAP,
	EXISTS_TPR_SHADOW, EXISTS_APIC_ACCESS, EXISTS_XSAVES, EXISTS_TSC_SCALING,
	EXISTS_PERF_GLOBAL, EXISTS_PLE, EXISTS_PREEMPTION,
};

enum vmcs_class { CLASS_CTRL, CLASS_EXIT, CLASS_GUEST, CLASS_HOST };
enum vmcs_sync { SYNC_NONE, SYNC_COPY, SYNC_MERGE, SYNC_EAGER, SYNC_LAZY };
enum vmcs_see { SEE_TRUE, SEE_OWN, SEE_MASK, SEE_ZERO };
enum vmcs_set { SET_YES, SET_FILTER, SET_NO };

struct vmcs_field {
	u16 encoding;
	u8 exists;	/* enum vmcs_exists */
	u8 class;	/* enum vmcs_class */
	u8 sync;	/* enum vmcs_sync */
	u8 see;		/* enum vmcs_see: protected VMs only */
	u8 set;		/* enum vmcs_set: protected VMs only */
};

/** vmcs_field[] - the table of vmx/cpu/vmcs_fields.h, by row (vmx/cpu/vmcs.c) */
extern const struct vmcs_field vmcs_field[NR_VMCS_ROWS];

/* Encoding: bit 0 upper half of a 64-bit field, 9:1 index, 11:10 type, 14:13 width. */
#define VMCS_ENC_HIGH		BIT(0)
#define VMCS_ENC_WIDTH(enc)	((enc) >> 13 & 3)	/* 0: 16, 1: 64, 2: 32, 3: natural */

/* Pin-based VM-execution controls (SDM vol. 3, table 25-5) */
#define PIN_EXTINT_EXITING	BIT(0)
#define PIN_NMI_EXITING		BIT(3)
#define PIN_VIRTUAL_NMIS	BIT(5)
#define PIN_PREEMPTION_TIMER	BIT(6)
#define PIN_POSTED_INTERRUPTS	BIT(7)
#define PIN_DEFAULT1		0x00000016U

/* Primary processor-based VM-execution controls (table 25-6) */
#define CPU_INTR_WINDOW		BIT(2)
#define CPU_TSC_OFFSETTING	BIT(3)
#define CPU_HLT_EXITING		BIT(7)
#define CPU_INVLPG_EXITING	BIT(9)
#define CPU_MWAIT_EXITING	BIT(10)
#define CPU_RDPMC_EXITING	BIT(11)
#define CPU_RDTSC_EXITING	BIT(12)
#define CPU_CR3_LOAD_EXITING	BIT(15)
#define CPU_CR3_STORE_EXITING	BIT(16)
#define CPU_TERTIARY_CTLS	BIT(17)
#define CPU_CR8_LOAD_EXITING	BIT(19)
#define CPU_CR8_STORE_EXITING	BIT(20)
#define CPU_TPR_SHADOW		BIT(21)
#define CPU_NMI_WINDOW		BIT(22)
#define CPU_MOV_DR_EXITING	BIT(23)
#define CPU_UNCOND_IO_EXITING	BIT(24)
#define CPU_IO_BITMAPS		BIT(25)
#define CPU_MTF			BIT(27)
#define CPU_MSR_BITMAPS		BIT(28)
#define CPU_MONITOR_EXITING	BIT(29)
#define CPU_PAUSE_EXITING	BIT(30)
#define CPU_SECONDARY_CTLS	BIT(31)
#define CPU_DEFAULT1		0x0401e172U

/* Secondary processor-based VM-execution controls (table 25-7) */
#define CPU2_APIC_ACCESSES	BIT(0)
#define CPU2_EPT		BIT(1)
#define CPU2_DESC_EXITING	BIT(2)
#define CPU2_RDTSCP		BIT(3)
#define CPU2_X2APIC_MODE	BIT(4)
#define CPU2_VPID		BIT(5)
#define CPU2_WBINVD_EXITING	BIT(6)
#define CPU2_UNRESTRICTED	BIT(7)
#define CPU2_APIC_REGISTERS	BIT(8)
#define CPU2_VIRTUAL_INTR	BIT(9)
#define CPU2_PAUSE_LOOP		BIT(10)
#define CPU2_RDRAND_EXITING	BIT(11)
#define CPU2_INVPCID		BIT(12)
#define CPU2_VMFUNC		BIT(13)
#define CPU2_SHADOW_VMCS	BIT(14)
#define CPU2_ENCLS_EXITING	BIT(15)
#define CPU2_RDSEED_EXITING	BIT(16)
#define CPU2_PML		BIT(17)
#define CPU2_EPT_VE		BIT(18)
#define CPU2_PT_CONCEAL		BIT(19)
#define CPU2_XSAVES		BIT(20)
#define CPU2_MODE_BASED_EXEC	BIT(22)
#define CPU2_SUBPAGE_WRITE	BIT(23)
#define CPU2_PT_GPA		BIT(24)
#define CPU2_TSC_SCALING	BIT(25)
#define CPU2_USER_WAIT_PAUSE	BIT(26)
#define CPU2_ENCLV_EXITING	BIT(28)

/* VM-exit controls (table 25-13) */
#define EXIT_SAVE_DEBUG		BIT(2)
#define EXIT_HOST_64		BIT(9)
#define EXIT_LOAD_PERF_GLOBAL	BIT(12)
#define EXIT_ACK_INTR		BIT(15)
#define EXIT_SAVE_PAT		BIT(18)
#define EXIT_LOAD_PAT		BIT(19)
#define EXIT_SAVE_EFER		BIT(20)
#define EXIT_LOAD_EFER		BIT(21)
#define EXIT_SAVE_PREEMPTION	BIT(22)
#define EXIT_CLEAR_BNDCFGS	BIT(23)
#define EXIT_PT_CONCEAL		BIT(24)
#define EXIT_CLEAR_RTIT_CTL	BIT(25)
#define EXIT_DEFAULT1		0x00036dffU

/* VM-entry controls (table 25-15) */
#define ENTRY_LOAD_DEBUG	BIT(2)
#define ENTRY_IA32E		BIT(9)
#define ENTRY_SMM		BIT(10)
#define ENTRY_DEACTIVATE_DUAL	BIT(11)
#define ENTRY_LOAD_PERF_GLOBAL	BIT(13)
#define ENTRY_LOAD_PAT		BIT(14)
#define ENTRY_LOAD_EFER		BIT(15)
#define ENTRY_LOAD_BNDCFGS	BIT(16)
#define ENTRY_PT_CONCEAL	BIT(17)
#define ENTRY_LOAD_RTIT_CTL	BIT(18)
#define ENTRY_DEFAULT1		0x000011ffU

/* Interruption information, of entries and exits (tables 25-17, 25-18, 25-19) */
#define INTR_VECTOR(info)	((info) & 0xff)
#define INTR_TYPE(info)		((info) >> 8 & 7)
#define INTR_TYPE_EXTERNAL	0
#define INTR_TYPE_NMI		2
#define INTR_TYPE_HARD_EXC	3
#define INTR_TYPE_SOFT_INT	4
#define INTR_TYPE_PRIV_EXC	5
#define INTR_TYPE_SOFT_EXC	6
#define INTR_TYPE_OTHER		7
#define INTR_HAS_ERROR		BIT(11)
#define INTR_NMI_UNBLOCKED	BIT(12)		/* exits only: by IRET */
#define INTR_VALID		BIT(31)

/* Guest interruptibility state (table 25-3) */
#define BLOCKED_BY_STI		BIT(0)
#define BLOCKED_BY_MOV_SS	BIT(1)
#define BLOCKED_BY_SMI		BIT(2)
#define BLOCKED_BY_NMI		BIT(3)

enum vmcs_activity { ACTIVITY_ACTIVE, ACTIVITY_HLT, ACTIVITY_SHUTDOWN, ACTIVITY_WAIT_SIPI };

/* Segment access rights (table 25-2) */
#define SEG_AR_DPL(ar)		((ar) >> 5 & 3)
#define SEG_AR_L		BIT(13)
#define SEG_AR_DB		BIT(14)
#define SEG_AR_UNUSABLE		BIT(16)

/* Basic exit reasons (appendix C); bit 31: VM-entry failure */
#define EXIT_ENTRY_FAILURE		BIT(31)
#define EXIT_REASON_EXCEPTION_NMI	0
#define EXIT_REASON_EXTINT		1
#define EXIT_REASON_TRIPLE_FAULT	2
#define EXIT_REASON_INIT		3
#define EXIT_REASON_SIPI		4
#define EXIT_REASON_IO_SMI		5
#define EXIT_REASON_OTHER_SMI		6
#define EXIT_REASON_INTR_WINDOW		7
#define EXIT_REASON_NMI_WINDOW		8
#define EXIT_REASON_TASK_SWITCH		9
#define EXIT_REASON_CPUID		10
#define EXIT_REASON_GETSEC		11
#define EXIT_REASON_HLT			12
#define EXIT_REASON_INVD		13
#define EXIT_REASON_INVLPG		14
#define EXIT_REASON_RDPMC		15
#define EXIT_REASON_RDTSC		16
#define EXIT_REASON_RSM			17
#define EXIT_REASON_VMCALL		18
#define EXIT_REASON_VMCLEAR		19
#define EXIT_REASON_VMLAUNCH		20
#define EXIT_REASON_VMPTRLD		21
#define EXIT_REASON_VMPTRST		22
#define EXIT_REASON_VMREAD		23
#define EXIT_REASON_VMRESUME		24
#define EXIT_REASON_VMWRITE		25
#define EXIT_REASON_VMXOFF		26
#define EXIT_REASON_VMXON		27
#define EXIT_REASON_CR_ACCESS		28
#define EXIT_REASON_MOV_DR		29
#define EXIT_REASON_IO			30
#define EXIT_REASON_RDMSR		31
#define EXIT_REASON_WRMSR		32
#define EXIT_REASON_GUEST_STATE		33
#define EXIT_REASON_MSR_LOAD		34
#define EXIT_REASON_MWAIT		36
#define EXIT_REASON_MTF			37
#define EXIT_REASON_MONITOR		39
#define EXIT_REASON_PAUSE		40
#define EXIT_REASON_ENTRY_MCE		41
#define EXIT_REASON_TPR_BELOW		43
#define EXIT_REASON_APIC_ACCESS		44
#define EXIT_REASON_VIRTUAL_EOI		45
#define EXIT_REASON_GDTR_IDTR		46
#define EXIT_REASON_LDTR_TR		47
#define EXIT_REASON_EPT_VIOLATION	48
#define EXIT_REASON_EPT_MISCONFIG	49
#define EXIT_REASON_INVEPT		50
#define EXIT_REASON_RDTSCP		51
#define EXIT_REASON_PREEMPTION_TIMER	52
#define EXIT_REASON_INVVPID		53
#define EXIT_REASON_WBINVD		54
#define EXIT_REASON_XSETBV		55
#define EXIT_REASON_APIC_WRITE		56
#define EXIT_REASON_RDRAND		57
#define EXIT_REASON_INVPCID		58
#define EXIT_REASON_VMFUNC		59
#define EXIT_REASON_ENCLS		60
#define EXIT_REASON_RDSEED		61
#define EXIT_REASON_PML_FULL		62
#define EXIT_REASON_XSAVES		63
#define EXIT_REASON_XRSTORS		64
#define EXIT_REASON_SPP			66
#define EXIT_REASON_UMWAIT		67
#define EXIT_REASON_TPAUSE		68
#define EXIT_REASON_SEAMCALL		76
#define EXIT_REASON_TDCALL		77

/* VM-instruction error numbers (SDM vol. 3, section 31.4) */
#define VMERR_VMCALL_IN_ROOT		1
#define VMERR_VMCLEAR_ADDRESS		2
#define VMERR_VMCLEAR_VMXON		3
#define VMERR_LAUNCH_NOT_CLEAR		4
#define VMERR_RESUME_NOT_LAUNCHED	5
#define VMERR_ENTRY_CONTROLS		7
#define VMERR_ENTRY_HOST_STATE		8
#define VMERR_VMPTRLD_ADDRESS		9
#define VMERR_VMPTRLD_VMXON		10
#define VMERR_VMPTRLD_REVISION		11
#define VMERR_FIELD_UNSUPPORTED		12
#define VMERR_FIELD_READ_ONLY		13
#define VMERR_VMXON_IN_ROOT		15
#define VMERR_ENTRY_MOV_SS		26
#define VMERR_INVALID_OPERAND		28

/* Model-specific registers that VMX itself names */
#define MSR_IA32_TSC			0x10
#define MSR_IA32_APIC_BASE		0x1b
#define MSR_IA32_FEATURE_CONTROL	0x3a
#define MSR_IA32_SYSENTER_CS		0x174
#define MSR_IA32_SYSENTER_ESP		0x175
#define MSR_IA32_SYSENTER_EIP		0x176
#define MSR_IA32_DEBUGCTL		0x1d9
#define MSR_IA32_PAT			0x277
#define MSR_IA32_PERF_GLOBAL_CTRL	0x38f
#define MSR_IA32_VMX_BASIC		0x480
#define MSR_IA32_VMX_PINBASED		0x481
#define MSR_IA32_VMX_PROCBASED		0x482
#define MSR_IA32_VMX_EXIT		0x483
#define MSR_IA32_VMX_ENTRY		0x484
#define MSR_IA32_VMX_MISC		0x485
#define MSR_IA32_VMX_CR0_FIXED0		0x486
#define MSR_IA32_VMX_CR0_FIXED1		0x487
#define MSR_IA32_VMX_CR4_FIXED0		0x488
#define MSR_IA32_VMX_CR4_FIXED1		0x489
#define MSR_IA32_VMX_VMCS_ENUM		0x48a
#define MSR_IA32_VMX_PROCBASED2		0x48b
#define MSR_IA32_VMX_EPT_VPID_CAP	0x48c
#define MSR_IA32_VMX_TRUE_PINBASED	0x48d
#define MSR_IA32_VMX_TRUE_PROCBASED	0x48e
#define MSR_IA32_VMX_TRUE_EXIT		0x48f
#define MSR_IA32_VMX_TRUE_ENTRY		0x490
#define MSR_IA32_VMX_VMFUNC		0x491
#define MSR_EFER			0xc0000080
#define MSR_FS_BASE			0xc0000100
#define MSR_GS_BASE			0xc0000101
#define MSR_KERNEL_GS_BASE		0xc0000102

#define EFER_SCE			BIT(0)
#define EFER_LME			BIT(8)
#define EFER_LMA			BIT(10)
#define EFER_NXE			BIT(11)

#define X86_CR0_PE			BIT(0)
#define X86_CR0_NE			BIT(5)
#define X86_CR0_WP			BIT(16)
#define X86_CR0_NW			BIT(29)
#define X86_CR0_CD			BIT(30)
#define X86_CR0_PG			BIT(31)
#define X86_CR4_PAE			BIT(5)
#define X86_CR4_LA57			BIT(12)
#define X86_CR4_VMXE			BIT(13)
#define X86_CR4_PCIDE			BIT(17)
#define X86_CR4_SMEP			BIT(20)
#define X86_CR4_SMAP			BIT(21)
#define X86_CR4_CET			BIT(23)

#define X86_RFLAGS_FIXED		BIT(1)
#define X86_RFLAGS_CF			BIT(0)
#define X86_RFLAGS_PF			BIT(2)
#define X86_RFLAGS_AF			BIT(4)
#define X86_RFLAGS_ZF			BIT(6)
#define X86_RFLAGS_SF			BIT(7)
#define X86_RFLAGS_TF			BIT(8)
#define X86_RFLAGS_IF			BIT(9)
#define X86_RFLAGS_OF			BIT(11)
#define X86_RFLAGS_VM			BIT(17)
#define X86_RFLAGS_AC			BIT(18)

#endif /* VMX_VMCS_H */
