// SPDX-License-Identifier: GPL-2.0
/*
 * Loading the root image: memory from the page allocator, the image copied to
 * it as it is, and the page tables of root mode, W^X, nothing of Linux in them.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "module.h"
#include "module/needs.h"
#include "module/size.h"

#define CHUNK_ORDER		9
#define INTR_ORDER		8
#define PTE_FLAGS		(_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY)

static bool vmcs_shadowing = true;
module_param(vmcs_shadowing, bool, 0444);
MODULE_PARM_DESC(vmcs_shadowing, "use VMCS shadowing where processors have it (default: 1)");

extern const char up_blob[], up_blob_end[];

/*
 * Memory comes in chunks as large as there are, is handed out frame by frame, and is
 * kept in order.  page->private of a chunk's first page: its order, and above that how
 * many of its frames are handed out; the others are the pool.
 */
static LIST_HEAD(chunks);		/* by page->lru, newest last */
static unsigned int nr_chunks;
static unsigned int chunk_order;	/* what was to be had last */
static u64 *root_top;			/* PML4, or PML5 where Linux has 5 levels */
static u64 intr_pfn[UP_MAX_DEVICES];	/* interrupt-remapping tables */
static unsigned int nr_intr;
static struct size_host host;

static unsigned int chunk_frames(struct page *chunk)
{
	return 1u << (page_private(chunk) & 0xff);
}

static unsigned int chunk_used(struct page *chunk)
{
	return page_private(chunk) >> 8;
}

static int new_chunk(void)
{
	struct page *page;

	for (;;) {
		page = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
				   (chunk_order ? __GFP_NORETRY : __GFP_RETRY_MAYFAIL),
				   chunk_order);
		if (page)
			break;
		if (!chunk_order)
			return -ENOMEM;
		chunk_order--;
	}
	set_page_private(page, chunk_order);
	list_add_tail(&page->lru, &chunks);
	nr_chunks++;
	cond_resched();
	return 0;
}

/* 1 MiB at once, for an interrupt-remapping table. */
static int take_intr_table(void)
{
	unsigned int usual = chunk_order;
	struct page *c;

	chunk_order = INTR_ORDER;
	if (new_chunk())
		return -ENOMEM;
	c = list_last_entry(&chunks, struct page, lru);
	if (chunk_order < INTR_ORDER)
		return -ENOMEM;
	chunk_order = usual;
	set_page_private(c, page_private(c) | chunk_frames(c) << 8);
	intr_pfn[nr_intr++] = page_to_pfn(c);
	return 0;
}

static int take_intr_tables(void)
{
	int err = 0;

	while (!err && nr_intr < up_iommu_interrupts())
		err = take_intr_table();
	return err;
}

/* A zeroed frame of the layer's memory, or NULL. */
static void *take_frame(void)
{
	struct page *c = nr_chunks ? list_last_entry(&chunks, struct page, lru) : NULL;

	if (!c || chunk_used(c) == chunk_frames(c)) {
		if (new_chunk())
			return NULL;
		c = list_last_entry(&chunks, struct page, lru);
	}
	set_page_private(c, page_private(c) + (1 << 8));
	return page_address(c + chunk_used(c) - 1);
}

static u64 *next_table(u64 *entry)
{
	void *table;

	if (!*entry) {
		table = take_frame();
		if (!table)
			return NULL;
		*entry = __pa(table) | PTE_FLAGS | _PAGE_RW;
	}
	return __va(*entry & PTE_PFN_MASK);
}

/* The entry for @va at @level: 1 maps 4 KiB, 2 maps 2 MiB; NULL without memory for tables. */
static u64 *entry_of(u64 va, int level)
{
	u64 *table = root_top;
	int l;

	for (l = pgtable_l5_enabled() ? 5 : 4; table && l > level; l--)
		table = next_table(&table[va >> (12 + 9 * (l - 1)) & 511]);
	return table ? &table[va >> (12 + 9 * (level - 1)) & 511] : NULL;
}

static int map(u64 va, u64 pa, u64 flags, int level)
{
	u64 *entry = entry_of(va, level);

	if (!entry)
		return -ENOMEM;
	*entry = pa | PTE_FLAGS | flags | (level > 1 ? _PAGE_PSE : 0);
	return 0;
}

/* New zeroed frames at @va; *@first is the kernel address of the first one. */
static int map_new(u64 va, unsigned int frames, u64 flags, void **first)
{
	unsigned int i;
	void *frame;

	for (i = 0; i < frames; i++) {
		frame = take_frame();
		if (!frame || map(va + (u64)i * PAGE_SIZE, __pa(frame), flags, 1))
			return -ENOMEM;
		if (!i && first)
			*first = frame;
	}
	return 0;
}

