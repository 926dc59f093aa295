// SPDX-License-Identifier: GPL-2.0
/* Points of edwards25519: one addition, which has no exceptions. */
#include "vmx/base/lib.h"
#include "vmx/sign/point.h"

const struct num curve_d = {
	{ 0x80ed8bfedf47e9fa, 0x10a18777afc62973, 0xe5939207bc188690, 0x2c822b5a729fc526 }
};

/* B has y = 4/5, and the even x of it. */
const struct point point_base[4] = { { .y = POINT_ONE, .z = POINT_ONE }, {
	{ { 0xe2cabc553f9da287, 0x9ca598562396e489, 0x9879936bade4b5b7, 0x759e23707e6077d0 } },
	{ { 0x333333333333334a, 0x3333333333333333, 0x3333333333333333, 0x3333333333333333 } },
	POINT_ONE,
	{ { 0x4f0896aa994ae86c, 0xe3b7ad11b612506e, 0x46c7a922f183c492, 0x5e181c59feb3930d } },
}, {
	{ { 0x7b0aa3e25b4c76fa, 0xb237dbf2ee4f5423, 0x24b689b9719a2dd6, 0x4de41fe2f262189e } },
	{ { 0x9db810914676b5f6, 0x7efc38801e752f81, 0x41ca8f09c0e330b1, 0x209ed8303c4bc2a4 } },
	POINT_ONE,
	{ { 0xb85163e087cda68f, 0x09deeb5b32cbc738, 0x9972c4011fb731bf, 0x55f4fd8fc6464719 } },
}, {
	{ { 0x63b1942571de5d3c, 0x4247093769240a49, 0x96aec248e5004c6c, 0x62fa0aa47651ed4e } },
	{ { 0x85e44aea5c18f832, 0x0c789327914a2e65, 0xd3737dda915c1046, 0x58f40852762f2c43 } },
	POINT_ONE,
	{ { 0xee6a3bfb30778ca5, 0x17c03de1d8d6fc57, 0x0660ef69317df390, 0x17b68adc06b83503 } },
} };

void field_power(struct num *r, const struct num *x, const struct num *exponent)
{
	struct num result = POINT_ONE;
	int i;

	for (i = 255; i >= 0; i--) {
		field_mul(&result, &result, &result);
		if (exponent->word[i / 64] >> i % 64 & 1)
			field_mul(&result, &result, x);
	}
	*r = result;
}

void point_add(struct point *r, const struct point *p, const struct point *q)
{
	struct num a, b, c, d, e, f, g, h;

	field_sub(&a, &p->y, &p->x);
	field_sub(&b, &q->y, &q->x);
	field_mul(&a, &a, &b);
	field_add(&b, &p->y, &p->x);
	field_add(&c, &q->y, &q->x);
	field_mul(&b, &b, &c);
	field_mul(&c, &p->t, &q->t);
	field_mul(&c, &c, &curve_d);
	field_add(&c, &c, &c);
	field_mul(&d, &p->z, &q->z);
	field_add(&d, &d, &d);
	field_sub(&e, &b, &a);
	field_sub(&f, &d, &c);
	field_add(&g, &d, &c);
	field_add(&h, &b, &a);
	field_mul(&r->x, &e, &f);
	field_mul(&r->y, &g, &h);
	field_mul(&r->t, &e, &h);
	field_mul(&r->z, &f, &g);
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

void point_encode(struct num *bits, const struct num *x, const struct num *y)
{
	struct num sign;

	mod_leave(&sign, x, &mod_field);
	mod_leave(bits, y, &mod_field);
	bits->word[3] |= sign.word[0] << 63;
}

void point_write(struct num *bits, const struct point *a)
{
	/* p - 2 */
	static const struct num to_invert = { { ~20ULL, ~0ULL, ~0ULL, ~0ULL >> 1 } };
	struct num inverse, x, y;

	field_power(&inverse, &a->z, &to_invert);
	field_mul(&x, &a->x, &inverse);
	field_mul(&y, &a->y, &inverse);
	point_encode(bits, &x, &y);
}
