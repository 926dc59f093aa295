// SPDX-License-Identifier: GPL-2.0
/* Memory types, the start of the owner table and of the pool, walks and trees. */
#include <setjmp.h>
#include "ept_includes.h"
#include <cmocka.h>
#include <sys/mman.h>

#define FRAMES	2048ULL

static u64 mtrr_msr[0x300];
static u64 caps = BIT(0) | BIT(17);
static u32 flushes;

u64 rdmsr(u32 msr)
{
	return msr == 0xfe ? 0x50a : msr == 0x48c ? caps : mtrr_msr[msr];
}

int fake_invept(u64 type, u64 eptp)
{
	(void)type;
	(void)eptp;
	flushes++;
	return 0;
}

/* A configuration with its lists. */
struct lists {
	struct up_range ram[2], layer[2], pool[2];
};

static struct lists lists = {
	.ram = { { 1, 160 }, { 256, FRAMES } }, .layer = { { 512, 600 }, { 1024, 1030 } },
	.pool = { { 520, 600 }, { 1024, 1030 } },
};

static struct up_config cfg = {
	.cpus = 1, .ram_ranges = 2, .layer_chunks = 2, .pool_chunks = 2, .maxphyaddr = 36,
	.table_frames = FRAMES, .ram = lists.ram, .layer = lists.layer, .pool = lists.pool,
};

static int setup(void **state)
{
	(void)state;
	fake_init(FRAMES, FRAMES, 2);
	memset(mtrr_msr, 0, sizeof(mtrr_msr));
	return frames_init(&cfg);
}

static int teardown(void **state)
{
	(void)state;
	fake_free();
	return 0;
}

/* --- MTRRs (SDM vol. 3, 12.11) -------------------------------------------------- */

#define MB(n)	((u64)(n) << 20)
#define VALID	BIT(11)

static void variable(u32 n, u64 base, u64 size, u32 type)
{
	mtrr_msr[0x200 + 2 * n] = base | type;
	mtrr_msr[0x201 + 2 * n] = (MASK(35, 12) & ~(size - 1)) | VALID;
}

static void mtrr_disabled_is_uncached(void **state)
{
	(void)state;
	mtrr_msr[0x2ff] = MEMTYPE_WB;
	mtrr_init();
	assert_int_equal(mtrr_type(0, PAGE_SIZE), MEMTYPE_UC);
	assert_int_equal(mtrr_type(MB(64), SZ_1G), MEMTYPE_UC);
}

static void mtrr_variable_ranges(void **state)
{
	(void)state;
	mtrr_msr[0x2ff] = 0x800 | MEMTYPE_UC;
	variable(0, 0, MB(2048), MEMTYPE_WB);
	variable(1, MB(2048), MB(1024), MEMTYPE_WB);
	variable(2, MB(3064), MB(8), MEMTYPE_UC);	/* over the end of the second */
	variable(3, MB(512), MB(2), MEMTYPE_WT);	/* WT over WB is WT */
	variable(4, MB(514), MB(2), MEMTYPE_WC);	/* undefined with WB: UC */
	variable(5, MB(4096) + PAGE_SIZE, PAGE_SIZE, MEMTYPE_WP);
	variable(6, MB(600), MB(2), MEMTYPE_UC);
	mtrr_msr[0x200 + 13] &= ~VALID;
	mtrr_init();
	assert_int_equal(mtrr_type(0, SZ_2M), MEMTYPE_WB);
	assert_int_equal(mtrr_type(0, SZ_1G), -1);
	assert_int_equal(mtrr_type(MB(1024), SZ_1G), MEMTYPE_WB);
	assert_int_equal(mtrr_type(MB(3062), SZ_2M), MEMTYPE_WB);
	assert_int_equal(mtrr_type(MB(3064), SZ_2M), MEMTYPE_UC);
	assert_int_equal(mtrr_type(MB(512), SZ_2M), MEMTYPE_WT);
	assert_int_equal(mtrr_type(MB(514), SZ_2M), MEMTYPE_UC);
	assert_int_equal(mtrr_type(MB(600), SZ_2M), MEMTYPE_WB);
	assert_int_equal(mtrr_type(MB(4096), SZ_2M), -1);
	assert_int_equal(mtrr_type(MB(4096), PAGE_SIZE), MEMTYPE_UC);
	assert_int_equal(mtrr_type(MB(4096) + PAGE_SIZE, PAGE_SIZE), MEMTYPE_WP);
	assert_int_equal(mtrr_type(MB(8192), SZ_1G), MEMTYPE_UC);
}

