/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A secret for whoever has a private key: HPKE (RFC 9180), base mode, one message, with
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305.
 */
#ifndef ATTEST_SEAL_H
#define ATTEST_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_KEY	32	/* X25519, private or public */
#define SEAL_TAG	16
#define SEAL_MORE	(SEAL_KEY + SEAL_TAG)	/* so much longer than its text is what is sealed */

#define SECRET_MAX	4096
#define SECRET_NAME	64	/* with its NUL */
#define SECRET_INFO	"underpin-broker-1"
#define SECRET_AAD	(32 + SECRET_NAME)

/* What else both sides must say alike: HPKE's info and aad. */
struct seal_context {
	const void *info;
	size_t info_len;
	const void *aad;
	size_t aad_len;
};

/** seal_key() - a new key pair */
bool seal_key(uint8_t private[SEAL_KEY], uint8_t public[SEAL_KEY]);

/**
 * seal_with() - seal a text with a sender's key that is used once
 * @sealed: @len + SEAL_MORE bytes: the sender's public key, then text and tag, encrypted
 */
bool seal_with(const uint8_t sender[SEAL_KEY], const uint8_t public[SEAL_KEY],
	       const struct seal_context *c, const void *text, size_t len, uint8_t *sealed);

/** seal_to() - with a new one */
bool seal_to(const uint8_t public[SEAL_KEY], const struct seal_context *c, const void *text,
	     size_t len, uint8_t *sealed);

/**
 * seal_open() - what was sealed to a key
 * @text: @len - SEAL_MORE bytes
 *
 * Return: was it, unchanged, for this key and these words?
 */
bool seal_open(const uint8_t private[SEAL_KEY], const struct seal_context *c,
	       const uint8_t *sealed, size_t len, uint8_t *text);

/** secret_context() - a broker's: its nonce, and the secret's name, in @aad of SECRET_AAD bytes */
struct seal_context secret_context(uint8_t *aad, const uint8_t nonce[32], const char *name);

/** secret_name_good() - 1 to 63 of a-z, 0-9 and '-' */
bool secret_name_good(const char *name);

#endif /* ATTEST_SEAL_H */
