// SPDX-License-Identifier: GPL-2.0
/* A walk of a guest's page tables: see paging.h. */
#include "vmx/cpu/paging.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/base/x86.h"
#include "ept/owner.h"

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
	return MASK(up_config.maxphyaddr - 1, PAGE_SHIFT);
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
	u64 reserved = MASK(51, 0) & ~MASK(up_config.maxphyaddr - 1, 0);

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
	if (!w->p->user && (w->rights & PTE_U) && (w->p->cr4 & CR4_SMAP) &&
	    !(w->p->rflags & RFLAGS_AC))
		return false;
	if (w->write && !(w->rights & PTE_W))
		return !w->p->user && !(w->p->cr0 & CR0_WP);
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

	slot = host_byte(w->table | index << 3);
	if (!slot)
		return -UP_EINVAL;
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

	for (w.level = p->cr4 & CR4_LA57 ? 5 : 4; w.level; w.level--) {
		ret = step(&w, pa);
		if (ret)
			break;
	}
	*error = w.error;
	return ret > 0 ? 0 : ret;
}
