// SPDX-License-Identifier: GPL-2.0
/* L1's memory by linear address: see l1mem.h. */
#include "vmx/nested/l1mem.h"
#include "vmx/abi/errno.h"
#include "vmx/cpu/event.h"
#include "vmx/cpu/paging.h"

static void read_paging(struct paging *p)
{
	p->cr0 = vmread(VMCS_GUEST_CR0);
	p->cr3 = vmread(VMCS_GUEST_CR3);
	p->cr4 = vmread(VMCS_GUEST_CR4);
	p->efer = vmread(VMCS_GUEST_EFER);
	p->rflags = vmread(VMCS_GUEST_RFLAGS);
	p->user = guest_cpl() == 3;
}

static int fault(int err, u64 gva, u32 error)
{
	if (err == -UP_EPERM)
		inject_pf(gva, error);
	else if (err == -UP_EINVAL)
		inject_gp();
	return err;
}

/* Both pages are translated before a byte is copied: a fault has no effect but itself. */
static int l1_access(u64 gva, void *buf, u32 len, bool write)
{
	u32 first = PAGE_SIZE - (gva & ~PAGE_MASK);
	struct paging p;
	u64 pa[2] = { 0, 0 };
	u32 error = 0;
	int err;

	read_paging(&p);
	if (first > len)
		first = len;
	err = gva_walk(&p, gva, write, &pa[0], &error);
	if (err)
		return fault(err, gva, error);
	if (first < len) {
		err = gva_walk(&p, gva + first, write, &pa[1], &error);
		if (err)
			return fault(err, gva + first, error);
	}
	for (u32 i = 0; i < len; i++) {
		u8 *byte = phys(i < first ? pa[0] + i : pa[1] + i - first);

		if (write)
			WRITE_ONCE(*byte, ((u8 *)buf)[i]);
		else
			((u8 *)buf)[i] = READ_ONCE(*byte);
	}
	return 0;
}

int l1_read(u64 gva, void *dst, u32 len)
{
	return l1_access(gva, dst, len, false);
}

int l1_write(u64 gva, const void *src, u32 len)
{
	return l1_access(gva, (void *)src, len, true);
}
