// SPDX-License-Identifier: GPL-2.0
/* gfn -> pfn of a protected VM: see binding.h. */

#include "binding.h"
#include "mtrr.h"
#include "shadow.h"
#include "table.h"
#include "../vmx/asm.h"
#include "../vmx/errno.h"
#include "../vmx/vm.h"

u64 binding_root(struct vm *vm)
{
	if (!vm->gfn_root)
		vm->gfn_root = table_alloc();
	return vm->gfn_root;
}

u64 *binding_entry(const struct vm *vm, u64 gfn)
{
	u64 *e;

	if (!vm->gfn_root || gfn >= BINDING_GFNS)
		return NULL;
	e = ept_find(vm->gfn_root, gfn << PAGE_SHIFT, 1);
	return e && *e ? e : NULL;
}

int binding_set(struct vm *vm, u64 gfn, u64 pfn)
{
	u64 *e;

	if (!binding_root(vm))
		return -UP_ENOMEM;
	e = ept_slot(vm->gfn_root, gfn << PAGE_SHIFT, 1, table_alloc);
	if (!e)
		return -UP_ENOMEM;
	/* Write-back whatever the guest's PAT says: the frame is RAM. */
	ept_set(e, pfn << PAGE_SHIFT | EPT_TYPE(MEMTYPE_WB) | EPT_IPAT);
	return 0;
}

void binding_cut(struct vm *vm)
{
	vm->unmapped = true;
	if (vm->gfn_root)
		ept_park(vm->gfn_root);
}

bool binding_next(const struct vm *vm, u64 *gfn, u64 *pfn)
{
	u64 e, table, g = *gfn;
	u32 l;

	while (vm->gfn_root && g < BINDING_GFNS) {
		table = vm->gfn_root;
		for (l = EPT_LEVELS; ; l--) {
			e = ((u64 *)phys(table))[ept_index(g << PAGE_SHIFT, l)];
			if (!e || l == 1)
				break;
			table = e & EPT_ADDR;
		}
		if (e) {
			*gfn = g;
			*pfn = (e & EPT_ADDR) >> PAGE_SHIFT;
			return true;
		}
		g = ALIGN_DOWN(g, EPT_SPAN(l) >> PAGE_SHIFT) + (EPT_SPAN(l) >> PAGE_SHIFT);
	}
	return false;
}
