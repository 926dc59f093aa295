// SPDX-License-Identifier: GPL-2.0
/*
 * Where Linux translates DMA: a driver that maps, unmaps, attaches and detaches at random, and
 * says so as one in caching mode does, above the unit of vtd_hw.h.  Whenever it has waited, each
 * device reaches what the driver's tables say, as far as it is the host's, and nothing else; at
 * any other moment, too, nobody's frame but the host's.  Every kind of illegal entry; mutants.
 */
#include <string.h>
#include "ept_child.h"
#include "ept_includes.h"
#include "iommu/dmar.h"
#include "iommu/domain.h"
#include "iommu/emul.h"
#include "iommu/queue.h"
#include "iommu/table.h"
#include "iommu/take.h"
#include "tests/unit/vtd_hw.h"

#define FRAMES		4096ULL
#define RAM_END		3072ULL
#define LAYER_START	300ULL
#define LAYER_END	890ULL		/* below HW_TABLES */
#define HOST_ROOT	16ULL
#define HOST_CONTEXT	17ULL
#define HOST_QUEUE	18ULL
#define HOST_STATUS	19ULL
#define HOST_TABLES	32ULL		/* and up: the driver's tables */
#define HOST_TABLES_END	300ULL
#define DATA		1024ULL		/* frames that are mapped: 64, at a 2 MiB of the host's */
#define DATA_FRAMES	64
#define VM_FRAMES	8		/* the first of them, given away now and then */
#define RESERVED	3100ULL
#define DOMAINS		3
#define STEPS		3000

static const struct kind {
	const char *name;
	u64 cap, ecap;
	u32 levels;	/* of the driver's tables */
} kinds[] = {
	{ "48 bits", BIT(10) | 0x606 | CAP_SLLPS_2M, ECAP_C | ECAP_QI, 4 },
	{ "39 bits", BIT(9) | 0x206 | CAP_SLLPS_2M, ECAP_C | ECAP_QI, 3 },
	{ "57 bits", BIT(11) | BIT(10) | 0x6, ECAP_C | ECAP_QI, 5 },
	{ "caching mode", BIT(10) | CAP_CM | 0x6 | CAP_SLLPS_2M, ECAP_C | ECAP_QI, 4 },
	{ "tables past the caches", BIT(10) | 0x6, ECAP_QI, 4 },
	{ "a write buffer", BIT(10) | CAP_RWBF | 0x6, ECAP_C | ECAP_QI, 4 },
#define NO_LARGE	6
	{ "snoop control", BIT(10) | 0x6, ECAP_C | ECAP_QI | ECAP_SC, 4 },
};

static const struct kind *kind;
static struct dmar dmar;
static struct owner vm;
static u64 random_state, table_next;
static u64 free_tables[256];
static u32 nfree;

