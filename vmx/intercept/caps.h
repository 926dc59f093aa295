/* SPDX-License-Identifier: GPL-2.0 */
/* The VMX capabilities that L1 is offered (SDM vol. 3, appendix A). */
#ifndef VMX_CAPS_H
#define VMX_CAPS_H

#include "vmx/cpu/vmcs.h"

struct vmx_caps {
	u64 ctls[NR_CTLS];	/* must-be-1 in 31:0, may-be-1 in 63:32; the "true" variants */
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	u64 misc;
	u64 ept_vpid;
	u64 perf_global;	/* bits that IA32_PERF_GLOBAL_CTRL may have */
	u32 revision;
};

extern struct vmx_caps vmx_caps;

static inline bool caps_may(enum vmx_ctls c, u64 bit)
{
	return vmx_caps.ctls[c] >> 32 & bit;
}

/**
 * caps_perf_global() - does hardware switch IA32_PERF_GLOBAL_CTRL?
 * Then it is zero in root mode, so that nothing counts or samples there, and VMCS01 and
 * VMCS02 have the value for whoever runs.
 */
static inline bool caps_perf_global(void)
{
	return caps_may(CTLS_ENTRY, ENTRY_LOAD_PERF_GLOBAL);
}

/** caps_field_exists() - true if what a VMCS field depends on is offered */
bool caps_field_exists(const struct vmcs_field *f);

static inline u32 caps_revision(void)
{
	return vmx_caps.revision;
}

/** caps_init() - compute what is offered.  Launch, first CPU.  Return: 0 or -UP_ENODEV */
int caps_init(void);

/**
 * caps_msr_read() - L1 reads IA32_VMX_* or IA32_FEATURE_CONTROL
 * Return: 0, or -UP_ENOENT when @msr is none of those (or absent: #GP)
 */
int caps_msr_read(u32 msr, u64 *val);

#endif /* VMX_CAPS_H */
