// SPDX-License-Identifier: GPL-2.0
/*
 * Second-level tables: the host's frames and those that VMs share with it, at their own
 * addresses, and the reserved memory of the firmware's devices.  Nothing else: no
 * registers, hence none of a unit's, and no decoys.
 *
 * A device cannot fault and come again.  So all is filled before translation is on, a
 * 2 MiB entry is split before one of its frames goes, and stays so, and a frame that
 * returns is there before the transition ends.
 */

#include "iommu/table.h"
#include "iommu/mmio.h"
#include "iommu/queue.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "ept/table.h"
#include "ept/view.h"
#include "vmx/abi/errno.h"
#include "vmx/base/log.h"

#define CONTEXTS	256	/* entries of a root or context table */

static u64 second_level;	/* four levels; three begin at its first entry */
static u64 roots[EPT_LEVELS + 1];	/* by levels */
static u64 losses;
static bool noncoherent;	/* a unit reads tables past the caches (ECAP.C = 0) */
static bool large;		/* every unit takes 2 MiB entries */

void dma_set(u64 *e, u64 val)
{
	WRITE_ONCE(*e, val);
	if (noncoherent)
		flush_line(e);
}

/* A table whose entries are complete, before something points to it. */
static void dma_publish(const void *table)
{
	if (noncoherent)
		flush_lines(table, false);
}

u64 dma_table(void)
{
	u64 pa = pool_alloc();

	if (pa)
		dma_publish(phys(pa));
	return pa;
}

/* The flush that the loss of a frame asks for covers the larger entry, too. */
bool dma_split(u64 *e)
{
	u64 i, *t, old = *e, pa = pool_alloc();

	if (!pa)
		return false;
	t = phys(pa);
	for (i = 0; old && i < EPT_ENTRIES; i++)
		t[i] = (old & ~EPT_LARGE) + i * PAGE_SIZE;
	dma_publish(t);
	dma_set(e, pa | DMA_RW);
	return true;
}

/* The entry for @pa at @level.  @make: tables on the way.  NULL: there is none. */
static u64 *dma_slot(u64 pa, u32 level, bool make)
{
	u64 *e, table = second_level;
	u32 l;

	for (l = EPT_LEVELS; l > level; l--) {
		e = (u64 *)phys(table) + ept_index(pa, l);
		if (!ept_is_table(*e) && (!make || !dma_split(e)))
			return NULL;
		table = *e & EPT_ADDR;
	}
	return (u64 *)phys(table) + ept_index(pa, level);
}

/* Devices reach frames, and what else is the host's they do not. */
static bool reachable(u64 pfn)
{
	return frame_entry(pfn) && frame_is_hosts(pfn);
}

/* The lowest entry on the way to @pfn, and its @level. */
static u64 found(u64 pfn, u32 *level)
{
	u64 e = 0, table = second_level;

	for (*level = EPT_LEVELS; table && !(pfn >> 9 * EPT_LEVELS); --*level) {
		e = ((u64 *)phys(table))[ept_index(pfn << PAGE_SHIFT, *level)];
		if (*level == 1 || !ept_is_table(e))
			break;
		table = e & EPT_ADDR;
	}
	return e;
}

bool dma_reaches(u64 pfn)
{
	u32 level;

	return found(pfn, &level);
}

bool dma_reaches_large(u64 pfn)
{
	u32 level;

	return found(pfn, &level) && level == 2;
}

u64 dma_losses(void)
{
	return losses;
}

/* --- the view ---------------------------------------------------------------- */

static bool dma_ready(u64 pfn)
{
	return !second_level || dma_slot(pfn << PAGE_SHIFT, 1, true);
}

static void dma_lose(u64 pfn)
{
	u64 *e;

	if (!second_level)
		return;
	e = dma_slot(pfn << PAGE_SHIFT, 1, false);
	up_assert(e);
	dma_set(e, 0);
	losses++;
}

/*
 * What was made present is there for @u, too: in caching mode it remembers that there was
 * nothing (6.1), and stores may wait in the chipset (6.8).
 */
static bool noticed(struct unit *u)
{
	if (u->cap & CAP_CM)
		return unit_forget(u, FORGET_IOTLB);
	return !(u->cap & CAP_RWBF) || unit_command(u, GCMD_WBF, true);
}

