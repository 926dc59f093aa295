// SPDX-License-Identifier: GPL-2.0
/* A protected VM's memory at each offset of a page. */
#include "tests/proof/hostile/root.h"
#include "vmx/vm/guestmem.c"

u64 address_mask;
static u64 entry;

u64 *binding_entry(const struct owner *o, u64 gfn)
{
	entry = any;
	return any ? &entry : NULL;
}

bool frame_owned_by(u64 pfn, const struct owner *o, u64 gfn)
{
	return any;
}

void hostile(void)
{
	static struct vm vm;
	static u8 buf[64];
	u64 offset;

	address_mask = any & PAGE_MASK;
	guest_translate(&vm, any);
	/*@ loop unroll PAGE_SIZE; */
	for (offset = 0; offset < PAGE_SIZE; offset++)
		guest_read(&vm, (any & PAGE_MASK) + offset, buf, sizeof(buf));
}
