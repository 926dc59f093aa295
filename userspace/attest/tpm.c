// SPDX-License-Identifier: GPL-2.0
/* Quotes, by the ESYS interface of tpm2-tss. */
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include "userspace/attest/esys.h"
#include "userspace/cli/cli.h"

#define RSA_EXPONENT	65537	/* which a TPM writes as 0 */

/* --- the attestation key's public half, as PEM --- */

static EVP_PKEY *key_of(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY *key = NULL;

	if (context && params && EVP_PKEY_fromdata_init(context) == 1)
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(context);
	return key;
}

static EVP_PKEY *rsa_key(const TPMT_PUBLIC *p)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(p->unique.rsa.buffer, p->unique.rsa.size, NULL);
	EVP_PKEY *key;

	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_ulong(build, OSSL_PKEY_PARAM_RSA_E,
				  p->parameters.rsaDetail.exponent ?
				  p->parameters.rsaDetail.exponent : RSA_EXPONENT);
	key = key_of("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	return key;
}

/* A coordinate without its leading zeros, to the width that a point has. */
static void put_padded(uint8_t *to, size_t width, const TPM2B_ECC_PARAMETER *from)
{
	if (from->size <= width)
		memcpy(to + width - from->size, from->buffer, from->size);
}

static EVP_PKEY *ecc_key(const TPMT_PUBLIC *p)
{
	bool p384 = p->parameters.eccDetail.curveID == TPM2_ECC_NIST_P384;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	size_t width = p384 ? 48 : 32;
	uint8_t point[97] = { 4 };
	EVP_PKEY *key;

	put_padded(point + 1, width, &p->unique.ecc.x);
	put_padded(point + 1 + width, width, &p->unique.ecc.y);
	OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
					p384 ? "P-384" : "P-256", 0);
	OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * width);
	key = key_of("EC", build);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static EVP_PKEY *key_from(const TPMT_PUBLIC *p)
{
	if (p->type == TPM2_ALG_RSA)
		return rsa_key(p);
	return p->type == TPM2_ALG_ECC ? ecc_key(p) : NULL;
}

static char *pem_of(const TPMT_PUBLIC *p)
{
	EVP_PKEY *key = key_from(p);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *pem = NULL;
	long len;

	if (key && bio && PEM_write_bio_PUBKEY(bio, key) == 1) {
		len = BIO_get_mem_data(bio, &text);
		pem = strndup(text, (size_t)len);
	}
	BIO_free(bio);
	EVP_PKEY_free(key);
	return pem;
}

/* --- what the TPM does --- */

int tpm_failed(const char *what, TSS2_RC rc)
{
	cli_error("%s: the TPM or its driver says 0x%x (tpm2_rc_decode explains it)", what, rc);
	return -1;
}

static int read_pcrs(ESYS_CONTEXT *esys, struct evidence *e)
{
	TPML_PCR_SELECTION select = { .count = 1, .pcrSelections[0] = { TPM2_ALG_SHA256, 3 } };
	TPML_DIGEST *values;
	uint32_t i, counter;
	TSS2_RC rc;

	for (i = 0; i < EVIDENCE_PCRS; i++) {
		if (!(e->pcrs >> i & 1))
			continue;
		memset(select.pcrSelections[0].pcrSelect, 0, 3);
		select.pcrSelections[0].pcrSelect[i / 8] = 1 << i % 8;
		rc = Esys_PCR_Read(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &select,
				   &counter, NULL, &values);
		if (rc)
			return tpm_failed("PCRs cannot be read", rc);
		if (values->count != 1 || values->digests[0].size != SHA256_SIZE) {
			Esys_Free(values);
			cli_error("the TPM keeps no SHA-256 PCRs: switch that bank on in the firmware's setup");
			return -1;
		}
		memcpy(e->pcr[i], values->digests[0].buffer, SHA256_SIZE);
		Esys_Free(values);
	}
	return 0;
}

