/* SPDX-License-Identifier: GPL-2.0 */
/* What a verifier accepts: its reference values and its appraisal policy (RFC 9334). */
#ifndef ATTEST_POLICY_H
#define ATTEST_POLICY_H

#include "userspace/attest/attest.h"

#define POLICY_FORMAT	"underpin-attest-policy-1"

struct policy {
	json_object *json;
};

/** policy_read() - Return: NULL, or what is wrong; then there is nothing to free */
const char *policy_read(struct policy *p, const uint8_t *text, size_t len);

/** policy_free() */
void policy_free(struct policy *p);

/** policy_lists() - is this text in the list @name? */
bool policy_lists(const struct policy *p, const char *name, const char *text);

/** policy_has() - does it have this member? */
bool policy_has(const struct policy *p, const char *name);

/** policy_lists_bytes() - is the hexadecimal form of these bytes in the list @name? */
bool policy_lists_bytes(const struct policy *p, const char *name, const uint8_t *bytes,
			size_t len);

/** policy_pcrs() - the PCRs that it has reference values of, a bit each */
uint32_t policy_pcrs(const struct policy *p);

/** policy_has_pcr() - is this one of a PCR's reference values? */
bool policy_has_pcr(const struct policy *p, uint32_t pcr, const uint8_t value[SHA256_SIZE]);

/** policy_reports() - the digests reported by a VM that it has reference values of */
uint32_t policy_reports(const struct policy *p);

/** policy_has_report() - is this one of their reference values? */
bool policy_has_report(const struct policy *p, uint32_t index, const uint8_t value[SHA256_SIZE]);

/** policy_clock() - is this what @name of "clock" must be?  True if it is not asked for */
bool policy_clock(const struct policy *p, const char *name, int64_t value);

#endif /* ATTEST_POLICY_H */
