// SPDX-License-Identifier: GPL-2.0
/*
 * HPKE, which OpenSSL 3.0 lacks, of its X25519, HKDF and ChaCha20-Poly1305; names are those of
 * RFC 9180.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <string.h>
#include "userspace/attest/seal.h"

#define HASH		32
#define NONCE		12
#define WORDS		512	/* the longest input of a labelled function */
#define VERSION		"HPKE-v1"

/* A piece of what a labelled function takes. */
struct piece {
	const void *at;
	size_t len;
};

/* Sections 4.1 and 5.1: which algorithms; those of KEM, KDF and AEAD are in 7.1 to 7.3. */
static const struct piece of_kem = { "KEM\0\x20", 5 };
static const struct piece of_hpke = { "HPKE\0\x20\0\1\0\3", 10 };

static bool add(uint8_t *words, size_t *len, struct piece p)
{
	if (p.len > WORDS - *len)
		return false;
	if (p.len)
		memcpy(words + *len, p.at, p.len);
	*len += p.len;
	return true;
}

static bool hkdf(int mode, struct piece key, struct piece salt, struct piece info, uint8_t *out,
		 size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key.at, key.len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt.at, salt.len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info.at, info.len),
		OSSL_PARAM_construct_end(),
	};
	bool good = ctx && EVP_KDF_derive(ctx, out, len, params) > 0;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good;
}

static bool labeled_extract(struct piece suite, struct piece salt, const char *label,
			    struct piece ikm, uint8_t prk[HASH])
{
	uint8_t words[WORDS];
	size_t len = 0;
	bool good = add(words, &len, (struct piece){ VERSION, strlen(VERSION) }) &&
		add(words, &len, suite) &&
		add(words, &len, (struct piece){ label, strlen(label) }) &&
		add(words, &len, ikm) &&
		hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, (struct piece){ words, len }, salt,
		     (struct piece){ "", 0 }, prk, HASH);

	OPENSSL_cleanse(words, sizeof(words));
	return good;
}

static bool labeled_expand(struct piece suite, const uint8_t prk[HASH], const char *label,
			   struct piece info, uint8_t *out, size_t want)
{
	uint8_t words[WORDS] = { (uint8_t)(want >> 8), (uint8_t)want };
	size_t len = 2;

	return add(words, &len, (struct piece){ VERSION, strlen(VERSION) }) &&
	       add(words, &len, suite) &&
	       add(words, &len, (struct piece){ label, strlen(label) }) &&
	       add(words, &len, info) &&
	       hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, (struct piece){ prk, HASH },
		    (struct piece){ "", 0 }, (struct piece){ words, len }, out, want);
}

/* --- X25519 --- */

static bool public_of(const uint8_t private[SEAL_KEY], uint8_t public[SEAL_KEY])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private, SEAL_KEY);
	size_t len = SEAL_KEY;
	bool good = key && EVP_PKEY_get_raw_public_key(key, public, &len) > 0;

	EVP_PKEY_free(key);
	return good;
}

bool seal_key(uint8_t private[SEAL_KEY], uint8_t public[SEAL_KEY])
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	size_t len = SEAL_KEY;
	bool good = key && EVP_PKEY_get_raw_private_key(key, private, &len) > 0;

	EVP_PKEY_free(key);
	return good && public_of(private, public);
}

/* OpenSSL refuses a result of zeros, which RFC 9180, 7.1.4 asks for. */
static bool dh(const uint8_t private[SEAL_KEY], const uint8_t public[SEAL_KEY],
	       uint8_t shared[SEAL_KEY])
{
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private, SEAL_KEY);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public, SEAL_KEY);
	EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	size_t len = SEAL_KEY;
	bool good = ctx && peer && EVP_PKEY_derive_init(ctx) > 0 &&
		EVP_PKEY_derive_set_peer(ctx, peer) > 0 && EVP_PKEY_derive(ctx, shared, &len) > 0;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	return good;
}

/* --- the key schedule --- */

struct aead {
	uint8_t key[HASH], nonce[NONCE];
};

