/* SPDX-License-Identifier: GPL-2.0 */
/* What units refuse (VT-d specification, chapter 7; iommu/fault.c). */
#ifndef IOMMU_FAULT_H
#define IOMMU_FAULT_H

#include "iommu/unit.h"

struct unit_fault_record {
	u64 address;
	u16 source;	/* bus, device, function */
	u8 reason;	/* table in 7.1.3 */
	bool write;
};

/**
 * fault_take() - the fault in @u's recording register @index, which is free again then
 * Return: false when there is none
 */
bool fault_take(const struct unit *u, u32 index, struct unit_fault_record *f);

/**
 * faults_report() - say in the log which devices were refused what, some of them
 * Looks at every unit that the layer has, and no further than it has records.
 */
void faults_report(void);

/** faults_seen() - refused requests that faults_report() has found so far */
u64 faults_seen(void);

#endif /* IOMMU_FAULT_H */
