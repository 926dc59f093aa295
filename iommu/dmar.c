// SPDX-License-Identifier: GPL-2.0
/*
 * Parses the ACPI DMAR table.  Pure: it touches the table's copy and its result only.
 * Each loop goes over bytes of the copy, and each step takes at least one.
 */
#include "iommu/dmar.h"

#define WIDTH_MIN	32
#define WIDTH_MAX	52
#define ENTRY_HEADER	4
#define SCOPE_MIN	8	/* with one step of a path */
#define SCOPE_HEADER	6
#define ORDER_MAX	15

/* Fields that several types have, each at the same place: */
#define FLAGS		BIT(0)	/* byte 4 */
#define SEGMENT		BIT(1)	/* bytes 6 and 7 */
#define BASE		BIT(2)	/* bytes 8 to 15 */
#define SCOPES		BIT(3)	/* from the end of what is fixed */

static const struct {
	u8 fixed;	/* bytes before device scopes or name */
	u8 fields;
} shapes[DMAR_TYPES] = {
	[DMAR_DRHD] = { 16, FLAGS | SEGMENT | BASE | SCOPES },
	[DMAR_RMRR] = { 24, SEGMENT | BASE | SCOPES },
	[DMAR_ATSR] = { 8, FLAGS | SEGMENT | SCOPES },
	[DMAR_RHSA] = { 20, BASE },
	[DMAR_ANDD] = { 8, 0 },
	[DMAR_SATC] = { 8, FLAGS | SEGMENT | SCOPES },
	[DMAR_SIDP] = { 8, SEGMENT | SCOPES },
};

static u64 get(const u8 *p, unsigned int bytes)
{
	u64 value = 0;

	/*@ loop invariant bytes <= \at(bytes, Pre); loop assigns bytes, value; */
	while (bytes--)
		value = value << 8 | p[bytes];
	return value;
}

static void decode(const u8 *p, struct dmar_entry *e)
{
	u8 fields = shapes[e->type].fields;

	if (fields & FLAGS)
		e->flags = p[4];
	if (fields & SEGMENT)
		e->segment = get(p + 6, 2);
	if (fields & BASE)
		e->base = get(p + 8, 8);
	if (fields & SCOPES)
		e->scopes = e->offset + shapes[e->type].fixed;
	switch (e->type) {
	case DMAR_DRHD:
		e->order = p[5];
		e->last = e->base + (PAGE_SIZE << (e->order & ORDER_MAX)) - 1;
		break;
	case DMAR_RMRR:
		e->last = get(p + 16, 8);
		break;
	case DMAR_RHSA:
		e->domain = get(p + 16, 4);
		break;
	case DMAR_ANDD:
		e->number = p[7];
		e->name = e->offset + shapes[DMAR_ANDD].fixed;
		break;
	}
}

enum dmar_fault dmar_entry(const u8 *table, u32 end, u32 at, struct dmar_entry *e)
{
	u32 length;

	*e = (struct dmar_entry){ .offset = at };
	/*@ assert begins: e->offset == at; */
	if (end - at < ENTRY_HEADER)
		return DMAR_ENTRY_LENGTH;
	e->type = get(table + at, 2);
	length = get(table + at + 2, 2);
	if (length < ENTRY_HEADER || length > end - at)
		return DMAR_ENTRY_LENGTH;
	e->end = at + length;
	e->scopes = e->end;
	if (e->type >= DMAR_TYPES)
		return DMAR_OK;
	if (length < shapes[e->type].fixed)
		return DMAR_ENTRY_SHORT;
	decode(table + at, e);
	return DMAR_OK;
}

enum dmar_fault dmar_scope(const u8 *table, u32 end, u32 at, struct dmar_scope *s)
{
	const u8 *p = table + at;

