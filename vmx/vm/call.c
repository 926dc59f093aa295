// SPDX-License-Identifier: GPL-2.0
/*
 * VMCALL by a protected VM's kernel or firmware: share memory with the host,
 * report what it loaded.
 */
#include "vmx/vm/protect.h"
#include "vmx/base/asm.h"
#include "vmx/abi/call.h"
#include "vmx/abi/errno.h"
#include "vmx/host/host.h"
#include "vmx/base/lib.h"
#include "vmx/vm/vcpu.h"
#include "vmx/vm/vm.h"
#include "ept/binding.h"
#include "ept/frames.h"

#define SHARE_MAX	16	/* pages a call: each is zeroed */

/* Copy from one private page of the VM.  Return: 0 or -UP_EINVAL */
static long read_private(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	u64 gfn = gpa >> PAGE_SHIFT, found = gfn, pfn, e;
	long err = -UP_EINVAL;

	if (gfn >= BINDING_GFNS || (gpa & (PAGE_SIZE - 1)) + len > PAGE_SIZE)
		return err;
	spin_lock(&frames_lock);
	if (binding_next(vm, &found, &pfn) && found == gfn) {
		e = frame_entry(pfn);
		if (FRAME_OWNER(e) == OWNER_VM0 + vm->id && FRAME_STATE(e) == FRAME_OWNED) {
			memcpy(buf, (u8 *)phys(pfn << PAGE_SHIFT) + (gpa & (PAGE_SIZE - 1)), len);
			err = 0;
		}
	}
	spin_unlock(&frames_lock);
	return err;
}

static long guest_share(struct vm *vm, u64 gfn, u64 count, int (*one)(struct vm *vm, u64 gfn))
{
	long err = 0;
	u64 i;

	if (!count || count > SHARE_MAX || gfn >= BINDING_GFNS)
		return -UP_EINVAL;
	for (i = 0; i < count && !err; i++)
		err = one(vm, gfn + i);
	return err;
}

/* Each report is made once: what was reported cannot be taken back. */
static long guest_report(struct vm *vm, u64 index, u64 gpa)
{
	long err;

	if (index >= UP_VM_REPORTS)
		return -UP_EINVAL;
	if (vm->reports & BIT(index))
		return -UP_EEXIST;
	err = read_private(vm, gpa, vm->report[index], 32);
	if (!err)
		vm->reports |= 1u << index;
	return err;
}

void protect_call(struct percpu *cpu, struct vcpu *v)
{
	struct vm *vm = v->vm;
	u64 b = cpu->gpr[RBX], c = cpu->gpr[RCX];
	long ret = -UP_ENOSYS;

	spin_lock(&vm->lock);
	switch (cpu->gpr[RAX]) {
	case UP_GUEST_PRESENT:
		cpu->gpr[RBX] = UP_ABI_VERSION;
		ret = 0;
		break;
	case UP_GUEST_SHARE:
		ret = guest_share(vm, b, c, vm_share_host);
		break;
	case UP_GUEST_UNSHARE:
		ret = guest_share(vm, b, c, vm_unshare_host);
		break;
	case UP_GUEST_REPORT:
		ret = guest_report(vm, b, c);
		break;
	}
	spin_unlock(&vm->lock);
	cpu->gpr[RAX] = (u64)ret;
	advance_rip();
}
