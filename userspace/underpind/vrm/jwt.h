/* SPDX-License-Identifier: GPL-2.0-only */
/* Signed assertions: JWT (RFC 7519) with EdDSA or ES256, and nothing else. */
#ifndef JWT_H
#define JWT_H

#include "base/err.h"
#include "engine/pdp.h"

#define JWT_MAX		8192
#define JWT_CLAIMS_MAX	16

struct jwt_key;

/* The issuer's public key from a PEM file: Ed25519 or P-256. NULL with @e set. */
struct jwt_key *jwt_key_load(const char *path, struct pol_err *e);
void jwt_key_free(struct jwt_key *k);

/* A verified assertion. */
struct jwt {
	char subject[256];
	char name[JWT_CLAIMS_MAX][64];		/* claim.NAME */
	char value[JWT_CLAIMS_MAX][512];	/* members of a list: spaces between */
	uint32_t n_claim;
};

/**
 * jwt_verify() - check an assertion
 * @token: untrusted text
 * @k: the issuer's key; its kind decides the algorithm, not the token's header
 * @issuer: that "iss" must be
 * @audience: that "aud" must be or contain
 * @now: seconds since 1970; "exp" is needed and later, "nbf" not later
 * @out: filled on success
 *
 * Return: 0 or -EINVAL with the check that failed in @e.
 */
int jwt_verify(const char *token, const struct jwt_key *k, const char *issuer,
	       const char *audience, int64_t now, struct jwt *out, struct pol_err *e);

#endif
