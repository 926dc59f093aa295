// SPDX-License-Identifier: GPL-2.0
/*
 * MSR and I/O bitmaps: what hardware uses is a merged copy in the layer's memory,
 * L1's wish or the floor under every VM (vmx/intercept/msr.c).
 *
 * L1 changes its MSR bitmap in place, without a VMCS write to tell.  Copying 4 KiB
 * at every entry would cost more than the rest of it, so only the words of the
 * merged copy that pass some MSR are refreshed: they alone could be too lax.  A
 * word that intercepts everything can only be too strict, and that shows: an MSR
 * exit that L1 does not want makes the whole be merged anew.
 */
#include "vmx/nested/run.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/intercept/msr.h"
#include "ept/frames.h"
#include "ept/pool.h"

#define IO_BITMAP_WORDS	512

static u64 floor_pa;	/* MSR bitmap of msr_vm_must_intercept() */

int nested_bitmap_init(void)
{
	floor_pa = pool_alloc();
	if (!floor_pa)
		return -UP_ENOMEM;
	msr_bitmap_set_floor(phys(floor_pa));
	return 0;
}

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
	vv->open_words = open;
	/* Too many to list: merge as a whole each time. */
	vv->remerge = open > MSR_BITMAP_OPEN_MAX;
}

void msr_bitmap_sync(struct vvmcs *vv)
{
	const u64 *l1 = phys(vv->f[ROW_MSR_BITMAP]);
	const u64 *own = phys(floor_pa);
	u64 *merged = phys(vv->msr_bitmap_pa);

	if (vv->remerge) {
		merge_all(vv, l1, own, merged);
		return;
	}
	for (u32 i = 0; i < vv->open_words; i++) {
		u32 word = vv->open[i];

		merged[word] = READ_ONCE(l1[word]) | own[word];
	}
}

/* The exit has begun with a flush: since then the bitmap may be a protected VM's frame. */
static bool still_hosts(u64 pa)
{
	return frame_host_usable(pa >> PAGE_SHIFT);
}

/* SDM vol. 3, section 25.6.9: read low, read high, write low, write high, 1 KiB each. */
bool msr_wanted_by_l1(const struct vvmcs *vv, u32 msr, bool write)
{
	const u8 *bitmap = phys(vv->f[ROW_MSR_BITMAP]);
	bool high = msr >> 30 == 3;
	u32 bit = msr & 0x1fff;

	if (!(vv->f[ROW_CPU_CTLS] & CPU_MSR_BITMAPS) || !still_hosts(vv->f[ROW_MSR_BITMAP]))
		return true;
	if ((msr & 0x3fffe000) || (msr >> 30 && !high))
		return true;	/* outside the ranges: always intercepted */
	bitmap += (write ? 2048 : 0) + (high ? 1024 : 0);
	return READ_ONCE(bitmap[bit / 8]) >> (bit % 8) & 1;
}

int io_bitmap_sync(struct vvmcs *vv)
{
	for (u32 n = 0; n < 2; n++) {
		const u64 *l1 = phys(vv->f[ROW_IO_BITMAP_A + n]);
		const u64 *own = phys(io_bitmap_host(n));
		u64 *merged;

		if (!vv->io_bitmap_pa[n])
			vv->io_bitmap_pa[n] = pool_alloc();
		if (!vv->io_bitmap_pa[n])
			return -UP_ENOMEM;
		merged = phys(vv->io_bitmap_pa[n]);
		for (u32 i = 0; i < IO_BITMAP_WORDS; i++)
			merged[i] = READ_ONCE(l1[i]) | own[i];
	}
	return 0;
}

static bool port_bit(u64 bitmap_pa, u32 port)
{
	const u8 *bitmap = phys(bitmap_pa);

	return READ_ONCE(bitmap[(port & 0x7fff) / 8]) >> (port % 8) & 1;
}

/* Section 25.1.3: any byte of the access counts; one that wraps around always exits. */
static bool port_wanted(u64 qual, u64 bitmap_a, u64 bitmap_b)
{
	u32 size = (qual & 7) + 1, port = qual >> 16 & 0xffff;

	for (u32 i = 0; i < size; i++, port++)
		if (port > 0xffff || port_bit(port < 0x8000 ? bitmap_a : bitmap_b, port))
			return true;
	return false;
}

bool io_wanted_by_l1(const struct vvmcs *vv, u64 qual)
{
	if (!(vv->f[ROW_CPU_CTLS] & CPU_IO_BITMAPS))
		return vv->f[ROW_CPU_CTLS] & CPU_UNCOND_IO_EXITING;
	if (!still_hosts(vv->f[ROW_IO_BITMAP_A]) || !still_hosts(vv->f[ROW_IO_BITMAP_B]))
		return true;
	return port_wanted(qual, vv->f[ROW_IO_BITMAP_A], vv->f[ROW_IO_BITMAP_B]);
}

bool io_must_intercept(u64 qual)
{
	return port_wanted(qual, io_bitmap_host(0), io_bitmap_host(1));
}
