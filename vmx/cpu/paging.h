/* SPDX-License-Identifier: GPL-2.0 */
/* L1's memory by linear address: a walk of its page tables (SDM vol. 3, section 4.5). */
#ifndef VMX_GVA_H
#define VMX_GVA_H

#include "vmx/base/types.h"

/* L1's paging mode, as the walk needs it. */
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

/**
 * l1_read(), l1_write() - copy to or from L1's memory, VMCS01 current
 * @len: at most 16
 *
 * Return: 0; negative: an exception has been injected, or the instruction is to
 * be run again: the caller returns without advancing RIP.
 */
int l1_read(u64 gva, void *dst, u32 len);
int l1_write(u64 gva, const void *src, u32 len);

#endif /* VMX_GVA_H */
