// SPDX-License-Identifier: GPL-2.0
/* Remapping units and their registers (VT-d specification, chapter 11): see unit.h. */

#include "iommu/unit.h"
#include "iommu/mmio.h"
#include "vmx/base/lib.h"

#define UNIT_POLLS	1000000		/* some 100 ms: an order takes microseconds */
#define SAGAW_39	BIT(1)
#define SAGAW_48	BIT(2)
#define SAGAW_57	BIT(3)

struct unit units[DMAR_UNITS];
u32 nunits;

u32 unit_read32(const struct unit *u, u32 reg)
{
	return mmio_read32(u->base + reg);
}

u64 unit_read64(const struct unit *u, u32 reg)
{
	return mmio_read64(u->base + reg);
}

void unit_write32(const struct unit *u, u32 reg, u32 val)
{
	mmio_write32(u->base + reg, val);
}

void unit_write64(const struct unit *u, u32 reg, u64 val)
{
	mmio_write64(u->base + reg, val);
}

bool unit_command(const struct unit *u, u64 bit, bool on)
{
	u32 i, kept = unit_read32(u, VTD_GSTS) & GSTS_KEPT & ~bit;
	u64 wanted = on && bit != GCMD_WBF ? bit : 0;

	unit_write32(u, VTD_GCMD, kept | (on ? (u32)bit : 0));
	for (i = 0; i < UNIT_POLLS; i++) {
		if ((unit_read32(u, VTD_GSTS) & bit) == wanted)
			return true;
		cpu_relax();
	}
	return false;
}

bool unit_wait(const struct unit *u, u32 reg, u64 mask, u64 val)
{
	u32 i;

	for (i = 0; i < UNIT_POLLS; i++) {
		if ((unit_read64(u, reg) & mask) == val)
			return true;
		cpu_relax();
	}
	return false;
}

/* The wider of what there are tables for: a DMA address above it faults. */
static u32 unit_levels(u64 cap)
{
	if (CAP_SAGAW(cap) & SAGAW_48)
		return 4;
	return CAP_SAGAW(cap) & SAGAW_39 ? 3 : 0;
}

u32 unit_deepest(const struct unit *u)
{
	return CAP_SAGAW(u->cap) & SAGAW_57 ? 5 : u->levels;
}

enum unit_fault unit_add(const struct dmar_unit *d)
{
	struct unit *u = &units[nunits];
	u64 size = d->regs.last - d->regs.base + 1;

	memset(u, 0, sizeof(*u));
	u->base = d->regs.base;
	u->pages = (u32)(size >> PAGE_SHIFT);
	u->cap = unit_read64(u, VTD_CAP);
	u->ecap = unit_read64(u, VTD_ECAP);
	u->levels = unit_levels(u->cap);
	if (u->cap == ~0ULL && u->ecap == ~0ULL)
		return UNIT_ABSENT;
	if (!u->levels)
		return UNIT_LEVELS;
	if (CAP_FRO(u->cap) + CAP_NFR(u->cap) * FRCD_BYTES > size ||
	    ECAP_IRO(u->ecap) + IOTLB_REG + sizeof(u64) > size)
		return UNIT_RANGE;
	nunits++;
	return UNIT_OK;
}
