// SPDX-License-Identifier: GPL-2.0
/* A unit changes hands: see take.h. */

#include "iommu/take.h"
#include "iommu/domain.h"
#include "iommu/intr.h"
#include "iommu/mmio.h"
#include "iommu/queue.h"
#include "iommu/table.h"
#include "ept/owner.h"

#define BUSES		256
#define FUNCTIONS	256	/* of a bus: devices and functions */

/* Each context entry that is present passes everything through? */
static bool bus_passes(u64 root_entry)
{
	const u64 *context = host_page((root_entry & VTD_ADDR) >> PAGE_SHIFT);
	u32 i;

	if (!(root_entry & ENTRY_P))
		return true;
	for (i = 0; context && i < FUNCTIONS; i++)
		if (context[2 * i] & ENTRY_P && CONTEXT_T(context[2 * i]) != CONTEXT_T_PASS)
			return false;
	return context;
}

enum unit_use unit_use(const struct unit *u)
{
	u64 rtaddr = unit_read64(u, VTD_RTADDR);
	const u64 *root = host_page((rtaddr & VTD_ADDR) >> PAGE_SHIFT);
	u32 i;

	if (!(unit_read32(u, VTD_GSTS) & GCMD_TE))
		return UNIT_OFF;
	if (rtaddr & RTADDR_TTM)
		return UNIT_SCALABLE;
	for (i = 0; root && i < BUSES; i++)
		if (!bus_passes(root[2 * i]))
			return UNIT_TRANSLATING;
	return root ? UNIT_PASSTHROUGH : UNIT_TRANSLATING;
}

/* Control, data, address and upper address of an event follow each other. */
static void event_save(const struct unit *u, u32 reg, u32 *event)
{
	u32 i;

	for (i = 0; i < 4; i++)
		event[i] = unit_read32(u, reg + 4 * i);
	/* A message is a write of the unit's own, to an address that the host chose. */
	unit_write32(u, reg, (u32)EVENT_MASKED);
}

/* The control register last: it is what lets messages out. */
static void event_restore(const struct unit *u, u32 reg, const u32 *event)
{
	u32 i;

	for (i = 4; i > 0; i--)
		unit_write32(u, reg + 4 * (i - 1), event[i - 1]);
}

static void save(struct unit *u)
{
	struct unit_host *h = &u->host;

	h->version = unit_read32(u, VTD_VER);
	h->gsts = unit_read32(u, VTD_GSTS);
	h->rtaddr = unit_read64(u, VTD_RTADDR);
	if (u->ecap & ECAP_IR)
		h->irta = h->irta_next = unit_read64(u, VTD_IRTA);
	event_save(u, VTD_FECTL, h->fault_event);
	if (u->cap & CAP_PMR)
		h->pmen = unit_read32(u, VTD_PMEN);
	if (!(u->ecap & ECAP_QI))
		return;
	h->iqa = unit_read64(u, VTD_IQA);
	h->iqt = h->iqh = unit_read64(u, VTD_IQT) & IQ_OFFSET;
	event_save(u, VTD_IECTL, h->queue_event);
}

/* Root tables, and nothing that the unit has cached of others (6.6). */
static bool set_root(struct unit *u, u64 rtaddr)
{
	unit_write64(u, VTD_RTADDR, rtaddr);
	return unit_command(u, GCMD_SRTP, true) && unit_forget(u, FORGET_CONTEXT | FORGET_IOTLB);
}

bool unit_set_root(struct unit *u)
{
	return set_root(u, u->translates && u->host.gsts & GCMD_TE ? u->root_pa : dma_root(u));
}

enum unit_fault unit_take(struct unit *u)
{
	enum unit_fault fault;
	u32 all = INTR_ENTRIES;

	save(u);
	u->taken = true;
	if (u->host.gsts & GCMD_IRE && !u->intr_pa)
		return UNIT_MEMORY;
	fault = queue_init(u);
	if (fault)
		return fault;
	if (u->translates && !domains_init(u))
		return UNIT_MEMORY;
	if (!unit_set_root(u) || !unit_command(u, GCMD_TE, true))
		return UNIT_STUCK;
	if (u->host.gsts & GCMD_IRE) {
		intr_copy(u, 0, INTR_ENTRIES, &u->host.loaded, &all);
		if (!intr_load(u))
			return UNIT_STUCK;
	}
	/* Protected memory is what no device reaches: the tables' business from now on. */
	if (u->host.pmen & PMEN_EPM)
		unit_write32(u, VTD_PMEN, 0);
	return UNIT_OK;
}

bool unit_give(struct unit *u)
{
	struct unit_host *h = &u->host;
	bool done = true;

	if (!u->taken)
		return true;
	u->taken = false;
	if (h->pmen & PMEN_EPM)
		unit_write32(u, VTD_PMEN, h->pmen);
	if (!(h->gsts & GCMD_TE))
		done = unit_command(u, GCMD_TE, false);
	done &= set_root(u, h->rtaddr) && intr_give(u);
	done &= queue_give(u);
	event_restore(u, VTD_FECTL, h->fault_event);
	if (u->ecap & ECAP_QI)
		event_restore(u, VTD_IECTL, h->queue_event);
	return done;
}
