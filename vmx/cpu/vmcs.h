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

enum vmx_ctls { CTLS_PIN, CTLS_CPU, CTLS_CPU2, CTLS_EXIT, CTLS_ENTRY, NR_CTLS };
enum vmcs_class { CLASS_CTRL, CLASS_EXIT, CLASS_GUEST, CLASS_HOST };
enum vmcs_sync { SYNC_NONE, SYNC_COPY, SYNC_MERGE, SYNC_EAGER, SYNC_LAZY };
enum vmcs_see { SEE_OWN, SEE_SHOWN, SEE_ZERO };
enum vmcs_set { SET_YES, SET_FILTER, SET_NO };

struct vmcs_field {
	u16 encoding;
	u8 ctls;	/* enum vmx_ctls: where ... */
	u32 control;	/* ... this is a bit without which the field is not there; 0: always */
	u8 class;	/* enum vmcs_class */
	u8 sync;	/* enum vmcs_sync */
	u8 see;		/* enum vmcs_see: protected VMs only */
	u8 set;		/* enum vmcs_set: protected VMs only */
};

/* What a field depends on: a word of controls, and a bit in it. */
#define EXISTS_ALWAYS		CTLS_PIN, 0
#define EXISTS_PREEMPTION	CTLS_PIN, PIN_PREEMPTION_TIMER
#define EXISTS_IO_BITMAPS	CTLS_CPU, CPU_IO_BITMAPS
#define EXISTS_MSR_BITMAP	CTLS_CPU, CPU_MSR_BITMAPS
#define EXISTS_TPR_SHADOW	CTLS_CPU, CPU_TPR_SHADOW
#define EXISTS_APIC_ACCESS	CTLS_CPU2, CPU2_APIC_ACCESSES
#define EXISTS_PLE		CTLS_CPU2, CPU2_PAUSE_LOOP
#define EXISTS_TSC_SCALING	CTLS_CPU2, CPU2_TSC_SCALING
#define EXISTS_VPID		CTLS_CPU2, CPU2_VPID
#define EXISTS_SHADOWING	CTLS_CPU2, CPU2_SHADOW_VMCS
#define EXISTS_XSAVES		CTLS_CPU2, CPU2_XSAVES
#define EXISTS_PERF_GLOBAL	CTLS_ENTRY, ENTRY_LOAD_PERF_GLOBAL

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
#define CPU2_VPID		BIT(5)
#define CPU2_WBINVD_EXITING	BIT(6)
#define CPU2_UNRESTRICTED	BIT(7)
#define CPU2_PAUSE_LOOP		BIT(10)
#define CPU2_RDRAND_EXITING	BIT(11)
#define CPU2_INVPCID		BIT(12)
#define CPU2_SHADOW_VMCS	BIT(14)
#define CPU2_RDSEED_EXITING	BIT(16)
#define CPU2_XSAVES		BIT(20)
#define CPU2_TSC_SCALING	BIT(25)
#define CPU2_USER_WAIT_PAUSE	BIT(26)

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
#define EXIT_DEFAULT1		0x00036dffU

/* VM-entry controls (table 25-15) */
#define ENTRY_LOAD_DEBUG	BIT(2)
#define ENTRY_IA32E		BIT(9)
#define ENTRY_LOAD_PERF_GLOBAL	BIT(13)
#define ENTRY_LOAD_PAT		BIT(14)
#define ENTRY_LOAD_EFER		BIT(15)
#define ENTRY_DEFAULT1		0x000011ffU

/* Interruption information, of entries and exits (tables 25-17, 25-18, 25-19) */
#define INTR_VECTOR(info)	((info) & 0xff)
#define INTR_TYPE(info)		((info) >> 8 & 7)
#define INTR_TYPE_EXTERNAL	0
#define INTR_TYPE_NMI		2
#define INTR_TYPE_HARD_EXC	3
#define INTR_HAS_ERROR		BIT(11)
#define INTR_NMI_UNBLOCKED	BIT(12)		/* exits only: by IRET */
#define INTR_VALID		BIT(31)

/* Pending debug exceptions (table 25-4) */
#define PENDING_DBG_BS		BIT(14)

/* Guest interruptibility state (table 25-3) */
#define BLOCKED_BY_STI		BIT(0)
#define BLOCKED_BY_MOV_SS	BIT(1)
#define BLOCKED_BY_NMI		BIT(3)

enum vmcs_activity { ACTIVITY_ACTIVE, ACTIVITY_HLT, ACTIVITY_SHUTDOWN, ACTIVITY_WAIT_SIPI };

/* Exit qualification of I/O instructions (table 28-5) */
#define IO_SIZE(q)		((u32)((q) & 7) + 1)
#define IO_IN			BIT(3)
#define IO_STRING		BIT(4)
#define IO_REP			BIT(5)
#define IO_PORT(q)		((u16)((q) >> 16))

/* Exit qualification of control-register accesses (table 28-3) */
#define CR_NUMBER(q)		((u32)(q) & 0xf)
#define CR_TYPE(q)		((u32)(q) >> 4 & 3)
#define CR_REG(q)		((u32)(q) >> 8 & 0xf)
#define CR_TYPE_TO		0
#define CR_TYPE_FROM		1

#define HOST_VPID		1	/* the demoted host's; VMs have the numbers above */

/* Segment access rights (table 25-2) */
#define SEG_AR_DPL(ar)		((ar) >> 5 & 3)
#define SEG_AR_L		BIT(13)
#define SEG_AR_UNUSABLE		BIT(16)

/* Basic exit reasons: abi/exit_reasons.h.  Bit 31: VM-entry failure */
#define EXIT_ENTRY_FAILURE	BIT(31)

enum exit_reason {
#define EXIT_REASON(name, number, text) EXIT_REASON_##name = number,
#include "vmx/abi/exit_reasons.h"
};

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

#endif /* VMX_VMCS_H */
