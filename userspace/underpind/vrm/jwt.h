/* SPDX-License-Identifier: GPL-2.0-only */
/* Signed assertions: JWT (RFC 7519) with EdDSA or ES256, and nothing else. */
#ifndef JWT_H
#define JWT_H

#include "base/err.h"
#include "engine/pdp.h"

#define JWT_MAX		8192
#define JWT_CLAIMS_MAX	POL_ATTRS_MAX
#define JWT_KEYS_MAX	16

/* An issuer's public keys, each Ed25519 or P-256. */
struct jwt_keys;

/**
 * jwt_keys_load() - read an issuer's public keys
 * @path: a PEM file with one, or a JSON Web Key Set (RFC 7517), of which keys of other
 *	  kinds and for other uses are left out
 * @e: what is wrong
 *
 * Return: the keys, at least one, or NULL.
 */
struct jwt_keys *jwt_keys_load(const char *path, struct pol_err *e);
void jwt_keys_free(struct jwt_keys *k);

/* A verified assertion. */
struct jwt {
	char subject[256];
	char *name[JWT_CLAIMS_MAX];	/* claim.NAME */
	char *value[JWT_CLAIMS_MAX];	/* members of a list: spaces between */
	uint32_t n_claim;
};

/* What it must be. */
struct jwt_rules {
	const char *issuer;		/* that "iss" is */
	const char *audience;		/* that "aud" is or contains */
	int64_t now;			/* seconds since 1970; "exp" is there and later */
	int64_t skew;			/* "nbf" is not more than this later than now */
};

/**
 * jwt_verify() - check an assertion
 * @token: untrusted text
 * @k: the issuer's keys; their kind decides the algorithm, not the token's header
 * @out: filled on success; jwt_free() it in any case
 * @e: the check that failed
 *
 * Return: 0 or -EINVAL.
 */
int jwt_verify(const char *token, const struct jwt_keys *k, const struct jwt_rules *rules,
	       struct jwt *out, struct pol_err *e);
void jwt_free(struct jwt *j);

#endif
