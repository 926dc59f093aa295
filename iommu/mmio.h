/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access to registers, and to memory that a unit reads past the caches.  The builds that
 * test iommu/ have their own in its place: the guard keeps this one out.
 */
#ifndef IOMMU_MMIO_H
#define IOMMU_MMIO_H

#include "vmx/base/asm.h"

/**
 * mmio_read32(), mmio_read64(), mmio_write32(), mmio_write64() - one access of that size
 * @pa: of a register, aligned; its page is mapped uncached where phys() has it
 */
static inline u32 mmio_read32(u64 pa)
{
	return READ_ONCE(*(u32 *)phys(pa));
}

static inline u64 mmio_read64(u64 pa)
{
	return READ_ONCE(*(u64 *)phys(pa));
}

static inline void mmio_write32(u64 pa, u32 val)
{
	WRITE_ONCE(*(u32 *)phys(pa), val);
}

static inline void mmio_write64(u64 pa, u64 val)
{
	WRITE_ONCE(*(u64 *)phys(pa), val);
}

/** flush_line() - memory has what the caches have of the line that @p points to */
static inline void flush_line(const void *p)
{
	__asm__ __volatile__("clflush %0; mfence" : : "m"(*(const u8 *)p) : "memory");
}

#endif /* IOMMU_MMIO_H */
