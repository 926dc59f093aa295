/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What devices reach: the tables that all units walk (VT-d specification, chapter 9;
 * iommu/table.c; docs/decisions.md says why they are not the host's EPT).
 */
#ifndef IOMMU_TABLE_H
#define IOMMU_TABLE_H

#include "iommu/unit.h"
#include "vmx/abi/image.h"

/* Leaf of a second-level table: to be read and written; and what points to a table. */
#define DMA_RW			(BIT(0) | BIT(1))
/* Every device is in this domain.  0 is reserved in caching mode (6.1). */
#define DMA_DOMAIN		1

/**
 * dma_init() - fill the tables for all units that were added
 * @cfg: its RAM is mapped as far as it is the host's
 * @dmar: its reserved memory (RMRR) is mapped, too
 *
 * Root context, first CPU, after frames_init().
 * Return: 0; -UP_ENOMEM; -UP_EINVAL when reserved memory is memory that Linux uses: it
 * could be given to a VM, and the device would still write to it.
 */
int dma_init(const struct up_config *cfg, const struct dmar *dmar);

/**
 * dma_root() - the root table for @u: each device of each bus has the same context entry,
 * which translates untranslated requests, and blocks translated ones (9.3)
 */
u64 dma_root(const struct unit *u);

/** dma_context() - the two words of that entry */
void dma_context(const struct unit *u, u64 *c);

/* For tables of others, which the same units walk (iommu/domain.c). */

/** dma_table() - an empty table, as units see memory.  Return: 0: no frame is left */
u64 dma_table(void);

/** dma_set() - an entry, as units see memory */
void dma_set(u64 *e, u64 val);

/**
 * dma_split() - a table takes the place of @e, an empty entry or one of 2 MiB
 * Translations stay.  Return: false: no frame is left
 */
bool dma_split(u64 *e);

/** dma_reaches() - whether devices reach @pfn, of those that pass through.  Holds frames_lock */
bool dma_reaches(u64 pfn);

/** dma_reaches_large() - and all of the 2 MiB around it, by one leaf.  Holds frames_lock */
bool dma_reaches_large(u64 pfn);

/** dma_losses() - how often devices have lost a frame so far.  Holds frames_lock */
u64 dma_losses(void);

#endif /* IOMMU_TABLE_H */
