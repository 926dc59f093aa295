/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What units have cached of the tables, and how they forget it (VT-d specification,
 * chapter 6; iommu/queue.c).
 */
#ifndef IOMMU_QUEUE_H
#define IOMMU_QUEUE_H

#include "iommu/unit.h"

/* Caches: of root and context entries, of translations, of interrupt-remapping entries. */
#define FORGET_CONTEXT		BIT(0)
#define FORGET_IOTLB		BIT(1)
#define FORGET_INTERRUPTS	BIT(2)

/**
 * queue_init() - a queue in the layer's own memory, if the unit has queued invalidation
 *
 * The one that the unit uses now, if any, is empty, and is used no more.
 * Return: UNIT_OK, UNIT_MEMORY or UNIT_STUCK.
 */
enum unit_fault queue_init(struct unit *u);

/**
 * queue_give() - the host's own queue again, as if it had never been another
 *
 * Its head is where the host's next descriptor will be: @u->host.iqt.
 * Return: false when the unit does not obey, or the queue does not lie in the host's memory.
 */
bool queue_give(struct unit *u);

/**
 * unit_forget() - make @u forget @what (FORGET_*), and wait
 * Return: false if it does not; then nothing that it says is believed any more.
 */
bool unit_forget(struct unit *u, u32 what);

/** unit_start() - unit_forget() that does not wait: unit_poll() tells */
void unit_start(struct unit *u, u32 what);

/** unit_poll() - whether all that was started is done; looks @polls times */
bool unit_poll(struct unit *u, u32 polls);

#endif /* IOMMU_QUEUE_H */
