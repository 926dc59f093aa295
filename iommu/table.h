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

/** dma_frames() - frames that the tables take */
u64 dma_frames(void);

#endif /* IOMMU_TABLE_H */
