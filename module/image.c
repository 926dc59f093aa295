// SPDX-License-Identifier: GPL-2.0
/*
 * Loading the root image: memory from the page allocator, the image copied to
 * it as it is, and the page tables of root mode, W^X, nothing of Linux in them.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/apic.h>
#include <asm/processor.h>
#include <asm/smp.h>

#include "module.h"

#define POOL_BASE_FRAMES	768	/* grown later by call when VMs need more */
#define CHUNK_ORDER		9
#define PTE_FLAGS		(_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY)

extern const char up_blob[], up_blob_end[];

/* Memory comes in chunks, is handed out frame by frame, and is kept in order. */
static struct chunk {
	struct page *page;
	unsigned int order;
} *chunks;
static unsigned int nr_chunks;
static unsigned int chunk_used;		/* frames handed out of the newest chunk */
static u64 *root_top;			/* PML4, or PML5 where Linux has 5 levels */

static int new_chunk(void)
{
	int order;
	struct page *page;

	if (nr_chunks == UP_MAX_POOL_CHUNKS)
		return -ENOSPC;
	for (order = CHUNK_ORDER; order >= 0; order--) {
		page = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
				   (order ? __GFP_NORETRY : 0), order);
		if (page)
			break;
	}
	if (order < 0)
		return -ENOMEM;
	chunks[nr_chunks].page = page;
	chunks[nr_chunks].order = order;
	nr_chunks++;
	chunk_used = 0;
	return 0;
}

/* A zeroed frame of the layer's memory, or NULL. */
static void *take_frame(void)
{
	struct chunk *c;

	if (!nr_chunks || chunk_used == 1u << chunks[nr_chunks - 1].order)
		if (new_chunk())
			return NULL;
	c = &chunks[nr_chunks - 1];
	return page_address(c->page + chunk_used++);
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
	/* The configuration is larger than a page: write it through a mapping. */
	if (!err) {
		struct page *conf[8];
		unsigned int i, n = DIV_ROUND_UP(offset_in_page(h->config_off) +
						 sizeof(struct up_config), PAGE_SIZE);

		if (n > ARRAY_SIZE(conf))
			err = -E2BIG;
		for (i = 0; i < n && !err; i++)
			conf[i] = virt_to_page(pages[h->config_off / PAGE_SIZE + i]);
		layer->config = err ? NULL : vmap(conf, n, VM_MAP, PAGE_KERNEL);
		if (layer->config)
			layer->config = (void *)layer->config + offset_in_page(h->config_off);
		else
			err = err ?: -ENOMEM;
	}
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

/* RAM, not executable, by 2 MiB: a page that is partly RAM is mapped whole. */
static int map_direct(const struct up_config *cfg)
{
	unsigned int i;
	u64 pa;

	for (i = 0; i < cfg->ram_ranges; i++)
		for (pa = ALIGN_DOWN(cfg->ram[i].start_pfn << PAGE_SHIFT, PMD_SIZE);
		     pa < cfg->ram[i].end_pfn << PAGE_SHIFT; pa += PMD_SIZE)
			if (map(UP_DIRECT_BASE + pa, pa, _PAGE_RW | _PAGE_NX, 2))
				return -ENOMEM;
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

/* Everything is allocated: tell the layer which frames it owns and which are free. */
static int describe_memory(struct up_config *cfg)
{
	unsigned int i, spare = 0, first_free = nr_chunks;
	u64 pfn, used = chunk_used;

	while (spare < POOL_BASE_FRAMES) {
		if (new_chunk())
			return -ENOMEM;
		spare += 1u << chunks[nr_chunks - 1].order;
	}
	for (i = 0; i < nr_chunks; i++) {
		pfn = page_to_pfn(chunks[i].page);
		cfg->layer[i].start_pfn = pfn;
		cfg->layer[i].end_pfn = pfn + (1u << chunks[i].order);
		if (i + 1 == first_free) {
			cfg->pool[cfg->pool_chunks] = cfg->layer[i];
			cfg->pool[cfg->pool_chunks].start_pfn += used;
		} else if (i >= first_free) {
			cfg->pool[cfg->pool_chunks] = cfg->layer[i];
		} else {
			continue;
		}
		cfg->pool_chunks++;
	}
	cfg->layer_chunks = nr_chunks;
	return 0;
}

static int configure(struct up_layer *layer)
{
	struct up_config *cfg = layer->config;
	unsigned int cpu;
	int err = up_ram_find(cfg);

	if (err)
		return err;
	cfg->cpus = nr_cpu_ids;
	for_each_online_cpu(cpu)
		cfg->apic_id[cpu] = per_cpu(x86_cpu_to_apicid, cpu);
	cfg->maxphyaddr = boot_cpu_data.x86_phys_bits;
	cfg->serial_port = 0x3f8;
	cfg->pm1a_cnt = up_sleep_regs()->pm1_cnt[0];
	cfg->pm1b_cnt = up_sleep_regs()->pm1_cnt[1];
	cfg->pm_base = up_sleep_regs()->pm_base;
	cfg->root_cr3 = layer->root_cr3;
	get_random_bytes(cfg->launch_nonce, sizeof(cfg->launch_nonce));
	err = map_direct(cfg);
	if (!err)
		err = write_protect_image(&layer->header);
	if (!err)
		err = map_new(UP_TABLE_BASE, DIV_ROUND_UP(cfg->table_frames * 8, PAGE_SIZE),
			      _PAGE_RW | _PAGE_NX, NULL);
	return err ?: describe_memory(cfg);
}

static int read_header(struct up_image_header *h)
{
	memcpy(h, up_blob, sizeof(*h));
	if (h->magic == UP_IMAGE_MAGIC && h->abi == UP_ABI_VERSION)
		return 0;
	pr_err("the embedded root image is not one of ABI %d\n", UP_ABI_VERSION);
	return -ENOEXEC;
}

int up_image_load(struct up_layer *layer)
{
	int err = read_header(&layer->header);

	if (err)
		return err;
	chunks = kvcalloc(UP_MAX_POOL_CHUNKS, sizeof(*chunks), GFP_KERNEL);
	root_top = chunks ? take_frame() : NULL;
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
	if (layer->config)
		vunmap((void *)((unsigned long)layer->config & PAGE_MASK));
	layer->config = NULL;
	if (err) {
		pr_err("no memory for the layer after %u chunks: error %d\n", nr_chunks, err);
		up_image_free();
	}
	return err;
}

void up_image_free(void)
{
	unsigned int i;

	for (i = 0; i < nr_chunks; i++) {
		memset(page_address(chunks[i].page), 0, PAGE_SIZE << chunks[i].order);
		__free_pages(chunks[i].page, chunks[i].order);
	}
	nr_chunks = 0;
	root_top = NULL;
	kvfree(chunks);
	chunks = NULL;
}
