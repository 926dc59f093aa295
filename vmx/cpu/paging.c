// SPDX-License-Identifier: GPL-2.0
/* L1's memory by linear address. */
#include "vmx/cpu/paging.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/host/host.h"
#include "vmx/base/lib.h"
#include "vmx/intercept/caps.h"
#include "ept/frames.h"

#define PTE_P		BIT(0)
#define PTE_W		BIT(1)
#define PTE_U		BIT(2)
#define PTE_A		BIT(5)
#define PTE_D		BIT(6)
#define PTE_PS		BIT(7)

#define PF_PRESENT	BIT(0)
#define PF_WRITE	BIT(1)
#define PF_USER		BIT(2)
#define PF_RESERVED	BIT(3)

struct walk {
	const struct paging *p;
	u64 gva;
	bool write;
	u64 rights;		/* PTE_W and PTE_U, of all levels so far */
	u64 table;
	u32 level;
	u32 error;
};

static u64 addr_mask(void)
{
	return MASK(nested_caps.maxphyaddr - 1, PAGE_SHIFT);
}

static u32 level_shift(u32 level)
{
	return PAGE_SHIFT + 9 * (level - 1);
}

static bool is_leaf(u32 level, u64 entry)
{
	return level == 1 || (level <= 3 && (entry & PTE_PS));
}

static bool reserved_bits(const struct walk *w, u64 entry)
{
	u64 reserved = MASK(51, 0) & ~MASK(nested_caps.maxphyaddr - 1, 0);

	if (!(w->p->efer & EFER_NXE))
		reserved |= BIT(63);
	if (w->level > 3)
		reserved |= PTE_PS;
	else if (w->level > 1 && (entry & PTE_PS))
		reserved |= MASK(level_shift(w->level) - 1, 13);
	return entry & reserved;
}

/* Section 4.6.1, data accesses.  Protection keys are left out: L1's kernel is the caller. */
static bool allowed(const struct walk *w)
{
	if (w->p->user && !(w->rights & PTE_U))
		return false;
	if (!w->p->user && (w->rights & PTE_U) && (w->p->cr4 & X86_CR4_SMAP) &&
	    !(w->p->rflags & X86_RFLAGS_AC))
		return false;
	if (w->write && !(w->rights & PTE_W))
		return !w->p->user && !(w->p->cr0 & X86_CR0_WP);
	return true;
}

static int page_fault(struct walk *w, u32 why)
{
	w->error = why | (w->write ? PF_WRITE : 0) | (w->p->user ? PF_USER : 0);
	return -UP_EPERM;
}

static int set_flags(u64 *slot, u64 entry, u64 flags)
{
	if ((entry & flags) == flags)
		return 0;
	if (!__atomic_compare_exchange_n(slot, &entry, entry | flags, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return -UP_EAGAIN;
	return 0;
}

/* Return: 1 when @pa is the translation, 0 to go on one level down, or negative. */
static int step(struct walk *w, u64 *pa)
{
	u64 index = w->gva >> level_shift(w->level) & 511;
	u64 *slot, entry, offset;
	int err;

	if (!frame_host_usable(w->table >> PAGE_SHIFT))
		return -UP_EINVAL;
	slot = (u64 *)phys(w->table) + index;
	entry = READ_ONCE(*slot);
	if (!(entry & PTE_P))
		return page_fault(w, 0);
	if (reserved_bits(w, entry))
		return page_fault(w, PF_PRESENT | PF_RESERVED);
	w->rights &= entry;
	if (!is_leaf(w->level, entry)) {
		w->table = entry & addr_mask();
		return set_flags(slot, entry, PTE_A);
	}
	if (!allowed(w))
		return page_fault(w, PF_PRESENT);
	err = set_flags(slot, entry, w->write ? PTE_A | PTE_D : PTE_A);
	if (err)
		return err;
	offset = MASK(level_shift(w->level) - 1, 0);
	*pa = (entry & addr_mask() & ~offset) | (w->gva & offset);
	return frame_host_usable(*pa >> PAGE_SHIFT) ? 1 : -UP_EINVAL;
}

int gva_walk(const struct paging *p, u64 gva, bool write, u64 *pa, u32 *error)
{
	struct walk w = {
		.p = p, .gva = gva, .write = write, .rights = PTE_W | PTE_U,
		.table = p->cr3 & addr_mask(),
	};
	int ret = -UP_EINVAL;

	for (w.level = p->cr4 & X86_CR4_LA57 ? 5 : 4; w.level; w.level--) {
		ret = step(&w, pa);
		if (ret)
			break;
	}
	*error = w.error;
	return ret > 0 ? 0 : ret;
}

static void read_paging(struct paging *p)
{
	p->cr0 = vmread(VMCS_GUEST_CR0);
	p->cr3 = vmread(VMCS_GUEST_CR3);
	p->cr4 = vmread(VMCS_GUEST_CR4);
	p->efer = vmread(VMCS_GUEST_EFER);
	p->rflags = vmread(VMCS_GUEST_RFLAGS);
	p->user = SEG_AR_DPL(vmread(VMCS_GUEST_SS_AR)) == 3;
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
