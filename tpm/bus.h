/* SPDX-License-Identifier: GPL-2.0 */
/* The two interfaces, beneath commands, and the registers beneath them. */
#ifndef TPM_BUS_H
#define TPM_BUS_H

#include "tpm/tpm.h"

/** tpm_load8() - a register's byte at @offset of the locality's page */
u8 tpm_load8(const struct tpm *t, u32 offset);

/** tpm_load32() - a register of four bytes */
u32 tpm_load32(const struct tpm *t, u32 offset);

/** tpm_store8() - see tpm_load8() */
void tpm_store8(const struct tpm *t, u32 offset, u8 value);

/** tpm_store32() - see tpm_load32() */
void tpm_store32(const struct tpm *t, u32 offset, u32 value);

/** tpm_be32() - four bytes, the most significant first, as a TPM has them */
static inline u32 tpm_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/** tpm_enter() - go on to a stage */
static inline enum tpm_result tpm_enter(struct tpm *t, enum tpm_stage stage)
{
	t->stage = stage;
	t->polls = 0;
	return TPM_MORE;
}

/** tis_poll() - one look; TPM_DONE: the answer is in the buffer, of @t->len bytes */
enum tpm_result tis_poll(struct tpm *t);

/** tis_release() - let the TPM forget the command, if any, and give up the locality */
void tis_release(struct tpm *t);

/** crb_poll() - see tis_poll() */
enum tpm_result crb_poll(struct tpm *t);

/** crb_release() - see tis_release() */
void crb_release(struct tpm *t);

/** crb_usable() - does its buffer lie in its own page? */
bool crb_usable(const struct tpm *t);

#endif /* TPM_BUS_H */
