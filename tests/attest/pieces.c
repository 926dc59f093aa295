// SPDX-License-Identifier: GPL-2.0
/* Each job of Ed25519 over the longest message; beneath callgrind, a dump for each piece. */
#include <stdio.h>
#include <valgrind/callgrind.h>
#include "jobs.h"

static void steps(struct ed25519_job *job, const char *name)
{
	enum ed25519_result result;

	do {
		CALLGRIND_ZERO_STATS;
		result = ed25519_step(job);
		CALLGRIND_DUMP_STATS_AT(name);
	} while (result == ED25519_MORE);
}

int main(void)
{
	static u8 message[ED25519_MESSAGE];
	u8 seed[32] = { 1 }, signature[64];
	enum ed25519_result result;
	struct ed25519_job job;
	struct ed25519_key key;

	CALLGRIND_ZERO_STATS;
	ed25519_make_key(&job, &key, seed);
	CALLGRIND_DUMP_STATS_AT("key");
	steps(&job, "key");
	CALLGRIND_ZERO_STATS;
	ed25519_sign(&job, &key, message, sizeof(message), signature);
	CALLGRIND_DUMP_STATS_AT("signature");
	steps(&job, "signature");
	CALLGRIND_ZERO_STATS;
	result = ed25519_verify(&job, key.public, message, sizeof(message), signature);
	CALLGRIND_DUMP_STATS_AT("verification");
	steps(&job, "verification");
	return result == ED25519_BAD;
}
