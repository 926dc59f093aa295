/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Points of edwards25519 (RFC 8032, 5.1): x = X/Z, y = Y/Z, x * y = T/Z, in Montgomery's
 * form modulo p.  No coordinate chooses a branch or an index.
 */
#ifndef VMX_POINT_H
#define VMX_POINT_H

#include "vmx/sign/modular.h"

struct point {
	struct num x, y, z, t;
};

/* 0, the base point B, and 2^128 * B */
extern const struct point point_zero, point_base, point_base_high;

/** point_add() - a + b of any two points, also of equal ones (RFC 8032, 5.1.4) */
void point_add(struct point *r, const struct point *a, const struct point *b);

/** point_negate() - -a */
void point_negate(struct point *r, const struct point *a);

/** point_select() - one of four, all of which are read */
void point_select(struct point *r, const struct point table[4], u64 index);

/** point_is_zero() - is it the neutral element?  Not for secrets */
bool point_is_zero(const struct point *a);

/**
 * point_read() - decode (RFC 8032, 5.1.3).  Not for secrets.
 * Return: false if it is not a point's encoding
 */
bool point_read(struct point *r, const u8 bytes[32]);

/** point_write() - encode (RFC 8032, 5.1.2) */
void point_write(struct num *bits, const struct point *a);

#endif /* VMX_POINT_H */
