// SPDX-License-Identifier: GPL-2.0
/* The emulated unit: see emul.h.  Registers of VT-d specification, chapter 11. */

#include "iommu/emul.h"
#include "iommu/domain.h"
#include "iommu/intr.h"
#include "iommu/mmio.h"
#include "iommu/queue.h"
#include "iommu/take.h"
#include "ept/owner.h"
#include "vmx/base/log.h"

#define ICS_IWC		BIT(0)
/* Advanced fault logging, protected memory, posting, what only scalable mode has: hidden. */
#define CAP_HIDDEN	(BIT(3) | CAP_PMR | BIT(56) | BIT(59) | BIT(60))
/* Of RTADDR, IQA and IRTA: what legacy mode has */
#define RTADDR_BITS	VTD_ADDR
#define IQA_BITS	(VTD_ADDR | 7)
#define IRTA_BITS	(VTD_ADDR | IRTA_EIME | 0xf)

/*
 * Registers that are memory: their halves may be accessed alone.  The bits that a write
 * changes, and those that a 1 clears; events reach nobody, since the layer's faults are
 * no business of the host's.
 */
static const struct row {
	u16 reg;
	u8 bytes;
	u16 field;	/* in struct unit_host */
	u64 written, cleared;
} rows[] = {
#define FIELD(name) offsetof(struct unit_host, name)
	{ VTD_GSTS, 4, FIELD(gsts), 0, 0 },
	{ VTD_RTADDR, 8, FIELD(rtaddr), RTADDR_BITS, 0 },
	{ VTD_FSTS, 4, FIELD(fsts), 0, FSTS_QUEUE },
	{ VTD_FECTL, 4, FIELD(fault_event[0]), EVENT_MASKED, 0 },
	{ VTD_FEDATA, 4, FIELD(fault_event[1]), MASK(31, 0), 0 },
	{ VTD_FEADDR, 4, FIELD(fault_event[2]), MASK(31, 2), 0 },
	{ VTD_FEUADDR, 4, FIELD(fault_event[3]), MASK(31, 0), 0 },
	{ VTD_IQH, 8, FIELD(iqh), 0, 0 },
	{ VTD_IQT, 8, FIELD(iqt), IQ_OFFSET, 0 },
	{ VTD_IQA, 8, FIELD(iqa), IQA_BITS, 0 },
	{ VTD_ICS, 4, FIELD(ics), 0, ICS_IWC },
	{ VTD_IECTL, 4, FIELD(queue_event[0]), EVENT_MASKED, 0 },
	{ VTD_IEDATA, 4, FIELD(queue_event[1]), MASK(31, 0), 0 },
	{ VTD_IEADDR, 4, FIELD(queue_event[2]), MASK(31, 2), 0 },
	{ VTD_IEUADDR, 4, FIELD(queue_event[3]), MASK(31, 0), 0 },
	{ VTD_IRTA, 8, FIELD(irta_next), IRTA_BITS, 0 },
};

/* Those that cannot be written */
static u64 constant(const struct unit *u, u32 reg)
{
	if (reg == VTD_VER)
		return u->host.version;
	if (reg == VTD_CAP)
		return (u->cap & ~CAP_HIDDEN) | (u->translates ? CAP_CM : 0);
	if (reg != VTD_ECAP)
		return 0;
	return u->ecap & ECAP_SHOWN & (u->intr_pa ? ~0ULL : ~ECAP_IR);
}

static const struct row *find(u32 reg)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (reg >= rows[i].reg && reg < rows[i].reg + rows[i].bytes)
			return &rows[i];
	return NULL;
}

static u64 get(const struct unit_host *h, const struct row *r)
{
	const void *field = (const u8 *)h + r->field;

	return r->bytes == 8 ? *(const u64 *)field : *(const u32 *)field;
}

static void set(struct unit_host *h, const struct row *r, u64 val)
{
	void *field = (u8 *)h + r->field;

	if (r->bytes == 8)
		*(u64 *)field = val;
	else
		*(u32 *)field = (u32)val;
}

