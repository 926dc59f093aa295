// SPDX-License-Identifier: GPL-2.0
/* Points of edwards25519: one addition, which has no exceptions. */
#include "vmx/base/lib.h"
#include "vmx/sign/point.h"

#define ONE	{ { 38 } }	/* 2^256 modulo p */

static const struct num zero, one = ONE;

/* -121665 / 121666 */
static const struct num curve_d = {
	{ 0x80ed8bfedf47e9fa, 0x10a18777afc62973, 0xe5939207bc188690, 0x2c822b5a729fc526 }
};

static const struct num sqrt_minus_1 = {
	{ 0x3b5807d4fe2bdb04, 0x03f590fdb51be9ed, 0x6d6e16bf336202d1, 0x75776b0bd6c71ba8 }
};

/* p - 2 and (p - 5) / 8 */
static const struct num to_invert = { { ~20ULL, ~0ULL, ~0ULL, ~0ULL >> 1 } };
static const struct num to_root = { { ~2ULL, ~0ULL, ~0ULL, ~0ULL >> 4 } };

const struct point point_zero = { .y = ONE, .z = ONE };
/* y = 4/5, and the even x of it */
const struct point point_base = {
	{ { 0xe2cabc553f9da287, 0x9ca598562396e489, 0x9879936bade4b5b7, 0x759e23707e6077d0 } },
	{ { 0x333333333333334a, 0x3333333333333333, 0x3333333333333333, 0x3333333333333333 } },
	ONE,
	{ { 0x4f0896aa994ae86c, 0xe3b7ad11b612506e, 0x46c7a922f183c492, 0x5e181c59feb3930d } },
};

const struct point point_base_high = {
	{ { 0x7b0aa3e25b4c76fa, 0xb237dbf2ee4f5423, 0x24b689b9719a2dd6, 0x4de41fe2f262189e } },
	{ { 0x9db810914676b5f6, 0x7efc38801e752f81, 0x41ca8f09c0e330b1, 0x209ed8303c4bc2a4 } },
	ONE,
	{ { 0xb85163e087cda68f, 0x09deeb5b32cbc738, 0x9972c4011fb731bf, 0x55f4fd8fc6464719 } },
};

static void add(struct num *r, const struct num *a, const struct num *b)
{
	mod_add(r, a, b, &mod_field);
}

static void sub(struct num *r, const struct num *a, const struct num *b)
{
	mod_sub(r, a, b, &mod_field);
}

static void mul(struct num *r, const struct num *a, const struct num *b)
{
	mod_mul(r, a, b, &mod_field);
}

/* x^exponent; the exponent is no secret. */
static void power(struct num *r, const struct num *x, const struct num *exponent)
{
	struct num result = one;
	int i;

	for (i = 255; i >= 0; i--) {
		mul(&result, &result, &result);
		if (exponent->word[i / 64] >> i % 64 & 1)
			mul(&result, &result, x);
	}
	*r = result;
}

void point_add(struct point *r, const struct point *p, const struct point *q)
{
	struct num a, b, c, d, e, f, g, h;

	sub(&a, &p->y, &p->x);
	sub(&b, &q->y, &q->x);
	mul(&a, &a, &b);
	add(&b, &p->y, &p->x);
	add(&c, &q->y, &q->x);
	mul(&b, &b, &c);
	mul(&c, &p->t, &q->t);
	mul(&c, &c, &curve_d);
	add(&c, &c, &c);
	mul(&d, &p->z, &q->z);
	add(&d, &d, &d);
	sub(&e, &b, &a);
	sub(&f, &d, &c);
	add(&g, &d, &c);
	add(&h, &b, &a);
	mul(&r->x, &e, &f);
	mul(&r->y, &g, &h);
	mul(&r->t, &e, &h);
	mul(&r->z, &f, &g);
}

void point_negate(struct point *r, const struct point *a)
{
	*r = *a;
	sub(&r->x, &zero, &a->x);
	sub(&r->t, &zero, &a->t);
}

void point_select(struct point *r, const struct point table[4], u64 index)
{
	const u64 *from = (const u64 *)table;
	u64 *to = (u64 *)r, word;
	u32 i;

	for (i = 0; i < sizeof(*r) / 8; i++) {
		word = from[i] & select_mask(index == 0);
		word |= from[16 + i] & select_mask(index == 1);
		word |= from[32 + i] & select_mask(index == 2);
		to[i] = word | (from[48 + i] & select_mask(index == 3));
	}
}

/* x of y, of either sign.  Return: false if there is none. */
static bool x_of_y(struct num *x, const struct num *y)
{
	struct num u, v, w, check;

	/* x^2 = u / v, and x = u v^3 (u v^7)^((p - 5) / 8), or that times sqrt(-1) */
	mul(&w, y, y);
	sub(&u, &w, &one);
	mul(&v, &w, &curve_d);
	add(&v, &v, &one);
	mul(&w, &v, &v);
	mul(&w, &w, &v);		/* v^3 */
	mul(x, &u, &w);
	mul(&w, &w, &v);
	mul(&w, x, &w);			/* u v^7 */
	power(&w, &w, &to_root);
	mul(x, x, &w);
	mul(&check, x, x);
	mul(&check, &check, &v);
	if (num_is_equal(&check, &u))
		return true;
	mul(x, x, &sqrt_minus_1);
	sub(&u, &zero, &u);
	return num_is_equal(&check, &u);
}

bool point_is_zero(const struct point *a)
{
	return num_is_equal(&a->x, &zero) && num_is_equal(&a->y, &a->z);
}

static void encode(struct num *bits, const struct num *x, const struct num *y)
{
	struct num sign;

	mod_leave(&sign, x, &mod_field);
	mod_leave(bits, y, &mod_field);
	bits->word[3] |= sign.word[0] << 63;
}

bool point_read(struct point *r, const u8 bytes[32])
{
	struct num given, again;

	memcpy(&given, bytes, 32);
	r->y = given;
	r->y.word[3] &= ~0ULL >> 1;
	mul(&r->y, &r->y, &mod_field.square);
	if (!x_of_y(&r->x, &r->y))
		return false;
	encode(&again, &r->x, &r->y);
	if ((again.word[3] ^ given.word[3]) >> 63)
		sub(&r->x, &zero, &r->x);
	r->z = one;
	mul(&r->t, &r->x, &r->y);
	/* Refuses y that is not below p, and x = 0 with a sign. */
	encode(&again, &r->x, &r->y);
	return num_is_equal(&again, &given);
}

void point_write(struct num *bits, const struct point *a)
{
	struct num inverse, x, y;

	power(&inverse, &a->z, &to_invert);
	mul(&x, &a->x, &inverse);
	mul(&y, &a->y, &inverse);
	encode(bits, &x, &y);
}
