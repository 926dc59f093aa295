// SPDX-License-Identifier: GPL-2.0
/* See credential.h. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include "userspace/attest/credential.h"
#include "userspace/attest/tpm.h"

#define NAME_SIZE	(2 + SHA256_SIZE)	/* algorithm and digest */
#define RSA_BITS	2048
#define AES_KEY		16
#define LABEL		"IDENTITY"		/* of OAEP, with its NUL */

/* It signs what the TPM says alone, was made there, and never leaves it. */
#define AK_NEEDS	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | \
			 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_RESTRICTED | \
			 TPMA_OBJECT_SIGN_ENCRYPT)

void enrolment_free(struct enrolment *e)
{
	free(e->certificate.at);
	free(e->ak.at);
	memset(e, 0, sizeof(*e));
}

void credential_free(struct credential *c)
{
	free(c->object.at);
	free(c->secret.at);
	memset(c, 0, sizeof(*c));
}

static X509 *read_certificate(const struct enrolment *e)
{
	const uint8_t *at = e->certificate.at;

	/* A TPM's index may have zeros behind it. */
	return d2i_X509(NULL, &at, (long)e->certificate.len);
}

/* Its purpose is none that OpenSSL knows of: by whom it is signed counts, and until when. */
static bool certified(X509 *certificate, const char *authorities)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	bool good = store && context && X509_STORE_load_file(store, authorities) == 1 &&
		    X509_STORE_CTX_init(context, store, certificate, NULL) == 1 &&
		    X509_verify_cert(context) == 1;

	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	ERR_clear_error();
	return good;
}

static bool read_ak(const struct enrolment *e, TPMT_PUBLIC *ak)
{
	size_t at = 0;

	return !Tss2_MU_TPMT_PUBLIC_Unmarshal(e->ak.at, e->ak.len, &at, ak) && at == e->ak.len;
}

static const char *ak_wrong(const struct enrolment *e, uint8_t digest[SHA256_SIZE])
{
	TPMT_PUBLIC ak;

	if (!read_ak(e, &ak))
		return "the attestation key is malformed";
	if (ak.nameAlg != TPM2_ALG_SHA256)
		return "the attestation key's name is none of SHA-256";
	if ((ak.objectAttributes & AK_NEEDS) != AK_NEEDS ||
	    ak.objectAttributes & TPMA_OBJECT_DECRYPT)
		return "the attestation key must be restricted, a signer, fixed to its TPM";
	return tpm_key_digest(&ak, digest) ? NULL :
		"the attestation key is neither RSA nor of a NIST curve";
}

static const char *certificate_wrong(const struct enrolment *e, const char *authorities)
{
	X509 *certificate = read_certificate(e);
	EVP_PKEY *ek = certificate ? X509_get0_pubkey(certificate) : NULL;
	const char *wrong = NULL;

	if (!ek)
		wrong = "the endorsement key's certificate is malformed";
	else if (!EVP_PKEY_is_a(ek, "RSA") || EVP_PKEY_get_bits(ek) != RSA_BITS)
		wrong = "the endorsement key is not RSA of 2048 bits";
	else if (!certified(certificate, authorities))
		wrong = "none of these authorities has certified the endorsement key";
	X509_free(certificate);
	ERR_clear_error();
	return wrong;
}

const char *enrolment_wrong(const struct enrolment *e, const char *authorities,
			    uint8_t ak[SHA256_SIZE])
{
	const char *wrong = certificate_wrong(e, authorities);

	return wrong ? wrong : ak_wrong(e, ak);
}

/* --- TPM2_MakeCredential, by hand --- */

/* KDFa (part 1, 11.4.10.2), of one block at most: @bits up to 256. */
static bool derive(const uint8_t seed[SHA256_SIZE], const char *label, const uint8_t *context,
		   size_t context_len, uint32_t bits, uint8_t key[SHA256_SIZE])
{
	uint8_t text[4 + 16 + NAME_SIZE + 4] = { 0, 0, 0, 1 };
	size_t len = strlen(label) + 1, at = 4 + len;

	memcpy(text + 4, label, len);
	if (context_len)
		memcpy(text + at, context, context_len);
	at += context_len;
	memcpy(text + at, (uint8_t[]){ 0, 0, (uint8_t)(bits >> 8), (uint8_t)bits }, 4);
	return HMAC(EVP_sha256(), seed, SHA256_SIZE, text, at + 4, key, NULL);
}

