/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instructions of the root image, for ept/ and iommu/ inside a Linux kernel module:
 * Linux's direct map in place of the layer's, and no VMX.  Compile with -include and this
 * file: the guards keep vmx/base/asm.h and iommu/mmio.h out.
 */
#ifndef VMX_ASM_H
#define VMX_ASM_H
#define IOMMU_MMIO_H

#include "vmx/base/types.h"
#include "vmx/abi/image.h"
#include "vmx/base/percpu.h"
#include "vmx/base/x86.h"
#include "tests/vtd/bed.h"

/* The owner table, instead of UP_TABLE_BASE. */
#define OWNER_TABLE ((u64 *)bed.owner_table)

extern struct percpu bed_cpu;

static inline struct percpu *this_cpu(void)
{
	return &bed_cpu;
}

static inline void *phys(u64 pa)
{
	return (void *)(bed.direct + pa);
}

static inline u64 mask_below(u64 a, u64 b)
{
	return a < b ? ~0ULL : 0;
}

static inline u64 index_below(u64 i, u64 n)
{
	return i & mask_below(i, n);
}

static inline void cpu_relax(void)
{
	__asm__ __volatile__("pause" ::: "memory");
}

static inline void cpuid(u32 leaf, u32 subleaf, u32 r[4])
{
	__asm__ __volatile__("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			     : "0"(leaf), "2"(subleaf));
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ __volatile__("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void flush_line(const void *p)
{
	__asm__ __volatile__("clflush %0; mfence" : : "m"(*(const u8 *)p) : "memory");
}

static inline void flush_lines(const void *page, bool opt)
{
	const u8 *p;

	for (p = page; p < (const u8 *)page + PAGE_SIZE; p += CACHE_LINE)
		flush_line(p);
}

/* No table of the processor's is in use here. */
static inline int invept(u64 type, u64 eptp)
{
	return 0;
}

static inline int invvpid(u64 type, u16 vpid, u64 gla)
{
	return 0;
}

/* By way of the mutations: tests/vtd/cases.c. */
u32 mmio_read32(u64 pa);
u64 mmio_read64(u64 pa);
void mmio_write32(u64 pa, u32 val);
void mmio_write64(u64 pa, u64 val);

#endif /* VMX_ASM_H */
