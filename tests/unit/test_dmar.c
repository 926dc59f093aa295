// SPDX-License-Identifier: GPL-2.0
/*
 * iommu/dmar.c: a table with all that there is, and each way to spoil it.  Prints TAP.
 * Every table lies at the end of its own allocation, so that ASan sees a byte too many.
 */
#include <stdarg.h>
#include "dmar_promises.h"

/* Offsets in the table below. */
#define WIDTH		36
#define UNIT_A		48
#define UNIT_B		72
#define REGION		96
#define ATSR		128
#define RHSA		144
#define ANDD_A		164
#define ANDD_B		188
#define SATC		212
#define SIDP		228
#define UNKNOWN		244
#define END		256

static u8 good[END];

static void put(u8 *table, u32 at, u32 bytes, u64 value)
{
	memcpy(table + at, &value, bytes);
}

static void head(u8 *table, u32 at, u16 type, u16 length)
{
	put(table, at, 2, type);
	put(table, at + 2, 2, length);
}

static void scope(u8 *table, u32 at, u8 type, u8 id, u8 bus, u8 device)
{
	const u8 bytes[] = { type, 8, 0, 0, id, bus, device, 0 };

	memcpy(table + at, bytes, sizeof(bytes));
}

static void add_up(u8 *table, u32 length)
{
	u8 sum = 0;
	u32 i;

	for (i = 0; i < length; i++)
		sum += table[i];
	table[9] -= sum;
}

static void make_good(void)
{
	memcpy(good, "DMAR", 4);
	put(good, 4, 4, END);
	good[8] = 2;
	good[WIDTH] = 38;
	head(good, UNIT_A, DMAR_DRHD, 24);
	put(good, UNIT_A + 8, 8, 0xfed90000);
	scope(good, UNIT_A + 16, DMAR_SCOPE_ENDPOINT, 0, 0, 2);
	head(good, UNIT_B, DMAR_DRHD, 24);
	good[UNIT_B + 4] = DMAR_INCLUDE_PCI_ALL;
	put(good, UNIT_B + 8, 8, 0xfed91000);
	scope(good, UNIT_B + 16, DMAR_SCOPE_IOAPIC, 2, 0xf0, 31);
	head(good, REGION, DMAR_RMRR, 32);
	put(good, REGION + 8, 8, 0x7c000000);
	put(good, REGION + 16, 8, 0x7fffffff);
	scope(good, REGION + 24, DMAR_SCOPE_ENDPOINT, 0, 0, 2);
	head(good, ATSR, DMAR_ATSR, 16);
	scope(good, ATSR + 8, DMAR_SCOPE_BRIDGE, 0, 0, 7);
	head(good, RHSA, DMAR_RHSA, 20);
	put(good, RHSA + 8, 8, 0xfed90000);
	head(good, ANDD_A, DMAR_ANDD, 24);
	good[ANDD_A + 7] = 1;
	memcpy(good + ANDD_A + 8, "\\_SB.I2C0", 10);
	head(good, ANDD_B, DMAR_ANDD, 24);
	good[ANDD_B + 7] = 255;
	memcpy(good + ANDD_B + 8, "\\_SB.PCI0.UART1", 16);
	head(good, SATC, DMAR_SATC, 16);
	scope(good, SATC + 8, DMAR_SCOPE_ENDPOINT, 0, 0, 2);
	head(good, SIDP, DMAR_SIDP, 16);
	scope(good, SIDP + 8, DMAR_SCOPE_ENDPOINT, 0, 0, 2);
	head(good, UNKNOWN, 9, 12);
	add_up(good, END);
}

