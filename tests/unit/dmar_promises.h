/* SPDX-License-Identifier: GPL-2.0 */
/* What must hold of each DMAR table that dmar_parse() accepts, read again in a naive way. */
#ifndef UNIT_DMAR_PROMISES_H
#define UNIT_DMAR_PROMISES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "iommu/dmar.h"

static void dmar_require(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "promise broken: %s\n", what);
	abort();
}

static u64 raw(const u8 *table, u32 at, u32 bytes)
{
	u64 value = 0;

	memcpy(&value, table + at, bytes);
	return value;
}

static bool apart(const struct dmar_range *a, const struct dmar_range *b)
{
	return a->last < b->base || b->last < a->base;
}

static void dmar_range_promises(const struct dmar *dmar, const struct dmar_range *range)
{
	dmar_require(range->base < range->last, "a range has bytes");
	dmar_require(!(range->base & 0xfff) && (range->last & 0xfff) == 0xfff, "of whole pages");
	dmar_require(range->last < 1ULL << dmar->width, "within the address width");
}

static void dmar_unit_promises(const struct dmar *dmar)
{
	u32 i, j;

	for (i = 0; i < dmar->units; i++) {
		dmar_range_promises(dmar, &dmar->unit[i].regs);
		dmar_require(dmar->unit[i].regs.base, "no unit is at 0");
		for (j = 0; j < i; j++) {
			dmar_require(apart(&dmar->unit[i].regs, &dmar->unit[j].regs),
				     "units share nothing");
			dmar_require(!dmar->unit[i].all || !dmar->unit[j].all ||
				     dmar->unit[i].segment != dmar->unit[j].segment,
				     "one unit of a segment takes all others");
		}
		for (j = 0; j < dmar->regions; j++)
			dmar_require(apart(&dmar->unit[i].regs, &dmar->region[j]),
				     "no unit is in memory that devices write");
	}
	for (i = 0; i < dmar->regions; i++)
		dmar_range_promises(dmar, &dmar->region[i]);
}

/* Every unit and region of the table is in the result, in its order, and no other. */
static void dmar_promises(const u8 *table, u64 size, const struct dmar *dmar)
{
	u32 at, units = 0, regions = 0, length = raw(table, 4, 4), steps = 0;

	dmar_require(length <= size && length == dmar->length, "the length is the table's");
	dmar_require(dmar->units && dmar->units <= DMAR_UNITS, "there are units, not too many");
	dmar_require(dmar->regions <= DMAR_REGIONS, "nor regions");
	for (at = 48; at < length; at += raw(table, at + 2, 2)) {
		dmar_require(at + 4 <= length && raw(table, at + 2, 2) >= 4, "structures fit");
		if (raw(table, at, 2) == 0) {
			dmar_require(units < dmar->units, "no unit is left out");
			dmar_require(dmar->unit[units].regs.base == raw(table, at + 8, 8) &&
				     dmar->unit[units].segment == raw(table, at + 6, 2) &&
				     dmar->unit[units].all == (table[at + 4] & 1), "a unit as it is");
			dmar_require(dmar->unit[units].regs.last ==
				     raw(table, at + 8, 8) + (4096ULL << table[at + 5]) - 1,
				     "with all its pages");
			units++;
		} else if (raw(table, at, 2) == 1) {
			dmar_require(regions < dmar->regions, "nor a region");
			dmar_require(dmar->region[regions].base == raw(table, at + 8, 8) &&
				     dmar->region[regions].last == raw(table, at + 16, 8),
				     "a region as it is");
			regions++;
		}
		dmar_require(++steps <= length / 4, "the walk ends");
	}
	dmar_require(at == length, "the last structure ends with the table");
	dmar_require(units == dmar->units && regions == dmar->regions, "none is added");
	dmar_unit_promises(dmar);
}

#endif /* UNIT_DMAR_PROMISES_H */
