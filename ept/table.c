// SPDX-License-Identifier: GPL-2.0
/* Trees of EPT entries: see table.h. */

#include "ept/table.h"
#include "ept/flush.h"
#include "ept/pool.h"
#include "vmx/base/asm.h"
#include "vmx/base/lib.h"

#define REAP_MAX	64	/* frames a call */

u64 ept_caps;

/*
 * Tables taken out of use: a list threaded through their first entries.  A CPU
 * that still walks one sees an address without access bits: not present.
 */
static u64 retired;	/* no ticket yet */
static u64 waiting;	/* for retire_ticket */
static u64 retire_ticket;

/* Reactivate the table that the parked entry @e points to, holding nothing. */
static void unpark(u64 *e, u32 level)
{
	u64 *t = phys(*e & EPT_ADDR);
	u32 i;

	for (i = 0; i < EPT_ENTRIES; i++)
		if (t[i])
			ept_set(&t[i], level > 1 && ept_is_table(t[i]) ? t[i] & EPT_ADDR : 0);
	ept_set(e, *e | EPT_RWX);
}

u64 *ept_slot(u64 root, u64 gpa, u32 level, u64 (*alloc)(void))
{
	u64 pa, table = root;
	u64 *e;
	u32 l;

	for (l = EPT_LEVELS; l > level; l--) {
		e = (u64 *)phys(table) + ept_index(gpa, l);
		if (!alloc && (!ept_is_table(*e) || !(*e & EPT_RWX)))
			return NULL;
		if (!ept_is_table(*e)) {
			pa = alloc();
			if (!pa)
				return NULL;
			ept_set(e, pa | EPT_RWX);
		} else if (!(*e & EPT_RWX)) {
			unpark(e, l - 1);
		}
		table = *e & EPT_ADDR;
	}
	return (u64 *)phys(table) + ept_index(gpa, level);
}

u64 *ept_find(u64 root, u64 gpa, u32 level)
{
	u64 table = root;
	u64 *e;
	u32 l;

	for (l = EPT_LEVELS; l > level; l--) {
		e = (u64 *)phys(table) + ept_index(gpa, l);
		if (!ept_is_table(*e))
			return NULL;
		table = *e & EPT_ADDR;
	}
	return (u64 *)phys(table) + ept_index(gpa, level);
}

void ept_park(u64 root)
{
	u64 *t = phys(root);
	u32 i;

	for (i = 0; i < EPT_ENTRIES; i++)
		if (t[i])
			ept_set(&t[i], t[i] & ~(u64)EPT_RWX);
}

/* Recursion is as deep as the tree: three calls. */
bool ept_free_below(u64 pa, u32 level, u32 *budget, void (*free)(u64))
{
	u64 child, *t = phys(pa);
	u32 i;

	for (i = 0; i < EPT_ENTRIES && level > 1; i++) {
		child = ept_is_table(t[i]) ? t[i] & EPT_ADDR : 0;
		if (child && (!ept_free_below(child, level - 1, budget, free) || !*budget))
			return false;
		ept_set(&t[i], 0);
		if (child) {
			--*budget;
			free(child);
		}
	}
	return true;
}

void ept_retire(u64 pa)
{
	*(u64 *)phys(pa) = retired;
	retired = pa;
}

void ept_reap(void)
{
	u64 pa;
	u32 n;

	if (waiting && flush_done(retire_ticket)) {
		for (n = 0; waiting && n < REAP_MAX; n++) {
			pa = waiting;
			waiting = *(u64 *)phys(pa);
			pool_free(pa);
		}
	}
	if (!waiting && retired) {
		waiting = retired;
		retired = 0;
		retire_ticket = flush_ticket();
	}
}