/* ExtractAndExpand of 4.1. */
static bool shared_secret(const uint8_t private[SEAL_KEY], const uint8_t peer[SEAL_KEY],
			  const uint8_t enc[SEAL_KEY], const uint8_t receiver[SEAL_KEY],
			  uint8_t shared[HASH])
{
	uint8_t both[SEAL_KEY], prk[HASH], context[2 * SEAL_KEY];
	bool good;

	memcpy(context, enc, SEAL_KEY);
	memcpy(context + SEAL_KEY, receiver, SEAL_KEY);
	good = dh(private, peer, both) &&
	       labeled_extract(of_kem, (struct piece){ "", 0 }, "eae_prk",
			       (struct piece){ both, sizeof(both) }, prk) &&
	       labeled_expand(of_kem, prk, "shared_secret",
			      (struct piece){ context, sizeof(context) }, shared, HASH);
	OPENSSL_cleanse(both, sizeof(both));
	OPENSSL_cleanse(prk, sizeof(prk));
	return good;
}

/* KeySchedule of 5.1, with mode_base: no PSK. */
static bool key_schedule(const uint8_t shared[HASH], const struct seal_context *c,
			 struct aead *a)
{
	static const struct piece none = { "", 0 };
	uint8_t secret[HASH], context[1 + 2 * HASH] = { 0 };
	const struct piece whole = { context, sizeof(context) };
	bool good = labeled_extract(of_hpke, none, "psk_id_hash", none, context + 1) &&
		labeled_extract(of_hpke, none, "info_hash",
				(struct piece){ c->info, c->info_len }, context + 1 + HASH) &&
		labeled_extract(of_hpke, (struct piece){ shared, HASH }, "secret", none, secret) &&
		labeled_expand(of_hpke, secret, "key", whole, a->key, sizeof(a->key)) &&
		labeled_expand(of_hpke, secret, "base_nonce", whole, a->nonce, sizeof(a->nonce));

	OPENSSL_cleanse(secret, sizeof(secret));
	return good;
}

/* The tag is behind the text, and is made or checked. */
static bool crypt(bool sealing, const struct aead *a, const struct seal_context *c,
		  const uint8_t *in, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *tag = sealing ? out + len : (uint8_t *)in + len;
	int n;
	bool good = ctx &&
		EVP_CipherInit_ex(ctx, EVP_chacha20_poly1305(), NULL, a->key, a->nonce,
				  sealing) > 0 &&
		(sealing ||
		 EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, tag) > 0) &&
		EVP_CipherUpdate(ctx, NULL, &n, c->aad, (int)c->aad_len) > 0 &&
		EVP_CipherUpdate(ctx, out, &n, in, (int)len) > 0 &&
		EVP_CipherFinal_ex(ctx, out + len, &n) > 0 &&
		(!sealing ||
		 EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, tag) > 0);

	EVP_CIPHER_CTX_free(ctx);
	return good;
}

bool seal_with(const uint8_t sender[SEAL_KEY], const uint8_t public[SEAL_KEY],
	       const struct seal_context *c, const void *text, size_t len, uint8_t *sealed)
{
	uint8_t shared[HASH];
	struct aead a;
	bool good = public_of(sender, sealed) &&
		shared_secret(sender, public, sealed, public, shared) &&
		key_schedule(shared, c, &a) &&
		crypt(true, &a, c, text, len, sealed + SEAL_KEY);

	OPENSSL_cleanse(shared, sizeof(shared));
	OPENSSL_cleanse(&a, sizeof(a));
	return good;
}

bool seal_to(const uint8_t public[SEAL_KEY], const struct seal_context *c, const void *text,
	     size_t len, uint8_t *sealed)
{
	uint8_t private[SEAL_KEY];
	bool good = seal_key(private, sealed) && seal_with(private, public, c, text, len, sealed);

	OPENSSL_cleanse(private, sizeof(private));
	return good;
}

bool seal_open(const uint8_t private[SEAL_KEY], const struct seal_context *c,
	       const uint8_t *sealed, size_t len, uint8_t *text)
{
	uint8_t public[SEAL_KEY], shared[HASH];
	struct aead a;
	bool good;

	if (len < SEAL_MORE)
		return false;
	good = public_of(private, public) &&
	       shared_secret(private, sealed, sealed, public, shared) &&
	       key_schedule(shared, c, &a) &&
	       crypt(false, &a, c, sealed + SEAL_KEY, len - SEAL_MORE, text);
	OPENSSL_cleanse(shared, sizeof(shared));
	OPENSSL_cleanse(&a, sizeof(a));
	return good;
}

/* --- a broker's secrets --- */

struct seal_context secret_context(uint8_t *aad, const uint8_t nonce[32], const char *name)
{
	size_t len = strlen(name);

	memcpy(aad, nonce, 32);
	memcpy(aad + 32, name, len);
	return (struct seal_context){ SECRET_INFO, strlen(SECRET_INFO), aad, 32 + len };
}

bool secret_name_good(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len && len < SECRET_NAME && !name[len];
}
