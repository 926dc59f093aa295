/* SPDX-License-Identifier: GPL-2.0 */
/* A processor's VMCSs, VMX capabilities and MSRs, as tests see them. */
#ifndef FAKE_VMX_H
#define FAKE_VMX_H

#include "vmx/base/types.h"

/* Controls that the processor has and the layer offers to nobody. */
#define CPU2_X2APIC_MODE	BIT(4)
#define CPU2_APIC_REGISTERS	BIT(8)
#define CPU2_VIRTUAL_INTR	BIT(9)
#define CPU2_VMFUNC		BIT(13)
#define CPU2_ENCLS_EXITING	BIT(15)
#define CPU2_PML		BIT(17)
#define CPU2_EPT_VE		BIT(18)
#define CPU2_MODE_BASED_EXEC	BIT(22)
#define CPU2_SUBPAGE_WRITE	BIT(23)
#define CPU2_PT_GPA		BIT(24)
#define PIN_POSTED_INTERRUPTS	BIT(7)
#define CPU_TERTIARY_CTLS	BIT(17)
#define ENTRY_SMM		BIT(10)

#define W_REVISION	0x2b
#define W_MAXPHYADDR	39

extern u64 w_msr[0x4000];	/* low range, then the 0xc0000000 range */
extern u32 w_cpuid_fill;	/* what CPUID answers, in each register */
extern u32 w_msr_missing;	/* not 0: an MSR that this processor lacks */

extern u32 w_cpuid1[4], w_cpuid7[4];	/* leaves: features ... */
extern u32 w_cpuid_a[4], w_cpuid_b[4];	/* ... counters, threads */

/*
 * What was done to the processor, in its order.  Test after test, from w_steps_clear().
 * WRMSR: MSR, value.  LINES: frame, 1 if it was zero then | 2 if it was the host's.
 */
enum w_what { W_WRMSR, W_VERW, W_RSB, W_L1D, W_LINES, W_XRSTOR, W_VMPTRLD };
#define W_NEVER		(-1)
void w_step(enum w_what what, u64 arg, u64 val);
void w_steps_clear(void);
int w_first(enum w_what what, u64 arg);	/* number of the step, or W_NEVER */
int w_last(enum w_what what, u64 arg);
u64 w_step_val(int step);

void w_vmx_reset(void);		/* no VMCS was ever loaded */

/* The hardware VMCS at @pa. */
u64 w_vmcs(u64 pa, u32 field);
void w_set_vmcs(u64 pa, u32 field, u64 val);
bool w_vmcs_active(u64 pa);	/* hardware may still write it */
void w_vmcs_forget(u64 pa);	/* the frame is free: its contents are lost */
u64 w_current_pa(void);		/* 0: none */

/* The field of a shadow VMCS on which hardware carries out a VMREAD or VMWRITE; NULL: exit. */
u64 *w_shadowed(u64 enc, bool write);

#endif /* FAKE_VMX_H */
