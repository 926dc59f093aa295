/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ed25519 (RFC 8032): keys, signatures, and what is wrong with one.
 *
 * Root mode must not stay long, so each of the three is a job that goes on in pieces:
 * begin, then ed25519_step() while it says so.  A job holds secrets until it has ended.
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

enum ed25519_result {
	ED25519_MORE,		/* call ed25519_step() */
	ED25519_DONE,		/* made, or verified */
	ED25519_BAD,		/* not a signature of that key */
};

struct ed25519_job {
	enum ed25519_result (*finish)(struct ed25519_job *job);
	struct ed25519_key *key;	/* to be made, or to sign with */
	const u8 *message;
	u32 len;
	u32 bit;			/* down to 0 */
	u8 *signature;			/* to be made */
	struct num expected;		/* of what is verified: its point R, encoded */
	struct num nonce;		/* of a signature: r */
	struct num scalar[2];
	struct point table[4], sum;	/* scalar[0] * table[1] + scalar[1] * table[2] */
};

/**
 * ed25519_make_key() - begin: the key of a secret seed (RFC 8032, 5.1.5)
 * @key: filled in when it is done
 */
void ed25519_make_key(struct ed25519_job *job, struct ed25519_key *key, const u8 seed[32]);

/**
 * ed25519_sign() - begin (RFC 8032, 5.1.6)
 * @message: of at most ED25519_MESSAGE bytes; nobody changes it until it is done
 * @signature: filled in when it is done
 */
void ed25519_sign(struct ed25519_job *job, struct ed25519_key *key, const void *message,
		  u32 len, u8 signature[64]);

/**
 * ed25519_verify() - begin (RFC 8032, 5.1.7, without the cofactor)
 * @message: of at most ED25519_MESSAGE bytes
 * @signature: the caller's copy, as @public and @message are
 *
 * Stricter than the RFC in one thing: a public key of small order is refused.
 *
 * Return: ED25519_MORE, or ED25519_BAD at once.
 */
enum ed25519_result ed25519_verify(struct ed25519_job *job, const u8 public[32],
				   const void *message, u32 len, const u8 signature[64]);

/** ed25519_step() - the next piece of a job; when it does not return MORE, @job is erased */
enum ed25519_result ed25519_step(struct ed25519_job *job);

#endif /* VMX_ED25519_H */
