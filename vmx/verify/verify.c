// SPDX-License-Identifier: GPL-2.0
/* Verification of Ed25519 signatures in pieces, each of them short. */
#include "vmx/base/lib.h"
#include "vmx/verify/verify.h"

static const struct num zero, one = POINT_ONE;

static bool equal(const struct num *a, const struct num *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* x of y, of either sign.  Return: false if there is none. */
static bool x_of_y(struct num *x, const struct num *y)
{
	static const struct num sqrt_minus_1 = { {
		0x3b5807d4fe2bdb04, 0x03f590fdb51be9ed, 0x6d6e16bf336202d1, 0x75776b0bd6c71ba8
	} };
	/* (p - 5) / 8 */
	static const struct num to_root = { { ~2ULL, ~0ULL, ~0ULL, ~0ULL >> 4 } };
	struct num u, v, w, check;

	/* x^2 = u / v, and x = u v^3 (u v^7)^((p - 5) / 8), or that times sqrt(-1) */
	field_mul(&w, y, y);
	field_sub(&u, &w, &one);
	field_mul(&v, &w, &curve_d);
	field_add(&v, &v, &one);
	field_mul(&w, &v, &v);
	field_mul(&w, &w, &v);		/* v^3 */
	field_mul(x, &u, &w);
	field_mul(&w, &w, &v);
	field_mul(&w, x, &w);		/* u v^7 */
	field_power(&w, &w, &to_root);
	field_mul(x, x, &w);
	field_mul(&check, x, x);
	field_mul(&check, &check, &v);
	if (equal(&check, &u))
		return true;
	field_mul(x, x, &sqrt_minus_1);
	field_sub(&u, &zero, &u);
	return equal(&check, &u);
}

bool point_read(struct point *r, const u8 bytes[32])
{
	struct num given, again;

	memcpy(&given, bytes, 32);
	r->y = given;
	r->y.word[3] &= ~0ULL >> 1;
	field_mul(&r->y, &r->y, &mod_field.square);
	if (!x_of_y(&r->x, &r->y))
		return false;
	point_encode(&again, &r->x, &r->y);
	if ((again.word[3] ^ given.word[3]) >> 63)
		field_sub(&r->x, &zero, &r->x);
	r->z = one;
	field_mul(&r->t, &r->x, &r->y);
	/* Refuses y that is not below p, and x = 0 with a sign. */
	point_encode(&again, &r->x, &r->y);
	return equal(&again, &given);
}

bool point_is_zero(const struct point *a)
{
	return equal(&a->x, &zero) && equal(&a->y, &a->z);
}

/* 8 times such a point is 0. */
static bool small_order(const struct point *p)
{
	struct point eight;

	point_add(&eight, p, p);
	point_add(&eight, &eight, &eight);
	point_add(&eight, &eight, &eight);
	return point_is_zero(&eight);
}

static bool below_order(const struct num *s)
{
	struct num reduced;

	mod_mul(&reduced, s, &mod_order.square, &mod_order);
	mod_leave(&reduced, &reduced, &mod_order);
	return equal(&reduced, s);
}

enum verify_result verify_begin(struct verify_job *job, const u8 public[32],
				const void *message, u32 len, const u8 signature[64])
{
	struct product *p = &job->product;
	struct point *key = &job->table[2];

	*p = (struct product){ .table = job->table, .bits = 256, .sum = point_base[0] };
	memcpy(&job->expected, signature, 32);
	memcpy(&p->a, signature + 32, 32);
	if (!below_order(&p->a) || !point_read(key, public) || small_order(key))
		return VERIFY_BAD;
	ed25519_hash(&p->b, signature, public, message, len);
	field_sub(&key->x, &zero, &key->x);
	field_sub(&key->t, &zero, &key->t);
	job->table[0] = point_base[0];
	job->table[1] = point_base[1];
	point_add(&job->table[3], &point_base[1], key);
	return VERIFY_MORE;
}

enum verify_result verify_step(struct verify_job *job)
{
	struct num bits;

	if (product_step(&job->product))
		return VERIFY_MORE;
	point_write(&bits, &job->product.sum);
	return equal(&bits, &job->expected) ? VERIFY_GOOD : VERIFY_BAD;
}