/* A row: what is changed, and what is found then, where. */
static const struct row {
	const char *name;
	enum dmar_fault fault;
	u32 where;
	struct {
		u32 at, bytes;
		u64 value;
	} change[3];
} rows[] = {
	{ "as it is", DMAR_OK, UNKNOWN },
	{ "another signature", DMAR_SIGNATURE, 0, { { 0, 4, 0x43495041 } } },
	{ "a length beyond the end", DMAR_CUT, 0, { { 4, 4, END + 1 } } },
	{ "the greatest length", DMAR_CUT, 0, { { 4, 4, 0xffffffff } } },
	{ "a length without room for structures", DMAR_NO_UNIT, 0, { { 4, 4, 48 } } },
	{ "a length less than the header's", DMAR_LENGTH, 0, { { 4, 4, 47 } } },
	{ "length 0", DMAR_LENGTH, 0, { { 4, 4, 0 } } },
	{ "addresses of 31 bits", DMAR_WIDTH, 0, { { WIDTH, 1, 30 } } },
	{ "addresses of 32 bits", DMAR_OK, UNKNOWN, { { WIDTH, 1, 31 } } },
	{ "addresses of 52 bits", DMAR_OK, UNKNOWN, { { WIDTH, 1, 51 } } },
	{ "addresses of 53 bits", DMAR_WIDTH, 0, { { WIDTH, 1, 52 } } },
	{ "addresses of 256 bits", DMAR_WIDTH, 0, { { WIDTH, 1, 255 } } },
	{ "a structure of length 0", DMAR_ENTRY_LENGTH, UNIT_A, { { UNIT_A + 2, 2, 0 } } },
	{ "one shorter than its header", DMAR_ENTRY_LENGTH, UNIT_B, { { UNIT_B + 2, 2, 3 } } },
	{ "one that reaches a byte beyond the table", DMAR_ENTRY_LENGTH, UNKNOWN,
	  { { UNKNOWN + 2, 2, 13 } } },
	{ "the greatest length of one", DMAR_ENTRY_LENGTH, UNIT_A, { { UNIT_A + 2, 2, 0xffff } } },
	{ "one that ends two bytes before the table", DMAR_ENTRY_LENGTH, END - 2,
	  { { UNKNOWN + 2, 2, 10 } } },
	{ "one that begins in another's middle", DMAR_ENTRY_LENGTH, UNIT_A + 16,
	  { { UNIT_A + 2, 2, 16 } } },
	{ "a DRHD shorter than its fields", DMAR_ENTRY_SHORT, UNIT_A, { { UNIT_A + 2, 2, 15 } } },
	{ "an RMRR shorter than its fields", DMAR_ENTRY_SHORT, REGION, { { REGION + 2, 2, 23 } } },
	{ "an ATSR shorter than its fields", DMAR_ENTRY_SHORT, ATSR, { { ATSR + 2, 2, 7 } } },
	{ "an RHSA shorter than its fields", DMAR_ENTRY_SHORT, RHSA, { { RHSA + 2, 2, 19 } } },
	{ "an ANDD shorter than its fields", DMAR_ENTRY_SHORT, ANDD_A, { { ANDD_A + 2, 2, 7 } } },
	{ "a SATC shorter than its fields", DMAR_ENTRY_SHORT, SATC, { { SATC + 2, 2, 7 } } },
	{ "a SIDP shorter than its fields", DMAR_ENTRY_SHORT, SIDP, { { SIDP + 2, 2, 7 } } },
	{ "an unknown type that is nothing but a header", DMAR_OK, UNKNOWN + 4,
	  { { UNKNOWN + 2, 2, 4 }, { UNKNOWN + 4, 4, 0x00080007 } } },
	{ "the greatest type", DMAR_OK, UNKNOWN, { { UNKNOWN, 2, 0xffff } } },
	{ "a scope of length 0", DMAR_SCOPE_LENGTH, UNIT_A + 16, { { UNIT_A + 17, 1, 0 } } },
	{ "a scope without a path", DMAR_SCOPE_LENGTH, REGION + 24, { { REGION + 25, 1, 6 } } },
	{ "a scope with half a step", DMAR_SCOPE_LENGTH, ATSR + 8, { { ATSR + 9, 1, 7 } } },
	{ "a scope with one and a half", DMAR_SCOPE_LENGTH, ATSR + 8,
	  { { ATSR + 2, 2, 36 }, { ATSR + 9, 1, 9 } } },
	{ "a scope beyond its structure", DMAR_SCOPE_LENGTH, SIDP + 8, { { SIDP + 9, 1, 10 } } },
	{ "an unknown scope beyond its structure", DMAR_SCOPE_LENGTH, SATC + 8,
	  { { SATC + 8, 2, 0x0a09 } } },
	{ "a device above 31", DMAR_SCOPE_PATH, UNIT_A + 16, { { UNIT_A + 22, 1, 32 } } },
	{ "a function above 7", DMAR_SCOPE_PATH, UNIT_B + 16, { { UNIT_B + 23, 1, 8 } } },
	{ "the same in an unknown scope", DMAR_OK, UNKNOWN,
	  { { UNIT_B + 16, 1, 6 }, { UNIT_B + 23, 1, 8 } } },
	{ "scope type 0", DMAR_OK, UNKNOWN, { { UNIT_B + 16, 1, 0 }, { UNIT_B + 23, 1, 8 } } },
	{ "a unit at 0", DMAR_UNIT_ZERO, UNIT_A, { { UNIT_A + 8, 8, 0 } } },
	{ "a unit within a page", DMAR_UNIT_ALIGN, UNIT_A, { { UNIT_A + 8, 8, 0xfed90800 } } },
	{ "a size with reserved bits", DMAR_UNIT_SIZE, UNIT_A, { { UNIT_A + 5, 1, 0x10 } } },
	{ "the greatest size", DMAR_OK, UNKNOWN,
	  { { UNIT_A + 5, 1, 15 }, { UNIT_A + 8, 8, 0xe0000000 } } },
	{ "a unit above the address width", DMAR_UNIT_RANGE, UNIT_A,
	  { { UNIT_A + 8, 8, 1ULL << 39 } } },
	{ "the last page below it", DMAR_OK, UNKNOWN, { { UNIT_A + 8, 8, (1ULL << 39) - 4096 } } },
	{ "a size beyond it", DMAR_UNIT_RANGE, UNIT_A,
	  { { UNIT_A + 8, 8, (1ULL << 39) - 4096 }, { UNIT_A + 5, 1, 1 } } },
	{ "a unit's end that wraps", DMAR_UNIT_RANGE, UNIT_A,
	  { { UNIT_A + 8, 8, -0x1000ULL }, { UNIT_A + 5, 1, 1 } } },
	{ "a unit's end that is the last byte of all", DMAR_UNIT_RANGE, UNIT_A,
	  { { UNIT_A + 8, 8, -0x1000ULL } } },
	{ "a unit twice", DMAR_UNIT_OVERLAP, UNIT_B, { { UNIT_B + 8, 8, 0xfed90000 } } },
	{ "a unit's second page that is another's", DMAR_UNIT_OVERLAP, UNIT_B,
	  { { UNIT_A + 5, 1, 1 } } },
	{ "the same the other way round", DMAR_UNIT_OVERLAP, UNIT_B,
	  { { UNIT_A + 8, 8, 0xfed92000 }, { UNIT_B + 5, 1, 1 } } },
	{ "two for all of a segment", DMAR_UNIT_ALL, UNIT_B, { { UNIT_A + 4, 1, 1 } } },
	{ "two for all of a segment that is not 0", DMAR_UNIT_ALL, UNIT_B,
	  { { UNIT_A + 4, 1, 1 }, { UNIT_A + 6, 2, 9 }, { UNIT_B + 6, 2, 9 } } },
	{ "two for all, of two segments", DMAR_OK, UNKNOWN,
	  { { UNIT_A + 4, 1, 1 }, { UNIT_A + 6, 2, 1 } } },
	{ "the one for all comes first", DMAR_OK, UNKNOWN,
	  { { UNIT_A + 4, 1, 1 }, { UNIT_B + 4, 1, 0 } } },
	{ "no unit", DMAR_NO_UNIT, UNKNOWN, { { UNIT_A, 2, 9 }, { UNIT_B, 2, 9 } } },
	{ "a region that begins within a page", DMAR_REGION_ALIGN, REGION,
	  { { REGION + 8, 8, 0x7c000800 } } },
	{ "a region that ends within a page", DMAR_REGION_ALIGN, REGION,
	  { { REGION + 16, 8, 0x7fffefff - 1 } } },
	{ "a region that ends before it begins", DMAR_REGION_RANGE, REGION,
	  { { REGION + 16, 8, 0x7bfeffff } } },
	{ "a region of no bytes", DMAR_REGION_RANGE, REGION, { { REGION + 16, 8, 0x7bffffff } } },
	{ "a region of no bytes at 0", DMAR_REGION_RANGE, REGION,
	  { { REGION + 8, 8, 0 }, { REGION + 16, 8, ~0ULL } } },
	{ "a region of a page, at 0", DMAR_OK, UNKNOWN,
	  { { REGION + 8, 8, 0 }, { REGION + 16, 8, 0xfff } } },
	{ "a region beyond the address width", DMAR_REGION_RANGE, REGION,
	  { { REGION + 16, 8, (1ULL << 39) + 0xfff } } },
	{ "a region with a unit", DMAR_REGION_UNIT, REGION, { { REGION + 16, 8, 0xffffffff } } },
	{ "a region that ends in a unit's last page", DMAR_REGION_UNIT, REGION,
	  { { UNIT_A + 8, 8, 0x7bfff000 }, { UNIT_A + 5, 1, 1 } } },
	{ "a unit in an earlier region", DMAR_REGION_UNIT, UNIT_B,
	  { { UNIT_A, 2, DMAR_RMRR }, { UNIT_A + 16, 8, 0xfed91fff } } },
	{ "an ACPI name without its end", DMAR_NAME, ANDD_A, { { ANDD_A + 2, 2, 17 } } },
	{ "a name that ends with its structure", DMAR_OK, UNKNOWN, { { ANDD_B + 22, 1, '0' } } },
	{ "a name that runs into the next structure", DMAR_NAME, ANDD_B,
	  { { ANDD_B + 23, 1, '0' } } },
	{ "no name", DMAR_NAME, ANDD_A, { { ANDD_A + 8, 1, 0 } } },
	{ "a name with an escape", DMAR_NAME, ANDD_A, { { ANDD_A + 10, 1, 27 } } },
	{ "a name with a high byte", DMAR_NAME, ANDD_A, { { ANDD_A + 10, 1, 0x9b } } },
	{ "two ACPI devices of one number", DMAR_NUMBER, ANDD_B, { { ANDD_B + 7, 1, 1 } } },
	{ "reserved bits, elsewhere", DMAR_OK, UNKNOWN,
	  { { 38, 8, ~0ULL }, { UNIT_A + 4, 1, 0xfe }, { REGION + 4, 2, 0xffff } } },
};