static void mtrr_fixed_ranges(void **state)
{
	u64 pa;

	(void)state;
	mtrr_msr[0x2ff] = 0xc00 | MEMTYPE_WB;
	mtrr_msr[0x250] = 0x0606060606060606ULL;
	mtrr_msr[0x258] = 0x0606060606060606ULL;
	mtrr_msr[0x259] = 0x0001000000000000ULL;	/* b8000-bbfff: WC */
	mtrr_msr[0x268] = 0x0505050505050505ULL;
	mtrr_msr[0x26f] = 0x0605050505050505ULL;	/* ff000: WB */
	mtrr_init();
	for (pa = 0; pa < 0xa0000; pa += PAGE_SIZE)
		assert_int_equal(mtrr_type(pa, PAGE_SIZE), MEMTYPE_WB);
	assert_int_equal(mtrr_type(0xb7000, PAGE_SIZE), MEMTYPE_UC);
	assert_int_equal(mtrr_type(0xb8000, PAGE_SIZE), MEMTYPE_WC);
	assert_int_equal(mtrr_type(0xbb000, PAGE_SIZE), MEMTYPE_WC);
	assert_int_equal(mtrr_type(0xbc000, PAGE_SIZE), MEMTYPE_UC);
	assert_int_equal(mtrr_type(0xc7000, PAGE_SIZE), MEMTYPE_WP);
	assert_int_equal(mtrr_type(0xc8000, PAGE_SIZE), MEMTYPE_UC);
	assert_int_equal(mtrr_type(0xfe000, PAGE_SIZE), MEMTYPE_WP);
	assert_int_equal(mtrr_type(0xff000, PAGE_SIZE), MEMTYPE_WB);
	assert_int_equal(mtrr_type(0, SZ_2M), -1);
	assert_int_equal(mtrr_type(SZ_2M, SZ_2M), MEMTYPE_WB);
	for (pa = 0x250; pa < 0x270; pa++)
		mtrr_msr[pa] = 0x0606060606060606ULL;
	mtrr_init();
	assert_int_equal(mtrr_type(0, SZ_2M), MEMTYPE_WB);
	mtrr_msr[0x2ff] = 0x800 | MEMTYPE_WP;		/* fixed ones off */
	mtrr_init();
	assert_int_equal(mtrr_type(0xb8000, PAGE_SIZE), MEMTYPE_WP);
}

/* --- beginning -------------------------------------------------------------------- */

static void owner_table_starts_right(void **state)
{
	struct frame_counters c;

	(void)state;
	assert_int_equal(frame_entry(0), 0);
	assert_int_equal(FRAME_OWNER(frame_entry(1)), OWNER_HOST);
	assert_int_equal(frame_entry(160), 0);
	assert_int_equal(FRAME_OWNER(frame_entry(512)), OWNER_LAYER);
	assert_int_equal(FRAME_OWNER(frame_entry(600)), OWNER_HOST);
	assert_int_equal(frame_entry(FRAMES), 0);
	assert_int_equal(frame_entry(~0ULL), 0);
	frame_counters(&c);
	assert_int_equal(c.ram, 159 + FRAMES - 256);
	assert_int_equal(c.layer, 94);
	assert_int_equal(c.vm, 0);
	assert_true(frame_is_hosts(0) && !frame_host_usable(0));	/* no RAM */
	assert_true(frame_is_hosts(1) && frame_host_usable(1));
	assert_true(!frame_is_hosts(512) && !frame_host_usable(512));
	assert_true(frame_is_hosts(BIT(24) - 1) && !frame_is_hosts(BIT(24)));
	assert_false(frame_is_hosts(BIT(52)) || frame_is_hosts(~0ULL) ||
		     frame_host_usable(BIT(52) | 1));
	assert_int_equal(frames_region(0), REGION_MIXED);
	assert_int_equal(frames_region(512), REGION_MIXED);
	assert_int_equal(frames_region(1536), REGION_HOST);
	assert_int_equal(frames_region(FRAMES), REGION_NO_RAM);
	assert_true(frames_have_ram(0, 2) && frames_have_ram(159, 1));
	assert_false(frames_have_ram(160, 96) || frames_have_ram(FRAMES, BIT(18)));
}

