// SPDX-License-Identifier: GPL-2.0
/* Which guest frames get which pages. */
#include <kunit/test.h>
#include <linux/mm.h>
#include "layout.h"
#include "memory.h"

#define PG(n)	((u64)(n) << PAGE_SHIFT)

/* RAM, the firmware's second view below 1 MiB, the firmware below 4 GiB. */
static const struct up_slot pc[] = {
	{ .gfn = 0x0, .npages = 0xa0, .hva = PG(0x1000) },
	{ .gfn = 0xe0, .npages = 0x20, .hva = PG(0x8000) + PG(0x20) },
	{ .gfn = 0x100, .npages = 0xf00, .hva = PG(0x1100) },
	{ .gfn = 0xfffc0, .npages = 0x40, .hva = PG(0x8000) },
};

static void expect_run(struct kunit *test, const struct up_run *run, u64 gfn, u64 npages, u64 hva,
		       bool alias)
{
	KUNIT_EXPECT_EQ(test, run->gfn, gfn);
	KUNIT_EXPECT_EQ(test, run->npages, npages);
	KUNIT_EXPECT_EQ(test, run->hva, hva);
	KUNIT_EXPECT_EQ(test, run->alias, alias);
}

static void slots_are_checked(struct kunit *test)
{
	struct up_slot s[2] = { { 0, 16, PG(16) }, { 16, 1, PG(64) } };

	KUNIT_EXPECT_EQ(test, up_slots_check(pc, ARRAY_SIZE(pc)), 0);
	KUNIT_EXPECT_EQ(test, up_slots_check(s, 2), 0);
	KUNIT_EXPECT_EQ(test, up_slots_check(s, 0), -EINVAL);
	s[1].gfn = 15;				/* overlapping */
	KUNIT_EXPECT_EQ(test, up_slots_check(s, 2), -EINVAL);
	s[1] = (struct up_slot) { 16, 0, PG(64) };	/* empty */
	KUNIT_EXPECT_EQ(test, up_slots_check(s, 2), -EINVAL);
	s[1] = (struct up_slot) { 16, 1, PG(64) + 8 };	/* unaligned */
	KUNIT_EXPECT_EQ(test, up_slots_check(s, 2), -EINVAL);
	s[1] = (struct up_slot) { U64_MAX, 2, PG(64) };	/* wrapping gfn */
	KUNIT_EXPECT_EQ(test, up_slots_check(s, 2), -EINVAL);
	s[1] = (struct up_slot) { 16, 2, -PAGE_SIZE };	/* wrapping address */
	KUNIT_EXPECT_EQ(test, up_slots_check(s, 2), -EINVAL);
	s[1] = (struct up_slot) { 16, U64_MAX / 2, 0 };	/* too many for an address */
	KUNIT_EXPECT_EQ(test, up_slots_check(s, 2), -EINVAL);
}

static void plain_slot_is_one_run(struct kunit *test)
{
	struct up_run run;

	KUNIT_EXPECT_EQ(test, up_run_next(pc, 4, 0, 0, &run), 0xa0);
	expect_run(test, &run, 0, 0xa0, PG(0x1000), false);
	KUNIT_EXPECT_EQ(test, up_run_next(pc, 4, 2, 0xe00, &run), 0xf00);
	expect_run(test, &run, 0xf00, 0x100, PG(0x1f00), false);
}

static void lower_address_of_shared_memory_is_the_alias(struct kunit *test)
{
	struct up_run run;

	KUNIT_EXPECT_EQ(test, up_run_next(pc, 4, 1, 0, &run), 0x20);
	expect_run(test, &run, 0xe0, 0x20, PG(0x8020), true);
	KUNIT_EXPECT_EQ(test, up_run_next(pc, 4, 3, 0, &run), 0x40);
	expect_run(test, &run, 0xfffc0, 0x40, PG(0x8000), false);
}

/* A slot whose middle third is an alias comes as three runs. */
static void runs_split_where_aliases_begin_and_end(struct kunit *test)
{
	static const struct up_slot s[] = {
		{ .gfn = 0, .npages = 9, .hva = PG(100) },
		{ .gfn = 50, .npages = 3, .hva = PG(103) },
	};
	struct up_run run;

	KUNIT_EXPECT_EQ(test, up_run_next(s, 2, 0, 0, &run), 3);
	expect_run(test, &run, 0, 3, PG(100), false);
	KUNIT_EXPECT_EQ(test, up_run_next(s, 2, 0, 3, &run), 6);
	expect_run(test, &run, 3, 3, PG(103), true);
	KUNIT_EXPECT_EQ(test, up_run_next(s, 2, 0, 6, &run), 9);
	expect_run(test, &run, 6, 3, PG(106), false);
}

