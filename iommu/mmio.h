/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access to registers, and to memory that a unit reads past the caches.  The builds that
 * test iommu/ have their own in its place: the guard keeps this one out.
 */
#ifndef IOMMU_MMIO_H
#define IOMMU_MMIO_H

#include "ept/device.h"
#include "vmx/base/asm.h"

/**
 * mmio_read32(), mmio_read64(), mmio_write32(), mmio_write64() - one access of that size
 * @pa: of a register of a unit of the list (ept/device.h), aligned
 */
static inline u32 mmio_read32(u64 pa)
{
	return *(volatile u32 *)device_at(pa, sizeof(u32));
}

static inline u64 mmio_read64(u64 pa)
{
	return *(volatile u64 *)device_at(pa, sizeof(u64));
}

static inline void mmio_write32(u64 pa, u32 val)
{
	*(volatile u32 *)device_at(pa, sizeof(u32)) = val;
}

static inline void mmio_write64(u64 pa, u64 val)
{
	*(volatile u64 *)device_at(pa, sizeof(u64)) = val;
}

/** flush_line() - memory has what the caches have of the line that @p points to */
static inline void flush_line(const void *p)
{
	__asm__ __volatile__("clflush %0; mfence" : : "m"(*(const u8 *)p) : "memory");
}

#endif /* IOMMU_MMIO_H */
