/* SPDX-License-Identifier: GPL-2.0 */
/* Jobs of Ed25519, done at one go. */
#ifndef TESTS_JOBS_H
#define TESTS_JOBS_H

#include "vmx/sign/ed25519.h"

static inline enum ed25519_result run_job(struct ed25519_job *job)
{
	enum ed25519_result result;

	do {
		result = ed25519_step(job);
	} while (result == ED25519_MORE);
	return result;
}

static inline void key_of(struct ed25519_key *key, const u8 seed[32])
{
	struct ed25519_job job;

	ed25519_make_key(&job, key, seed);
	run_job(&job);
}

static inline void sign(struct ed25519_key *key, const void *message, u32 len, u8 signature[64])
{
	struct ed25519_job job;

	ed25519_sign(&job, key, message, len, signature);
	run_job(&job);
}

static inline bool verify(const u8 public[32], const void *message, u32 len,
			  const u8 signature[64])
{
	struct ed25519_job job;

	if (ed25519_verify(&job, public, message, len, signature) == ED25519_BAD)
		return false;
	return run_job(&job) == ED25519_DONE;
}

#endif /* TESTS_JOBS_H */
