/* SPDX-License-Identifier: GPL-2.0 */
/* L1's memory by linear address (vmx/nested/l1mem.c). */
#ifndef VMX_L1MEM_H
#define VMX_L1MEM_H

#include "vmx/base/types.h"

/**
 * l1_read(), l1_write() - copy to or from L1's memory, VMCS01 current
 * @len: at most 16
 *
 * Return: 0; negative: an exception has been injected, or the instruction is to
 * be run again: the caller returns without advancing RIP.
 */
int l1_read(u64 gva, void *dst, u32 len);
int l1_write(u64 gva, const void *src, u32 len);

/** l1_may_write() - as l1_write(), but nothing is written */
int l1_may_write(u64 gva, u32 len);

#endif /* VMX_L1MEM_H */