static int keep(struct bytes *to, const void *bytes, size_t len)
{
	to->at = malloc(len + 1);
	if (!to->at)
		return -1;
	memcpy(to->at, bytes, len);
	to->len = len;
	return 0;
}

static int quote(ESYS_CONTEXT *esys, ESYS_TR ak, struct evidence *e)
{
	TPML_PCR_SELECTION select = { .count = 1, .pcrSelections[0] = { TPM2_ALG_SHA256, 3 } };
	TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	TPM2B_DATA nonce = { .size = NONCE_SIZE };
	uint8_t bytes[sizeof(TPMT_SIGNATURE)];
	TPMT_SIGNATURE *signature;
	TPM2B_ATTEST *message;
	size_t len = 0;
	TSS2_RC rc;
	int err, i;

	for (i = 0; i < 3; i++)
		select.pcrSelections[0].pcrSelect[i] = e->pcrs >> 8 * i & 0xff;
	memcpy(nonce.buffer, e->nonce, NONCE_SIZE);
	rc = Esys_Quote(esys, ak, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &nonce, &scheme,
			&select, &message, &signature);
	if (rc)
		return tpm_failed("the TPM does not quote", rc);
	rc = Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes, sizeof(bytes), &len);
	err = rc ? tpm_failed("the quote's signature", rc) : 0;
	if (!err)
		err = keep(&e->message, message->attestationData, message->size);
	if (!err)
		err = keep(&e->signature, bytes, len);
	Esys_Free(message);
	Esys_Free(signature);
	return err;
}

static int with_key(ESYS_CONTEXT *esys, uint32_t handle, struct evidence *e)
{
	TPM2B_PUBLIC *public;
	ESYS_TR ak;
	TSS2_RC rc;

	rc = Esys_TR_FromTPMPublic(esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &ak);
	if (rc)
		return tpm_failed("there is no attestation key at this handle", rc);
	rc = Esys_ReadPublic(esys, ak, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public, NULL,
			     NULL);
	if (rc)
		return tpm_failed("the attestation key cannot be read", rc);
	e->ak = pem_of(&public->publicArea);
	Esys_Free(public);
	if (!e->ak) {
		cli_error("the attestation key is neither RSA nor of a NIST curve: make another one");
		return -1;
	}
	return read_pcrs(esys, e) || quote(esys, ak, e) ? -1 : 0;
}

int tpm_handle(const char *text, uint32_t *handle)
{
	char *end;

	*handle = (uint32_t)strtoul(text, &end, 0);
	if (!*end && *handle >> 24 == 0x81)
		return 0;
	cli_usage_error("--ak: \"%s\" is not a handle such as 0x81010002", text);
	return -1;
}

bool tpm_key_digest(const TPMT_PUBLIC *public, uint8_t digest[SHA256_SIZE])
{
	EVP_PKEY *key = key_from(public);
	uint8_t *der = NULL;
	int len = key ? i2d_PUBKEY(key, &der) : 0;

	if (len > 0)
		attest_sha256(der, (size_t)len, digest);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	return len > 0;
}

int tpm_open(struct tpm_context *t, const char *tcti)
{
	TSS2_RC rc = Tss2_TctiLdr_Initialize(tcti, &t->tcti);

	if (rc)
		return tpm_failed("no TPM can be reached: is there a /dev/tpmrm0, and is it yours?",
			      rc);
	rc = Esys_Initialize(&t->esys, t->tcti, NULL);
	if (!rc)
		return 0;
	Tss2_TctiLdr_Finalize(&t->tcti);
	return tpm_failed("the TPM cannot be used", rc);
}

void tpm_close(struct tpm_context *t)
{
	Esys_Finalize(&t->esys);
	Tss2_TctiLdr_Finalize(&t->tcti);
}

int tpm_quote(struct evidence *e, const char *tcti, uint32_t ak)
{
	struct tpm_context t;
	int err;

	if (tpm_open(&t, tcti))
		return -1;
	e->quoted = true;
	err = with_key(t.esys, ak, e);
	tpm_close(&t);
	return err;
}
