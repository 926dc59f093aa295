// SPDX-License-Identifier: GPL-2.0
/* A protected VM's memory, as far as the layer reads it: see guestmem.h. */
#include "vmx/vm/guestmem.h"
#include "vmx/base/asm.h"
#include "vmx/base/lib.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/vmcs.h"
#include "ept/binding.h"
#include "ept/table.h"

#define PAGING_LEVELS	4	/* CR4.LA57 is none of the bits that a protected VM may set */

/* The @len bytes at @gpa, in one frame of that state, or NULL.  Holds frames_lock. */
static u8 *byte_at(struct vm *vm, u64 gpa, u64 len, u64 state)
{
	u64 gfn = gpa >> PAGE_SHIFT, pfn;
	const u64 *e = binding_entry(&vm->own, gfn);

	if (!e || (gpa & (PAGE_SIZE - 1)) + len > PAGE_SIZE)
		return NULL;
	pfn = (*e & EPT_ADDR) >> PAGE_SHIFT;
	if (!frame_owned_by(pfn, &vm->own, gfn) || FRAME_STATE(frame_entry(pfn)) != state)
		return NULL;
	return (u8 *)phys(pfn << PAGE_SHIFT) + (gpa & (PAGE_SIZE - 1));
}

bool guest_read(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	const u8 *from;

	spin_lock(&frames_lock);
	from = byte_at(vm, gpa, len, FRAME_OWNED);
	if (from)
		memcpy(buf, from, len);
	spin_unlock(&frames_lock);
	return from;
}

static bool write(struct vm *vm, u64 gpa, const void *buf, u64 len, u64 state)
{
	u8 *to;

	spin_lock(&frames_lock);
	to = byte_at(vm, gpa, len, state);
	if (to)
		memcpy(to, buf, len);
	spin_unlock(&frames_lock);
	return to;
}

bool guest_write(struct vm *vm, u64 gpa, const void *buf, u64 len)
{
	return write(vm, gpa, buf, len, FRAME_OWNED);
}

bool guest_write_shared(struct vm *vm, u64 gpa, const void *buf, u64 len)
{
	return write(vm, gpa, buf, len, FRAME_SHARED);
}

u64 guest_translate(struct vm *vm, u64 gva)
{
	u64 entry, table = vmread(VMCS_GUEST_CR3) & phys_mask(), offset;
	u32 level, shift;

	for (level = PAGING_LEVELS; level; level--) {
		shift = PAGE_SHIFT + 9 * (level - 1);
		if (!guest_read(vm, table | (gva >> shift & 511) << 3, &entry, sizeof(entry)) ||
		    !(entry & PTE_P))
			return NO_GPA;
		table = entry & phys_mask();
		offset = MASK(shift - 1, 0);
		if (level == 1 || (level < PAGING_LEVELS && (entry & PTE_PS)))
			return (table & ~offset) | (gva & offset);
	}
	return NO_GPA;
}
