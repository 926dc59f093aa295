/* SPDX-License-Identifier: GPL-2.0 */
/* In the place of iommu/mmio.h: the registers are those of tests/unit/vtd_hw.c. */
#ifndef IOMMU_MMIO_H
#define IOMMU_MMIO_H

#include "vmx/base/types.h"

u32 mmio_read32(u64 pa);
u64 mmio_read64(u64 pa);
void mmio_write32(u64 pa, u32 val);
void mmio_write64(u64 pa, u64 val);
void flush_line(const void *p);

#endif