static bool sound(u32 reg, u32 size)
{
	return (size == 4 || size == 8) && !(reg % size);
}

/* Four bytes. */
static u32 read_half(const struct unit *u, u32 reg)
{
	const struct row *r = find(reg);
	u32 first = r ? r->reg : reg & ~7u;
	u64 val = r ? get(&u->host, r) : constant(u, first);

	return (u32)(val >> 8 * (reg - first));
}

u64 emul_read(const struct unit *u, u32 reg, u32 size)
{
	if (!sound(reg, size))
		return 0;
	return read_half(u, reg) | (size == 8 ? (u64)read_half(u, reg + 4) << 32 : 0);
}

/* --- the host's queue ------------------------------------------------------------ */

/* What one write may do: interrupt entries and descriptors; some 100 us. */
#define WORK		2048
#define WORK_FORGET	256	/* of it, an order that the unit obeys */

#define SYNC_ALL	(DESC_CONTEXT | DESC_GLOBAL)	/* as a root table is set */

enum step { STEP_DONE, STEP_MORE, STEP_ERROR };

/* What was copied counts from now on. */
static bool forget_stale(struct unit *u, u32 *left)
{
	u32 what = u->host.stale;

	if (!what)
		return !u->queue.broken;
	u->host.stale = 0;
	*left -= *left < WORK_FORGET ? *left : WORK_FORGET;
	return unit_forget(u, what);
}

/* What a driver waits for, where it asked for it: a frame of its own, or it gets an error. */
static enum step wait(struct unit *u, u64 lo, u64 hi, u32 *left)
{
	u32 *status = host_byte(hi & WAIT_ADDR);

	if (!forget_stale(u, left))
		return STEP_ERROR;
	if (lo & WAIT_IF)
		u->host.ics |= ICS_IWC;
	if (!(lo & WAIT_SW))
		return STEP_DONE;
	if (!status) {
		note_denied();
		up_log_seldom("denied: unit %u: status of a wait descriptor at %lx",
			      unit_number(u), hi);
		return STEP_ERROR;
	}
	WRITE_ONCE(*status, WAIT_DATA(lo));
	return STEP_DONE;
}

static enum step copy_entries(struct unit *u, u64 lo, u32 *left)
{
	u32 first = lo & IEC_INDEX ? IEC_FIRST(lo) : 0;
	u32 count = lo & IEC_INDEX ? 1u << (IEC_MASK(lo) & 0xf) : INTR_ENTRIES;

	u->host.stale |= FORGET_INTERRUPTS;
	return intr_copy(u, first, count, &u->host.copied, left) ? STEP_DONE : STEP_MORE;
}

/* The unit has never seen the host's tables: copies of them, where Linux translates. */
static enum step tables(struct unit *u, u64 lo, u64 hi, u32 *left)
{
	return !u->translates || domains_sync(u, lo, hi, left) ? STEP_DONE : STEP_MORE;
}

/* One descriptor.  Device TLBs are off.  An error stops the queue. */
static enum step descriptor(struct unit *u, u64 lo, u64 hi, u32 *left)
{
	switch (DESC_TYPE(lo)) {
	case DESC_CONTEXT:
	case DESC_IOTLB:
		return tables(u, lo, hi, left);
	case DESC_DEVTLB:
		return STEP_DONE;
	case DESC_IEC:
		return u->intr_pa ? copy_entries(u, lo, left) : STEP_DONE;
	case DESC_WAIT:
		return wait(u, lo, hi, left);
	}
	return STEP_ERROR;
}

