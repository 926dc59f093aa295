// SPDX-License-Identifier: GPL-2.0
/*
 * The demoted host's EPT: identity, filled when it is touched, from the owner
 * table alone.  2 MiB where all is the host's, 1 GiB where there is no RAM.
 */

#include "ept/host.h"
#include "ept/device.h"
#include "ept/flush.h"
#include "ept/owner.h"
#include "ept/mtrr.h"
#include "ept/pool.h"
#include "ept/shadow.h"
#include "ept/table.h"
#include "ept/view.h"
#include "vmx/base/asm.h"
#include "vmx/base/lib.h"
#include "vmx/base/x86.h"

/*
 * A decoy stands where the host's kernel touches a frame that is not its own.
 * It holds this pattern, or what the host itself wrote; not present when it is
 * taken for a page-table entry.
 */
#define DECOYS		8
#define DECOY_PATTERN	0xdec0dec0dec0dec0ULL
#define NO_PFN		(~0ULL)

struct host_ept_stats host_ept_stats;

static u64 root;
static struct { u64 pa, pfn; } decoys[DECOYS];
static u32 decoy_next;		/* the oldest */
static u64 decoy_ticket;	/* of the newest unmapping of a decoy */

static u64 leaf(u64 pa, int type)
{
	return pa | EPT_RWX | EPT_TYPE(type);
}

/* The host needs its tables: what is left of the pool, then the VMs' tables. */
static u64 host_alloc(void)
{
	u64 pa = pool_alloc_reserve();

	if (!pa && !shadow_reclaim())
		shadow_shrink_all();
	return pa ? pa : pool_alloc_reserve();
}

u64 host_ept_init(void)
{
	u32 i;

	ept_caps = rdmsr(MSR_VMX_EPT_VPID_CAP);
	for (i = 0; i < DECOYS; i++) {
		decoys[i].pfn = NO_PFN;
		decoys[i].pa = pool_alloc();
		if (!decoys[i].pa)
			return 0;
	}
	root = pool_alloc();
	return root ? root | EPTP_FLAGS : 0;
}

/* One page, if it is the host's: @e is its entry. */
static void fill_page(u64 *e, u64 pa, int type)
{
	if (*e || !frame_is_hosts(pa >> PAGE_SHIFT))
		return;
	ept_set(e, leaf(pa, type < 0 ? mtrr_type(pa, PAGE_SIZE) : type));
	if (frame_entry(pa >> PAGE_SHIFT))
		host_ept_stats.small++;
}

/*
 * The entry for @pa at 4 KiB; a table that is made for it is filled in one go,
 * so that the region's other pages need no exit.
 */
static u64 *small_slot(u64 pa)
{
	u64 i, start = ALIGN_DOWN(pa, SZ_2M);
	u64 *e = ept_slot(root, pa, 2, host_alloc);
	bool made = e && !(*e & EPT_RWX);
	int type;

	if (!e)
		return NULL;
	e = ept_slot(root, pa, 1, host_alloc);
	if (!e || !made)
		return e;
	type = mtrr_type(start, SZ_2M);
	for (i = 0; i < EPT_ENTRIES; i++)
		fill_page(e - ept_index(pa, 1) + i, start + i * PAGE_SIZE, type);
	return e;
}

static bool fill_huge(u64 *e, u64 pa)
{
	int type;

	if (*e & EPT_LARGE)
		return true;	/* another CPU was here first */
	pa = ALIGN_DOWN(pa, SZ_1G);
	if (*e || !(ept_caps & EPT_CAP_1G) ||
	    frames_have_ram(pa >> PAGE_SHIFT, SZ_1G >> PAGE_SHIFT) ||
	    devices_in(pa >> PAGE_SHIFT, SZ_1G >> PAGE_SHIFT))
		return false;
	type = mtrr_type(pa, SZ_1G);
	if (type < 0)
		return false;
	ept_set(e, leaf(pa, type) | EPT_LARGE);
	return true;
}

static bool fill_large(u64 *e, u64 pa)
{
	enum frame_region region;
	int type;

	if (*e & EPT_LARGE)
		return true;
	if (*e & EPT_RWX)
		return false;
	pa = ALIGN_DOWN(pa, SZ_2M);
	region = frames_region(pa >> PAGE_SHIFT);
	type = mtrr_type(pa, SZ_2M);
	if (region == REGION_MIXED || type < 0)
		return false;
	ept_set(e, leaf(pa, type) | EPT_LARGE);
	if (region == REGION_HOST)
		host_ept_stats.large += EPT_ENTRIES;
	return true;
}

static enum ept_result fill(u64 pa)
{
	u64 *e = ept_slot(root, pa, 3, host_alloc);

