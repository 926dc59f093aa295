// SPDX-License-Identifier: GPL-2.0
/* Each job of Ed25519 over the longest message; beneath callgrind, a dump for each piece. */
#include <stdio.h>
#include <valgrind/callgrind.h>
#include "jobs.h"

int main(void)
{
	static u8 message[ED25519_MESSAGE];
	u8 seed[32] = { 1 }, signature[64];
	struct ed25519_job job;
	struct ed25519_key key;
	struct verify_job check;
	enum verify_result result;
	bool more;

	CALLGRIND_ZERO_STATS;
	ed25519_make_key(&key, seed);
	CALLGRIND_DUMP_STATS_AT("key");
	CALLGRIND_ZERO_STATS;
	ed25519_sign(&job, &key, message, sizeof(message));
	CALLGRIND_DUMP_STATS_AT("signature");
	do {
		CALLGRIND_ZERO_STATS;
		more = ed25519_step(&job, signature);
		CALLGRIND_DUMP_STATS_AT("signature");
	} while (more);
	CALLGRIND_ZERO_STATS;
	result = verify_begin(&check, key.public, message, sizeof(message), signature);
	CALLGRIND_DUMP_STATS_AT("verification");
	while (result == VERIFY_MORE) {
		CALLGRIND_ZERO_STATS;
		result = verify_step(&check);
		CALLGRIND_DUMP_STATS_AT("verification");
	}
	return result != VERIFY_GOOD;
}
