// SPDX-License-Identifier: GPL-2.0
/*
 * Invalidation: by a queue where the unit has one, else by registers.  The queue, and the
 * words that its wait descriptors make a unit write, lie in frames of the layer: what a
 * unit itself writes passes no table (VT-d specification 6.5.2.8).
 *
 * A flush is of all translations at once: it covers every frame that was lost before,
 * so that a list of them costs one.
 */

#include "iommu/queue.h"
#include "iommu/mmio.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "vmx/base/log.h"

#define QUEUE_ENTRIES	256	/* one page */
#define FORGET_POLLS	1000000

static u64 status_pa;		/* a word for each unit */

static u32 *status_word(const struct unit *u)
{
	return (u32 *)phys(status_pa) + unit_number(u);
}

static void put(struct unit *u, u64 lo, u64 hi)
{
	u64 *d = (u64 *)phys(u->queue.pa) + 2 * u->queue.tail;

	WRITE_ONCE(d[0], lo);
	WRITE_ONCE(d[1], hi);
	u->queue.tail = (u->queue.tail + 1) % QUEUE_ENTRIES;
}

/* Four descriptors at most, of which the unit has taken all before the next call. */
static void start_queued(struct unit *u, u32 what)
{
	u64 status = status_pa + unit_number(u) * sizeof(u32);

	if (what & FORGET_CONTEXT)
		put(u, DESC_CONTEXT | DESC_GLOBAL, 0);
	if (what & FORGET_IOTLB)
		put(u, DESC_IOTLB | DESC_GLOBAL | DESC_DRAIN, 0);
	if (what & FORGET_INTERRUPTS)
		put(u, DESC_IEC, 0);
	u->queue.asked++;
	put(u, DESC_WAIT | WAIT_SW | (u64)u->queue.asked << 32, status);
	unit_write64(u, VTD_IQT, u->queue.tail * DESC_BYTES);
}

/* The context cache goes first: translations are made of what it holds (6.5.1). */
static bool start_by_register(struct unit *u, u32 what)
{
	if (what & FORGET_CONTEXT) {
		unit_write64(u, VTD_CCMD, CCMD_GLOBAL);
		if (!unit_wait(u, VTD_CCMD, CCMD_ICC, 0))
			return false;
	}
	if (what & FORGET_IOTLB)
		unit_write64(u, ECAP_IRO(u->ecap) + IOTLB_REG, IOTLB_GLOBAL);
	return true;
}

void unit_start(struct unit *u, u32 what)
{
	/* Stores to tables may wait in the chipset (6.8). */
	if (u->cap & CAP_RWBF && !unit_command(u, GCMD_WBF, true))
		u->queue.broken = true;
	else if (u->queue.pa)
		start_queued(u, what);
	else if (!start_by_register(u, what))
		u->queue.broken = true;
}

static bool complete(const struct unit *u)
{
	if (!u->queue.pa)
		return !(unit_read64(u, ECAP_IRO(u->ecap) + IOTLB_REG) & IOTLB_IVT);
	return READ_ONCE(*status_word(u)) == u->queue.asked;
}

/* An error stops the queue: what it would have flushed may be cached for ever. */
static void look_for_error(struct unit *u)
{
	u32 fsts = unit_read32(u, VTD_FSTS);

	if (!u->queue.pa || !(fsts & FSTS_QUEUE))
		return;
	u->queue.broken = true;
	up_log("unit %u: invalidation fails, status %x: frames stay pending", unit_number(u), fsts);
}

bool unit_poll(struct unit *u, u32 polls)
{
	u32 i;

	for (i = 0; i < polls && !u->queue.broken; i++) {
		if (complete(u))
			return true;
		cpu_relax();
	}
	if (!u->queue.broken)
		look_for_error(u);
	return false;
}

bool unit_forget(struct unit *u, u32 what)
{
	unit_start(u, what);
	if (unit_poll(u, FORGET_POLLS))
		return true;
	u->queue.broken = true;
	return false;
}

enum unit_fault queue_init(struct unit *u)
{
	_Static_assert(DMAR_UNITS * sizeof(u32) <= PAGE_SIZE, "a status word for each unit");

	if (!(u->ecap & ECAP_QI))
		return UNIT_OK;
	if (!status_pa)
		status_pa = pool_alloc();
	u->queue.pa = pool_alloc();
	if (!status_pa || !u->queue.pa)
		return UNIT_MEMORY;
	if (!unit_command(u, GCMD_QIE, false))
		return UNIT_STUCK;
	unit_write64(u, VTD_IQT, 0);
	unit_write64(u, VTD_IQA, u->queue.pa);	/* descriptors of 128 bits, one page */
	return unit_command(u, GCMD_QIE, true) ? UNIT_OK : UNIT_STUCK;
}

/*
 * The unit begins at a queue's first entry, and the host goes on somewhere: in between the
 * unit meets descriptors that harm nobody, one at a time.  The last that a queue has done must
 * be a wait, or the unit may not let go of it again (6.5.2; QEMU 7.2 does not).
 */
static bool run_to(struct unit *u, u64 iqt)
{
	u64 was[2], *d, at;
	bool done = true;

	for (at = 0; at < iqt && done; at += DESC_BYTES) {
		d = host_byte((u->host.iqa & VTD_ADDR) + at);
		if (!d)
			return false;
		was[0] = d[0];
		was[1] = d[1];
		u->queue.asked++;
		WRITE_ONCE(d[0], DESC_WAIT | WAIT_SW | (u64)u->queue.asked << 32);
		WRITE_ONCE(d[1], status_pa + unit_number(u) * sizeof(u32));
		unit_write64(u, VTD_IQT, at + DESC_BYTES);
		done = unit_poll(u, FORGET_POLLS);
		d[0] = was[0];
		d[1] = was[1];
	}
	return done;
}

bool queue_give(struct unit *u)
{
	bool done;

	if (!u->queue.pa)
		return true;
	done = unit_command(u, GCMD_QIE, false);
	unit_write64(u, VTD_IQT, 0);
	unit_write64(u, VTD_IQA, u->host.iqa);
	if (u->host.gsts & GCMD_QIE)
		done = done && unit_command(u, GCMD_QIE, true) && run_to(u, u->host.iqt);
	pool_free(u->queue.pa);
	u->queue.pa = 0;
	return done;
}