static void bad_configurations_are_refused(void **state)
{
	struct up_config c;
	struct lists l;

	(void)state;
#define INIT(change) \
	({ \
		l = lists; \
		c = cfg; \
		c.ram = l.ram; \
		c.layer = l.layer; \
		c.pool = l.pool; \
		change; \
		memset(fake_owner_table, 0, FRAMES * sizeof(u64)); \
		frames_init(&c); \
	})
#define REFUSED(change)	assert_int_equal(INIT(change), -UP_EINVAL)
	REFUSED(l.ram[1].end_pfn = FRAMES + 1);
	REFUSED(l.ram[0].end_pfn = 300);		/* ranges overlap */
	REFUSED(l.ram[0] = lists.ram[1]; l.ram[1] = lists.ram[0]);	/* not ascending */
	REFUSED(l.ram[0].end_pfn = 0);			/* ends before it starts */
	REFUSED(l.layer[0].start_pfn = 200);		/* reaches into no RAM */
	REFUSED(l.layer[1].start_pfn = 590; l.layer[1].end_pfn = 610);
	REFUSED(l.pool[0].end_pfn = 601);		/* the host's */
	REFUSED(c.maxphyaddr = 53);
	REFUSED(c.maxphyaddr = 20);
	assert_int_equal(INIT(), 0);
	/* The lists on the stack are gone soon. */
	memset(fake_owner_table, 0, FRAMES * sizeof(u64));
	assert_int_equal(frames_init(&cfg), 0);
}

/*
 * 16 TiB of RAM in 4,096 ranges: the owner table is an address space, of which only
 * what these ranges touch is there.
 */