static unsigned int tests;
static bool seen[DMAR_FAULT_COUNT];

static void result(bool ok, const char *name)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++tests, name);
}

/* From a copy of exactly that size. */
static enum dmar_fault parse(const u8 *table, u32 size, struct dmar *dmar)
{
	u8 *copy = malloc(size ? size : 1);
	enum dmar_fault fault;

	memcpy(copy, table, size);
	fault = dmar_parse(copy, size, dmar);
	if (!fault)
		dmar_promises(copy, size, dmar);
	seen[fault] = true;
	free(copy);
	return fault;
}

static void run_row(const struct row *row)
{
	enum dmar_fault fault;
	struct dmar dmar;
	u8 table[END];
	u32 i;

	memcpy(table, good, END);
	for (i = 0; i < ARRAY_SIZE(row->change); i++)
		put(table, row->change[i].at, row->change[i].bytes, row->change[i].value);
	i = raw(table, 4, 4);
	add_up(table, i <= END ? i : END);
	fault = parse(table, END, &dmar);
	if (fault != row->fault || (row->where && dmar.where != row->where))
		printf("# fault %u at %u, expected %u at %u\n", fault, dmar.where, row->fault,
		       row->where);
	result(fault == row->fault && (!row->where || dmar.where == row->where), row->name);
}

