/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's TPM, by tpm2-tss: quotes, and how its attestation key is enrolled. */
#ifndef ATTEST_TPM_H
#define ATTEST_TPM_H

#include <tss2/tss2_tpm2_types.h>
#include "userspace/attest/credential.h"

/** tpm_handle() - of a persistent key, as --ak has it.  Return: 0, or -1 after a message */
int tpm_handle(const char *text, uint32_t *handle);

/** tpm_key_digest() - SHA-256 of a public key as a policy's "aks" have it.  Return: is it one? */
bool tpm_key_digest(const TPMT_PUBLIC *public, uint8_t digest[SHA256_SIZE]);

/**
 * tpm_enroll() - the attestation key at a handle, made where there is none, and the certificate
 * of the TPM's endorsement key
 * Return: 0, or -1 after a message.
 */
int tpm_enroll(const char *tcti, uint32_t ak, struct enrolment *e);

/** tpm_answer() - open a credential.  Return: 0, or -1 after a message */
int tpm_answer(const char *tcti, uint32_t ak, const struct credential *c,
	       uint8_t out[CREDENTIAL_SECRET]);

/**
 * tpm_quote() - fill in ak, message, signature and PCRs of evidence
 * @e: its nonce and the bits of @e->pcrs are given
 * @tcti: of tpm2-tss, or NULL: its own choice
 * @ak: persistent handle of the attestation key
 *
 * Return: 0, or -1 after a message.
 */
int tpm_quote(struct evidence *e, const char *tcti, uint32_t ak);

#endif /* ATTEST_TPM_H */
