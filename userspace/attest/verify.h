/* SPDX-License-Identifier: GPL-2.0 */
/* Verification of evidence: a list of steps, each with its reason. */
#ifndef ATTEST_VERIFY_H
#define ATTEST_VERIFY_H

#include "userspace/attest/evidence.h"
#include "userspace/attest/policy.h"

struct verify_result {
	const char *step;
	const char *reason;	/* what it was compared with, or why it fails */
	enum { VERIFY_PASS, VERIFY_FAIL, VERIFY_SKIP } result;
};

/**
 * verify_evidence() - all steps, up to the first that fails
 * @text: @len: the evidence, as it came
 * @results: a row for each step, ended by one without name
 *
 * Needs no TPM and no privilege, and writes nothing.
 *
 * Return: how it is rooted ("strong", "firmware", "weak", "unrooted"), or NULL: rejected.
 */
const char *verify_evidence(const uint8_t *text, size_t len, const struct policy *policy,
			    const uint8_t nonce[NONCE_SIZE], struct verify_result *results);

#define VERIFY_STEPS	40

#endif /* ATTEST_VERIFY_H */
