// SPDX-License-Identifier: GPL-2.0
/* The units at the launch and at its end: see launch.h. */

#include "iommu/launch.h"
#include "iommu/emul.h"
#include "iommu/intr.h"
#include "iommu/table.h"
#include "iommu/take.h"
#include "ept/device.h"
#include "ept/owner.h"
#include "vmx/abi/errno.h"
#include "vmx/base/cpus.h"
#include "vmx/base/log.h"

#define INTR_FRAMES	(INTR_ENTRIES * IRTE_BYTES / PAGE_SIZE)

static struct dmar dmar;
static enum up_iommu_reason reason = UP_IOMMU_NO_DMAR;
static u32 tables_used;		/* of the configuration's interrupt-remapping tables */

#define UNIT_WORDS(name, found, cure) found,
static const char *const unit_words[] = { "", UNIT_FAULTS(UNIT_WORDS) };

static bool unit_fails(const struct dmar_unit *d, enum unit_fault fault)
{
	if (fault)
		up_log("unit at %lx: %s", d->regs.base, unit_words[fault]);
	return fault;
}

/* --- in the host's sight ----------------------------------------------------------- */

static struct unit *unit_at(u64 pa)
{
	struct unit *u = units;

	/* It is one of theirs: ept/device.c. */
	while (pa - u->base >= u->pages * PAGE_SIZE)
		u++;
	return u;
}

static u64 host_reads(u64 pa, u32 size)
{
	const struct unit *u = unit_at(pa);

	return emul_read(u, (u32)(pa - u->base), size);
}

static bool host_writes(u64 pa, u32 size, u64 val)
{
	struct unit *u = unit_at(pa);

	return emul_write(u, (u32)(pa - u->base), size, val);
}

static const struct device_ops emulated = { host_reads, host_writes };

/* --- launch -------------------------------------------------------------------------- */

/* A segment's devices are behind the units that list them, and the rest behind one of all. */
static bool segment_has_all(u16 segment)
{
	u32 i;

	for (i = 0; i < dmar.units; i++)
		if (dmar.unit[i].all && dmar.unit[i].segment == segment)
			return true;
	return false;
}

/* The layer's own memory for @u's interrupt-remapping table; 0: there is none. */
static u64 intr_table(const struct up_config *cfg)
{
	const struct up_range *r = &cfg->intr[tables_used];

	if (tables_used == cfg->intr_tables || r->end_pfn - r->start_pfn != INTR_FRAMES ||
	    FRAME_OWNER(frame_entry(r->start_pfn)) != OWNER_LAYER ||
	    FRAME_OWNER(frame_entry(r->end_pfn - 1)) != OWNER_LAYER)
		return 0;
	tables_used++;
	return r->start_pfn << PAGE_SHIFT;
}

static enum up_iommu_reason add(const struct up_config *cfg, const struct dmar_unit *d)
{
	u64 end = (d->regs.last >> PAGE_SHIFT) + 1;
	struct unit *u = &units[nunits];
	enum unit_use use;

	if (!device_take(d->regs.base >> PAGE_SHIFT, end, &emulated) ||
	    unit_fails(d, unit_add(d)))
		return UP_IOMMU_UNIT;
	use = unit_use(u);
	if (use == UNIT_SCALABLE)
		return UP_IOMMU_SCALABLE;
	/*
	 * By its queue the driver says what it has changed.  Devices that pass through may be
	 * given tables later, and what is not announced then they do not reach.
	 */
	u->translates = use != UNIT_OFF && u->ecap & ECAP_QI &&
			unit_read32(u, VTD_GSTS) & GCMD_QIE;
	if (use == UNIT_TRANSLATING && !(u->translates && cfg->dma_announced))
		return UP_IOMMU_TRANSLATING;
	if (u->ecap & ECAP_IR && unit_read32(u, VTD_GSTS) & GCMD_IRE)
		u->intr_pa = intr_table(cfg);
	return UP_IOMMU_FINE;
}

static enum up_iommu_reason find(const struct up_config *cfg)
{
	enum dmar_fault fault = dmar_parse(cfg->dmar, cfg->dmar_bytes, &dmar);
	enum up_iommu_reason why = UP_IOMMU_FINE;
	u32 i;

	if (fault) {
		up_log("DMAR table: fault %d at offset %x", fault, dmar.where);
		return UP_IOMMU_BAD_DMAR;
	}
	for (i = 0; i < dmar.units && !why; i++)
		why = add(cfg, &dmar.unit[i]);
	if (why)
		return why;
	switch (dma_init(cfg, &dmar)) {
	case 0:
		return UP_IOMMU_FINE;
	case -UP_EINVAL:
		return UP_IOMMU_RESERVED;
	default:
		return UP_IOMMU_MEMORY;
	}
}

/* The layer has the units, and still not all is promised. */
static bool is_partial(enum up_iommu_reason why)
{
	return why == UP_IOMMU_INTERRUPTS || why == UP_IOMMU_SEGMENT;
}

static enum up_iommu_reason take_all(void)
{
	enum up_iommu_reason why = UP_IOMMU_FINE;
	enum unit_fault fault;
	u32 i;

	for (i = 0; i < nunits; i++) {
		fault = unit_take(&units[i]);
		if (unit_fails(&dmar.unit[i], fault))
			return fault == UNIT_MEMORY ? UP_IOMMU_MEMORY : UP_IOMMU_STUCK;
		/* In the old format, which nothing remaps, a message says itself what it is. */
		if (!units[i].intr_pa || units[i].host.gsts & GCMD_CFI)
			why = UP_IOMMU_INTERRUPTS;
	}
	for (i = 0; i < nunits; i++)
		if (!segment_has_all(dmar.unit[i].segment))
			why = UP_IOMMU_SEGMENT;
	return why;
}

bool iommu_give(void)
{
	bool done = true;
	u32 i;

	spin_lock(&frames_lock);
	for (i = 0; i < nunits; i++) {
		if (!units[i].taken)
			continue;
		reason = UP_IOMMU_STUCK;	/* as far as a VM is concerned */
		done &= !unit_fails(&dmar.unit[i], unit_give(&units[i]) ? UNIT_OK : UNIT_STUCK);
	}
	spin_unlock(&frames_lock);
	return done;
}

int iommu_init(const struct up_config *cfg)
{
	enum up_iommu_reason why;
	bool done = true;
	u32 i;

	if (!cfg->dmar_bytes)
		return 0;
	why = find(cfg);
	if (!why)
		why = take_all();
	if (why && !is_partial(why)) {
		done = iommu_give();
		nunits = 0;
		for (i = 0; i < dmar.units; i++)
			device_release(dmar.unit[i].regs.base >> PAGE_SHIFT);
	}
	reason = why;
	up_log("launch: %u VT-d units taken, reason %d", nunits, why);
	return done ? 0 : -UP_EIO;
}

enum up_iommu_reason iommu_reason(void)
{
	return reason;
}

enum up_iommu_state iommu_state(void)
{
	if (reason == UP_IOMMU_FINE)
		return UP_IOMMU_FULL;
	return is_partial(reason) ? UP_IOMMU_PARTIAL : UP_IOMMU_NONE;
}

bool iommu_protects(void)
{
	return up_config.allow_no_iommu || iommu_state() != UP_IOMMU_NONE;
}