/* Any slots: runs cover each page once, and each page has one owner. */
static void every_page_has_one_owner(struct kunit *test)
{
	static const struct up_slot s[] = {
		{ 0, 10, PG(10) }, { 10, 10, PG(15) }, { 20, 4, PG(13) }, { 30, 30, PG(2) },
		{ 60, 1, PG(12) },
	};
	unsigned int owners[40] = { }, i;
	struct up_run run;
	u64 page, seen;

	KUNIT_ASSERT_EQ(test, up_slots_check(s, ARRAY_SIZE(s)), 0);
	for (i = 0; i < ARRAY_SIZE(s); i++) {
		for (page = 0; page < s[i].npages; ) {
			seen = page;
			page = up_run_next(s, ARRAY_SIZE(s), i, page, &run);
			KUNIT_ASSERT_GT(test, page, seen);
			KUNIT_EXPECT_EQ(test, run.gfn, s[i].gfn + seen);
			for (; seen < page && !run.alias; seen++)
				owners[(s[i].hva >> PAGE_SHIFT) + seen]++;
		}
	}
	for (i = 2; i < 32; i++)
		KUNIT_EXPECT_EQ(test, owners[i], 1);
}

static void runs_are_clipped_to_a_window(struct kunit *test)
{
	struct up_run run = { .gfn = 10, .npages = 10, .hva = PG(100) };

	KUNIT_EXPECT_TRUE(test, up_run_clip(&run, 0, U64_MAX));
	expect_run(test, &run, 10, 10, PG(100), false);
	KUNIT_EXPECT_TRUE(test, up_run_clip(&run, 12, 100));
	expect_run(test, &run, 12, 8, PG(102), false);
	KUNIT_EXPECT_TRUE(test, up_run_clip(&run, 0, 13));
	expect_run(test, &run, 12, 1, PG(102), false);
	KUNIT_EXPECT_FALSE(test, up_run_clip(&run, 13, 5));
	KUNIT_EXPECT_FALSE(test, up_run_clip(&run, 0, 12));
}

static void lists_continue_where_the_layer_stopped(struct kunit *test)
{
	struct up_donation *list = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	unsigned int i, nr = UP_LIST_ENTRIES + 5;
	struct up_region r = { .run = { .gfn = 1000, .npages = nr }, .filled = nr };

	KUNIT_ASSERT_NOT_NULL(test, list);
	r.pages = kunit_kcalloc(test, nr, sizeof(*r.pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r.pages);
	for (i = 0; i < nr; i++)
		r.pages[i] = pfn_to_page(i);
	KUNIT_EXPECT_EQ(test, up_list_fill(list, &r), (unsigned int)UP_LIST_ENTRIES);
	KUNIT_EXPECT_EQ(test, list[UP_LIST_ENTRIES - 1].gfn, 1000 + UP_LIST_ENTRIES - 1);
	r.donated = UP_LIST_ENTRIES;
	KUNIT_EXPECT_EQ(test, up_list_fill(list, &r), 5);
	KUNIT_EXPECT_EQ(test, list[0].gfn, 1000 + UP_LIST_ENTRIES);
	KUNIT_EXPECT_EQ(test, list[4].pfn, nr - 1);
	r.donated = nr;
	KUNIT_EXPECT_EQ(test, up_list_fill(list, &r), 0);
}

static struct kunit_case layout_cases[] = {
	KUNIT_CASE(slots_are_checked),
	KUNIT_CASE(plain_slot_is_one_run),
	KUNIT_CASE(lower_address_of_shared_memory_is_the_alias),
	KUNIT_CASE(runs_split_where_aliases_begin_and_end),
	KUNIT_CASE(every_page_has_one_owner),
	KUNIT_CASE(runs_are_clipped_to_a_window),
	KUNIT_CASE(lists_continue_where_the_layer_stopped),
	{ }
};

static struct kunit_suite layout_suite = {
	.name = "underpin-layout",
	.test_cases = layout_cases,
};

kunit_test_suite(layout_suite);
