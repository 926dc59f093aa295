/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the layer takes of a host's memory, in frames: for the module, which allocates
 * it, and for "underpin check", which says so before.
 */
#ifndef MODULE_SIZE_H
#define MODULE_SIZE_H

#include <linux/types.h>
#include "vmx/abi/image.h"

#define SIZE_PAGE	4096
#define SIZE_ENTRIES	512		/* of a page table, and of a page of the owner table */
#define SIZE_CHUNK	512		/* frames that are asked for at once */
#define SIZE_MAX_PFN	0x400000000ULL	/* what the map of RAM has room for: 64 TiB */
#define SIZE_IMAGE	128		/* the image's frames, at most */
#define SIZE_DEVICES	(1 + UP_DEVICE_FRAMES / SIZE_ENTRIES)	/* tables for their registers */
#define SIZE_DEVICE_LISTS	(2 * UP_MAX_DEVICES)
#define SIZE_DMAR	18	/* firmware's table, at most, and what maps it */
#define SIZE_INTR	256	/* an interrupt-remapping table */
#define SIZE_POOL_DMA	192	/* for devices' tables, where a 2 MiB is not all the host's */
#define SIZE_POOL	768		/* grown later by call when VMs need more */
#define SIZE_POOL_CPU	32		/* VMXON region, VMCS01; its VMCSs before growth */

/* What a host has, as far as the layer's size depends on it. */
struct size_host {
	const struct up_range *ram;	/* ascending */
	unsigned int ranges;
	unsigned int cpus;		/* that are online */
	unsigned int cpu_numbers;	/* one more than the highest */
	unsigned int units;		/* of VT-d, or other devices of the layer's; */
	unsigned int intr_tables;	/* of them, those that remap interrupts */
};

static inline __u64 size_up(__u64 n, __u64 unit)
{
	return (n + unit - 1) / unit;
}

/* How many aligned spans of 2^@shift frames hold RAM. */
static inline __u64 size_spans(const struct size_host *h, unsigned int shift)
{
	__u64 n = 0, next = 0, first, last;
	unsigned int i;

	for (i = 0; i < h->ranges; i++) {
		first = h->ram[i].start_pfn >> shift;
		last = (h->ram[i].end_pfn - 1) >> shift;
		if (first < next)
			first = next;
		if (last < first)
			continue;
		n += last - first + 1;
		next = last + 1;
	}
	return n;
}

/* Entries of the owner table: it begins at frame 0. */
static inline __u64 size_table(const struct size_host *h)
{
	return h->ranges ? h->ram[h->ranges - 1].end_pfn : 0;
}

/* The owner table where there is RAM, a table for the holes, and what maps them. */
static inline __u64 size_owner(const struct size_host *h)
{
	return size_spans(h, 9) + size_spans(h, 18) + 2 + size_up(size_table(h), 1 << 27) + 1;
}

/* The map of RAM by 2 MiB, and of the image's first frames by 4 KiB. */
static inline __u64 size_direct(const struct size_host *h)
{
	return size_spans(h, 18) + size_spans(h, 27) + size_up(SIZE_IMAGE, SIZE_CHUNK) + 1;
}

static inline __u64 size_cpus(const struct size_host *h)
{
	__u64 each = (UP_CPU_STACK_SIZE + UP_CPU_FAULT_SIZE + UP_CPU_DATA_SIZE) / SIZE_PAGE;

	return h->cpus * each +
	       size_up(h->cpu_numbers * UP_CPU_STRIDE, SIZE_ENTRIES * SIZE_PAGE) + 1;
}

/* Free for the layer's use: each GiB takes a table of the host's EPT, and of devices'. */
static inline __u64 size_pool(const struct size_host *h)
{
	return SIZE_POOL + SIZE_POOL_CPU * (__u64)h->cpus + size_spans(h, 18) +
	       (h->units ? SIZE_POOL_DMA + size_spans(h, 18) : 0);
}

/* Frames for lists of so many ranges. */
static inline __u64 size_lists(__u64 entries)
{
	entries += entries / 64 + 64;	/* what the lists' own frames may add */
	return size_up(entries * sizeof(struct up_range), SIZE_PAGE);
}

/* Everything, where memory comes in whole chunks. */
static inline __u64 size_layer(const struct size_host *h)
{
	__u64 pool = size_up(size_pool(h), SIZE_CHUNK);
	__u64 tables = 4 + size_up(SIZE_IMAGE, SIZE_ENTRIES);	/* PML5 to PD, PTs */
	__u64 used = SIZE_IMAGE + tables + size_cpus(h) + size_owner(h) + size_direct(h) +
		     (h->units ? SIZE_DEVICES + SIZE_DMAR : 0) +
		     h->intr_tables * SIZE_INTR;
	__u64 chunks = size_up(used, SIZE_CHUNK) + pool;
	__u64 lists = size_lists(h->ranges + 2 * chunks + SIZE_DEVICE_LISTS);

	used += lists + 1 + size_up(lists, SIZE_ENTRIES);
	return (size_up(used, SIZE_CHUNK) + pool) * SIZE_CHUNK;
}

#endif /* MODULE_SIZE_H */
