/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where Linux translates DMA: the host's context entries and second-level tables in checked
 * copies, which are all that a unit walks (iommu/domain.c; docs/decisions.md says why they are
 * brought up to date by what the driver announces, and not by its stores).
 */
#ifndef IOMMU_DOMAIN_H
#define IOMMU_DOMAIN_H

#include "iommu/unit.h"

/**
 * domains_init() - copies of all that the host's root table leads to
 *
 * Root context, first CPU, after dma_init(); no CPU of the host's runs.  @u's registers are
 * saved, and the unit does not use the copies yet.
 * Return: false when no frame is left.
 */
bool domains_init(struct unit *u);

/**
 * domains_sync() - the host says by a descriptor what it has changed: look there again
 * @lo, @hi: DESC_CONTEXT or DESC_IOTLB; of others, and of a reserved granularity, nothing
 * @left: how many entries may be looked at now, counted down
 *
 * What the unit may still remember is in @u->host.stale then: unit_forget().  Holds
 * frames_lock.
 * Return: true when all is done; false: the same descriptor is to come again, and goes on.
 */
bool domains_sync(struct unit *u, u64 lo, u64 hi, u32 *left);

/**
 * domains_reap() - free tables of domains that no device is in; the unit has forgotten them
 * Return: true when all are free; false: more than @left.  Holds frames_lock.
 */
bool domains_reap(struct unit *u, u32 *left);

/**
 * domains_swept() - no copy leads to a frame that devices had lost before this began
 *
 * Does a bounded piece of it: call again, until it is true.  The unit still remembers what it
 * has read.  Holds frames_lock.
 */
bool domains_swept(struct unit *u);

#endif /* IOMMU_DOMAIN_H */
