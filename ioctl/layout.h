/* SPDX-License-Identifier: GPL-2.0 */
/* Which guest frames get which pages: arithmetic only, no kernel state. */
#ifndef IOCTL_LAYOUT_H
#define IOCTL_LAYOUT_H

#include <linux/types.h>

/* A memory slot as KVM knows it: [gfn, gfn + npages) is at [hva, ...) in the process. */
struct up_slot {
	u64 gfn;
	u64 npages;
	u64 hva;
};

/*
 * A piece of a slot that is treated alike.  An alias is memory that a slot at a
 * higher guest address has, too: one frame cannot be bound to two guest frames,
 * and the higher address is the one that matters (the reset vector is there),
 * so the lower gets zero frames of its own.
 */
struct up_run {
	u64 gfn;
	u64 npages;
	u64 hva;
	bool alias;
};

/**
 * up_slots_check() - sanity of a list of slots
 * Return: 0, or -EINVAL: empty, not ascending, overlapping, unaligned or wrapping.
 */
int up_slots_check(const struct up_slot *slots, unsigned int nr);

/**
 * up_run_next() - the run that starts at a place in a slot
 * @slots: checked, ascending
 * @nr: how many
 * @slot: which of them
 * @page: first page of the run, less than the slot's npages
 * @run: filled in
 *
 * Return: first page after the run; the slot's npages ends the slot.
 */
u64 up_run_next(const struct up_slot *slots, unsigned int nr, unsigned int slot, u64 page,
		struct up_run *run);

/**
 * up_run_clip() - reduce a run to the part inside a window of guest frames
 * Return: false if nothing is left; @run is undefined then.
 */
bool up_run_clip(struct up_run *run, u64 gfn, u64 count);

#endif /* IOCTL_LAYOUT_H */
