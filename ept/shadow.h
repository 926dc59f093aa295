/* SPDX-License-Identifier: GPL-2.0 */
/* VMs' tables as the transitions see them (ept/vm.c).  All hold frames_lock. */
#ifndef EPT_SHADOW_H
#define EPT_SHADOW_H

#include "vmx/base/types.h"

/** shadow_empty_all() - the host lost a frame: no shadow table maps anything any more */
void shadow_empty_all(void);

/**
 * shadow_reclaim() - free some frames of the shadow table that was not used longest
 * Return: false when every table is in use
 */
bool shadow_reclaim(void);

/**
 * shadow_shrink_all() - free tables that are in use too
 * Only while this CPU runs the host.  What other CPUs use is free after a flush.
 */
void shadow_shrink_all(void);

/** table_alloc() - pool_alloc() with shadow_reclaim() behind it */
u64 table_alloc(void);

#endif /* EPT_SHADOW_H */
