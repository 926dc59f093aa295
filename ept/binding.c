// SPDX-License-Identifier: GPL-2.0
/* gfn -> pfn of a protected VM: see binding.h. */

#include "ept/binding.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "ept/shadow.h"
#include "ept/table.h"
#include "vmx/base/asm.h"
#include "vmx/base/x86.h"
#include "vmx/abi/errno.h"

u64 binding_root(struct owner *o)
{
	if (!o->gfn_root)
		o->gfn_root = table_alloc();
	return o->gfn_root;
}

u64 *binding_entry(const struct owner *o, u64 gfn)
{
	u64 *e;

	if (!o->gfn_root || gfn >= binding_gfns())
		return NULL;
	e = ept_find(o->gfn_root, gfn << PAGE_SHIFT, 1);
	return e && *e ? e : NULL;
}

int binding_set(struct owner *o, u64 gfn, u64 pfn)
{
	u64 *e;

	if (!binding_root(o))
		return -UP_ENOMEM;
	e = ept_slot(o->gfn_root, gfn << PAGE_SHIFT, 1, table_alloc);
	if (!e)
		return -UP_ENOMEM;
	/* Write-back whatever the guest's PAT says: the frame is RAM. */
	ept_set(e, pfn << PAGE_SHIFT | EPT_TYPE(MEMTYPE_WB) | EPT_IPAT);
	return 0;
}

void binding_cut(struct owner *o)
{
	o->unmapped = true;
	if (o->gfn_root)
		ept_park(o->gfn_root);
}

static bool table_is_empty(const u64 *e)
{
	const u64 *table = (const u64 *)ALIGN_DOWN((u64)e, PAGE_SIZE);
	u64 i, at = e - table;

	/* From @e on: in a run of clears the next entry decides. */
	for (i = 1; i < EPT_ENTRIES; i++)
		if (table[(at + i) % EPT_ENTRIES])
			return false;
	return true;
}

void binding_clear(struct owner *o, u64 gfn)
{
	u64 *e = binding_entry(o, gfn);
	u64 empty = 0;
	u32 l;

	for (l = 1; e && l <= EPT_LEVELS; l++) {
		ept_set(e, 0);
		if (empty)
			pool_free(empty);
		if (l == EPT_LEVELS || !table_is_empty(e))
			return;
		e = ept_find(o->gfn_root, gfn << PAGE_SHIFT, l + 1);
		empty = *e & EPT_ADDR;
	}
}

bool binding_next(const struct owner *o, u64 *gfn, u64 *pfn)
{
	u64 table, e, i, gpa = *gfn << PAGE_SHIFT;
	u32 l;

	if (*gfn >= binding_gfns())
		return false;
	while (o->gfn_root && !(gpa >> EPT_SHIFT(EPT_LEVELS + 1))) {
		table = o->gfn_root;
		for (l = EPT_LEVELS; ; l--) {
			i = ept_index(gpa, l);
			while (i < EPT_ENTRIES && !((u64 *)phys(table))[i])
				i++;
			if (i != ept_index(gpa, l))
				gpa = ALIGN_DOWN(gpa, EPT_SPAN(l + 1)) + i * EPT_SPAN(l);
			if (i == EPT_ENTRIES)
				break;		/* on with the next table */
			e = ((u64 *)phys(table))[i];
			if (l == 1) {
				*gfn = gpa >> PAGE_SHIFT;
				*pfn = (e & EPT_ADDR) >> PAGE_SHIFT;
				return *gfn < binding_gfns();
			}
			table = e & EPT_ADDR;
		}
	}
	return false;
}
