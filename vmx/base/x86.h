/* SPDX-License-Identifier: GPL-2.0 */
/* Architectural constants: control registers, MSRs, CPUID bits (SDM vol. 3 and 4). */
#ifndef VMX_X86_H
#define VMX_X86_H

#include "vmx/base/types.h"

#define CR0_PE			BIT(0)
#define CR0_NE			BIT(5)
#define CR0_ET			BIT(4)
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
#define CR4_SMXE		BIT(14)
#define CR4_FSGSBASE		BIT(16)
#define CR4_PCIDE		BIT(17)
#define CR4_OSXSAVE		BIT(18)
#define CR4_SMEP		BIT(20)
#define CR4_SMAP		BIT(21)
#define CR4_PKE			BIT(22)

#define EFER_SCE		BIT(0)
#define EFER_LME		BIT(8)
#define EFER_LMA		BIT(10)
#define EFER_NXE		BIT(11)

/* Page-fault error code (SDM vol. 3, 4.7) */
#define PF_PRESENT		BIT(0)
#define PF_WRITE		BIT(1)
#define PF_USER			BIT(2)
#define PF_FETCH		BIT(4)
#define PF_PROTECTION_KEY	BIT(5)

#define RFLAGS_FIXED		BIT(1)
#define RFLAGS_IF		BIT(9)

#define MSR_APIC_BASE		0x1b
#define MSR_FEATURE_CONTROL	0x3a
#define MSR_SPEC_CTRL		0x48
#define MSR_UCODE_WRITE		0x79
#define MSR_SMM_MONITOR_CTL	0x9b
#define MSR_ARCH_CAPABILITIES	0x10a
#define MSR_FLUSH_CMD		0x10b
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_DEBUGCTL		0x1d9
#define MSR_PAT			0x277
#define MSR_PERF_GLOBAL_CTRL	0x38f
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
#define MSR_RTIT_FIRST		0x560
#define MSR_RTIT_LAST		0x58f
#define MSR_XSS			0xda0
#define MSR_LBR_CTL		0x14ce
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_FMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103

#define ARCH_RDCL_NO		BIT(0)
#define ARCH_SKIP_L1D_FLUSH	BIT(3)

#define FEATURE_CONTROL_LOCKED	BIT(0)
#define FEATURE_CONTROL_VMX	BIT(2)

#define CPUID1_ECX_VMX		BIT(5)
#define CPUID1_ECX_XSAVE	BIT(26)
#define CPUID1_ECX_OSXSAVE	BIT(27)

#endif /* VMX_X86_H */
