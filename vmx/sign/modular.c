// SPDX-License-Identifier: GPL-2.0
/* Modular arithmetic, without a branch or an index that depends on a number. */
#include "vmx/sign/modular.h"

#define WIDE	unsigned __int128	/* two words */

const struct modulus mod_field = {
	{ { 0xffffffffffffffed, 0xffffffffffffffff, 0xffffffffffffffff, 0x7fffffffffffffff } },
	{ { 38 * 38 } }, 0x86bca1af286bca1b
};

const struct modulus mod_order = {
	{ { 0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0x0000000000000000, 0x1000000000000000 } },
	{ { 0xa40611e3449c0f01, 0xd00e1ba768859347, 0xceec73d217f5be65, 0x0399411b7c309a3d } },
	0xd2b51da312547e1b
};

/* r = a + (b & mask) */
static void add(struct num *r, const struct num *a, const struct num *b, u64 mask)
{
	WIDE word = 0;
	int i;

#pragma GCC unroll 4
	for (i = 0; i < 4; i++) {
		word = (word >> 64) + a->word[i] + (b->word[i] & mask);
		r->word[i] = (u64)word;
	}
}

/* r = a - b.  Return: the borrow, 1 if a < b. */
static u64 subtract(struct num *r, const struct num *a, const struct num *b)
{
	u64 borrow = 0, less, word;
	int i;

#pragma GCC unroll 4
	for (i = 0; i < 4; i++) {
		less = a->word[i] < b->word[i];
		word = a->word[i] - b->word[i];
		r->word[i] = word - borrow;
		borrow = less | (word < borrow);
	}
	return borrow;
}

void mod_sub(struct num *r, const struct num *a, const struct num *b, const struct modulus *m)
{
	u64 borrow = subtract(r, a, b);

	add(r, r, &m->m, select_mask(borrow));
}

/* Both moduli are below 2^255: a sum fits. */
void mod_add(struct num *r, const struct num *a, const struct num *b, const struct modulus *m)
{
	add(r, a, b, ~0ULL);
	mod_sub(r, r, &m->m, m);
}

/* sum += factor * n */
static void multiply_add(u64 sum[5], u64 factor, const struct num *n)
{
	WIDE word = 0;
	int i;

#pragma GCC unroll 4
	for (i = 0; i < 4; i++) {
		word = (WIDE)factor * n->word[i] + sum[i] + (u64)(word >> 64);
		sum[i] = (u64)word;
	}
	sum[4] += (u64)(word >> 64);
}

/*
 * A word of a at a time: what is added makes the sum's lowest word 0, which is then dropped.
 * Before that the sum is less than 2m + 2 * (2^64 - 1) * m < 2^320, after it less than 2m.
 */
void mod_mul(struct num *r, const struct num *a, const struct num *b, const struct modulus *m)
{
	u64 sum[5] = { };
	int i, j;

#pragma GCC unroll 4
	for (i = 0; i < 4; i++) {
		multiply_add(sum, a->word[i], b);
		multiply_add(sum, sum[0] * m->inverse, &m->m);
#pragma GCC unroll 4
		for (j = 0; j < 4; j++)
			sum[j] = sum[j + 1];
		sum[4] = 0;
	}
	mod_sub(r, (const struct num *)sum, &m->m, m);
}

void mod_leave(struct num *r, const struct num *a, const struct modulus *m)
{
	static const struct num one = { { 1 } };

	mod_mul(r, a, &one, m);
}