static void sixteen_tib_in_4096_ranges(void **state)
{
	enum { RANGES = 4096, EACH = 700, NODE = 1 << 20 };	/* 4 GiB apart */
	static struct up_range ram[RANGES];
	struct up_config c = cfg;
	u64 *before = fake_owner_table, i;

	(void)state;
	for (i = 0; i < RANGES; i++)
		ram[i] = (struct up_range){ i * NODE + 300, i * NODE + 300 + EACH };
	c.maxphyaddr = 46;
	c.table_frames = BIT(32);
	c.ram = ram;
	c.ram_ranges = RANGES;
	c.layer_chunks = 0;
	c.pool_chunks = 0;
	fake_owner_table = mmap(NULL, c.table_frames * sizeof(u64), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(fake_owner_table, MAP_FAILED);
	/* What the host side maps where no RAM is cannot be written. */
	for (i = 0; i < RANGES; i++)
		assert_int_equal(mprotect(fake_owner_table + i * NODE + NODE / 2, PAGE_SIZE,
					  PROT_READ), 0);
	assert_int_equal(frames_init(&c), 0);
	for (i = 0; i < RANGES; i++) {
		assert_true(frame_host_usable(ram[i].start_pfn) &&
			    frame_host_usable(ram[i].end_pfn - 1));
		assert_true(!frame_entry(ram[i].start_pfn - 1) && !frame_entry(ram[i].end_pfn));
		assert_true(frames_have_ram(i * NODE, NODE));
		assert_true(frames_have_ram(ram[i].end_pfn - 1, 1));
		assert_false(frames_have_ram(i * NODE, 300));
		assert_false(frames_have_ram(ram[i].end_pfn, NODE - EACH));
		assert_int_equal(frames_region(i * NODE + 512), REGION_MIXED);
	}
	assert_true(frame_is_hosts(BIT(32) - 1) && !frame_host_usable(BIT(32)));
	munmap(fake_owner_table, c.table_frames * sizeof(u64));
	fake_owner_table = before;
	assert_int_equal(frames_init(&cfg), -UP_EINVAL);	/* its table is not zero */
}

static void pool_keeps_its_reserve(void **state)
{
	u64 pa, n, got = 0, before = pool_count();
	u8 *page;

	(void)state;
	assert_int_equal(pool_init(&cfg), 0);
	n = pool_count();
	assert_int_equal(n, before + 86);
	while ((pa = pool_alloc())) {
		page = phys(pa);
		assert_true(page_is_zero(page));
		memset(page, 0xff, PAGE_SIZE);
		got++;
	}
	assert_int_equal(got, n - POOL_RESERVE);
	while ((pa = pool_alloc_kvm()))
		got++;
	assert_int_equal(got, n - POOL_RESERVE_HOST);
	while ((pa = pool_alloc_reserve()))
		got++;
	assert_int_equal(got, n);
	assert_int_equal(pool_count(), 0);
}

/* --- walks ---------------------------------------------------------------------------- */

#define TABLE(n)	((u64 *)phys((300 + (n)) << PAGE_SHIFT))
#define TO(n)		((300ULL + (n)) << PAGE_SHIFT | EPT_RWX)
#define EPTP		(300ULL << PAGE_SHIFT | EPTP_FLAGS)

static void make_tables(void)
{
	u32 i;

	ept_caps = caps;
	for (i = 0; i < 4; i++)
		memset(TABLE(i), 0, PAGE_SIZE);
	TABLE(0)[0] = TO(1);
	TABLE(1)[0] = TO(2);
	TABLE(2)[0] = TO(3);
	TABLE(3)[5] = 1700ULL << PAGE_SHIFT | 0x37;
}

static struct ept_walk walk(u64 gpa, int want)
{
	struct ept_walk w;

	assert_int_equal(ept_walk(EPTP, gpa, &w), want);
	return w;
}

static void walk_gives_what_hardware_would(void **state)
{
	struct ept_walk w;

	(void)state;
	make_tables();
	w = walk(0x5123, 0);
	assert_int_equal(w.hpa, 1700ULL << PAGE_SHIFT);
	assert_int_equal(w.level, 1);
	assert_int_equal(w.access, 7);
	TABLE(1)[0] = TO(2) & ~(u64)EPT_W;
	w = walk(0x5123, 0);
	assert_int_equal(w.access, 5);
	assert_int_equal(walk(0x6000, 0).access, 0);
	assert_int_equal(walk(SZ_1G, 0).access, 0);
	assert_int_equal(walk(BIT(48) | 0x5000, 0).access, 0);
	TABLE(2)[1] = MB(4) | 0xb7;
	w = walk(SZ_2M + 0x7123, 0);
	assert_int_equal(w.hpa, MB(4) + 0x7000);
	assert_int_equal(w.level, 2);
	TABLE(1)[1] = (u64)SZ_1G * 3 | 0xb3;
	w = walk(SZ_1G + MB(5), 0);
	assert_int_equal(w.hpa, SZ_1G * 3 + MB(5));
	assert_int_equal(w.level, 3);
	assert_int_equal(w.access, 3);
}

static void walk_finds_misconfigurations(void **state)
{
	static const struct {
		u32 table, index;
		u64 entry;
	} bad[] = {
		{ 3, 5, 0x1000 | 0x30 | EPT_W },		/* writable, not readable */
		{ 3, 5, 0x1000 | 0x30 | EPT_W | EPT_X },	/* KVM's MMIO entries */
		{ 3, 5, 0x1000 | 0x10 | EPT_RWX },		/* memory types 2, 3, 7 */
		{ 3, 5, 0x1000 | 0x18 | EPT_RWX },
		{ 3, 5, 0x1000 | 0x38 | EPT_RWX },
		{ 3, 5, BIT(36) | 0x30 | EPT_RWX },		/* above MAXPHYADDR */
		{ 3, 5, BIT(51) | 0x30 | EPT_RWX },
		{ 2, 0, 0x1000 | 0xb7 },			/* 2 MiB, not aligned */
		{ 2, 0, 0x8 | 303ULL << 12 | EPT_RWX },		/* reserved bits */
		{ 1, 0, 0x40 | 302ULL << 12 | EPT_RWX },
		{ 1, 0, SZ_2M | 0xb7 },				/* 1 GiB, not aligned */
		{ 0, 0, 0x80 | 301ULL << 12 | EPT_RWX },	/* no such size */
		{ 0, 0, 0x20 | 301ULL << 12 | EPT_RWX },
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		make_tables();
		assert_false(walk(0x5000, 0).misconfigured);
		TABLE(bad[i].table)[bad[i].index] = bad[i].entry;
		assert_true(walk(0x5000, 0).misconfigured);
		/* Not present: whatever else it holds is ignored. */
		TABLE(bad[i].table)[bad[i].index] = bad[i].entry & ~(u64)EPT_RWX;
		assert_false(walk(0x5000, 0).misconfigured);
	}
	make_tables();
	TABLE(3)[5] = 0x1000 | 0x30 | EPT_X;
	assert_false(walk(0x5000, 0).misconfigured);
	ept_caps = 0;
	assert_true(walk(0x5000, 0).misconfigured);
	TABLE(1)[0] = SZ_1G | 0xb7;
	assert_true(walk(0x5000, 0).misconfigured);
	make_tables();
	/* Ignored bits: 8 to 11, 52 to 63, and a 2 MiB entry's PAT bit. */
	TABLE(3)[5] |= MASK(11, 8) | MASK(63, 52) | EPT_IPAT;
	assert_int_equal(walk(0x5000, 0).hpa, 1700ULL << PAGE_SHIFT);
}

/* --- trees ------------------------------------------------------------------------------ */

static void parked_tables_come_back_empty(void **state)
{
	u64 root, free, *e;
	u32 budget;

	(void)state;
	pool_init(&cfg);
	free = pool_count();
	root = pool_alloc();
	assert_null(ept_slot(root, 0x5000, 1, NULL));
	e = ept_slot(root, 0x5000, 1, pool_alloc);
	*e = 0x1000 | EPT_RWX;
	*ept_slot(root, SZ_2M * 3, 2, pool_alloc) = SZ_2M | EPT_LARGE | EPT_RWX;
	*ept_slot(root, SZ_1G * 600, 1, pool_alloc) = 0x2000 | EPT_RWX;
	ept_park(root);
	assert_null(ept_slot(root, 0x5000, 1, NULL));
	assert_ptr_equal(ept_find(root, 0x5000, 1), e);
	assert_ptr_equal(ept_slot(root, 0x6000, 1, pool_alloc), e + 1);
	assert_int_equal(*e, 0);
	assert_int_equal(*ept_slot(root, SZ_2M * 3, 2, NULL), 0);
	assert_null(ept_slot(root, SZ_1G * 600, 1, NULL));
	/* In pieces: what is left is still a tree. */
	budget = 2;
	assert_false(ept_free_below(root, EPT_LEVELS, &budget, pool_free));
	budget = 2;
	assert_false(ept_free_below(root, EPT_LEVELS, &budget, pool_free));
	budget = 100;
	assert_true(ept_free_below(root, EPT_LEVELS, &budget, pool_free));
	pool_free(root);
	assert_int_equal(pool_count(), free);
}

static void large_leaf_gives_way_to_a_table(void **state)
{
	u64 root;

	(void)state;
	pool_init(&cfg);
	root = pool_alloc();
	*ept_slot(root, 0, 2, pool_alloc) = SZ_2M | EPT_LARGE | EPT_RWX;
	assert_null(ept_slot(root, 0x5000, 1, NULL));
	assert_non_null(ept_slot(root, 0x5000, 1, pool_alloc));
	assert_int_equal(*ept_slot(root, 0x5000, 1, NULL), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(pool_keeps_its_reserve),
		TEST(mtrr_disabled_is_uncached),
		TEST(mtrr_variable_ranges),
		TEST(mtrr_fixed_ranges),
		TEST(owner_table_starts_right),
		TEST(bad_configurations_are_refused),
		TEST(sixteen_tib_in_4096_ranges),
		TEST(walk_gives_what_hardware_would),
		TEST(walk_finds_misconfigurations),
		TEST(parked_tables_come_back_empty),
		TEST(large_leaf_gives_way_to_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
