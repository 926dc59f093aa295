// SPDX-License-Identifier: GPL-2.0
/* A walk of tables of L1's, on each processor. */
#include "tests/proof/hostile/root.h"
#include "vmx/cpu/paging.c"

void hostile(void)
{
	struct paging p = { any, any, any, any, any, any };
	u64 pa;
	u32 error;

	for (up_config.maxphyaddr = 32; up_config.maxphyaddr <= 52; up_config.maxphyaddr++)
		gva_walk(&p, any, any, &pa, &error);
}
