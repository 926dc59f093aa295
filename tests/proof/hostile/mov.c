// SPDX-License-Identifier: GPL-2.0
#include "tests/proof/hostile/root.h"
#include "vmx/cpu/mov.c"

void hostile(void)
{
	u8 insn[INSN_MAX];
	struct mov m;
	u32 i;

	for (i = 0; i < INSN_MAX; i++)
		insn[i] = any;
	for (i = 1; i <= INSN_MAX; i++)
		mov_decode(insn + INSN_MAX - i, i, &m);
}