#define must(cond) \
	do { \
		if (!(cond)) { \
			printf("# line %d: %s (%s)\n", __LINE__, #cond, kind->name); \
			fflush(stdout); \
			_Exit(1); \
		} \
	} while (0)

u64 table_alloc(void)
{
	return pool_alloc();
}

static u64 *word(u64 pfn)
{
	return phys(pfn << PAGE_SHIFT);
}

static u64 any(u64 below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

/* --- Linux's driver -------------------------------------------------------------------- */

static struct { u64 top; u16 did; } domains[DOMAINS];

static u64 host_table(void)
{
	u64 pfn = nfree ? free_tables[--nfree] : table_next++;

	must(pfn < HOST_TABLES_END);
	memset(word(pfn), 0, PAGE_SIZE);
	return pfn;
}

static u64 frames_before;

static u64 tables_taken(void)
{
	return LAYER_END - LAYER_START - pool_count();
}

/* What the unit is told to forget it may still use: no table of it is free yet. */
static void none_is_free(void)
{
	must(tables_taken() >= frames_before);
}

/* Two descriptors at once, as Linux has it: what it wants, and to be told of its end. */
static void says_and_waits(u64 lo, u64 hi)
{
	static u32 data;
	u64 iqt = emul_read(&units[0], VTD_IQT, 8);

	word(HOST_QUEUE)[iqt / 8] = lo;
	word(HOST_QUEUE)[iqt / 8 + 1] = hi;
	iqt = (iqt + DESC_BYTES) % PAGE_SIZE;
	data++;
	word(HOST_QUEUE)[iqt / 8] = DESC_WAIT | WAIT_SW | (u64)data << 32;
	word(HOST_QUEUE)[iqt / 8 + 1] = HOST_STATUS << PAGE_SHIFT;
	frames_before = tables_taken();
	hw.watch = none_is_free;
	while (!emul_write(&units[0], VTD_IQT, 8, (iqt + DESC_BYTES) % PAGE_SIZE))
		;
	hw.watch = NULL;
	must(*(u32 *)word(HOST_STATUS) == data);
}

static void flush_range(u32 d, u64 iova, u64 pages)
{
	u32 am = 0;

	while (1ULL << am < pages || (iova ^ (iova + pages - 1)) >> am)
		am++;
	says_and_waits(DESC_IOTLB | DESC_ONE | (u64)domains[d].did << 16,
		       (iova & ~((1ULL << am) - 1)) << PAGE_SHIFT | am);
}

static void flush_domain(u32 d)
{
	says_and_waits(DESC_IOTLB | DESC_DOMAIN | (u64)domains[d].did << 16, 0);
}

/* The driver's entry for @iova at @level, which it makes a table for. */
static u64 *host_pte(u32 d, u64 iova, u32 level, bool make)
{
	u64 table = domains[d].top, *e;
	u32 l;

	for (l = kind->levels; ; l--) {
		e = word(table) + (iova >> 9 * (l - 1)) % 512;
		if (l == level)
			return e;
		if (*e & EPT_LARGE)
			return NULL;
		if (!*e && !make)
			return NULL;
		if (!*e)
			*e = host_table() << PAGE_SHIFT | DMA_RW;
		table = *e >> PAGE_SHIFT & MASK(39, 0);
	}
}

static void host_attach(u32 device, u64 lo, u64 hi)
{
	u64 *c = word(HOST_CONTEXT) + 2 * device;
	u16 did = CONTEXT_DID_OF(c[1]);

	if (c[0]) {
		c[0] = c[1] = 0;
		says_and_waits(DESC_CONTEXT | DESC_ONE | (u64)device << 32, 0);
		says_and_waits(DESC_IOTLB | DESC_DOMAIN | (u64)did << 16, 0);
	}
	if (!lo)
		return;
	c[1] = hi;
	c[0] = lo;
	/* All functions of the device, or one. */
	if (any(2))
		says_and_waits(DESC_CONTEXT | DESC_ONE | 3ULL << 48, 0);
	else
		says_and_waits(DESC_CONTEXT | DESC_ONE | (u64)device << 32, 0);
}

static void attach(u32 device, u32 d)
{
	host_attach(device, domains[d].top << PAGE_SHIFT | ENTRY_P | (any(2) << 2),
		    CONTEXT_DID(domains[d].did) | CONTEXT_AW(kind->levels));
}

/* --- what must hold ----------------------------------------------------------------------- */

static bool hosts(u64 pfn)
{
	return frame_entry(pfn) ? frame_is_hosts(pfn) : pfn == RESERVED || pfn == RESERVED + 1;
}

/* By the specification, of tables that are the host's.  Return: 0 or 1 and *@pa */
static bool reference(u32 device, u64 iova, bool write, u64 *pa)
{
	u64 root = word(HOST_ROOT)[0], e, span, need = write ? BIT(1) : BIT(0);
	u64 bad = BIT(62) | (kind->ecap & ECAP_SC ? 0 : BIT(11)), page;
	const u64 *c;
	u32 l;

	if (!(root & 1) || !frame_host_usable(root >> PAGE_SHIFT))
		return false;
	c = (const u64 *)phys(root & VTD_ADDR) + 2 * device;
	if (!(c[0] & 1) || (c[0] >> 2 & 3) == 3)
		return false;
	*pa = iova;
	if ((c[0] >> 2 & 3) == 2)
		return hosts(iova >> PAGE_SHIFT);
	l = (c[1] & 7) + 2;
	page = c[0] & VTD_ADDR;
	if (l > kind->levels || l < 3 || iova >> (12 + 9 * l))
		return false;
	for (;; l--) {
		span = 1ULL << (12 + 9 * (l - 1));
		if (!frame_host_usable(page >> PAGE_SHIFT))
			return false;
		e = ((u64 *)phys(page))[iova / span % 512];
		if (!(e & need) || e & bad)
			return false;
		if (l == 1 || e & BIT(7))
			break;
		page = e & VTD_ADDR;
	}
	if (l > 3 || e & VTD_ADDR & (span - 1))
		return false;
	*pa = (e & VTD_ADDR) | (iova & (span - 1));
	return hosts(*pa >> PAGE_SHIFT);
}

/* Never, whatever was announced or not. */
static void check_safe(u32 device, u64 iova)
{
	u64 pa, e;

	if (!hw_look(device, iova, false, &pa) && !hw_look(device, iova, true, &pa))
		return;
	e = frame_entry(pa >> PAGE_SHIFT);
	must(hosts(pa >> PAGE_SHIFT) || (e && FRAME_STATE(e) == FRAME_PENDING));
}

/* Where anything is ever mapped. */
static u64 places[24];
#define PLACE_PAGES	6

static void make_places(void)
{
	u64 top = 1ULL << 9 * kind->levels;
	const u64 p[] = {
		0, 510, 1024, 0x3fffe, 0x40000, 0x40200, 0x7fffa, 0xffff0, 0x100000, top - 6,
		top / 2, top / 2 - 3, DATA, DATA - 3, RESERVED,
	};

	memset(places, 0, sizeof(places));
	memcpy(places, p, sizeof(p));
}

static void check(bool waited)
{
	u64 iova, pa, wanted;
	u32 d, i, k, write;
	bool ok;

	for (i = 0; i < 15; i++) {
		for (k = 0; k < PLACE_PAGES; k++) {
			iova = (places[i] + k) << PAGE_SHIFT;
			for (d = 0; d < HW_DEVICES; d++) {
				check_safe(d, iova);
				for (write = 0; write < 2 && waited; write++) {
					ok = reference(d, iova, write, &wanted);
					must(hw_look(d, iova, write, &pa) == ok);
					must(!ok || pa == wanted);
				}
			}
		}
	}
}

/* Nothing of what hardware walks, or waits with, is but the layer's. */
static void check_tables(void)
{
	const u64 *root = phys(hw.root & VTD_ADDR), *c;
	u32 d;

	must(FRAME_OWNER(frame_entry(hw.root >> PAGE_SHIFT)) == OWNER_LAYER);
	must(hw.gsts & GCMD_TE && hw.iqa == units[0].queue.pa && !(hw.fsts & FSTS_QUEUE));
	if (!(root[0] & 1))
		return;
	must(FRAME_OWNER(frame_entry(root[0] >> PAGE_SHIFT)) == OWNER_LAYER);
	c = phys(root[0] & VTD_ADDR);
	for (d = 0; d < HW_DEVICES; d++) {
		if (!(c[2 * d] & 1))
			continue;
		must(!CONTEXT_T(c[2 * d]));	/* no translated requests, no pass-through */
		must(FRAME_OWNER(frame_entry(c[2 * d] >> PAGE_SHIFT)) == OWNER_LAYER);
		must(CONTEXT_DID_OF(c[2 * d + 1]));
	}
	/* One number, one tree. */
	if (c[0] & 1 && c[2] & 1)
		must((CONTEXT_DID_OF(c[1]) == CONTEXT_DID_OF(c[3])) ==
		     ((c[0] & VTD_ADDR) == (c[2] & VTD_ADDR)));
}

/* --- the world -------------------------------------------------------------------------------- */

static void map_frames(u32 d, u64 iova, u64 pages, u64 pfn, u64 access)
{
	u64 i, *e;

	for (i = 0; i < pages; i++) {
		e = host_pte(d, iova + i, 1, true);
		if (e)
			*e = (pfn + i) << PAGE_SHIFT | access;
	}
}

static void frames(void)
{
	static const struct up_range ram = { 0, RAM_END }, layer = { LAYER_START, LAYER_END };
	static const struct up_range pool = { LAYER_START, LAYER_END };

	fake_init(FRAMES, FRAMES, 1);
	up_config = (struct up_config){
		.cpus = 1, .ram_ranges = 1, .layer_chunks = 1, .pool_chunks = 1, .maxphyaddr = 39,
		.table_frames = FRAMES, .ram = &ram, .layer = &layer, .pool = &pool,
	};
	must(!frames_init(&up_config) && !pool_init(&up_config));
	dmar.units = 1;
	dmar.unit[0].regs = (struct dmar_range){ HW_BASE, HW_BASE + 0xfff };
	dmar.regions = 1;
	dmar.region[0] = (struct dmar_range){ RESERVED << PAGE_SHIFT,
					      ((RESERVED + 2) << PAGE_SHIFT) - 1 };
}

/* Mapped before the launch, and all the time. */
static void no_gap(void)
{
	u64 pa;

	must(hw_look(0, places[9] << PAGE_SHIFT, true, &pa) && pa == (DATA + 40) << PAGE_SHIFT);
	must(hw_look(0, places[4] << PAGE_SHIFT, false, &pa) && pa == (DATA + 41) << PAGE_SHIFT);
	must(!hw_look(0, places[4] << PAGE_SHIFT, true, &pa));
}

static void linux_translates(void)
{
	u32 i;

	table_next = HOST_TABLES;
	nfree = 0;
	memset(word(HOST_ROOT), 0, PAGE_SIZE);
	memset(word(HOST_CONTEXT), 0, PAGE_SIZE);
	word(HOST_ROOT)[0] = HOST_CONTEXT << PAGE_SHIFT | ENTRY_P;
	for (i = 0; i < DOMAINS; i++) {
		domains[i].top = host_table();
		domains[i].did = 1 + 3 * i;
	}
	map_frames(0, places[9], 1, DATA + 40, 3);
	map_frames(0, places[4], 1, DATA + 41, 1);
	map_frames(0, places[3], 1, LAYER_START + 1, 3);	/* it will be the layer's */
	word(HOST_CONTEXT)[0] = domains[0].top << PAGE_SHIFT | ENTRY_P;
	word(HOST_CONTEXT)[1] = CONTEXT_DID(domains[0].did) | CONTEXT_AW(kind->levels);
	hw_init(kind->cap, kind->ecap);
	hw.rtaddr = hw.root = HOST_ROOT << PAGE_SHIFT;
	hw.gsts = GCMD_TE | GCMD_SRTP | GCMD_QIE;
	hw.iqa = HOST_QUEUE << PAGE_SHIFT;
	hw.iqt = hw.iqh = 3 * DESC_BYTES;
}

static void world(const struct kind *k, enum hw_mutant mutant)
{
	u64 pa;

	kind = k;
	random_state = 88172645463325252ULL;
	make_places();
	frames();
	linux_translates();
	hw.mutant = mutant;
	must(!unit_add(&dmar.unit[0]) && unit_use(&units[0]) == UNIT_TRANSLATING);
	units[0].translates = true;
	must(hw_dma(0, places[3] << PAGE_SHIFT, true, &pa));	/* remembered */
	must(!dma_init(&up_config, &dmar));
	hw.watch = no_gap;
	must(!unit_take(&units[0]));
	hw.watch = NULL;
	must(!hw_dma(0, places[3] << PAGE_SHIFT, true, &pa));
	must(emul_read(&units[0], VTD_CAP, 8) & CAP_CM);
	vm.state = UP_VM_BUILDING;
	check(true);
	check_tables();
}

/* --- at random ------------------------------------------------------------------------------- */

/* Data of the host's, of a VM's, the layer's, nobody's. */
static u64 any_frame(void)
{
	static const u64 odd[] = {
		LAYER_START, LAYER_START + 9, RESERVED, RESERVED + 2, RAM_END, FRAMES + 5,
		HW_BASE >> PAGE_SHIFT, HOST_CONTEXT, HOST_TABLES, 1ULL << 36, 1ULL << 39,
	};

	return any(6) ? DATA + any(DATA_FRAMES - PLACE_PAGES) : odd[any(ARRAY_SIZE(odd))];
}

static void step_map(void)
{
	u64 iova = places[any(15)], pages = 1 + any(PLACE_PAGES), pfn = any_frame();
	u32 d = any(DOMAINS);

	map_frames(d, iova, pages, pfn, 1 + any(3) + (any(9) ? 0 : BIT(11)) +
		   (any(40) ? 0 : BIT(62)));
	check(false);
	flush_range(d, iova, pages);
}

static void step_unmap(void)
{
	u64 iova = places[any(15)], pages = 1 + any(PLACE_PAGES), i, *e;
	u32 d = any(DOMAINS);

	for (i = 0; i < pages; i++) {
		e = host_pte(d, iova + i, 1, false);
		if (e)
			*e = 0;
	}
	check(false);
	if (any(2))
		flush_range(d, iova, pages);
	else
		flush_domain(d);
}

/* Whole tables go, or become a large page; the driver uses them for others afterwards. */
static void step_large(void)
{
	u64 iova = places[any(15)] & ~511ULL, *e, pfn = any(3) ? 1024 : 512 * any(8);
	u32 d = any(DOMAINS);

	e = host_pte(d, iova, 2, true);
	if (!e)
		return;
	if (*e && !(*e & EPT_LARGE))
		free_tables[nfree++] = *e >> PAGE_SHIFT & MASK(39, 0);
	*e = any(3) ? 0 : pfn << PAGE_SHIFT | (1 + any(3)) | EPT_LARGE | (any(9) ? 0 : BIT(13));
	check(false);
	flush_range(d, iova, 512);
}

static void step_attach(void)
{
	u32 device = any(HW_DEVICES), d = any(DOMAINS);

	if (any(8) == 0)
		host_attach(device, ENTRY_P | CONTEXT_T_PASS << 2 |
			    (any(2) ? domains[d].top << PAGE_SHIFT : 0), CONTEXT_DID(99));
	else if (any(8) == 0)
		host_attach(device, 0, 0);
	else
		attach(device, d);
}

static void free_host_tables(u64 pfn, u32 level)
{
	u32 i;

	for (i = 0; i < 512 && level > 1; i++)
		if (word(pfn)[i] && !(word(pfn)[i] & EPT_LARGE))
			free_host_tables(word(pfn)[i] >> PAGE_SHIFT & MASK(39, 0), level - 1);
	must(nfree < ARRAY_SIZE(free_tables));
	free_tables[nfree++] = pfn;
}

/* A domain of the driver's ends, and its number is another's. */
static void step_new_domain(void)
{
	u64 *c = word(HOST_CONTEXT);
	u32 device, d = any(DOMAINS);

	for (device = 0; device < HW_DEVICES; device++)
		if (c[2 * device] && CONTEXT_DID_OF(c[2 * device + 1]) == domains[d].did)
			host_attach(device, 0, 0);
	free_host_tables(domains[d].top, kind->levels);
	domains[d].top = host_table();
}

static void step_touch(void)
{
	u32 i;
	u64 pa;

	for (i = 0; i < 12; i++)
		hw_dma(any(HW_DEVICES), (places[any(15)] + any(PLACE_PAGES)) << PAGE_SHIFT,
		       any(2), &pa);
}

/* A frame that devices may be in the middle of goes to a VM, and comes back. */
static void step_vm(void)
{
	u64 pfn, i, n = any(VM_FRAMES);
	u32 tries;

	if (vm.state == UP_VM_BUILDING && !vm.frames) {
		host_donate_vm(&vm, DATA + n, 0);
		check(false);
		step_touch();
		for (tries = 0; vm_commit(&vm) && tries < 1000; tries++) {
			flush_this_cpu();
			hw_work();
		}
		must(!vm.frames_pending);
		for (i = 0; i < HW_DEVICES; i++)
			hw_dma(i, (DATA + n) << PAGE_SHIFT, true, &pfn);
		return;
	}
	vm.state = UP_VM_DEAD;
	for (tries = 0; vm_return_host(&vm, 0, &pfn) && tries < 1000; tries++) {
		flush_this_cpu();
		hw_work();
	}
	must(tries < 1000);
	binding_cut(&vm);
	memset(&vm, 0, sizeof(vm));
	vm.state = UP_VM_BUILDING;
	/* What the driver had mapped there is its own to map again. */
	says_and_waits(DESC_IOTLB | DESC_GLOBAL, 0);
}

static void step_everything(void)
{
	says_and_waits(DESC_CONTEXT | (any(2) ? DESC_GLOBAL : DESC_DOMAIN), 0);
	says_and_waits(DESC_IOTLB | DESC_GLOBAL, 0);
}

static void (*const events[])(void) = {
	step_map, step_map, step_map, step_unmap, step_unmap, step_large, step_attach,
	step_new_domain, step_touch, step_touch, step_touch, step_vm, step_everything,
};

static void walk_from(const struct kind *k, enum hw_mutant mutant, u64 seed)
{
	u32 i;

	world(k, mutant);
	random_state = seed;
	for (i = 0; i < STEPS; i++) {
		hw.slow = any(2);
		events[any(ARRAY_SIZE(events))]();
		check(true);
		check_tables();
		must(!units[0].host.starved && !units[0].queue.broken);
	}
}

static void at_random(void *arg)
{
	walk_from(arg, HW_SOUND, 0x9e3779b97f4a7c15ULL);
}

/* --- every illegal entry --------------------------------------------------------------------- */

static void reaches_nothing(u64 leaf, u32 level)
{
	u64 iova = places[4], pa;
	u64 *e = host_pte(0, iova, level, true), was;

	must(e);
	was = *e;
	*e = leaf;
	flush_range(0, iova, 1ULL << 9 * (level - 1));
	must(!hw_look(0, iova << PAGE_SHIFT, false, &pa));
	must(!hw_look(0, iova << PAGE_SHIFT, true, &pa));
	*e = was;
	flush_range(0, iova, 1ULL << 9 * (level - 1));
	must(hw_look(0, iova << PAGE_SHIFT, false, &pa));
}

static void illegal(void *arg)
{
	u64 pa, *e, top, i;

	world(arg, HW_SOUND);
	must(!host_donate_vm(&vm, DATA, 0));
	reaches_nothing(DATA << PAGE_SHIFT | 3, 1);			/* pending */
	while (vm_commit(&vm))
		flush_this_cpu();
	reaches_nothing(DATA << PAGE_SHIFT | 3, 1);			/* a VM's */
	reaches_nothing(LAYER_START << PAGE_SHIFT | 3, 1);
	reaches_nothing(units[0].root_pa | 3, 1);
	reaches_nothing(units[0].queue.pa | 3, 1);
	reaches_nothing(dma_root(&units[0]) | 3, 1);
	reaches_nothing(HW_BASE | 3, 1);
	reaches_nothing(RAM_END << PAGE_SHIFT | 3, 1);
	reaches_nothing(FRAMES << PAGE_SHIFT | 3, 1);
	reaches_nothing(MASK(51, 12) | 3, 1);
	reaches_nothing((DATA + 1) << PAGE_SHIFT | 3 | BIT(62), 1);
	if (!(kind->ecap & ECAP_SC))
		reaches_nothing((DATA + 1) << PAGE_SHIFT | 3 | BIT(11), 1);
	reaches_nothing((DATA + 1) << PAGE_SHIFT, 1);
	/* Tables that are not the host's, or are none. */
	for (i = 2; i <= kind->levels; i++) {
		reaches_nothing(LAYER_START << PAGE_SHIFT | 3, i);
		reaches_nothing(DATA << PAGE_SHIFT | 3, i);
		reaches_nothing(FRAMES << PAGE_SHIFT | 3, i);
		reaches_nothing(MASK(51, 12) | 3, i);
		reaches_nothing(HW_BASE | 3, i);
		reaches_nothing((DATA + 1) << PAGE_SHIFT | 3 | EPT_LARGE, i);	/* not aligned */
		if (i > 3)
			reaches_nothing(0 | 3 | EPT_LARGE, i);
	}
	/* The second of a large page's frames is the layer's. */
	e = host_pte(0, places[4] + 512, 2, true);
	*e = 0 | 3 | EPT_LARGE;
	flush_range(0, places[4] + 512, 512);
	must(hw_look(0, (places[4] + 512) << PAGE_SHIFT, true, &pa) && !pa);
	must(!hw_look(0, (places[4] + 512 + LAYER_START) << PAGE_SHIFT, true, &pa));
	*e = 0;
	flush_range(0, places[4] + 512, 512);
	/* A table that leads to itself at every level, and one that is a leaf, too. */
	top = domains[0].top << PAGE_SHIFT;
	e = phys(top);
	e[5] = top | 3;
	flush_range(0, 5ULL << 9 * (kind->levels - 1), 1);
	flush_range(0, (5ULL << 9 * (kind->levels - 1)) | 5, 512);
	i = 5ULL << 9 * (kind->levels - 1);
	must(hw_look(0, i << PAGE_SHIFT, false, &pa) ==
	     reference(0, i << PAGE_SHIFT, false, &pa));
	e[5] = 0;
	flush_domain(0);
	must(!hw_look(0, i << PAGE_SHIFT, false, &pa));
	check(true);
	check_tables();
}

static void context_is(u64 lo, u64 hi, bool something)
{
	u64 pa;

	host_attach(1, lo, hi);
	must(hw_look(1, places[9] << PAGE_SHIFT, true, &pa) == something);
	must(something || !hw_look(1, DATA << PAGE_SHIFT, true, &pa));
	check_tables();
}

static void illegal_contexts(void *arg)
{
	u64 aw, did, top, *root, was, pa;

	world(arg, HW_SOUND);
	root = word(HOST_ROOT);
	was = root[0];
	aw = CONTEXT_AW(kind->levels);
	did = CONTEXT_DID(domains[0].did);
	top = domains[0].top << PAGE_SHIFT | ENTRY_P;
	context_is(top, did | aw, true);
	context_is(top | 1 << 2, did | aw, true);	/* translated requests: blocked */
	context_is(top | 3 << 2, did | aw, false);
	context_is(domains[1].top << PAGE_SHIFT | ENTRY_P, did | aw, false);
	context_is(top, did | CONTEXT_AW(kind->levels - 1), false);
	context_is(top, CONTEXT_DID(77) | CONTEXT_AW(kind->levels + 1), false);
	context_is(top, CONTEXT_DID(77) | aw, true);
	context_is(top, CONTEXT_DID(77) | 7, false);
	context_is(top, CONTEXT_DID(77), false);
	context_is(LAYER_START << PAGE_SHIFT | ENTRY_P, CONTEXT_DID(78) | aw, false);
	context_is(FRAMES << PAGE_SHIFT | ENTRY_P, CONTEXT_DID(78) | aw, false);
	context_is(top, did | aw, true);
	/* Three levels, where there could be more: nothing is mapped above them. */
	if (kind->levels > 3) {
		map_frames(0, 7, 1, DATA + 9, 3);
		host_attach(1, (*host_pte(0, 7, 4, true) & VTD_ADDR) | ENTRY_P,
			    CONTEXT_DID(50) | CONTEXT_AW(3));
		must(hw_look(1, 7 << PAGE_SHIFT, true, &pa) && pa == (DATA + 9) << PAGE_SHIFT);
		must(!hw_look(1, 7 << PAGE_SHIFT | 1ULL << 39, true, &pa));
		host_attach(1, 0, 0);
	}
	/* A context table that is the layer's own, or nobody's. */
	for (pa = 0; pa < 3; pa++) {
		static const u64 where[] = { LAYER_START, FRAMES, 1ULL << 39 };

		root[0] = where[pa] << PAGE_SHIFT | ENTRY_P;
		says_and_waits(DESC_CONTEXT | DESC_GLOBAL, 0);
		must(!hw_look(0, places[9] << PAGE_SHIFT, true, &aw));
		root[0] = was;
		says_and_waits(DESC_CONTEXT | DESC_GLOBAL, 0);
		must(hw_look(0, places[9] << PAGE_SHIFT, true, &aw));
	}
	check(true);
}

/* --- single facts ----------------------------------------------------------------------------- */

/* Linux has its own again, and the unit walks what the host's tables say, all the time. */
static void give(void *arg)
{
	world(arg, HW_SOUND);
	if (!(kind->ecap & ECAP_C) || kind->cap & CAP_RWBF)
		return;		/* the model has another copy of the host's tables */
	map_frames(0, places[0], 3, DATA + 30, 3);
	flush_range(0, places[0], 3);
	hw.watch = no_gap;
	must(unit_give(&units[0]));
	must(hw.root == HOST_ROOT << PAGE_SHIFT && hw.gsts & GCMD_TE);
	must(hw.iqa == HOST_QUEUE << PAGE_SHIFT && hw.gsts & GCMD_QIE);
	must(unit_use(&units[0]) == UNIT_TRANSLATING);
	no_gap();
}

static void off_and_on(void *arg)
{
	u64 pa;

	world(arg, HW_SOUND);
	emul_write(&units[0], VTD_GCMD, 4, GCMD_QIE);
	must(!(emul_read(&units[0], VTD_GSTS, 4) & GCMD_TE) && hw.gsts & GCMD_TE);
	must(hw_look(1, DATA << PAGE_SHIFT, true, &pa) && pa == DATA << PAGE_SHIFT);
	must(!hw_look(1, LAYER_START << PAGE_SHIFT, true, &pa));
	emul_write(&units[0], VTD_GCMD, 4, GCMD_QIE | GCMD_TE);
	must(emul_read(&units[0], VTD_GSTS, 4) & GCMD_TE);
	check(true);
	check_tables();
	/* Another root table, and nothing but SRTP says so. */
	memcpy(word(20), word(HOST_ROOT), PAGE_SIZE);
	word(20)[0] = 0;
	emul_write(&units[0], VTD_RTADDR, 8, 20 << PAGE_SHIFT);
	while (!emul_write(&units[0], VTD_GCMD, 4, GCMD_QIE | GCMD_TE | GCMD_SRTP))
		;
	must(!hw_look(0, places[9] << PAGE_SHIFT, true, &pa));
}

/* Much is done in pieces, none of which is long. */
static void in_pieces(void *arg)
{
	u64 iqt, *e, pa, i;
	u32 pieces = 0;

	world(arg, HW_SOUND);
	for (i = 0; i < 20; i++) {
		e = host_pte(0, places[8] + 512 * i, 2, true);
		*e = 1024ULL << PAGE_SHIFT | EPT_LARGE | 3;
	}
	iqt = emul_read(&units[0], VTD_IQT, 8);
	word(HOST_QUEUE)[iqt / 8] = DESC_IOTLB | DESC_DOMAIN | (u64)domains[0].did << 16;
	word(HOST_QUEUE)[iqt / 8 + 1] = 0;
	while (!emul_write(&units[0], VTD_IQT, 8, iqt + DESC_BYTES))
		must(++pieces < 1000);
	must(pieces > 3);
	for (i = 0; i < 20 * 512; i += 511)
		must(hw_look(0, (places[8] + i) << PAGE_SHIFT, true, &pa) &&
		     pa == (1024 + i % 512) << PAGE_SHIFT);
	/* And it ends in pieces. */
	word(HOST_CONTEXT)[0] = 0;
	iqt = emul_read(&units[0], VTD_IQT, 8);
	word(HOST_QUEUE)[iqt / 8] = DESC_CONTEXT | DESC_GLOBAL;
	i = tables_taken();
	while (!emul_write(&units[0], VTD_IQT, 8, iqt + DESC_BYTES))
		must(++pieces < 1000);
	must(tables_taken() + 20 < i);
}

/*
 * A device leaves its domain for one that takes long to copy, and a frame of the old one goes in
 * the middle of that: the unit may still know the way there.
 */
static void ends_in_pieces(void *arg)
{
	u64 iqt, *e, pa, i;

	world(arg, HW_SOUND);
	for (i = 0; i < 20; i++) {
		e = host_pte(1, places[8] + 512 * i, 2, true);
		*e = 1024ULL << PAGE_SHIFT | EPT_LARGE | 3;
	}
	must(hw_dma(0, places[4] << PAGE_SHIFT, false, &pa));	/* the context, and more */
	word(HOST_CONTEXT)[0] = domains[1].top << PAGE_SHIFT | ENTRY_P;
	word(HOST_CONTEXT)[1] = CONTEXT_DID(domains[1].did) | CONTEXT_AW(kind->levels);
	iqt = emul_read(&units[0], VTD_IQT, 8);
	word(HOST_QUEUE)[iqt / 8] = DESC_CONTEXT | DESC_GLOBAL;
	must(!emul_write(&units[0], VTD_IQT, 8, iqt + DESC_BYTES));
	must(hw_look(0, places[9] << PAGE_SHIFT, true, &pa));	/* it does */
	must(!host_donate_vm(&vm, DATA + 40, 0));
	while (vm_commit(&vm))
		flush_this_cpu();
	must(!hw_look(0, places[9] << PAGE_SHIFT, true, &pa));
	while (!emul_write(&units[0], VTD_IQT, 8, iqt + DESC_BYTES))
		;
	check(true);
	check_tables();
}

/* 2 MiB that the host maps as one and devices reach are one leaf of the layer's, too: no table. */
static u64 map_large(u32 d)
{
	u64 iova = places[8], taken;

	*host_pte(d, iova + 512, 2, true) = DATA << PAGE_SHIFT | EPT_LARGE | 3;
	flush_range(d, iova + 512, 512);	/* with what leads there */
	taken = tables_taken();
	*host_pte(d, iova, 2, true) = DATA << PAGE_SHIFT | EPT_LARGE | 3;
	flush_range(d, iova, 512);
	must(tables_taken() == taken);
	return iova;
}

static void reach(u64 iova, bool but_40)
{
	u64 i, pa;

	for (i = 0; i < 512; i++)
		must(hw_look(0, (iova + i) << PAGE_SHIFT, true, &pa) ? (i != 40 || !but_40) &&
		     pa == (DATA + i) << PAGE_SHIFT : i == 40 && but_40);
}

/* A frame of them goes, and comes back: with another map, as any does. */
static void large_page_loses(void *arg)
{
	u64 iova, pa;

	world(arg, HW_SOUND);
	iova = map_large(0);
	must(hw_dma(0, (iova + 40) << PAGE_SHIFT, false, &pa));
	must(!host_donate_vm(&vm, DATA + 40, 0));
	while (vm_commit(&vm))
		flush_this_cpu();
	must(!hw_dma(0, (iova + 40) << PAGE_SHIFT, false, &pa));
	reach(iova, true);
	vm.state = UP_VM_DEAD;
	while (vm_return_host(&vm, 0, &pa))
		flush_this_cpu();
	flush_domain(0);
	reach(iova, false);
	*host_pte(0, iova, 2, true) = 0;
	flush_range(0, iova, 512);
	must(!hw_look(0, iova << PAGE_SHIFT, true, &pa));
	check_tables();
}

/* When there is no frame for the table that must take its place, all of it goes. */
static void large_page_starves(void *arg)
{
	u64 iova, pa;

	world(arg, HW_SOUND);
	iova = map_large(0);
	must(!host_donate_vm(&vm, DATA + 40, 0));
	while (pool_alloc())
		;
	while (vm_commit(&vm))
		flush_this_cpu();
	must(!hw_look(0, (iova + 40) << PAGE_SHIFT, true, &pa));
	must(!hw_look(0, (iova + 41) << PAGE_SHIFT, true, &pa) && units[0].host.starved);
	check_tables();
}

/* Without a frame nothing is mapped, nobody is harmed, and what there was stays. */
static void starved(void *arg)
{
	u64 pa;

	world(arg, HW_SOUND);
	while ((pa = pool_alloc()))
		;
	map_frames(0, 1ULL << 20, 1, DATA + 3, 3);
	flush_range(0, 1ULL << 20, 1);
	must(units[0].host.starved && !hw_look(0, 1ULL << 32, true, &pa));
	no_gap();
	attach(1, 1);
	must(!hw_look(1, places[9] << PAGE_SHIFT, true, &pa));
	must(!host_donate_vm(&vm, DATA + 40, 0) || true);
	check_tables();
}

/* A number that every device has another table for, until rows run out; and all are free again. */
static void many_domains(void *arg)
{
	u64 i, used, pa, iqt;

	world(arg, HW_SOUND);
	host_attach(0, 0, 0);
	used = tables_taken();
	for (i = 0; i < 3000; i++) {
		domains[1].did = (u16)i;
		attach(0, 1);
		map_frames(1, places[2], 1, DATA + 5, 3);
		flush_range(1, places[2], 1);
		must(hw_look(0, places[2] << PAGE_SHIFT, true, &pa));
		/* Nobody waits for that. */
		word(HOST_CONTEXT)[0] = 0;
		iqt = emul_read(&units[0], VTD_IQT, 8);
		word(HOST_QUEUE)[iqt / 8] = DESC_CONTEXT | DESC_GLOBAL;
		frames_before = tables_taken();
		hw.watch = none_is_free;
		while (!emul_write(&units[0], VTD_IQT, 8, (iqt + DESC_BYTES) % PAGE_SIZE))
			;
		hw.watch = NULL;
		must(tables_taken() <= used + 1);		/* but for the page of rows */
	}
	must(!units[0].host.starved);
}

/* --- main --- */

static void mutant_walk(void *arg)
{
	u64 n = (u64)(uintptr_t)arg;

	if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
		abort();
	walk_from(&kinds[n / HW_MUTANTS], n % HW_MUTANTS, 0x9e3779b97f4a7c15ULL);
}

static const struct {
	enum hw_mutant mutant;
	const char *name;
	u32 kind;
} mutants[] = {
	{ HW_KEEPS_IOTLB, "a flush of translations", 0 },
	{ HW_KEEPS_CONTEXT, "a flush of context entries", 0 },
	{ HW_EARLY_STATUS, "waiting for the queue", 0 },
	{ HW_NO_FLUSH_LINE, "the cache flush of an entry", 4 },
	{ HW_NO_FLUSH_LINES, "the cache flush of a table", 4 },
	{ HW_NO_WRITE_BUFFER, "the flush of the write buffer", 5 },
	{ HW_NO_CACHING_MODE, "the flush behind a mapping in caching mode", 3 },
};

static void fact(const char *name, void (*fn)(void *), u32 k)
{
	result(in_child(fn, (void *)(uintptr_t)&kinds[k]), "%s (%s)", name, kinds[k].name);
}

int main(void)
{
	u32 i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		fact("a driver at random: each device has what the tables say", at_random, i);
		fact("an illegal entry leads nowhere", illegal, i);
		fact("an illegal context entry leads nowhere", illegal_contexts, i);
		fact("Linux gets back its tables, without a gap", give, i);
		fact("translation off and on, and another root", off_and_on, i);
	}
	fact("a large piece of work is done in small ones", in_pieces, NO_LARGE);
	fact("a domain that ends meanwhile is swept", ends_in_pieces, NO_LARGE);
	fact("a large page loses a frame", large_page_loses, 0);
	fact("and without a frame for a table, all of it", large_page_starves, 0);
	fact("without a frame nothing is mapped, and nothing lost", starved, 0);
	fact("3,000 domains, one behind the other, leave nothing", many_domains, 0);
	for (i = 0; i < ARRAY_SIZE(mutants); i++)
		result(!in_child(mutant_walk, (void *)(uintptr_t)(mutants[i].kind * HW_MUTANTS +
								  mutants[i].mutant)),
		       "without %s something fails", mutants[i].name);
	printf("1..%d\n", test_number);
	return test_failures != 0;
}
