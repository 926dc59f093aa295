/* SPDX-License-Identifier: GPL-2.0 */
/* What a broker answers to evidence. */
#ifndef BROKER_ANSWER_H
#define BROKER_ANSWER_H

#include "userspace/attest/seal.h"

#define REASON_SIZE	256

/**
 * answer_evidence() - verify it as "underpin attest verify" does, and seal a secret
 * @folder: of policies and secrets; @lifetime: of a nonce, in seconds
 * @name: of the secret, as whoever asks has it
 * @sealed: SECRET_MAX + SEAL_MORE bytes
 * @reason: of a refusal
 *
 * Return: how many bytes are sealed, or 0: refused.
 */
size_t answer_evidence(const char *folder, unsigned long lifetime, const char *name,
		       const uint8_t *text, size_t len, uint8_t *sealed,
		       char reason[REASON_SIZE]);

#endif /* BROKER_ANSWER_H */