	if (!e)
		return EPT_NOMEM;
	if (fill_huge(e, pa))
		return EPT_FILLED;
	e = ept_slot(root, pa, 2, host_alloc);
	if (!e)
		return EPT_NOMEM;
	if (fill_large(e, pa))
		return EPT_FILLED;
	e = small_slot(pa);
	if (!e)
		return EPT_NOMEM;
	fill_page(e, ALIGN_DOWN(pa, PAGE_SIZE), -1);
	return EPT_FILLED;
}

/* Clear a 4 KiB entry.  Return: what was there. */
static u64 clear_page(u64 pfn)
{
	u64 *e = ept_slot(root, pfn << PAGE_SHIFT, 1, NULL);
	u64 old = e ? *e : 0;

	if (old)
		ept_set(e, 0);
	return old;
}

static void host_ept_unmap(u64 pfn)
{
	u64 *e = ept_slot(root, pfn << PAGE_SHIFT, 2, NULL);

	if (e && *e & EPT_LARGE) {
		ept_set(e, 0);	/* its other frames come back on demand */
		host_ept_stats.large -= EPT_ENTRIES;
	} else if (clear_page(pfn)) {
		host_ept_stats.small--;
	}
}

/*
 * @pfn is the host's again.  When its whole 2 MiB are, their table goes, so that they
 * map at 2 MiB again.
 */
static void host_ept_rejoin(u64 pfn)
{
	u64 *pt, *e = ept_slot(root, pfn << PAGE_SHIFT, 2, NULL);
	u32 i;

	/* The neighbours first: in a run of returns they decide quickly. */
	if (!e || !ept_is_table(*e) || !(*e & EPT_RWX) ||
	    (pfn % 512 != 511 && !frame_host_usable(pfn + 1)) ||
	    (pfn % 512 != 0 && !frame_host_usable(pfn - 1)) ||
	    frames_region(ALIGN_DOWN(pfn, 512)) != REGION_HOST)
		return;
	pt = phys(*e & EPT_ADDR);
	for (i = 0; i < EPT_ENTRIES; i++)
		if (pt[i])
			host_ept_stats.small--;
	ept_retire(*e & EPT_ADDR);
	ept_set(e, 0);
}

static void decoy_unmap(u32 i)
{
	if (decoys[i].pfn == NO_PFN)
		return;
	clear_page(decoys[i].pfn);
	decoys[i].pfn = NO_PFN;
	decoy_ticket = flush_ticket();
}

static u32 decoy_find(u64 pfn)
{
	u32 i;

	for (i = 0; i < DECOYS && decoys[i].pfn != pfn; i++)
		;
	return i;
}

/* No CPU can have a translation of @pfn to a decoy any more. */
static bool host_ept_clean(u64 pfn)
{
	u32 i = decoy_find(pfn);

	if (i < DECOYS)
		decoy_unmap(i);
	return flush_done(decoy_ticket);
}

VIEW host_view = { .lose = host_ept_unmap, .clean = host_ept_clean, .gain = host_ept_rejoin };

/*
 * Let the host's kernel read and write something at @pfn that is not the frame.
 * The oldest decoy moves; who still has it cached elsewhere sees only a decoy.
 */
static enum ept_result decoy_map(u64 pfn)
{
	u64 *page, *e = small_slot(pfn << PAGE_SHIFT);
	u32 j, i = decoy_find(pfn);

	if (!e)
		return EPT_NOMEM;
	if (i == DECOYS) {
		i = decoy_next;
		decoy_next = (decoy_next + 1) % DECOYS;
		decoy_unmap(i);
		page = phys(decoys[i].pa);
		for (j = 0; j < PAGE_SIZE / sizeof(u64); j++)
			page[j] = DECOY_PATTERN;
		decoys[i].pfn = pfn;
		host_ept_stats.decoys++;
	}
	ept_set(e, decoys[i].pa | EPT_R | EPT_W | EPT_TYPE(MEMTYPE_WB));
	return EPT_FAULT_DECOY;
}

static enum ept_result refuse(u64 pfn, u64 qual, u64 gla)
{
	if (qual & EPT_VIOL_GLA_VALID && !(gla >> 63)) {
		host_ept_stats.faults++;
		return EPT_FAULT_USER;
	}
	if (devices_in(pfn, 1))
		return EPT_DEVICE;
	if (qual & EPT_VIOL_EXEC)
		return EPT_FAULT_DENIED;
	return decoy_map(pfn);
}

enum ept_result host_ept_violation(u64 gpa, u64 qual, u64 gla)
{
	u64 pfn = gpa >> PAGE_SHIFT;
	enum ept_result r;

	if (gpa & PAGE_MASK & ~phys_mask())
		return EPT_FAULT_DENIED;
	spin_lock(&frames_lock);
	ept_reap();
	r = frame_is_hosts(pfn) ? fill(gpa) : refuse(pfn, qual, gla);
	spin_unlock(&frames_lock);
	return r;
}