/* Return: false when there is more to do */
static bool run_queue(struct unit *u, u32 *left)
{
	struct unit_host *h = &u->host;
	u64 size = PAGE_SIZE << IQA_SIZE(h->iqa);
	u32 spare = WORK;
	enum step step;
	const u64 *d;

	while (h->gsts & GCMD_QIE && !(h->fsts & FSTS_IQE) && h->iqh != h->iqt) {
		if (!*left)
			return false;
		--*left;
		d = h->iqt < size ? host_byte((h->iqa & VTD_ADDR) + h->iqh) : NULL;
		step = d ? descriptor(u, READ_ONCE(d[0]), READ_ONCE(d[1]), left) : STEP_ERROR;
		if (step == STEP_MORE)
			return false;
		h->copied = h->item = 0;
		h->at = 0;
		if (step == STEP_ERROR)
			h->fsts |= FSTS_IQE;
		else
			h->iqh = (h->iqh + DESC_BYTES) % size;
	}
	/* What was left may be nothing each time that the instruction runs: this goes on. */
	return !forget_stale(u, left) || domains_reap(u, &spare);
}

/* --- orders ------------------------------------------------------------------------ */

/* The table that the host has named since is in force when all of it is copied. */
static bool load_table(struct unit *u, u32 *left)
{
	struct unit_host *h = &u->host;

	if (h->irta != h->irta_next)
		h->loaded = 0;
	h->irta = h->irta_next;
	if (!intr_copy(u, 0, INTR_ENTRIES, &h->loaded, left))
		return false;
	h->gsts |= GCMD_SIRTP;
	intr_load(u);
	return true;
}

/*
 * Bits that have no state of their own in hardware: the layer's translation is on anyway.
 * Return: false when there is more to do
 */
static bool command(struct unit *u, u32 val, u32 *left)
{
	struct unit_host *h = &u->host;
	u32 on = val & ~h->gsts, was = h->gsts;
	u32 kept = GCMD_QIE | (u->translates ? GCMD_TE : h->gsts & GCMD_TE);

	if (on & GCMD_TE & ~kept) {
		note_denied();
		up_log_seldom("denied: unit %u: translation by tables of the host's: load the "
			      "module behind the driver that turns it on", unit_number(u));
	}
	if (u->intr_pa)
		kept |= GCMD_IRE;
	if (on & GCMD_QIE)
		h->iqh = 0;
	h->gsts = (h->gsts & ~(GSTS_KEPT & MASK(31, 0))) | (val & kept);
	if (val & GCMD_SRTP)
		h->gsts |= GCMD_SRTP;
	if (u->translates && (was ^ h->gsts) & GCMD_TE)
		unit_set_root(u);
	if (val & GCMD_SRTP && u->translates && !domains_sync(u, SYNC_ALL, 0, left))
		return false;
	if (val & GCMD_SIRTP && u->intr_pa && !load_table(u, left))
		return false;
	if ((val ^ unit_read32(u, VTD_GSTS)) & GCMD_IRE && u->intr_pa)
		unit_command(u, GCMD_IRE, val & GCMD_IRE);
	return true;
}

static void write_row(struct unit *u, const struct row *r, u32 reg, u32 val)
{
	u32 shift = 8 * (reg - r->reg);
	u64 old = get(&u->host, r), bits = (u64)val << shift, half = MASK(31, 0) << shift;

	/* A queue that is on does not move (11.4.9.3). */
	if (r->reg == VTD_IQA && u->host.gsts & GCMD_QIE)
		return;
	set(&u->host, r, (old & ~(r->written & half) & ~(bits & r->cleared)) | (bits & r->written));
}

static bool write_half(struct unit *u, u32 reg, u32 val, u32 *left)
{
	const struct row *r = find(reg);

	if (reg == VTD_GCMD && !command(u, val, left))
		return false;
	if (r)
		write_row(u, r, reg, val);
	/* An error that was cleared lets the queue go on, as its tail does. */
	if (reg == VTD_IQT || reg == VTD_FSTS || reg == VTD_GCMD)
		return run_queue(u, left);
	return true;
}

bool emul_write(struct unit *u, u32 reg, u32 size, u64 val)
{
	u32 left = WORK;
	bool done;

	if (!sound(reg, size))
		return true;
	spin_lock(&frames_lock);
	done = write_half(u, reg, (u32)val, &left);
	if (size == 8)
		done &= write_half(u, reg + 4, (u32)(val >> 32), &left);
	spin_unlock(&frames_lock);
	return done;
}
