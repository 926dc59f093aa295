/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's TPM, by tpm2-tss: quotes. */
#ifndef ATTEST_TPM_H
#define ATTEST_TPM_H

#include "userspace/attest/evidence.h"

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
