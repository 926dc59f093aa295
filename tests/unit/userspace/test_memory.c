// SPDX-License-Identifier: GPL-2.0
/* What the layer takes: module/size.h against the very tables that module/image.c makes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/check/check.h"
#include "tests.h"

#define GIB	(1ULL << 18)	/* frames */
#define TIB	(1ULL << 28)

/* Page tables of an address space that is mapped in ascending order. */
struct tables {
	uint64_t last[5], n;
};

/* Maps one page of @level (1: 4 KiB, 2: 2 MiB) at @va: counts the tables that it needs. */
static void map_at(struct tables *t, uint64_t va, int level)
{
	for (int l = level; l < 4; l++) {
		uint64_t table = (va >> (12 + 9 * l)) + 1;

		t->n += t->last[l] != table;
		t->last[l] = table;
	}
}

static bool has_ram(const struct size_host *h, unsigned int *at, uint64_t pfn, uint64_t n)
{
	while (*at < h->ranges && h->ram[*at].end_pfn <= pfn)
		++*at;
	return *at < h->ranges && h->ram[*at].start_pfn < pfn + n;
}

/* Pages of the owner table, one shared by all holes, and the tables. */
static uint64_t owner_frames(const struct size_host *h)
{
	struct tables t = { };
	uint64_t pages = 0;
	unsigned int at = 0;

	for (uint64_t pfn = 0; pfn < size_table(h); pfn += 512) {
		if (pfn % GIB == 0 && !has_ram(h, &at, pfn, GIB)) {
			map_at(&t, UP_TABLE_BASE + pfn * 8, 2);
			pfn += GIB - 512;
			continue;
		}
		map_at(&t, UP_TABLE_BASE + pfn * 8, 1);
		pages += has_ram(h, &at, pfn, 512);
	}
	return t.n + pages + 2;
}

static uint64_t direct_frames(const struct size_host *h)
{
	struct tables t = { };

	for (unsigned int i = 0; i < h->ranges; i++)
		for (uint64_t pfn = h->ram[i].start_pfn & ~511ULL; pfn < h->ram[i].end_pfn;
		     pfn += 512)
			map_at(&t, UP_DIRECT_BASE + (pfn << 12), 2);
	return t.n + 1;		/* the image, split */
}

static uint64_t cpu_frames(const struct size_host *h)
{
	struct tables t = { };
	uint64_t pages = 0;

	for (unsigned int cpu = 0; cpu < h->cpus; cpu++)
		for (uint64_t off = UP_CPU_STACK_OFF; off < UP_CPU_DATA_OFF + UP_CPU_DATA_SIZE;
		     off += 4096) {
			if (off == 0x5000 || off == 0x8000)
				continue;	/* guard pages */
			map_at(&t, UP_CPU_BASE + cpu * UP_CPU_STRIDE + off, 1);
			pages++;
		}
	return t.n + pages;
}

/* The figure is what is there, and never more than a hundredth and two chunks above it. */
static void check_size(const struct size_host *h)
{
	uint64_t used = SIZE_IMAGE + 4 + cpu_frames(h) + owner_frames(h) + direct_frames(h);
	uint64_t least = used + size_pool(h), size = size_layer(h);

	assert_true(size >= least && size % SIZE_CHUNK == 0);
	assert_true(size <= least + least / 100 + 3 * SIZE_CHUNK);
}

void test_size_is_what_image_takes(void **state)
{
	static struct up_range ram[4096];
	struct size_host h = { .ram = ram, .cpus = 1, .cpu_numbers = 1 };

	(void)state;
	/* The test machine: 1 GiB. */
	ram[0] = (struct up_range) { 1, 159 };
	ram[1] = (struct up_range) { 256, GIB - 32 };
	h.ranges = 2;
	check_size(&h);
	assert_int_equal(size_layer(&h), 2048);
	/* 16 TiB in one piece, 1,024 CPUs. */
	ram[1].end_pfn = 16 * TIB;
	h.cpus = 1024;
	h.cpu_numbers = 1024;
	check_size(&h);
	assert_true(size_layer(&h) >> 18 == 32);	/* GiB, most of it the owner table */
	/* 4,096 fragments, somewhere in 16 TiB. */
	srand(7);
	for (unsigned int i = 0; i < 4096; i++) {
		uint64_t start = i * (16 * TIB / 4096) + rand() % 100000;

		ram[i] = (struct up_range) { start, start + 1 + rand() % 900000 };
	}
	h.ranges = 4096;
	check_size(&h);
	/* The same, adjacent but for a frame: every 2 MiB holds RAM. */
	for (unsigned int i = 0; i < 4096; i++)
		ram[i] = (struct up_range) { i * GIB / 64, (i + 1) * GIB / 64 - 1 };
	check_size(&h);
	/* Little RAM, far up: holes take no owner table. */
	ram[0] = (struct up_range) { 0, GIB };
	ram[1] = (struct up_range) { SIZE_MAX_PFN - GIB, SIZE_MAX_PFN };
	h.ranges = 2;
	h.cpus = 2;
	check_size(&h);
	assert_true(size_layer(&h) < GIB / 64);
}

void test_memory_is_checked(void **state)
{
	static const char iomem[] =
		"00000000-00000fff : Reserved\n"
		"00001000-0009fbff : System RAM\n"
		"00100000-3ffdffff : System RAM\n"
		"  01000000-01a00000 : Kernel code\n"
		"  02000000-03000000 : System RAM\n"
		"fd000000-fdffffff : PCI Bus 0000:00\n"
		"100000000-100000800 : System RAM\n"
		"140000000-14fffffff : Soft Reserved\n"
		"  140000000-147ffffff : System RAM (kmem)\n"
		"  148000000-14fffffff : System RAM (kmem)\n";
	struct check_report r = { };
	struct size_host host;
	struct up_range *ram;
	unsigned int n;

	(void)state;
	ram = check_ram(iomem, &n);
	assert_int_equal(n, 3);
	assert_int_equal(ram[2].start_pfn, 0x140000);
	assert_int_equal(ram[2].end_pfn, 0x150000);
	assert_int_equal(ram[0].start_pfn, 1);
	assert_int_equal(ram[0].end_pfn, 0x9f);
	assert_int_equal(ram[1].start_pfn, 0x100);
	assert_int_equal(ram[1].end_pfn, 0x3ffe0);
	host = (struct size_host) { ram, n, 1, 1 };
	tree_make();
	assert_int_equal(check_memory(&r), CHECK_SKIP);
	tree_text("/proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable:  500000 kB\n");
	assert_int_equal(judge_memory(&r, &host), CHECK_PASS);
	assert_string_equal(r.found, "the layer takes 8 MiB, 488 MiB are available");
	tree_text("/proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable:  7000 kB\n");
	assert_int_equal(judge_memory(&r, &host), CHECK_FAIL);
	assert_string_equal(r.found, "the layer takes 8 MiB, 6 MiB are available");
	assert_string_equal(r.cure, NO_MEMORY_CURE);
	tree_text("/proc/iomem", "00000000-00000000 : System RAM\n");
	assert_int_equal(check_memory(&r), CHECK_SKIP);
	free(ram);
	tree_remove();
}
