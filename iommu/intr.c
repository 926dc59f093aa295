// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt remapping (VT-d specification, chapter 5).  A unit reads entries at any time,
 * so that it must not read them where the host can write: a posted entry names a
 * descriptor that the unit writes to, past every table.  The layer's table has checked
 * copies; the driver says when it has changed some, by an invalidation.
 */

#include "iommu/intr.h"
#include "iommu/mmio.h"
#include "iommu/queue.h"
#include "ept/owner.h"
#include "vmx/base/log.h"

/* Delivery modes (9.9): fixed, lowest priority, NMI, ExtINT.  Not SMI, not INIT. */
#define DLM_ALLOWED	(BIT(0) | BIT(1) | BIT(4) | BIT(7))

/* Whether hardware may use this entry of the host's, which is present. */
static bool irte_allowed(u64 lo)
{
	return !(lo & IRTE_POSTED) && DLM_ALLOWED >> IRTE_DLM(lo) & 1;
}

static u32 host_entries(const struct unit *u)
{
	return 2u << IRTA_SIZE(u->host.irta);
}

static void set_entry(const struct unit *u, u32 index, u64 lo, u64 hi)
{
	u64 *e = (u64 *)phys(u->intr_pa) + 2 * index;

	/* Never half of an old one with half of a new one. */
	WRITE_ONCE(e[0], 0);
	WRITE_ONCE(e[1], hi & IRTE_HI);
	WRITE_ONCE(e[0], lo & IRTE_LO);
	if (!(u->ecap & ECAP_C))
		flush_line(e);
}

static void copy_entry(const struct unit *u, u32 index)
{
	const u64 *theirs = host_byte((u->host.irta & VTD_ADDR) + (u64)index * IRTE_BYTES);
	u64 lo = theirs ? READ_ONCE(theirs[0]) : 0, hi = theirs ? READ_ONCE(theirs[1]) : 0;

	if (lo & IRTE_P && !irte_allowed(lo)) {
		note_denied();
		up_log_seldom("denied: unit %u: interrupt entry %u: %lx", unit_number(u), index,
			      lo);
		lo = 0;
	}
	set_entry(u, index, lo & IRTE_P ? lo : 0, lo & IRTE_P ? hi : 0);
}

bool intr_copy(struct unit *u, u32 first, u32 count, u32 *at, u32 *left)
{
	u32 end = host_entries(u);

	for (; *at < count && first + *at < end; ++*at) {
		if (!*left)
			return false;
		copy_entry(u, first + *at);
		--*left;
	}
	*at = 0;
	return true;
}

static bool set_irta(struct unit *u, u64 irta)
{
	unit_write64(u, VTD_IRTA, irta);
	return unit_command(u, GCMD_SIRTP, true) && unit_forget(u, FORGET_INTERRUPTS);
}

bool intr_load(struct unit *u)
{
	return set_irta(u, u->intr_pa | (u->host.irta & (IRTA_EIME | 0xf)));
}

bool intr_give(struct unit *u)
{
	return !u->intr_pa || set_irta(u, u->host.irta);
}
