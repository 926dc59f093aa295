/* SPDX-License-Identifier: GPL-2.0 */
/* From Linux's tables to the layer's, and back (iommu/take.c). */
#ifndef IOMMU_TAKE_H
#define IOMMU_TAKE_H

#include "iommu/unit.h"

/* What Linux does with a unit: states 1 to 4 of docs/root.md. */
enum unit_use {
	UNIT_OFF = 1,		/* no translation */
	UNIT_PASSTHROUGH,	/* every device passes through */
	UNIT_TRANSLATING,
	UNIT_SCALABLE,		/* in scalable mode, or another that legacy tables have not */
};

/**
 * unit_use() - what Linux does with @u now
 * Reads its tables as the host's memory: what lies elsewhere counts as translating.
 */
enum unit_use unit_use(const struct unit *u);

/**
 * unit_take() - the layer's queue and tables take the place of Linux's, without a gap
 *
 * The tables are complete: dma_init().  From its success on devices reach what the
 * tables have, whatever was cached.  No CPU of the host's runs.
 * Return: UNIT_OK, UNIT_MEMORY or UNIT_STUCK; after those unit_give() goes back.
 */
enum unit_fault unit_take(struct unit *u);

/**
 * unit_set_root() - @u walks the tables that go with what the host has of translation: on, in
 * copies of its own; off, or never turned on, everything the devices may reach, at its address
 * Return: false if it does not obey.
 */
bool unit_set_root(struct unit *u);

/** unit_give() - Linux's tables and registers again.  Return: false if it does not obey */
bool unit_give(struct unit *u);

#endif /* IOMMU_TAKE_H */
