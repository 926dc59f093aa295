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
#include "vmx/vm/ghci.h"
#include "vmx/vm/guestmem.h"
#include "vmx/vm/report.h"
#include "ept/transition.h"

#define SHARE_MAX	16	/* pages a call: each is zeroed */

static long each_page(struct percpu *cpu, struct vm *vm, int (*one)(struct owner *o, u64 gfn))
{
	u64 gfn = cpu->gpr[RBX], count = cpu->gpr[RCX], i;
	long err = 0;

	if (vm->ghci)
		return -UP_EPERM;	/* MapGPA: it cannot reach by its number what it shares */
	if (!count || count > SHARE_MAX)
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

	if (index >= UP_VM_REPORTS)
		return -UP_EINVAL;
	if (vm->reports & BIT(index))
		return -UP_EEXIST;
	if (!guest_read(vm, cpu->gpr[RCX], vm->report[index_below(index, UP_VM_REPORTS)], 32))
		return -UP_EINVAL;
	vm->reports |= 1u << index;
	return 0;
}

static long guest_attest(struct percpu *cpu, struct vm *vm)
{
	return report_vm(vm, cpu->gpr[RBX], cpu->gpr[RCX]);
}

static long guest_ghci(struct percpu *cpu, struct vm *vm)
{
	long err = ghci_enable(vm, cpu->gpr[RBX]);

	if (!err)
		cpu->gpr[RBX] = vm->nvcpus;
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
