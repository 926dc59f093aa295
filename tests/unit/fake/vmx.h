/* SPDX-License-Identifier: GPL-2.0 */
/* A processor's VMCSs, VMX capabilities and MSRs, as tests see them. */
#ifndef FAKE_VMX_H
#define FAKE_VMX_H

#include "vmx/base/types.h"

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
