/* SPDX-License-Identifier: GPL-2.0-only */
/* Ed25519 keys in PEM files, for tickets and audit records. */
#ifndef POL_KEY_H
#define POL_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "trust/ticket.h"

struct key;

/**
 * key_load() - read an Ed25519 key
 * @path: a PEM file: a private key, a public key, or a certificate
 * @private: is the private part needed?
 * @e: what is wrong
 *
 * Return: the key, or NULL.
 */
struct key *key_load(const char *path, bool private, struct pol_err *e);
void key_free(struct key *k);

/* SHA-256 of the raw public key: how tickets and audit records name it. */
const uint8_t *key_id(const struct key *k);

/* The raw public key, 32 bytes. */
const uint8_t *key_public(const struct key *k);

/* The private part, 32 bytes, and the public one; NULL if the former was not asked for. */
const uint8_t *key_secret(const struct key *k);

/* A public key of its 32 raw bytes, or NULL. */
struct key *key_of(const uint8_t *raw);

/**
 * key_sign() - sign with the private part
 * @sig: 64 bytes
 *
 * Thread-safe.
 *
 * Return: 0, or -EIO without a private part, or if the library fails.
 */
int key_sign(const struct key *k, const void *data, size_t len, uint8_t *sig);
bool key_verify(const struct key *k, const void *data, size_t len, const uint8_t *sig);

/**
 * ticket_sign() - complete a ticket: issuer, signature, bytes
 * @buf: TICKET_SIZE bytes
 *
 * Return: 0 or -EIO.
 */
int ticket_sign(struct ticket *t, const struct key *k, uint8_t *buf);

/**
 * ticket_verify() - parse a ticket and check its signature
 *
 * Return: TICKET_OK, or what is wrong.
 */
enum ticket_error ticket_verify(const uint8_t *buf, uint32_t size, const struct key *k,
				struct ticket *t);

#endif
