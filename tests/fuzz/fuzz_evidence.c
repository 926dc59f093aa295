// SPDX-License-Identifier: GPL-2.0
/* Evidence as an adversary may hand it over: the whole of verification, of any bytes. */
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* It has no reference value, so that nothing is to be accepted. */
static const char rules[] =
	"{\"format\":\"" POLICY_FORMAT "\",\"accept\":[\"unrooted\"],"
	"\"images\":[],\"configurations\":[],\"iommu\":[]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy policy;
	struct verify_result results[VERIFY_STEPS];
	uint8_t nonce[NONCE_SIZE] = { 0 };
	struct evidence e;
	json_object *json;

	if (!policy.json && policy_read(&policy, (const uint8_t *)rules, strlen(rules)))
		abort();
	if (verify_evidence(data, size, &policy, nonce, results))
		abort();
	if (!evidence_read(&e, data, size)) {
		json = evidence_json(&e);
		json_object_put(json);
	}
	evidence_free(&e);
	return 0;
}
