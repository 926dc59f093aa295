// SPDX-License-Identifier: GPL-2.0
/* A TPM's registers. */
#include "tpm/bus.h"

u8 tpm_load8(const struct tpm *t, u32 offset)
{
	return t->regs[offset];
}

u32 tpm_load32(const struct tpm *t, u32 offset)
{
	return *(volatile u32 *)(t->regs + offset);
}

void tpm_store8(const struct tpm *t, u32 offset, u8 value)
{
	t->regs[offset] = value;
}

void tpm_store32(const struct tpm *t, u32 offset, u32 value)
{
	*(volatile u32 *)(t->regs + offset) = value;
}
