/* SPDX-License-Identifier: GPL-2.0 */
/* The VMX capabilities that L1 is offered (SDM vol. 3, appendix A). */
#ifndef VMX_NESTED_CAPS_H
#define VMX_NESTED_CAPS_H

#include "vmx/base/types.h"
#include "vmx/cpu/vmcs.h"

enum caps_ctls { CTLS_PIN, CTLS_CPU, CTLS_CPU2, CTLS_EXIT, CTLS_ENTRY, NR_CTLS };

struct nested_caps {
	u64 ctls[NR_CTLS];	/* must-be-1 in 31:0, may-be-1 in 63:32; the "true" variants */
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	u64 misc;
	u64 ept_vpid;
	u32 revision;
	u32 maxphyaddr;
};

extern struct nested_caps nested_caps;

static inline bool caps_may(enum caps_ctls c, u64 bit)
{
	return nested_caps.ctls[c] >> 32 & bit;
}

/** caps_field_exists() - true if what a VMCS field depends on is offered */
bool caps_field_exists(u32 exists);

static inline u32 caps_revision(void)
{
	return nested_caps.revision;
}

/** pa_valid() - no bit at or above MAXPHYADDR is set */
static inline bool pa_valid(u64 pa)
{
	return !(pa >> nested_caps.maxphyaddr);
}

/** pa_is_frame() - a valid physical address of a 4 KiB frame */
static inline bool pa_is_frame(u64 pa)
{
	return pa_valid(pa) && IS_ALIGNED(pa, PAGE_SIZE);
}

/** la_canonical() - with 48-bit linear addresses, or 57-bit if @la57 */
static inline bool la_canonical(u64 la, bool la57)
{
	u32 shift = la57 ? 7 : 16;

	return (u64)((s64)(la << shift) >> shift) == la;
}

#endif /* VMX_NESTED_CAPS_H */
