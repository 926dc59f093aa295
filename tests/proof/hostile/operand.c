// SPDX-License-Identifier: GPL-2.0
#include "tests/proof/hostile/root.h"
#include "vmx/cpu/operand.c"

void hostile(void)
{
	struct operand op = { any, any, any, any, any, any, any };
	u64 la;

	operand_linear(&op, &la);
}
