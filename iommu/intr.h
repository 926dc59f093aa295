/* SPDX-License-Identifier: GPL-2.0 */
/* Interrupt remapping: the table that a unit uses, made of the host's (iommu/intr.c). */
#ifndef IOMMU_INTR_H
#define IOMMU_INTR_H

#include "iommu/unit.h"

#define IRTE_BYTES	16
#define INTR_ENTRIES	65536	/* of the largest table */

/**
 * intr_load() - the layer's table is in force, in place of the one that the host's IRTA names
 *
 * @u->intr_pa is the layer's memory for INTR_ENTRIES, and has copies of all entries that the
 * host's table has: intr_copy().  Makes the unit forget others.  Holds frames_lock, but for
 * the launch.
 * Return: false when the unit does not obey.
 */
bool intr_load(struct unit *u);

/**
 * intr_copy() - the host says that it has changed entries: check and copy them again
 * @first: index, and @count: how many; what lies beyond the host's table is passed over
 * @at: how many were copied before; 0 again when all are
 * @left: how many may be copied now, counted down
 *
 * The unit still has to forget the old ones: unit_forget().  Holds frames_lock.
 * Return: true when all are copied.
 */
bool intr_copy(struct unit *u, u32 first, u32 count, u32 *at, u32 *left);

/** intr_give() - the host's own table again.  Return: false when the unit does not obey */
bool intr_give(struct unit *u);

#endif /* IOMMU_INTR_H */
