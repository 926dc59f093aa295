// SPDX-License-Identifier: GPL-2.0
/*
 * VMCALL by a protected VM's kernel or firmware: share memory with the host,
 * report what it loaded.
 */
#include "vmx/cpu/event.h"
#include "vmx/vm/protect.h"
#include "vmx/base/asm.h"
#include "vmx/abi/call.h"
#include "vmx/abi/errno.h"
#include "vmx/base/lib.h"
#include "vmx/vm/vcpu.h"
#include "vmx/vm/vm.h"
#include "ept/binding.h"
#include "ept/transition.h"

#define SHARE_MAX	16	/* pages a call: each is zeroed */

/* Copy from one private page of the VM.  Return: 0 or -UP_EINVAL */
static long read_private(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	u64 gfn = gpa >> PAGE_SHIFT, found = gfn, pfn;
	long err = -UP_EINVAL;

	if (gfn >= BINDING_GFNS || (gpa & (PAGE_SIZE - 1)) + len > PAGE_SIZE)
		return err;
	spin_lock(&frames_lock);
	if (binding_next(&vm->own, &found, &pfn) && found == gfn &&
	    frame_owned_by(pfn, &vm->own, gfn) && FRAME_STATE(frame_entry(pfn)) == FRAME_OWNED) {
		memcpy(buf, (u8 *)phys(pfn << PAGE_SHIFT) + (gpa & (PAGE_SIZE - 1)), len);
		err = 0;
	}
	spin_unlock(&frames_lock);
	return err;
}

static long each_page(struct percpu *cpu, struct vm *vm, int (*one)(struct owner *o, u64 gfn))
{
	u64 gfn = cpu->gpr[RBX], count = cpu->gpr[RCX], i;
	long err = 0;

	if (!count || count > SHARE_MAX || gfn >= BINDING_GFNS)
		return -UP_EINVAL;
	for (i = 0; i < count && !err; i++)
		err = one(&vm->own, gfn + i);
	return err;
}

static long guest_present(struct percpu *cpu, struct vm *vm)
{
	cpu->gpr[RBX] = UP_ABI_VERSION;
	return 0;
}

static long guest_share(struct percpu *cpu, struct vm *vm)
{
	return each_page(cpu, vm, vm_share_host);
}

static long guest_unshare(struct percpu *cpu, struct vm *vm)
{
	return each_page(cpu, vm, vm_unshare_host);
}

/* Each report is made once: what was reported cannot be taken back. */
static long guest_report(struct percpu *cpu, struct vm *vm)
{
	u64 index = cpu->gpr[RBX];
	long err;

	if (index >= UP_VM_REPORTS)
		return -UP_EINVAL;
	if (vm->reports & BIT(index))
		return -UP_EEXIST;
	err = read_private(vm, cpu->gpr[RCX], vm->report[index_below(index, UP_VM_REPORTS)], 32);
	if (!err)
		vm->reports |= 1u << index;
	return err;
}

static const struct {
	u32 op;
	long (*fn)(struct percpu *cpu, struct vm *vm);
} calls[] = {
#define UP_HOST_OP(name, number, fn)
#define UP_GUEST_OP(name, number, fn) { UP_GUEST_##name, fn },
#include "vmx/abi/calls.h"
};

void protect_call(struct percpu *cpu, struct vcpu *v)
{
	long ret = -UP_ENOSYS;
	u32 i;

	spin_lock(&v->vm->lock);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].op == cpu->gpr[RAX]) {
			ret = calls[i].fn(cpu, v->vm);
			break;
		}
	spin_unlock(&v->vm->lock);
	cpu->gpr[RAX] = (u64)ret;
	step_over();
}