static bool encrypt(const uint8_t key[AES_KEY], uint8_t *text, int len)
{
	static const uint8_t iv[16];
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int done = 0;
	bool good = context &&
		    EVP_EncryptInit_ex(context, EVP_aes_128_cfb128(), NULL, key, iv) == 1 &&
		    EVP_EncryptUpdate(context, text, &done, text, len) == 1 && done == len;

	EVP_CIPHER_CTX_free(context);
	return good;
}

/* The seed, for the endorsement key alone: a TPM2B_ENCRYPTED_SECRET. */
static bool seal_seed(const struct enrolment *e, const uint8_t seed[SHA256_SIZE],
		      struct bytes *sealed)
{
	X509 *certificate = read_certificate(e);
	EVP_PKEY *ek = certificate ? X509_get0_pubkey(certificate) : NULL;
	EVP_PKEY_CTX *context = ek ? EVP_PKEY_CTX_new(ek, NULL) : NULL;
	uint8_t *label = OPENSSL_memdup(LABEL, sizeof(LABEL));
	size_t len = RSA_BITS / 8;
	bool good;

	sealed->len = 2 + len;
	sealed->at = malloc(sealed->len);
	good = context && label && sealed->at && EVP_PKEY_encrypt_init(context) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
	       EVP_PKEY_CTX_set0_rsa_oaep_label(context, label, sizeof(LABEL)) == 1;
	if (good)
		label = NULL;	/* the context's own */
	good = good && EVP_PKEY_encrypt(context, sealed->at + 2, &len, seed, SHA256_SIZE) == 1;
	if (good)
		memcpy(sealed->at, (uint8_t[]){ (uint8_t)(len >> 8), (uint8_t)len }, 2);
	OPENSSL_free(label);
	EVP_PKEY_CTX_free(context);
	X509_free(certificate);
	ERR_clear_error();
	return good;
}

/* TPM2B_ID_OBJECT: size, HMAC with its size, then the secret with its size, encrypted. */
static bool seal_secret(const struct enrolment *e, const uint8_t seed[SHA256_SIZE],
			const uint8_t secret[CREDENTIAL_SECRET], struct bytes *object)
{
	uint8_t name[NAME_SIZE] = { TPM2_ALG_SHA256 >> 8, TPM2_ALG_SHA256 & 0xff };
	uint8_t text[2 + CREDENTIAL_SECRET + NAME_SIZE] = { 0, CREDENTIAL_SECRET };
	uint8_t key[SHA256_SIZE], mac[SHA256_SIZE];
	const size_t identity = 2 + CREDENTIAL_SECRET;
	uint8_t *p;

	attest_sha256(e->ak.at, e->ak.len, name + 2);
	memcpy(text + 2, secret, CREDENTIAL_SECRET);
	if (!derive(seed, "STORAGE", name, sizeof(name), 8 * AES_KEY, key) ||
	    !encrypt(key, text, (int)identity))
		return false;
	memcpy(text + identity, name, sizeof(name));
	if (!derive(seed, "INTEGRITY", NULL, 0, 8 * SHA256_SIZE, key) ||
	    !HMAC(EVP_sha256(), key, sizeof(key), text, sizeof(text), mac, NULL))
		return false;
	object->len = 2 + 2 + sizeof(mac) + identity;
	object->at = p = malloc(object->len);
	if (!p)
		return false;
	memcpy(p, (uint8_t[]){ 0, (uint8_t)(object->len - 2), 0, sizeof(mac) }, 4);
	memcpy(p + 4, mac, sizeof(mac));
	memcpy(p + 4 + sizeof(mac), text, identity);
	return true;
}

const char *credential_make(const struct enrolment *e, const uint8_t secret[CREDENTIAL_SECRET],
			    struct credential *c)
{
	uint8_t seed[SHA256_SIZE];
	bool good = RAND_priv_bytes(seed, sizeof(seed)) == 1 && seal_seed(e, seed, &c->secret) &&
		    seal_secret(e, seed, secret, &c->object);

	OPENSSL_cleanse(seed, sizeof(seed));
	return good ? NULL : "OpenSSL does not make the credential";
}
