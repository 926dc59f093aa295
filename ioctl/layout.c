// SPDX-License-Identifier: GPL-2.0
/* Which guest frames get which pages (see layout.h). */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include "layout.h"

static bool slot_is_sane(const struct up_slot *s)
{
	return s->npages && s->npages <= U64_MAX >> PAGE_SHIFT && PAGE_ALIGNED(s->hva) &&
	       s->gfn + s->npages > s->gfn &&
	       s->hva + (s->npages << PAGE_SHIFT) > s->hva;
}

int up_slots_check(const struct up_slot *slots, unsigned int nr)
{
	unsigned int i;

	if (!nr)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		if (!slot_is_sane(&slots[i]))
			return -EINVAL;
		if (i && slots[i].gfn < slots[i - 1].gfn + slots[i - 1].npages)
			return -EINVAL;
	}
	return 0;
}

u64 up_run_next(const struct up_slot *slots, unsigned int nr, unsigned int slot, u64 page,
		struct up_run *run)
{
	const struct up_slot *s = &slots[slot];
	u64 start = s->hva + (page << PAGE_SHIFT);
	u64 end = s->hva + (s->npages << PAGE_SHIFT);
	unsigned int i;

	run->alias = false;
	for (i = slot + 1; i < nr; i++) {
		u64 from = slots[i].hva;
		u64 to = from + (slots[i].npages << PAGE_SHIFT);

		if (start >= from && start < to)
			run->alias = true;
		if (from > start)
			end = min(end, from);
		if (to > start)
			end = min(end, to);
	}
	run->gfn = s->gfn + page;
	run->hva = start;
	run->npages = (end - start) >> PAGE_SHIFT;
	return page + run->npages;
}

bool up_run_clip(struct up_run *run, u64 gfn, u64 count)
{
	u64 first = max(run->gfn, gfn);
	u64 last = min(run->gfn + run->npages, gfn + count);

	if (first >= last)
		return false;
	run->hva += (first - run->gfn) << PAGE_SHIFT;
	run->gfn = first;
	run->npages = last - first;
	return true;
}
