// SPDX-License-Identifier: GPL-2.0
/*
 * The host's half of an enrolment: an attestation key that lives in the TPM, the certificate of
 * its endorsement key, and a credential that only both together open (TCG EK Credential Profile).
 */
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include "userspace/attest/esys.h"
#include "userspace/cli/cli.h"

#define EK_CERTIFICATE	0x01c00002	/* index of the RSA 2048 one's */
#define CHUNK		512		/* which any TPM gives at once */
#define CERTIFICATE_MAX	4096

#define MADE_HERE	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | \
			 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_RESTRICTED)

/* Template L-1 of the profile: who has made another key gets another one than is certified. */
static const TPM2B_PUBLIC ek_template = {
	.publicArea = {
		.type = TPM2_ALG_RSA,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = MADE_HERE | TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_DECRYPT,
		/* PolicySecret of the endorsement hierarchy */
		.authPolicy = {
			.size = 32,
			.buffer = {
				0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8,
				0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
				0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64,
				0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
			},
		},
		.parameters.rsaDetail = {
			.symmetric = { TPM2_ALG_AES, { .aes = 128 }, { .aes = TPM2_ALG_CFB } },
			.scheme = { .scheme = TPM2_ALG_NULL },
			.keyBits = 2048,
		},
		.unique.rsa = { .size = 256 },
	},
};

static const TPM2B_PUBLIC ak_template = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = MADE_HERE | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT,
		.parameters.eccDetail = {
			.symmetric = { .algorithm = TPM2_ALG_NULL },
			.scheme = { TPM2_ALG_ECDSA, { .ecdsa = { TPM2_ALG_SHA256 } } },
			.curveID = TPM2_ECC_NIST_P256,
			.kdf = { .scheme = TPM2_ALG_NULL },
		},
	},
};

static const TPM2B_SENSITIVE_CREATE none;
static const TPML_PCR_SELECTION no_pcrs;
static const TPM2B_DATA nothing;

static TSS2_RC make(ESYS_CONTEXT *esys, const TPM2B_PUBLIC *template, ESYS_TR *key)
{
	return Esys_CreatePrimary(esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				  ESYS_TR_NONE, &none, template, &nothing, &no_pcrs, key, NULL,
				  NULL, NULL, NULL);
}

/* Where there is none yet it is made and stays. */
static int find_ak(ESYS_CONTEXT *esys, uint32_t handle, ESYS_TR *ak)
{
	ESYS_TR made;
	TSS2_RC rc;

	if (!Esys_TR_FromTPMPublic(esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ak))
		return 0;
	rc = make(esys, &ak_template, &made);
	if (rc)
		return tpm_failed("no attestation key can be made", rc);
	rc = Esys_EvictControl(esys, ESYS_TR_RH_OWNER, made, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			       ESYS_TR_NONE, handle, ak);
	Esys_FlushContext(esys, made);
	return rc ? tpm_failed("the attestation key cannot stay in the TPM", rc) : 0;
}

static int too_long(void)
{
	cli_error("the endorsement key's certificate has more than %d bytes", CERTIFICATE_MAX);
	return -1;
}

static int read_certificate(ESYS_CONTEXT *esys, ESYS_TR index, struct bytes *certificate)
{
	TPM2B_NV_PUBLIC *public;
	TPM2B_MAX_NV_BUFFER *part;
	uint16_t size, n;
	TSS2_RC rc;

	rc = Esys_NV_ReadPublic(esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public,
				NULL);
	if (rc)
		return tpm_failed("the endorsement key's certificate", rc);
	size = public->nvPublic.dataSize;
	Esys_Free(public);
	certificate->at = size <= CERTIFICATE_MAX ? malloc(size + 1u) : NULL;
	for (certificate->len = 0; certificate->at && certificate->len < size;
	     certificate->len += n) {
		n = size - certificate->len < CHUNK ? size - certificate->len : CHUNK;
		rc = Esys_NV_Read(esys, index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
				  n, certificate->len, &part);
		if (rc)
			return tpm_failed("the endorsement key's certificate", rc);
		memcpy(certificate->at + certificate->len, part->buffer, n);
		Esys_Free(part);
	}
	return certificate->at ? 0 : too_long();
}