	*s = (struct dmar_scope){ };
	if (end - at < SCOPE_MIN || p[1] < SCOPE_MIN || p[1] > end - at || p[1] & 1)
		return DMAR_SCOPE_LENGTH;
	s->type = p[0];
	s->flags = p[2];
	s->id = p[4];
	s->bus = p[5];
	s->path = at + SCOPE_HEADER;
	s->end = at + p[1];
	return DMAR_OK;
}

static enum dmar_fault check_path(const u8 *table, const struct dmar_scope *s)
{
	u32 at;

	if (!s->type || s->type >= DMAR_SCOPE_TYPES)
		return DMAR_OK;
	/*@ loop invariant s->path <= at <= s->end && (s->end - at) % 2 == 0;
	    loop assigns at; loop variant s->end - at; */
	for (at = s->path; at < s->end; at += 2)
		if (table[at] > 31 || table[at + 1] > 7)
			return DMAR_SCOPE_PATH;
	return DMAR_OK;
}

static enum dmar_fault check_scopes(const u8 *table, const struct dmar_entry *e, struct dmar *dmar)
{
	enum dmar_fault fault;
	struct dmar_scope s;
	u32 at;

	/*@ loop invariant e->scopes <= at <= e->end;
	    loop assigns at, s, fault, dmar->where; loop variant e->end - at; */
	for (at = e->scopes; at < e->end; at = s.end) {
		dmar->where = at;
		fault = dmar_scope(table, e->end, at, &s);
		if (!fault)
			fault = check_path(table, &s);
		if (fault)
			return fault;
	}
	dmar->where = e->offset;
	return DMAR_OK;
}

/* A range that wraps ends before it begins. */
static bool in_width(const struct dmar *dmar, const struct dmar_entry *e)
{
	return e->base <= e->last && !(e->last >> dmar->width);
}

static bool meet(const struct dmar_range *range, const struct dmar_entry *e)
{
	return range->base <= e->last && e->base <= range->last;
}

static bool in_region(const struct dmar *dmar, const struct dmar_entry *e)
{
	u16 i;

	/*@ loop assigns i; */
	for (i = 0; i < dmar->regions; i++)
		if (meet(&dmar->region[i], e))
			return true;
	return false;
}

static bool on_unit(const struct dmar *dmar, const struct dmar_entry *e)
{
	u16 i;

	/*@ loop assigns i; */
	for (i = 0; i < dmar->units; i++)
		if (meet(&dmar->unit[i].regs, e))
			return true;
	return false;
}

static bool has_all(const struct dmar *dmar, u16 segment)
{
	u16 i;

	/*@ loop assigns i; */
	for (i = 0; i < dmar->units; i++)
		if (dmar->unit[i].all && dmar->unit[i].segment == segment)
			return true;
	return false;
}

static enum dmar_fault take_unit(struct dmar *dmar, const struct dmar_entry *e)
{
	bool all = e->flags & DMAR_INCLUDE_PCI_ALL;

	if (!e->base)
		return DMAR_UNIT_ZERO;
	if (!IS_ALIGNED(e->base, PAGE_SIZE))
		return DMAR_UNIT_ALIGN;
	if (e->order > ORDER_MAX)
		return DMAR_UNIT_SIZE;
	if (!in_width(dmar, e))
		return DMAR_UNIT_RANGE;
	if (on_unit(dmar, e))
		return DMAR_UNIT_OVERLAP;
	if (in_region(dmar, e))
		return DMAR_REGION_UNIT;
	if (all && has_all(dmar, e->segment))
		return DMAR_UNIT_ALL;
	if (dmar->units == DMAR_UNITS)
		return DMAR_UNITS_MANY;
	dmar->unit[dmar->units++] = (struct dmar_unit){
		.regs = { e->base, e->last }, .segment = e->segment, .all = all };
	return DMAR_OK;
}

