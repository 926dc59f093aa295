/* SPDX-License-Identifier: GPL-2.0 */
/* A TPM by the ESYS interface of tpm2-tss: what its users share. */
#ifndef ATTEST_ESYS_H
#define ATTEST_ESYS_H

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>
#include "userspace/attest/tpm.h"

struct tpm_context {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
};

/** tpm_open() - @tcti: of tpm2-tss, or NULL: its own choice.  Return: 0, or -1 after a message */
int tpm_open(struct tpm_context *t, const char *tcti);

/** tpm_close() */
void tpm_close(struct tpm_context *t);

/** tpm_failed() - say so.  Return: -1 */
int tpm_failed(const char *what, TSS2_RC rc);

#endif /* ATTEST_ESYS_H */
