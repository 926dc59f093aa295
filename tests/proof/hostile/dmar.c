// SPDX-License-Identifier: GPL-2.0
/* A structure and a device scope of the DMAR table, at each distance from the table's end. */
#include "tests/proof/hostile/any.h"
#include "iommu/dmar.c"

#define FAR	64	/* no structure's fields reach as far */

void hostile(void)
{
	static u8 table[256];
	static struct dmar dmar;
	struct dmar_scope s;
	struct dmar_entry e;
	u32 i, at;

	for (i = 0; i < sizeof(table); i++)
		table[i] = any;
	for (at = 0; at < FAR; at++) {
		dmar_entry(table + sizeof(table) - FAR, FAR, at, &e);
		dmar_scope(table + sizeof(table) - FAR, FAR, at, &s);
	}
	dmar_entry(table + sizeof(table) - FAR, FAR + any % DMAR_BYTES, 0, &e);
	dmar_scope(table + sizeof(table) - FAR, FAR + any % DMAR_BYTES, 0, &s);
	for (at = sizeof(table) - SCOPE_MIN; at; at -= 2) {
		table[at + 1] = sizeof(table) - at;
		if (!dmar_scope(table, sizeof(table), at, &s))
			check_path(table, &s);
	}
	dmar.width = any % (WIDTH_MAX + 1);
	dmar.units = any % (DMAR_UNITS + 1);
	dmar.regions = any % (DMAR_REGIONS + 1);
	for (i = 0; i < DMAR_UNITS; i++)
		dmar.unit[i] = (struct dmar_unit){ { any, any }, any, any };
	for (i = 0; i < DMAR_REGIONS; i++)
		dmar.region[i] = (struct dmar_range){ any, any };
	take_unit(&dmar, &e);
	take_region(&dmar, &e);
}
