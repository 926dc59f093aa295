// SPDX-License-Identifier: GPL-2.0
/*
 * MSR bitmaps: what hardware uses is a merged copy in the layer's memory, L1's wish or
 * the floor under every VM (vmx/intercept/msrs.h).
 *
 * L1 changes its MSR bitmap in place, without a VMCS write to tell.  Copying 4 KiB
 * at every entry would cost more than the rest of it, so only the words of the
 * merged copy that pass some MSR are refreshed: they alone could be too lax.  A
 * word that intercepts everything can only be too strict, and that shows: an MSR
 * exit that L1 does not want makes the whole be merged anew.
 */
#include "vmx/vmcs/msrbitmap.h"
#include "vmx/base/asm.h"
#include "vmx/base/lib.h"
#include "vmx/cpu/bitmap.h"
#include "vmx/intercept/msr.h"
#include "ept/owner.h"

static void merge_all(struct vvmcs *vv, const u64 *l1, const u64 *own, u64 *merged)
{
	u32 open = 0;

	for (u32 i = 0; i < MSR_BITMAP_WORDS; i++) {
		merged[i] = READ_ONCE(l1[i]) | own[i];
		if (merged[i] == ~0ULL)
			continue;
		if (open < MSR_BITMAP_OPEN_MAX)
			vv->open[open] = i;
		open++;
	}
	/*@ split open > MSR_BITMAP_OPEN_MAX; */
	vv->open_words = open;
	/* Too many to list: merge as a whole each time. */
	vv->remerge = open > MSR_BITMAP_OPEN_MAX;
}

void msr_bitmap_sync(struct vvmcs *vv)
{
	const u64 *l1 = host_byte(vv->f[ROW_MSR_BITMAP]);
	const u64 *own = phys(msr_bitmap_floor());
	u64 *merged = phys(vv->msr_bitmap_pa);

	if (!l1) {	/* given away by another CPU just now */
		memset(merged, 0xff, PAGE_SIZE);
		vv->remerge = true;
		return;
	}
	if (vv->remerge) {
		merge_all(vv, l1, own, merged);
		return;
	}
	for (const u16 *open = vv->open, *end = open + vv->open_words; open < end; open++)
		merged[*open] = READ_ONCE(l1[*open]) | own[*open];
}

bool msr_wanted_by_l1(const struct vvmcs *vv, u32 msr, bool write)
{
	const void *bitmap = host_byte(vv->f[ROW_MSR_BITMAP]);
	s32 bit = msr_bit(msr, write);

	/* The exit has begun with a flush: since then it may be a protected VM's frame. */
	if (!(vv->f[ROW_CPU_CTLS] & CPU_MSR_BITMAPS) || !bitmap)
		return true;
	return bit < 0 || bitmap_test(bitmap, (u32)bit);
}
