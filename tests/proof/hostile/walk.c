// SPDX-License-Identifier: GPL-2.0
/* A walk of KVM's EPT. */
#include "tests/proof/hostile/root.h"
#include "ept/walk.c"

u64 ept_caps, address_mask;

void hostile(void)
{
	struct ept_walk w;

	ept_caps = any;
	address_mask = any;
	ept_walk(any, any, &w);
	ept_walk_below(any, any, 1, any, &w);
}