static enum dmar_fault take_region(struct dmar *dmar, const struct dmar_entry *e)
{
	if (!IS_ALIGNED(e->base, PAGE_SIZE) || !IS_ALIGNED(e->last + 1, PAGE_SIZE))
		return DMAR_REGION_ALIGN;
	if (!in_width(dmar, e))
		return DMAR_REGION_RANGE;
	if (on_unit(dmar, e))
		return DMAR_REGION_UNIT;
	if (dmar->regions == DMAR_REGIONS)
		return DMAR_REGIONS_MANY;
	dmar->region[dmar->regions++] = (struct dmar_range){ e->base, e->last };
	return DMAR_OK;
}

/* What follows the name's end is padding. */
static enum dmar_fault take_device(const u8 *table, struct dmar *dmar, const struct dmar_entry *e)
{
	u64 *numbers = &dmar->numbers[e->number / 64];
	u32 at = e->name;

	/*@ loop invariant within: e->name <= at <= e->end;
	    loop assigns at; loop variant e->end - at; */
	while (at < e->end && table[at] > ' ' && table[at] < 0x7f)
		at++;
	if (at == e->name || at == e->end || table[at])
		return DMAR_NAME;
	if (*numbers & BIT(e->number % 64))
		return DMAR_NUMBER;
	*numbers |= BIT(e->number % 64);
	return DMAR_OK;
}

static enum dmar_fault take(const u8 *table, struct dmar *dmar, const struct dmar_entry *e)
{
	enum dmar_fault fault = check_scopes(table, e, dmar);

	if (fault)
		return fault;
	switch (e->type) {
	case DMAR_DRHD:
		return take_unit(dmar, e);
	case DMAR_RMRR:
		return take_region(dmar, e);
	case DMAR_ANDD:
		return take_device(table, dmar, e);
	}
	return DMAR_OK;
}

static bool adds_up(const u8 *table, u32 length)
{
	u8 sum = 0;
	u32 at;

	/*@ loop invariant at <= length; loop assigns at, sum; loop variant length - at; */
	for (at = 0; at < length; at++)
		sum += table[at];
	return !sum;
}

static enum dmar_fault check_header(const u8 *table, u64 size, struct dmar *dmar)
{
	if (size < DMAR_HEADER)
		return DMAR_SHORT;
	if (get(table, 4) != 0x52414d44)	/* "DMAR" */
		return DMAR_SIGNATURE;
	dmar->length = get(table + 4, 4);
	dmar->width = table[36] + 1;
	dmar->flags = table[37];
	if (dmar->length > size)
		return DMAR_CUT;
	if (dmar->length < DMAR_HEADER)
		return DMAR_LENGTH;
	if (dmar->length > DMAR_BYTES)
		return DMAR_LONG;
	if (!adds_up(table, dmar->length))
		return DMAR_CHECKSUM;
	/* Of 0xff the sum above is 0. */
	if (dmar->width < WIDTH_MIN || dmar->width > WIDTH_MAX)
		return DMAR_WIDTH;
	return DMAR_OK;
}

enum dmar_fault dmar_parse(const u8 *table, u64 size, struct dmar *dmar)
{
	enum dmar_fault fault;
	struct dmar_entry e;
	u32 at;

	*dmar = (struct dmar){ };
	/*@ assert zeroed: !dmar->units && !dmar->regions; */
	fault = check_header(table, size, dmar);
	/*@ loop invariant fault == DMAR_OK ==> dmar->units <= DMAR_UNITS &&
		dmar->regions <= DMAR_REGIONS && DMAR_HEADER <= dmar->length <= DMAR_BYTES &&
		WIDTH_MIN <= dmar->width <= WIDTH_MAX && at <= dmar->length <= size;
	    loop assigns at, fault, e, *dmar; */
	for (at = DMAR_HEADER; !fault && at < dmar->length; at = e.end) {
		dmar->where = at;
		fault = dmar_entry(table, dmar->length, at, &e);
		if (!fault)
			fault = take(table, dmar, &e);
	}
	if (!fault && !dmar->units)
		fault = DMAR_NO_UNIT;
	return fault;
}
