// SPDX-License-Identifier: GPL-2.0
/* Evidence and a policy: a secret, or a reason. */
#include <stdio.h>
#include <string.h>
#include "userspace/attest/verify.h"
#include "userspace/broker/answer.h"
#include "userspace/broker/nonce.h"
#include "userspace/broker/release.h"

static size_t refuse(char reason[REASON_SIZE], const char *step, const char *why)
{
	snprintf(reason, REASON_SIZE, "%s: %s", step, why);
	return 0;
}

/* Which nonce it says that it answers, and where it wants the secret; verified later. */
static const char *look(const uint8_t *text, size_t len, uint8_t nonce[NONCE_SIZE],
			uint8_t key[SEAL_KEY])
{
	struct evidence e;
	const char *wrong = evidence_read(&e, text, len);

	if (!wrong) {
		memcpy(nonce, e.nonce, NONCE_SIZE);
		memcpy(key, REPORT_BYTES(e.vm_report, data) + NONCE_SIZE, SEAL_KEY);
	}
	evidence_free(&e);
	return wrong;
}

static size_t appraise(const struct release *r, const char *name, const uint8_t *text, size_t len,
		       const uint8_t nonce[NONCE_SIZE], const uint8_t key[SEAL_KEY],
		       uint8_t *sealed, char reason[REASON_SIZE])
{
	struct verify_result results[VERIFY_STEPS], *step = results;
	uint8_t aad[SECRET_AAD];
	struct seal_context c = secret_context(aad, nonce, name);

	if (!verify_evidence(text, len, &r->policy, nonce, results)) {
		while (step->result != VERIFY_FAIL)
			step++;
		return refuse(reason, step->step, step->reason);
	}
	if (!seal_to(key, &c, r->secret, r->len, sealed))
		return refuse(reason, "seal", "the report has no X25519 key that can be used");
	return r->len + SEAL_MORE;
}

size_t answer_evidence(const char *folder, unsigned long lifetime, const char *name,
		       const uint8_t *text, size_t len, uint8_t *sealed,
		       char reason[REASON_SIZE])
{
	uint8_t nonce[NONCE_SIZE], key[SEAL_KEY];
	const char *wrong;
	struct release r;
	size_t done;

	if (!secret_name_good(name))
		return refuse(reason, "name", "a secret's name has 1 to 63 of a-z, 0-9 and -");
	wrong = look(text, len, nonce, key);
	if (wrong)
		return refuse(reason, "format", wrong);
	wrong = nonce_wrong(nonce, lifetime);
	if (wrong)
		return refuse(reason, "nonce", wrong);
	wrong = release_read(&r, folder, name);
	if (wrong)
		return refuse(reason, "policy", wrong);
	done = appraise(&r, name, text, len, nonce, key, sealed, reason);
	release_free(&r);
	return done;
}
