/* SPDX-License-Identifier: GPL-2.0 */
/* A whole DMAR table: what each function may be given, and where it leaves its offsets. */
#ifndef PROOF_PARSERS_DMAR_H
#define PROOF_PARSERS_DMAR_H

#include "iommu/dmar.h"

/*@ axiomatic bits {
      axiom part: \forall integer x, m; 0 <= x && 0 <= m ==> 0 <= (x & m) <= m;
      axiom odd: \forall integer x; 0 <= x ==> ((x & 1) != 0 <==> x % 2 != 0);
      axiom third: \forall integer x; 0 <= x ==> ((x & 4) != 0 <==> x % 8 >= 4);
    } */

/*@ predicate bytes(u8 *p, integer n) = \valid_read(p + (0 .. n - 1));
    lemma sub: \forall u8 *p, integer n, i, k;
	bytes(p, n) && 0 <= i && 0 <= k && i + k <= n ==> bytes(p + i, k);
    logic integer fixed(integer type) = type == DMAR_DRHD ? 16 : type == DMAR_RMRR ? 24 :
	type == DMAR_RHSA ? 20 : 8;
    predicate filled(struct dmar *d) = 0 <= d->units <= DMAR_UNITS &&
	0 <= d->regions <= DMAR_REGIONS && DMAR_HEADER <= d->length <= DMAR_BYTES &&
	32 <= d->width <= 52;
    predicate place(u8 *t, struct dmar *d, struct dmar_entry *e) = filled(d) && \valid(d) &&
	\valid_read(e) && \separated(d, e) && bytes(t, e->end) &&
	\separated(d, t + (0 .. e->end - 1)) &&
	e->offset + 4 <= e->scopes <= e->end <= DMAR_BYTES; */
#define APART(x, t, n)	requires \valid(x) && bytes(t, n) && \separated(x, (t) + (0 .. (n) - 1));
#define TAKES(d) \
	assigns d->units, d->regions, d->unit[0 .. DMAR_UNITS - 1], \
		d->region[0 .. DMAR_REGIONS - 1]; ensures filled(d);

/*@ requires bytes(p, bytes) && bytes <= 8; assigns \nothing; */
static u64 get(const u8 *p, unsigned int bytes);

/*@ APART(e, p, e->end - e->offset) requires e->type < DMAR_TYPES && e->end <= DMAR_BYTES;
    requires fixed(e->type) <= e->end - e->offset && e->scopes == e->end;
    assigns e->flags, e->segment, e->base, e->scopes, e->order, e->last, e->domain, e->number,
	e->name;
    ensures within: e->offset + 4 <= e->scopes <= e->end;
    ensures name: e->type == DMAR_ANDD ==> e->name == e->offset + 8; */
static void decode(const u8 *p, struct dmar_entry *e);

/*@ APART(e, table, end) requires at < end <= DMAR_BYTES; assigns *e;
    ensures next: \result == DMAR_OK ==> e->offset == at && at + 4 <= e->scopes <= e->end <= end;
    ensures name: \result == DMAR_OK && e->type == DMAR_ANDD ==> e->name == at + 8 <= e->end; */
enum dmar_fault dmar_entry(const u8 *table, u32 end, u32 at, struct dmar_entry *e);

/*@ APART(s, table, end) requires at < end <= DMAR_BYTES; assigns *s;
    ensures next: \result == DMAR_OK ==> at + 8 <= s->path + 2 <= s->end <= end &&
	(s->end - s->path) % 2 == 0; */
enum dmar_fault dmar_scope(const u8 *table, u32 end, u32 at, struct dmar_scope *s);

/*@ requires \valid_read(s) && s->path <= s->end <= DMAR_BYTES && (s->end - s->path) % 2 == 0;
    requires bytes(table, s->end); assigns \nothing; */
static enum dmar_fault check_path(const u8 *table, const struct dmar_scope *s);

/*@ requires place(t, d, e); assigns d->where; */
static enum dmar_fault check_scopes(const u8 *t, const struct dmar_entry *e, struct dmar *d);

/*@ requires \valid_read(dmar) && \valid_read(e) && filled(dmar); assigns \nothing; */
static bool in_width(const struct dmar *dmar, const struct dmar_entry *e);

/*@ requires \valid_read(range) && \valid_read(e); assigns \nothing; */
static bool meet(const struct dmar_range *range, const struct dmar_entry *e);

/*@ requires \valid_read(dmar) && \valid_read(e) && filled(dmar); assigns \nothing; */
static bool in_region(const struct dmar *dmar, const struct dmar_entry *e);

/*@ requires \valid_read(dmar) && \valid_read(e) && filled(dmar); assigns \nothing; */
static bool on_unit(const struct dmar *dmar, const struct dmar_entry *e);

/*@ requires \valid_read(dmar) && filled(dmar); assigns \nothing; */
static bool has_all(const struct dmar *dmar, u16 segment);

/*@ requires \valid(dmar) && \valid_read(e) && filled(dmar) && \separated(dmar, e); TAKES(dmar) */
static enum dmar_fault take_unit(struct dmar *dmar, const struct dmar_entry *e);

/*@ requires \valid(dmar) && \valid_read(e) && filled(dmar) && \separated(dmar, e); TAKES(dmar) */
static enum dmar_fault take_region(struct dmar *dmar, const struct dmar_entry *e);

/*@ requires place(table, dmar, e) && e->name <= e->end; assigns dmar->numbers[0 .. 3]; */
static enum dmar_fault take_device(const u8 *table, struct dmar *dmar, const struct dmar_entry *e);

/*@ requires place(table, dmar, e) && (e->type == DMAR_ANDD ==> e->name <= e->end);
    assigns dmar->where, dmar->numbers[0 .. 3]; TAKES(dmar) */
static enum dmar_fault take(const u8 *table, struct dmar *dmar, const struct dmar_entry *e);

/*@ requires bytes(table, length); assigns \nothing; */
static bool adds_up(const u8 *table, u32 length);

/*@ APART(dmar, table, size) assigns dmar->length, dmar->width, dmar->flags;
    ensures whole: \result == DMAR_OK ==> DMAR_HEADER <= dmar->length <= size &&
	dmar->length <= DMAR_BYTES && 32 <= dmar->width <= 52; */
static enum dmar_fault check_header(const u8 *table, u64 size, struct dmar *dmar);

/*@ APART(dmar, table, size) assigns *dmar; */
enum dmar_fault dmar_parse(const u8 *table, u64 size, struct dmar *dmar);

#endif /* PROOF_PARSERS_DMAR_H */
