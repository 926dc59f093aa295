/* SPDX-License-Identifier: GPL-2.0 */
/* Frames on their way into the pool: donated by the host, waiting for a flush (ept/grow.c). */
#ifndef EPT_GROW_H
#define EPT_GROW_H

#include "vmx/base/types.h"

/** grow_entry() - owner-table entry for the next frame to wait.  Holds frames_lock. */
u64 grow_entry(void);

/** grow_wait() - @pfn, which has grow_entry()'s entry, joins the pool after @ticket */
void grow_wait(u64 pfn, u64 ticket);

/**
 * donated_to_pool() - move frames whose flush is complete into the pool
 * Holds frames_lock.  Return: true if none waits any more.
 */
bool donated_to_pool(void);

/**
 * pool_wanted() - frames that the host should donate now, so that none is ever missed
 * Takes frames_lock.  Return: 0 above the low-water mark, and while frames are under way.
 */
u64 pool_wanted(void);

#endif /* EPT_GROW_H */