static int request(ESYS_CONTEXT *esys, uint32_t handle, struct enrolment *e)
{
	uint8_t bytes[sizeof(TPMT_PUBLIC)];
	TPM2B_PUBLIC *public;
	size_t len = 0;
	ESYS_TR ak, index;
	TSS2_RC rc;

	if (find_ak(esys, handle, &ak))
		return -1;
	rc = Esys_ReadPublic(esys, ak, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public, NULL,
			     NULL);
	if (rc)
		return tpm_failed("the attestation key cannot be read", rc);
	rc = Tss2_MU_TPMT_PUBLIC_Marshal(&public->publicArea, bytes, sizeof(bytes), &len);
	Esys_Free(public);
	e->ak = (struct bytes){ rc ? NULL : malloc(len), len };
	if (!e->ak.at)
		return tpm_failed("the attestation key cannot be read", rc);
	memcpy(e->ak.at, bytes, len);
	rc = Esys_TR_FromTPMPublic(esys, EK_CERTIFICATE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				   &index);
	if (rc)
		return tpm_failed("the TPM has no certificate of its endorsement key (NV index 0x1c00002)",
			      rc);
	return read_certificate(esys, index, &e->certificate);
}

/* The endorsement key is used under its policy: whoever may use its hierarchy. */
static TSS2_RC open_session(ESYS_CONTEXT *esys, ESYS_TR *session)
{
	static const TPMT_SYM_DEF plain = { .algorithm = TPM2_ALG_NULL };
	TSS2_RC rc = Esys_StartAuthSession(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_POLICY, &plain,
					   TPM2_ALG_SHA256, session);

	if (rc)
		return rc;
	rc = Esys_PolicySecret(esys, ESYS_TR_RH_ENDORSEMENT, *session, ESYS_TR_PASSWORD,
			       ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL);
	if (rc)
		Esys_FlushContext(esys, *session);
	return rc;
}

static bool unmarshal(const struct credential *c, TPM2B_ID_OBJECT *object,
		      TPM2B_ENCRYPTED_SECRET *secret)
{
	size_t at = 0, secret_at = 0;

	return !Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(c->object.at, c->object.len, &at, object) &&
	       !Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(c->secret.at, c->secret.len, &secret_at,
							 secret) &&
	       at == c->object.len && secret_at == c->secret.len;
}

static int answer(ESYS_CONTEXT *esys, uint32_t handle, const struct credential *c,
		  uint8_t out[CREDENTIAL_SECRET])
{
	TPM2B_ENCRYPTED_SECRET secret;
	TPM2B_ID_OBJECT object;
	TPM2B_DIGEST *opened;
	ESYS_TR ak, ek, session;
	TSS2_RC rc;
	int err = -1;

	if (!unmarshal(c, &object, &secret)) {
		cli_error("the credential is malformed");
		return -1;
	}
	rc = Esys_TR_FromTPMPublic(esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &ak);
	if (rc)
		return tpm_failed("there is no attestation key at this handle", rc);
	rc = make(esys, &ek_template, &ek);
	if (rc)
		return tpm_failed("the endorsement key cannot be made", rc);
	rc = open_session(esys, &session);
	if (!rc) {
		rc = Esys_ActivateCredential(esys, ak, ek, ESYS_TR_PASSWORD, session, ESYS_TR_NONE,
					     &object, &secret, &opened);
		Esys_FlushContext(esys, session);
	}
	Esys_FlushContext(esys, ek);
	if (rc)
		return tpm_failed("the credential is for another TPM or another attestation key",
				  rc);
	if (opened->size == CREDENTIAL_SECRET) {
		memcpy(out, opened->buffer, CREDENTIAL_SECRET);
		err = 0;
	} else {
		cli_error("the credential has no secret of %d bytes", CREDENTIAL_SECRET);
	}
	Esys_Free(opened);
	return err;
}

int tpm_enroll(const char *tcti, uint32_t ak, struct enrolment *e)
{
	struct tpm_context t;
	int err;

	if (tpm_open(&t, tcti))
		return -1;
	err = request(t.esys, ak, e);
	tpm_close(&t);
	return err;
}

int tpm_answer(const char *tcti, uint32_t ak, const struct credential *c,
	       uint8_t out[CREDENTIAL_SECRET])
{
	struct tpm_context t;
	int err;

	if (tpm_open(&t, tcti))
		return -1;
	err = answer(t.esys, ak, c, out);
	tpm_close(&t);
	return err;
}
