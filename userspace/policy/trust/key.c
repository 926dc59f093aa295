// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/key.h"

struct key {
	EVP_PKEY *pkey;
	uint8_t id[32], raw[32];
	uint8_t secret[64];	/* the private part and the public one, if @private */
	bool private;
};

static EVP_PKEY *read_pem(FILE *f, bool private)
{
	EVP_PKEY *k = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	X509 *x;

	if (k || private)
		return k;
	rewind(f);
	k = PEM_read_PUBKEY(f, NULL, NULL, NULL);
	if (k)
		return k;
	rewind(f);
	x = PEM_read_X509(f, NULL, NULL, NULL);
	k = x ? X509_get_pubkey(x) : NULL;
	X509_free(x);
	return k;
}

/* The public part, and the private one if it is asked for. */
static bool take_parts(struct key *k, bool private)
{
	size_t n = 32, secret = 32;

	if (EVP_PKEY_get_id(k->pkey) != EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_raw_public_key(k->pkey, k->raw, &n) != 1 || n != 32)
		return false;
	SHA256(k->raw, 32, k->id);
	if (!private)
		return true;
	k->private = EVP_PKEY_get_raw_private_key(k->pkey, k->secret, &secret) == 1 &&
		     secret == 32;
	memcpy(k->secret + 32, k->raw, 32);
	return k->private;
}

struct key *key_load(const char *path, bool private, struct pol_err *e)
{
	FILE *f = fopen(path, "re");
	struct key *k = calloc(1, sizeof(*k));

	if (f && k)
		k->pkey = read_pem(f, private);
	if (f)
		fclose(f);
	if (k && k->pkey && take_parts(k, private))
		return k;
	pol_fail(e, EINVAL, "%s: %s: make one with openssl genpkey -algorithm ed25519", path,
		 !f ? "cannot be read" : private ? "no Ed25519 private key in PEM" :
		 "no Ed25519 key in PEM");
	key_free(k);
	return NULL;
}

void key_free(struct key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	OPENSSL_cleanse(k->secret, sizeof(k->secret));
	free(k);
}

const uint8_t *key_id(const struct key *k)
{
	return k->id;
}

const uint8_t *key_public(const struct key *k)
{
	return k->raw;
}

const uint8_t *key_secret(const struct key *k)
{
	return k->private ? k->secret : NULL;
}

struct key *key_of(const uint8_t *raw)
{
	struct key *k = calloc(1, sizeof(*k));

	if (k)
		k->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, 32);
	if (k && k->pkey) {
		memcpy(k->raw, raw, 32);
		SHA256(raw, 32, k->id);
		return k;
	}
	key_free(k);
	return NULL;
}

bool key_verify(const struct key *k, const void *data, size_t len, const uint8_t *sig)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, k->pkey) == 1 &&
		  EVP_DigestVerify(c, sig, 64, data, len) == 1;

	EVP_MD_CTX_free(c);
	return ok;
}

enum ticket_error ticket_verify(const uint8_t *buf, uint32_t size, const struct key *k,
				struct ticket *t)
{
	enum ticket_error err = ticket_parse(buf, size, t);

	if (err != TICKET_OK)
		return err;
	if (memcmp(t->issuer, k->id, 32) ||
	    !key_verify(k, buf, TICKET_SIGNED, buf + TICKET_AT_SIGNATURE))
		return TICKET_BAD_SIGNATURE;
	return TICKET_OK;
}
