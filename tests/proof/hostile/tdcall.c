// SPDX-License-Identifier: GPL-2.0
/* A guest's TDCALL: its opcode at each offset of a page, and leaves with any registers. */
#include "tests/proof/hostile/root.h"
#include "vmx/vm/tdcall.c"

u64 address_mask;

bool log_due(void)
{
	return any;
}

bool guest_read(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	memset(buf, any, len);
	return any;
}

void hostile(void)
{
	static struct vcpu v;
	static struct vm vm;
	u64 g[NR_GPRS], offset;
	u32 i, leaf;

	address_mask = (any & MASK(51, 12)) | BIT(51);
	/*@ loop unroll PAGE_SIZE; */
	for (offset = 0; offset < PAGE_SIZE; offset++)
		is_tdcall(&vm, (any & PAGE_MASK) + offset);
	for (leaf = 0; leaf < 10; leaf++) {
		v.vm = &vm;
		v.ghci.ve = any;
		for (i = 0; i < NR_GPRS; i++)
			g[i] = any;
		g[RAX] = leaf;
		call_leaf(&v, g);
	}
}
