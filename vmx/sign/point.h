/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Points of edwards25519 (RFC 8032, 5.1): x = X/Z, y = Y/Z, x * y = T/Z, in Montgomery's
 * form modulo p.  No coordinate chooses a branch or an index.
 */
#ifndef VMX_POINT_H
#define VMX_POINT_H

#include "vmx/sign/modular.h"

#define POINT_ONE	{ { 38 } }	/* 2^256 modulo p: 1 in Montgomery's form */

struct point {
	struct num x, y, z, t;
};

/* -121665 / 121666, in Montgomery's form */
extern const struct num curve_d;

/* 0, the base point B, 2^128 * B, and the sum of both */
extern const struct point point_base[4];

/** field_add() - a + b modulo p */
static inline void field_add(struct num *r, const struct num *a, const struct num *b)
{
	mod_add(r, a, b, &mod_field);
}

/** field_sub() - a - b modulo p */
static inline void field_sub(struct num *r, const struct num *a, const struct num *b)
{
	mod_sub(r, a, b, &mod_field);
}

/** field_mul() - a * b modulo p, in Montgomery's form */
static inline void field_mul(struct num *r, const struct num *a, const struct num *b)
{
	mod_mul(r, a, b, &mod_field);
}

/** field_power() - x^exponent modulo p; the exponent is no secret */
void field_power(struct num *r, const struct num *x, const struct num *exponent);

/** point_add() - a + b of any two points, also of equal ones (RFC 8032, 5.1.4) */
void point_add(struct point *r, const struct point *a, const struct point *b);

/** point_select() - one of four, all of which are read */
void point_select(struct point *r, const struct point table[4], u64 index);

/** point_encode() - x / 1, y / 1 as RFC 8032, 5.1.2, has them */
void point_encode(struct num *bits, const struct num *x, const struct num *y);

/** point_write() - encode any point */
void point_write(struct num *bits, const struct point *a);

#endif /* VMX_POINT_H */
