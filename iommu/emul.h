/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A unit as the host sees it, while the layer has it (iommu/emul.c): its driver goes on,
 * without translation or with everything passed through, with queued invalidation and
 * interrupt remapping.
 */
#ifndef IOMMU_EMUL_H
#define IOMMU_EMUL_H

#include "iommu/unit.h"

/**
 * emul_read() - the host reads a register
 * @reg: offset in the unit's pages, whatever the host says
 * @size: 4 or 8, which @reg is a multiple of; else the value is 0
 */
u64 emul_read(const struct unit *u, u32 reg, u32 size);

/**
 * emul_write() - the host writes a register
 *
 * Takes frames_lock.  Does a bounded piece of what is ordered: the host's queue and its
 * interrupt table may be long.
 * Return: true when all is done; false: the same write is to come again, and goes on.
 */
bool emul_write(struct unit *u, u32 reg, u32 size, u64 val);

#endif /* IOMMU_EMUL_H */
