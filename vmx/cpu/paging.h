/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses, and a walk of a guest's page tables (SDM vol. 3, section 4.5). */
#ifndef VMX_PAGING_H
#define VMX_PAGING_H

#include "vmx/base/cpus.h"

/** pa_valid() - no bit at or above MAXPHYADDR is set */
static inline bool pa_valid(u64 pa)
{
	return !(pa >> up_config.maxphyaddr);
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

/* A guest's paging mode, as the walk needs it. */
struct paging {
	u64 cr0, cr3, cr4, efer, rflags;
	bool user;		/* CPL 3 */
};

/**
 * gva_walk() - translate one address
 * @pa: result
 * @error: page-fault error code, set when the result is -UP_EPERM
 *
 * Reads each entry once and sets accessed and dirty flags as the processor does.
 * Return: 0; -UP_EPERM page fault; -UP_EINVAL a table or the target is not the
 * host's to use (#GP); -UP_EAGAIN an entry changed under the walk: run the
 * instruction again.
 */
int gva_walk(const struct paging *p, u64 gva, bool write, u64 *pa, u32 *error);

#endif /* VMX_PAGING_H */
