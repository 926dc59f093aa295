/* SPDX-License-Identifier: GPL-2.0 */
/* KVM's EPT as the layer reads it: proposals (ept/walk.c). */
#ifndef EPT_WALK_H
#define EPT_WALK_H

#include "ept/table.h"

struct ept_walk {
	u64 hpa;	/* of the 4 KiB frame that holds gpa */
	u64 entry;	/* leaf entry, or the entry where the walk ended */
	u64 table;	/* the table that holds it */
	u32 level;	/* 1: 4 KiB, 2: 2 MiB, 3: 1 GiB */
	u32 access;	/* read/write/execute allowed, bits 0..2, all levels */
	u32 above;	/* the same without the last level */
	bool misconfigured;
};

/**
 * ept_walk_below() - walk a table in host memory; each table frame must be the host's
 * @e: an entry, or EPTP, that points to the table of @level where the walk begins
 * @access: what the entries above allow
 *
 * Reads each entry once.  Holds frames_lock, so that a table frame does not
 * become a VM's meanwhile.
 * Return: 0, or -UP_EPERM when a table frame is not the host's: @w says nothing then.
 */
int ept_walk_below(u64 e, u32 access, u32 level, u64 gpa, struct ept_walk *w);

/** ept_walk() - the whole walk */
static inline int ept_walk(u64 eptp12, u64 gpa, struct ept_walk *w)
{
	return ept_walk_below(eptp12, EPT_RWX, EPT_LEVELS, gpa, w);
}

/** ept_entry_misconfigured() - would hardware refuse this present entry at this level? */
bool ept_entry_misconfigured(u64 e, u32 level);

#endif /* EPT_WALK_H */