static u64 image_flags(const struct up_image_header *h, u64 off)
{
	if (off < h->rodata_off)
		return 0;			/* text: R-X */
	if (off < h->data_off)
		return _PAGE_NX;
	return _PAGE_NX | _PAGE_RW;
}

/* The image page by page; remembers where the configuration came to lie. */
static int map_image(struct up_layer *layer)
{
	const struct up_image_header *h = &layer->header;
	u64 size = up_blob_end - up_blob, off;
	void **pages;
	int err = 0;

	pages = kvcalloc(h->end_off / PAGE_SIZE, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	for (off = 0; off < h->end_off && !err; off += PAGE_SIZE) {
		pages[off / PAGE_SIZE] = take_frame();
		if (!pages[off / PAGE_SIZE])
			err = -ENOMEM;
		else if (off < size)
			memcpy(pages[off / PAGE_SIZE], up_blob + off,
			       min_t(u64, PAGE_SIZE, size - off));
		if (!err)
			err = map(UP_IMAGE_BASE + off, __pa(pages[off / PAGE_SIZE]),
				  image_flags(h, off), 1);
	}
	/* It does not cross a page: vmx/base/cpus.c. */
	if (!err)
		layer->config = pages[h->config_off / PAGE_SIZE] + offset_in_page(h->config_off);
	kvfree(pages);
	return err;
}

static int map_cpus(void)
{
	static const struct {
		u32 off, size;
	} parts[] = {
		{ UP_CPU_STACK_OFF, UP_CPU_STACK_SIZE },
		{ UP_CPU_FAULT_OFF, UP_CPU_FAULT_SIZE },
		{ UP_CPU_DATA_OFF, UP_CPU_DATA_SIZE },
	};
	unsigned int cpu, i;

	for_each_online_cpu(cpu)
		for (i = 0; i < ARRAY_SIZE(parts); i++)
			if (map_new(UP_CPU_BASE + cpu * UP_CPU_STRIDE + parts[i].off,
				    parts[i].size / PAGE_SIZE, _PAGE_RW | _PAGE_NX, NULL))
				return -ENOMEM;
	return 0;
}

static int find_host(void)
{
	int err = up_ram_find(&host.ram, &host.ranges);

	if (err)
		return err;
	host.cpus = num_online_cpus();
	host.cpu_numbers = nr_cpu_ids;
	up_devices(&host.units);
	host.intr_tables = up_iommu_interrupts();
	if (size_table(&host) <= SIZE_MAX_PFN)
		return 0;
	pr_err("RAM reaches to %#llx: more than the layer can map\n",
	       size_table(&host) << PAGE_SHIFT);
	return -E2BIG;
}

/* RAM, not executable, by 2 MiB: a page that is partly RAM is mapped whole. */
static int map_direct(void)
{
	unsigned int i;
	u64 pa;

	for (i = 0; i < host.ranges; i++)
		for (pa = ALIGN_DOWN(host.ram[i].start_pfn << PAGE_SHIFT, PMD_SIZE);
		     pa < host.ram[i].end_pfn << PAGE_SHIFT; pa += PMD_SIZE)
			if (map(UP_DIRECT_BASE + pa, pa, _PAGE_RW | _PAGE_NX, 2))
				return -ENOMEM;
	return 0;
}

/* Registers, uncached: PCD and PWT choose the PAT's fourth entry, which root looks at. */
static int map_devices(void)
{
	unsigned int i, devices;
	const struct up_range *device = up_devices(&devices);
	u64 pfn, va = UP_MMIO_BASE;

	for (i = 0; i < devices; i++)
		for (pfn = device[i].start_pfn; pfn < device[i].end_pfn; pfn++, va += PAGE_SIZE)
			if (map(va, pfn << PAGE_SHIFT,
				_PAGE_RW | _PAGE_NX | _PAGE_PCD | _PAGE_PWT, 1))
				return -ENOMEM;
	return 0;
}

/* Is there RAM in 2^@shift frames from @pfn on?  Asked in ascending order, with one @at. */
static bool span_has_ram(u64 pfn, unsigned int shift, unsigned int *at)
{
	while (*at < host.ranges && host.ram[*at].end_pfn <= pfn)
		++*at;
	return *at < host.ranges && host.ram[*at].start_pfn < pfn + BIT_ULL(shift);
}

/* A page of the owner table speaks of 2 MiB.  Where no RAM is, all show one of zeroes. */
static int map_owner_table(void)
{
	u64 pfn, *entry, *hole = take_frame(), *holes = take_frame();
	unsigned int i, at = 0;

	if (!hole || !holes)
		return -ENOMEM;
	for (i = 0; i < PTRS_PER_PTE; i++)
		holes[i] = __pa(hole) | PTE_FLAGS | _PAGE_NX;
	for (pfn = 0; pfn < size_table(&host); pfn += SIZE_ENTRIES) {
		u64 va = UP_TABLE_BASE + pfn * sizeof(u64);

		if (pfn % (SIZE_ENTRIES << 9) == 0 && !span_has_ram(pfn, 18, &at)) {
			entry = entry_of(va, 2);
			if (!entry)
				return -ENOMEM;
			*entry = __pa(holes) | PTE_FLAGS | _PAGE_RW;
			pfn += (SIZE_ENTRIES << 9) - SIZE_ENTRIES;
		} else if (span_has_ram(pfn, 9, &at) ?
			   map_new(va, 1, _PAGE_RW | _PAGE_NX, NULL) :
			   map(va, __pa(hole), _PAGE_NX, 1)) {
			return -ENOMEM;
		}
	}
	return 0;
}

/* Firmware's DMAR table, for root to read. */
static int copy_dmar(struct up_config *cfg)
{
	const u8 *table = up_iommu_table(&cfg->dmar_bytes);
	unsigned int off;
	void *frame;

	cfg->dmar = (const u8 *)UP_DMAR_BASE;
	for (off = 0; off < cfg->dmar_bytes; off += PAGE_SIZE) {
		frame = take_frame();
		if (!frame || map(UP_DMAR_BASE + off, __pa(frame), _PAGE_NX, 1))
			return -ENOMEM;
		memcpy(frame, table + off, min_t(u32, PAGE_SIZE, cfg->dmar_bytes - off));
	}
	return 0;
}

/* The large page that maps @va, as small ones. */
static int split(u64 va)
{
	u64 *large = entry_of(va, 2), pa, *table;
	unsigned int i;

	if (!large)
		return -ENOMEM;
	if (!(*large & _PAGE_PSE))
		return 0;
	table = take_frame();
	if (!table)
		return -ENOMEM;
	pa = *large & PTE_PFN_MASK & PMD_MASK;
	for (i = 0; i < PTRS_PER_PTE; i++)
		table[i] = (pa + i * PAGE_SIZE) | PTE_FLAGS | _PAGE_RW | _PAGE_NX;
	*large = __pa(table) | PTE_FLAGS | _PAGE_RW;
	return 0;
}

/* Text and constants cannot be written through the map of RAM either. */
static int write_protect_image(const struct up_image_header *h)
{
	u64 off, pa, *entry;
	int err;

	for (off = 0; off < h->data_off; off += PAGE_SIZE) {
		entry = entry_of(UP_IMAGE_BASE + off, 1);
		if (!entry)
			return -ENOMEM;
		pa = *entry & PTE_PFN_MASK;
		err = split(UP_DIRECT_BASE + pa);
		if (!err)
			err = map(UP_DIRECT_BASE + pa, pa, _PAGE_NX, 1);
		if (err)
			return err;
	}
	return 0;
}

/* Entry @i of the lists: they lie in frames here and there. */
static struct up_range *list_entry_at(u64 i)
{
	u64 va = UP_RANGE_BASE + i * sizeof(struct up_range);

	return __va(*entry_of(va, 1) & PTE_PFN_MASK) + offset_in_page(va);
}

static const struct up_range *list_in_root(u64 i)
{
	return (const struct up_range *)UP_RANGE_BASE + i;
}

/* Which frames the layer owns, and which of them are free; from entry @n on. */
static void list_chunks(struct up_config *cfg, u64 n)
{
	struct page *c;

	cfg->layer = list_in_root(n);
	list_for_each_entry(c, &chunks, lru) {
		u64 pfn = page_to_pfn(c);

		*list_entry_at(n++) = (struct up_range){ pfn, pfn + chunk_frames(c) };
		cfg->layer_chunks++;
	}
	cfg->pool = list_in_root(n);
	list_for_each_entry(c, &chunks, lru) {
		u64 pfn = page_to_pfn(c), free = pfn + chunk_used(c), end = pfn + chunk_frames(c);

		if (free == end)
			continue;
		*list_entry_at(n++) = (struct up_range){ free, end };
		cfg->pool_chunks++;
	}
}

/* Return: how many entries, from @n on */
static unsigned int list_devices(struct up_config *cfg, u64 n)
{
	unsigned int i, devices;
	const struct up_range *device = up_devices(&devices);

	cfg->device = list_in_root(n);
	cfg->devices = devices;
	for (i = 0; i < devices; i++)
		*list_entry_at(n + i) = device[i];
	cfg->intr = list_in_root(n + devices);
	cfg->intr_tables = nr_intr;
	for (i = 0; i < nr_intr; i++)
		*list_entry_at(n + devices + i) =
			(struct up_range){ intr_pfn[i], intr_pfn[i] + (1u << INTR_ORDER) };
	return devices + nr_intr;
}

/* All else is allocated.  The lists tell of their own frames, too: there is room to spare. */
static int describe_memory(struct up_config *cfg)
{
	u64 spare = 0, lists;
	unsigned int i;

	while (spare < size_pool(&host)) {
		if (new_chunk())
			return -ENOMEM;
		spare += chunk_frames(list_last_entry(&chunks, struct page, lru));
	}
	lists = size_lists(host.ranges + 2 * (u64)nr_chunks + SIZE_DEVICE_LISTS);
	if (map_new(UP_RANGE_BASE, lists, _PAGE_NX, NULL))
		return -ENOMEM;
	if (host.ranges + 2 * (u64)nr_chunks + SIZE_DEVICE_LISTS >
	    lists * PAGE_SIZE / sizeof(struct up_range))
		return -ENOSPC;
	for (i = 0; i < host.ranges; i++)
		*list_entry_at(i) = host.ram[i];
	cfg->ram = list_in_root(0);
	cfg->ram_ranges = host.ranges;
	list_chunks(cfg, host.ranges + list_devices(cfg, host.ranges));
	return 0;
}

static int configure(struct up_layer *layer)
{
	struct up_config *cfg = layer->config;
	int err;

	cfg->cpus = nr_cpu_ids;
	cfg->maxphyaddr = boot_cpu_data.x86_phys_bits;
	cfg->serial_port = 0x3f8;
	cfg->pm1a_cnt = up_sleep_regs()->pm1_cnt[0];
	cfg->pm1b_cnt = up_sleep_regs()->pm1_cnt[1];
	cfg->pm_base = up_sleep_regs()->pm_base;
	cfg->vmcs_shadowing = vmcs_shadowing;
	cfg->tsc_khz = tsc_khz;
	cfg->root_cr3 = layer->root_cr3;
	cfg->table_frames = size_table(&host);
	cfg->allow_no_iommu = up_iommu_allow_none();
	cfg->dma_announced = up_iommu_announced();
	get_random_bytes(cfg->entropy, sizeof(cfg->entropy));
	up_tickets_configure(cfg);
	err = map_direct();
	if (!err)
		err = write_protect_image(&layer->header);
	if (!err)
		err = map_owner_table();
	if (!err)
		err = map_devices();
	if (!err)
		err = copy_dmar(cfg);
	if (!err)
		err = take_intr_tables();
	return err ?: describe_memory(cfg);
}

static int read_header(struct up_image_header *h)
{
	memcpy(h, up_blob, sizeof(*h));
	if (h->magic == UP_IMAGE_MAGIC && h->abi == UP_ABI_VERSION &&
	    h->end_off <= SIZE_IMAGE * PAGE_SIZE)
		return 0;
	pr_err("the embedded root image is not one of ABI %d\n", UP_ABI_VERSION);
	return -ENOEXEC;
}

/* Asking for more than there is would have Linux end programs. */
static int check_memory(void)
{
	u64 takes = size_layer(&host);
	u64 there = si_mem_available();

	if (takes <= there)
		return 0;
	pr_err("refused: " NO_MEMORY_FOUND ": " NO_MEMORY_CURE "\n", takes >> 8, there >> 8);
	return -ENOMEM;
}

static int build(struct up_layer *layer)
{
	int err;

	root_top = take_frame();
	if (!root_top)
		return -ENOMEM;
	layer->root_cr3 = __pa(root_top);
	err = map_image(layer);
	if (!err)
		layer->image_slot = *entry_of(UP_IMAGE_BASE, 4);
	if (!err)
		err = map_cpus();
	if (!err)
		err = configure(layer);
	/* Written once; the layer's memory is nobody else's from launch on. */
	layer->config = NULL;
	if (err)
		pr_err("no memory for the layer after %u chunks: error %d\n", nr_chunks, err);
	return err;
}

int up_image_load(struct up_layer *layer)
{
	int err = read_header(&layer->header);

	if (err)
		return err;
	chunk_order = CHUNK_ORDER;
	err = find_host();
	if (!err)
		err = check_memory();
	if (!err)
		err = build(layer);
	if (err)
		up_image_free();
	return err;
}

void up_image_free(void)
{
	struct page *c, *next;

	list_for_each_entry_safe(c, next, &chunks, lru) {
		unsigned int frames = chunk_frames(c);

		list_del(&c->lru);
		set_page_private(c, 0);
		memset(page_address(c), 0, (size_t)frames << PAGE_SHIFT);
		__free_pages(c, ilog2(frames));
		cond_resched();
	}
	nr_chunks = 0;
	nr_intr = 0;
	root_top = NULL;
	up_ram_forget();
}
