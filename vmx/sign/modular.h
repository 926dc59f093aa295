/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers modulo the two primes of Ed25519 (RFC 8032, 5.1): p = 2^255 - 19 of its field, and
 * L, its base point's order.  Four words, the least first, always below the modulus.
 *
 * Products are Montgomery's: mod_mul() gives a * b / 2^256.  A number is entered by a
 * multiplication by 2^512, and left by one by 1.  No value chooses a branch or an index:
 * all of this is done with private keys.
 */
#ifndef VMX_MODULAR_H
#define VMX_MODULAR_H

#include "vmx/base/types.h"

struct num {
	u64 word[4];
};

struct modulus {
	struct num m;
	struct num square;	/* 2^512 modulo m */
	u64 inverse;		/* -1 / m modulo 2^64 */
};

extern const struct modulus mod_field, mod_order;

/** select_mask() - all ones if @bit is 1, 0 if it is 0; compilers cannot see which */
static inline u64 select_mask(u64 bit)
{
	u64 mask = 0 - bit;

	__asm__("" : "+r"(mask));
	return mask;
}

/** mod_add() - a + b; the result may be an argument, here and below */
void mod_add(struct num *r, const struct num *a, const struct num *b, const struct modulus *m);

/** mod_sub() - a - b */
void mod_sub(struct num *r, const struct num *a, const struct num *b, const struct modulus *m);

/** mod_mul() - a * b / 2^256; a may be any 256 bits */
void mod_mul(struct num *r, const struct num *a, const struct num *b, const struct modulus *m);

/** mod_leave() - a / 2^256: out of Montgomery's form */
void mod_leave(struct num *r, const struct num *a, const struct modulus *m);

#endif /* VMX_MODULAR_H */
