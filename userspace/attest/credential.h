/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The owner's half of an enrolment: is an attestation key in the TPM whose endorsement key a
 * certificate names?  A credential is made that this TPM alone can open, and only where the
 * key is in it, too (TPM 2.0 Library, part 1, chapter 24).  Needs no TPM.
 */
#ifndef ATTEST_CREDENTIAL_H
#define ATTEST_CREDENTIAL_H

#include "userspace/attest/evidence.h"

#define CREDENTIAL_SECRET	32

/* What a host hands over: bytes of a TPM, and nothing of it believed. */
struct enrolment {
	struct bytes certificate;	/* of the endorsement key, DER */
	struct bytes ak;		/* TPMT_PUBLIC of the attestation key */
};

/* What goes back: TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, both as they are marshalled. */
struct credential {
	struct bytes object, secret;
};

/** enrolment_free() */
void enrolment_free(struct enrolment *e);

/** credential_free() */
void credential_free(struct credential *c);

/**
 * enrolment_wrong() - may this endorsement key vouch for this attestation key?
 * @authorities: PEM file of those who certify endorsement keys, with all that is between
 * @ak: SHA-256 of the attestation key, as a policy's "aks" have it
 *
 * Return: NULL, or what is wrong.
 */
const char *enrolment_wrong(const struct enrolment *e, const char *authorities,
			    uint8_t ak[SHA256_SIZE]);

/** credential_make() - for a secret; behind enrolment_wrong().  Return: NULL, or what is wrong */
const char *credential_make(const struct enrolment *e, const uint8_t secret[CREDENTIAL_SECRET],
			    struct credential *c);

#endif /* ATTEST_CREDENTIAL_H */