static void test_sizes(void)
{
	bool ok = true;
	struct dmar dmar;
	u32 size;

	for (size = 0; size < END; size++)
		ok &= parse(good, size, &dmar) == (size < DMAR_HEADER ? DMAR_SHORT : DMAR_CUT);
	result(ok, "each shorter copy is refused");
}

/* The table ends with the structure at @at, which is @length bytes long. */
static enum dmar_fault ends(u32 at, u16 length)
{
	u8 table[END];
	struct dmar dmar;

	memcpy(table, good, END);
	put(table, 4, 4, at + length);
	put(table, at + 2, 2, length);
	add_up(table, at + length);
	return parse(table, at + length, &dmar);
}

static void test_ends(void)
{
	result(ends(UNIT_B, 17) == DMAR_SCOPE_LENGTH, "a scope's first byte is the table's last");
	result(ends(UNIT_B, 23) == DMAR_SCOPE_LENGTH, "a scope lacks its last byte");
	result(ends(ANDD_A, 17) == DMAR_NAME, "a name lacks its end, and the table ends");
	result(ends(ANDD_A, 8) == DMAR_NAME, "a name is missing, and the table ends");
	result(ends(ANDD_A, 3) == DMAR_ENTRY_LENGTH, "the last structure lacks its length's end");
}

