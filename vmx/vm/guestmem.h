/* SPDX-License-Identifier: GPL-2.0 */
/* What the layer reads and writes of a protected VM's memory (vmx/vm/guestmem.c). */
#ifndef VMX_GUESTMEM_H
#define VMX_GUESTMEM_H

#include "vmx/vm/vm.h"

#define NO_GPA	(~0ULL)

/* Takes frames_lock, here and below.  Return: false: it is none such */

/** guest_read() - copy from one private page */
bool guest_read(struct vm *vm, u64 gpa, void *buf, u64 len);

/** guest_write() - copy to one private page */
bool guest_write(struct vm *vm, u64 gpa, const void *buf, u64 len);

/** guest_write_shared() - copy to one shared page, which the host reads and writes, too */
bool guest_write_shared(struct vm *vm, u64 gpa, const void *buf, u64 len);

/**
 * guest_translate() - the current VM's long-mode translation of @gva, rights ignored
 *
 * As many reads as there are levels, each of one entry in a private page.  The answer
 * may have the shared bit; it is what another vCPU left there a moment ago.
 * Return: NO_GPA: not mapped, or by tables that are not private
 */
u64 guest_translate(struct vm *vm, u64 gva);

#endif /* VMX_GUESTMEM_H */
