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
#define CPU2_SHADOW_VMCS	BIT(14)
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

void w_vmx_reset(void);		/* no VMCS was ever loaded */

/* The hardware VMCS at @pa. */
u64 w_vmcs(u64 pa, u32 field);
void w_set_vmcs(u64 pa, u32 field, u64 val);
bool w_vmcs_active(u64 pa);	/* hardware may still write it */
void w_vmcs_forget(u64 pa);	/* the frame is free: its contents are lost */
u64 w_current_pa(void);		/* 0: none */

#endif /* FAKE_VMX_H */