static void test_checksum(void)
{
	bool ok = true;
	struct dmar dmar;
	u8 table[END];
	u32 at;

	memcpy(table, good, END);
	for (at = 9; at < END; at++) {
		table[at]++;
		ok &= parse(table, END, &dmar) == DMAR_CHECKSUM;
		table[at]--;
	}
	result(ok, "each changed byte spoils the sum");
}

/* Whatever is accepted then keeps the promises: parse() looks. */
static void test_every_byte(void)
{
	u32 at, value, accepted = 0;
	struct dmar dmar;
	u8 table[END];

	for (at = 0; at < END; at++) {
		for (value = 0; value < 256; value++) {
			memcpy(table, good, END);
			table[at] = value;
			add_up(table, END);
			accepted += !parse(table, END, &dmar);
		}
	}
	printf("# %u of %u accepted\n", accepted, END * 256);
	result(accepted, "each value of each byte: what is accepted is sound");
}

/* As many units or regions as are supported, and one more. */
static enum dmar_fault many(u16 type, u32 count, u32 pad)
{
	u32 i, each = 24, length = DMAR_HEADER + each * (count + 1) + pad;
	u8 *table = calloc(1, length);
	enum dmar_fault fault;
	struct dmar dmar;

	memcpy(table, good, DMAR_HEADER);
	put(table, 4, 4, length);
	memcpy(table + DMAR_HEADER, good + UNIT_A, each);
	for (i = 1; i <= count; i++) {
		u8 *p = table + DMAR_HEADER + each * i;

		memcpy(p, good + UNIT_A, each);
		put(p, 0, 2, type);
		put(p, 8, 8, 0x10000000 + i * 0x1000);
		if (type == DMAR_RMRR)
			put(p, 16, 8, 0x10000fff + i * 0x1000);
	}
	for (i = DMAR_HEADER + each * (count + 1); i + 4 <= length; i += 4)
		head(table, i, 99, 4);
	add_up(table, length);
	fault = parse(table, length, &dmar);
	free(table);
	return fault;
}

static void test_many(void)
{
	u32 full = DMAR_BYTES - DMAR_HEADER - 48;

	result(many(DMAR_DRHD, DMAR_UNITS - 1, 0) == DMAR_OK, "as many units as are supported");
	result(many(DMAR_DRHD, DMAR_UNITS, 0) == DMAR_UNITS_MANY, "one more");
	result(many(DMAR_RMRR, DMAR_REGIONS, 0) == DMAR_OK, "as many regions as are supported");
	result(many(DMAR_RMRR, DMAR_REGIONS + 1, 0) == DMAR_REGIONS_MANY, "one more");
	result(many(DMAR_RMRR, 1, full) == DMAR_OK, "64 KiB, of the shortest structures");
	result(many(DMAR_RMRR, 1, full + 4) == DMAR_LONG, "four bytes more");
}

static void test_seen(void)
{
	bool all = true;
	u32 i;

	for (i = 0; i < DMAR_FAULT_COUNT; i++) {
		if (!seen[i])
			printf("# fault %u never came\n", i);
		all &= seen[i];
	}
	result(all, "each reason to refuse was given once");
}

int main(void)
{
	u32 i;

	make_good();
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i]);
	test_sizes();
	test_ends();
	test_checksum();
	test_every_byte();
	test_many();
	test_seen();
	printf("1..%u\n", tests);
	return 0;
}
