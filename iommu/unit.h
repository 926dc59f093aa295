/* SPDX-License-Identifier: GPL-2.0 */
/* Remapping units: what each can do, and its registers (iommu/unit.c). */
#ifndef IOMMU_UNIT_H
#define IOMMU_UNIT_H

#include "iommu/dmar.h"
#include "iommu/regs.h"

#define UNIT_CURE_HARDWARE \
	"protect no VM on this machine, or protect it without an IOMMU (allow_no_iommu=1)"

/* A row each: a reason not to use a unit, its words, and the cure. */
#define UNIT_FAULTS(X) \
	X(ABSENT, "its registers read as all ones", DMAR_CURE_SETUP) \
	X(LEVELS, "it translates neither 39 nor 48 bits", UNIT_CURE_HARDWARE) \
	X(RANGE, "its registers reach beyond the pages that the DMAR table gives it", \
	  DMAR_CURE_FIRMWARE) \
	X(MEMORY, "no frame is left for it", "load the module when more memory is free") \
	X(STUCK, "it does not obey", "update the firmware, or disable VT-d in its setup")

#define UNIT_FAULT_NAME(name, found, cure) UNIT_##name,
enum unit_fault { UNIT_OK, UNIT_FAULTS(UNIT_FAULT_NAME) UNIT_FAULT_COUNT };

/* A unit's invalidation queue and what of it is under way; iommu/queue.c, frames_lock. */
struct unit_queue {
	u64 pa;		/* 0: it has none, registers do it */
	u32 tail;	/* the next descriptor */
	u32 asked;	/* data of the last wait descriptor */
	u64 epoch;	/* of the flush that is under way, 0: none */
	bool started;	/* it is the unit's turn; before: the copies are swept */
	u64 reached;	/* epoch that the last flush vouches for */
	bool broken;	/* it gave an error: nothing is believed to be flushed any more */
};

/* Registers as the host left them: what it sees of them, and gets back. */
struct unit_host {
	u64 rtaddr, iqa, iqh, iqt;
	u64 irta, irta_next;	/* in force, and written since */
	u32 version, gsts, fsts, ics, pmen;
	u32 fault_event[4], queue_event[4];	/* control, data, address, upper address */
	u32 copied;	/* interrupt entries, of the descriptor at the head, */
	u32 loaded;	/* and of a table that is to be in force */
	u64 at;		/* where it goes on, of the descriptor at the head: frame, */
	u32 item;	/* and device or domain: iommu/domain.c */
	u32 stale;	/* FORGET_*: what the unit has still to forget */
	bool starved;	/* a frame was missing for a table */
};

/* Taking frames that devices have lost out of the copies of the host's tables: iommu/domain.c */
struct unit_sweep {
	u64 at;
	u32 item;
	u64 target, done;	/* losses that are looked for, and were */
};

#define UNIT_DOMAIN_PAGES	8	/* 1024 domains */

struct unit {
	u64 base;
	u64 cap, ecap;
	u32 pages;
	u32 levels;	/* of the tables that it walks: 3 or 4 */
	u64 intr_pa;	/* the layer's interrupt-remapping table; 0: it has none */
	bool taken;	/* it walks the layer's tables */
	bool translates;	/* as the host's tables say: iommu/domain.c */
	u32 domain_levels;	/* of its domains' tables, 3 to 5 */
	u64 root_pa;		/* of its own root table, */
	u64 domain_pa[UNIT_DOMAIN_PAGES];	/* and what is known of domains */
	struct unit_sweep sweep;
	struct unit_queue queue;
	struct unit_host host;
};

/* Written at launch, in the order of the DMAR table. */
extern struct unit units[DMAR_UNITS];
extern u32 nunits;

static inline u32 unit_number(const struct unit *u)
{
	return (u32)(u - units);
}

/** unit_read32(), unit_read64(), unit_write32(), unit_write64() - a register of @u's */
u32 unit_read32(const struct unit *u, u32 reg);
u64 unit_read64(const struct unit *u, u32 reg);
void unit_write32(const struct unit *u, u32 reg, u32 val);
void unit_write64(const struct unit *u, u32 reg, u64 val);

/**
 * unit_add() - one more unit, of which nothing is changed yet
 * Return: UNIT_OK, or why it cannot be used.
 */
enum unit_fault unit_add(const struct dmar_unit *d);

/** unit_deepest() - the most levels that @u's tables can have, 3 to 5 */
u32 unit_deepest(const struct unit *u);

/**
 * unit_command() - set or clear one bit of the global command register, and wait for it
 * @bit: GCMD_*; of those that are orders, @on is true
 * Return: false when the unit does not obey
 */
bool unit_command(const struct unit *u, u64 bit, bool on);

/** unit_wait() - until a 64-bit register's bits @mask are @val.  Return: false if never */
bool unit_wait(const struct unit *u, u32 reg, u64 mask, u64 val);

#endif /* IOMMU_UNIT_H */