static void dma_gain(u64 pfn)
{
	u64 *e;
	u32 i;

	if (!second_level)
		return;
	e = dma_slot(pfn << PAGE_SHIFT, 1, false);
	up_assert(e);	/* it was lost once */
	dma_set(e, pfn << PAGE_SHIFT | DMA_RW);
	for (i = 0; i < nunits; i++)
		if (units[i].taken && !noticed(&units[i]))
			up_log("unit %u: does not see that %lx is the host's", i, pfn);
}

VIEW dma_view = { .ready = dma_ready, .lose = dma_lose, .gain = dma_gain };

/* --- launch ------------------------------------------------------------------ */

static int fill_page(u64 pfn)
{
	u64 *e = dma_slot(pfn << PAGE_SHIFT, 1, true);

	if (!e)
		return -UP_ENOMEM;
	dma_set(e, pfn << PAGE_SHIFT | DMA_RW);
	return 0;
}

static int fill_small(u64 pfn)
{
	u64 end = pfn + EPT_ENTRIES;
	int err = 0;

	for (; pfn < end && !err; pfn++)
		if (reachable(pfn))
			err = fill_page(pfn);
	return err;
}

static int fill_region(u64 pfn)
{
	u64 *e = dma_slot(pfn << PAGE_SHIFT, 2, true);

	if (!e)
		return -UP_ENOMEM;
	if (*e)
		return 0;	/* two ranges of RAM meet here */
	if (!large || frames_region(pfn) != REGION_HOST)
		return fill_small(pfn);
	dma_set(e, pfn << PAGE_SHIFT | DMA_RW | EPT_LARGE);
	return 0;
}

static int fill_ram(const struct up_range *r)
{
	u64 pfn;
	int err = 0;

	for (pfn = ALIGN_DOWN(r->start_pfn, EPT_ENTRIES); pfn < r->end_pfn && !err;
	     pfn += EPT_ENTRIES)
		err = fill_region(pfn);
	return err;
}

static int fill_reserved(const struct dmar_range *r)
{
	u64 pfn;
	int err = 0;

	for (pfn = r->base >> PAGE_SHIFT; pfn <= r->last >> PAGE_SHIFT && !err; pfn++) {
		err = frame_entry(pfn) ? -UP_EINVAL : fill_page(pfn);
		if (err)
			up_log("reserved memory %lx-%lx: %s", r->base, r->last,
			       err == -UP_EINVAL ? "Linux uses it" : "no frame for its table");
	}
	return err;
}

static int fill(const struct up_config *cfg, const struct dmar *dmar)
{
	int err = 0;
	u32 i;

	second_level = pool_alloc();
	if (!second_level)
		return -UP_ENOMEM;
	for (i = 0; i < cfg->ram_ranges && !err; i++)
		err = fill_ram(&cfg->ram[i]);
	for (i = 0; i < dmar->regions && !err; i++)
		err = fill_reserved(&dmar->region[i]);
	return err;
}

/* One context table for all buses. */
static int make_root(u32 levels)
{
	u64 context = pool_alloc(), root = pool_alloc(), top = second_level;
	u64 *c, *r;
	u32 i;

	if (!context || !root || !dma_slot(0, 3, true))
		return -UP_ENOMEM;
	if (levels < EPT_LEVELS)
		top = *(u64 *)phys(second_level) & EPT_ADDR;
	c = phys(context);
	r = phys(root);
	for (i = 0; i < CONTEXTS; i++) {
		c[2 * i] = top | ENTRY_P;
		c[2 * i + 1] = CONTEXT_DID(DMA_DOMAIN) | CONTEXT_AW(levels);
		r[2 * i] = context | ENTRY_P;
	}
	dma_publish(c);
	dma_publish(r);
	roots[levels] = root;
	return 0;
}

int dma_init(const struct up_config *cfg, const struct dmar *dmar)
{
	int err;
	u32 i;

	large = true;
	for (i = 0; i < nunits; i++) {
		noncoherent |= !(units[i].ecap & ECAP_C);
		large &= !!(units[i].cap & CAP_SLLPS_2M);
	}
	err = fill(cfg, dmar);
	for (i = 0; i < nunits && !err; i++)
		if (!roots[units[i].levels])
			err = make_root(units[i].levels);
	return err;
}

u64 dma_root(const struct unit *u)
{
	return roots[u->levels];
}

void dma_context(const struct unit *u, u64 *c)
{
	const u64 *context = phys(*(u64 *)phys(dma_root(u)) & VTD_ADDR);

	c[0] = context[0];
	c[1] = context[1];
}
