// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of devices: no interrupt tells of them, since its message would be the host's to
 * address; who asks for the layer's status looks.  A record that is not read in time is
 * lost, and its request is refused all the same.
 */

#include "iommu/fault.h"
#include "vmx/base/lock.h"
#include "vmx/base/log.h"

static u64 seen;
static struct spinlock lock;	/* a record is read once */

bool fault_take(const struct unit *u, u32 index, struct unit_fault_record *f)
{
	u32 reg = (u32)CAP_FRO(u->cap) + index * FRCD_BYTES;
	u64 hi = unit_read64(u, reg + 8);

	if (!(hi & FRCD_F))
		return false;
	f->address = unit_read64(u, reg) & FRCD_ADDR;
	f->source = FRCD_SID(hi);
	f->reason = FRCD_REASON(hi);
	/* Type: 0 write, 1 page request, 2 read, 3 atomic, which writes */
	f->write = !(hi & FRCD_T1) || hi & FRCD_T2;
	unit_write32(u, reg + 12, (u32)(FRCD_F >> 32));	/* written 1: cleared */
	return true;
}

/* Records form a ring, which the status register has the first of. */
static void report(const struct unit *u)
{
	u32 i, n = CAP_NFR(u->cap), fsts = unit_read32(u, VTD_FSTS);
	struct unit_fault_record f;

	if (!(fsts & (FSTS_PPF | FSTS_PFO)))
		return;
	for (i = 0; i < n && fault_take(u, (FSTS_FRI(fsts) + i) % n, &f); i++) {
		seen++;
		up_log_seldom("denied: unit %u: device %02x:%02x.%u may not %s %lx (reason %x)",
			      unit_number(u), f.source >> 8, f.source >> 3 & 31, f.source & 7,
			      f.write ? "write" : "read", f.address, f.reason);
	}
	unit_write32(u, VTD_FSTS, (u32)FSTS_PFO);
}

void faults_report(void)
{
	u32 i;

	spin_lock(&lock);
	for (i = 0; i < nunits; i++)
		if (units[i].taken)
			report(&units[i]);
	spin_unlock(&lock);
}

u64 faults_seen(void)
{
	return seen;
}
