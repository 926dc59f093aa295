/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ed25519 (RFC 8032): keys and signatures.
 *
 * Root mode must not stay long, so a signature is a job that goes on in pieces.  A job holds
 * secrets until it is done.
 */
#ifndef VMX_ED25519_H
#define VMX_ED25519_H

#include "vmx/sign/point.h"

#define ED25519_PIECE	16	/* bits of scalars that a piece goes over */
#define ED25519_MESSAGE	1024	/* the longest message, which is hashed in one piece */

struct ed25519_key {
	struct num secret;	/* clamped: a multiple of 8, and 2^254 is set */
	u8 prefix[32];
	u8 public[32];
};

/* a * table[1] + b * table[2] on its way; table[0] is 0, table[3] the sum of the two. */
struct product {
	const struct point *table;
	struct num a, b;
	u32 bits;		/* of them that are left */
	struct point sum;
};

struct ed25519_job {
	const struct ed25519_key *key;
	const u8 *message;
	u32 len;
	struct num nonce;	/* r */
	struct product product;	/* r * B */
};

/** product_step() - the next ED25519_PIECE bits.  Return: false: there were none */
bool product_step(struct product *p);

/** ed25519_hash() - SHA-512(a, b, message) modulo L; a and b have 32 bytes, b may be missing */
void ed25519_hash(struct num *r, const u8 *a, const u8 *b, const void *message, u32 len);

/** ed25519_make_key() - the key of a secret seed (RFC 8032, 5.1.5), at one go */
void ed25519_make_key(struct ed25519_key *key, const u8 seed[32]);

/**
 * ed25519_sign() - begin (RFC 8032, 5.1.6)
 * @message: of at most ED25519_MESSAGE bytes; nobody changes it until it is done
 */
void ed25519_sign(struct ed25519_job *job, const struct ed25519_key *key, const void *message,
		  u32 len);

/**
 * ed25519_step() - the next piece of a signature
 * Return: true: call again; false: @signature is made, and @job erased
 */
bool ed25519_step(struct ed25519_job *job, u8 signature[64]);

#endif /* VMX_ED25519_H */
