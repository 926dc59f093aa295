/* SPDX-License-Identifier: GPL-2.0 */
/* Jobs of Ed25519, done at one go. */
#ifndef TESTS_JOBS_H
#define TESTS_JOBS_H

#include "vmx/sign/ed25519.h"
#include "vmx/verify/verify.h"

static inline void key_of(struct ed25519_key *key, const u8 seed[32])
{
	ed25519_make_key(key, seed);
}

static inline void sign(struct ed25519_key *key, const void *message, u32 len, u8 signature[64])
{
	struct ed25519_job job;

	ed25519_sign(&job, key, message, len);
	while (ed25519_step(&job, signature))
		;
}

static inline bool verify(const u8 public[32], const void *message, u32 len,
			  const u8 signature[64])
{
	struct verify_job job;
	enum verify_result result = verify_begin(&job, public, message, len, signature);

	while (result == VERIFY_MORE)
		result = verify_step(&job);
	return result == VERIFY_GOOD;
}

#endif /* TESTS_JOBS_H */
