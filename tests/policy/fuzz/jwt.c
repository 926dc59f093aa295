// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as an assertion; and any bytes as the claims of one that is signed,
 * so that what lies behind the signature is reached too.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vrm/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EVP_PKEY *signer;
static struct jwt_keys *key;

static void setup(void)
{
	static const uint8_t seed[32] = { 1 };
	char path[] = "/tmp/jwt-fuzz-XXXXXX";
	struct pol_err e;
	FILE *f;

	signer = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	f = fdopen(mkstemp(path), "w");
	if (!f || PEM_write_PUBKEY(f, signer) != 1 || fclose(f))
		abort();
	key = jwt_keys_load(path, &e);
	unlink(path);
	if (!key)
		abort();
}

static size_t b64url(const uint8_t *in, size_t n, char *out)
{
	size_t len = EVP_EncodeBlock((unsigned char *)out, in, n), i;

	for (i = 0; i < len; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	while (len && out[len - 1] == '=')
		len--;
	out[len] = 0;
	return len;
}

static void signed_claims(const uint8_t *data, size_t size, char *token)
{
	static const char header[] = "{\"alg\":\"EdDSA\"}";
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = b64url((const uint8_t *)header, sizeof(header) - 1, token), sn = 64;
	uint8_t sig[64];

	token[n++] = '.';
	n += b64url(data, size, token + n);
	if (EVP_DigestSignInit(c, NULL, NULL, NULL, signer) != 1 ||
	    EVP_DigestSign(c, sig, &sn, (uint8_t *)token, n) != 1)
		abort();
	token[n++] = '.';
	b64url(sig, 64, token + n);
	EVP_MD_CTX_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char token[16384];
	const struct jwt_rules rules = { "i", "a", 1000, 30 };
	struct pol_err e = { "" };
	struct jwt out;

	if (!signer)
		setup();
	if (size < 1 || size > 5000)
		return 0;
	if (data[0] & 1) {
		signed_claims(data + 1, size - 1, token);
	} else {
		memcpy(token, data + 1, size - 1);
		token[size - 1] = 0;
	}
	if (jwt_verify(token, key, &rules, &out, &e)) {
		if (!e.msg[0])
			abort();
	} else if (!(data[0] & 1) && !strchr(token, '.')) {
		abort();
	}
	jwt_free(&out);
	return 0;
}
