// SPDX-License-Identifier: GPL-2.0
/* L1's memory by linear address: see l1mem.h. */
#include "vmx/nested/l1mem.h"
#include "vmx/abi/errno.h"
#include "vmx/cpu/event.h"
#include "vmx/cpu/paging.h"
#include "ept/owner.h"

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
	u8 *at[2];
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
	at[0] = host_page(pa[0] >> PAGE_SHIFT);
	at[1] = host_page(pa[1] >> PAGE_SHIFT);
	if (!at[0] || (first < len && !at[1]))
		return -UP_EAGAIN;	/* given away by another CPU just now */
	/*@ loop invariant i <= len;
	    loop assigns i, ((u8 *)buf)[0 .. len - 1], at[0][0 .. 4095], at[1][0 .. 4095]; */
	for (u32 i = 0; buf && i < len; i++) {
		/* No branch: it could be guessed beyond the page's end (Spectre v1). */
		u64 la = gva + i;
		u8 *byte = at[(la ^ gva) >> PAGE_SHIFT & 1] + (la & ~PAGE_MASK);

		/*@ assert same: gva % 4096 + i < 4096 ==> la / 4096 == gva / 4096; */
		/*@ assert within: \valid(byte); */
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

int l1_may_write(u64 gva, u32 len)
{
	return l1_access(gva, NULL, len, true);
}

int l1_write(u64 gva, const void *src, u32 len)
{
	return l1_access(gva, (void *)src, len, true);
}
