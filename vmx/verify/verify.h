/* SPDX-License-Identifier: GPL-2.0 */
/* Is this an Ed25519 signature of that key?  (RFC 8032, 5.1.7.)  No secrets are here. */
#ifndef VMX_VERIFY_H
#define VMX_VERIFY_H

#include "vmx/sign/ed25519.h"

struct verify_job {
	struct num expected;	/* the signature's point R, encoded */
	struct point table[4];
	struct product product;	/* s * B - k * A */
};

enum verify_result {
	VERIFY_MORE,		/* call verify_step() */
	VERIFY_GOOD,
	VERIFY_BAD,		/* not a signature of that key */
};

/**
 * verify_begin() - begin, without the cofactor
 * @message: of at most ED25519_MESSAGE bytes
 * @signature: the caller's copy, as @public and @message are
 *
 * Stricter than the RFC in one thing: a public key of small order is refused.
 *
 * Return: VERIFY_MORE, or VERIFY_BAD at once.
 */
enum verify_result verify_begin(struct verify_job *job, const u8 public[32],
				const void *message, u32 len, const u8 signature[64]);

/** verify_step() - the next piece */
enum verify_result verify_step(struct verify_job *job);

/**
 * point_read() - decode (RFC 8032, 5.1.3)
 * Return: false if it is not a point's encoding
 */
bool point_read(struct point *r, const u8 bytes[32]);

/** point_is_zero() - is it the neutral element? */
bool point_is_zero(const struct point *a);

#endif /* VMX_VERIFY_H */
