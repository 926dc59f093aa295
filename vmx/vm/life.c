// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a protected VM: given frames and vCPUs by the host, ended, taken apart.
 * After every call the host may do what it likes; nothing here relies on an order that
 * it was asked to keep.
 *
 * A page that the host names is checked to be the host's once.  It stays harmless for
 * the rest of the call: a change of owner completes only when this CPU has flushed,
 * too, and it does so on its way out.
 */
#include "vmx/vm/vm.h"
#include "vmx/vm/call.h"
#include "vmx/vm/protect.h"
#include "vmx/vm/ticket.h"
#include "vmx/vm/vcpu.h"
#include "vmx/abi/errno.h"
#include "vmx/base/asm.h"
#include "vmx/vmcs/vvmcs.h"
#include "ept/protected.h"
#include "ept/transition.h"

#define DONATIONS_MAX	(PAGE_SIZE / sizeof(struct up_donation))
#define RECLAIM_MAX	32	/* frames zeroed by one call */

long call_vm_donate(struct percpu *cpu)
{
	const struct up_donation *list = host_page(cpu->gpr[RCX]);
	u64 count = cpu->gpr[RDX], i, at;
	struct up_donation d;
	struct vm *vm;
	long err = 0;

	if (!list || count > DONATIONS_MAX)
		return -UP_EINVAL;
	vm = vm_lock(cpu->gpr[RBX]);
	if (!vm)
		return -UP_ENOENT;
	for (i = 0; i < count; i++) {
		/* What lies behind the last entry is another's frame (Spectre v1). */
		at = index_below(i, DONATIONS_MAX);
		d.pfn = READ_ONCE(list[at].pfn);
		d.gfn = READ_ONCE(list[at].gfn);
		if (d.pfn == cpu->gpr[RCX])
			err = -UP_EINVAL;
		else if (!ticket_has_room(vm))
			err = -UP_EPERM;
		else
			err = host_donate_vm(&vm->own, d.pfn, d.gfn);
		if (err)
			break;
	}
	vm_unlock(vm);
	cpu->gpr[RBX] = i;
	return err;
}

/* The VMCS that is current on this CPU becomes the VM's next vCPU. */
static long bind_vcpu(struct percpu *cpu, struct vm *vm)
{
	struct vvmcs *vv = cpu->nested.current;
	struct vcpu *v;
	int err;

	if (vm->own.state != UP_VM_BUILDING)
		return -UP_EBUSY;
	if (!vv)
		return -UP_ENOENT;
	if (vm->nvcpus >= UP_VM_MAX_VCPUS)
		return -UP_ENOSPC;
	v = vcpu_alloc(vm, vv);
	if (!v)
		return -UP_ENOMEM;
	err = vvmcs_bind(cpu, vv, v);
	if (err) {
		vcpu_free(v);
		return err;
	}
	v->index = vm->nvcpus;
	vmptrld(vv->vmcs02_pa);
	protect_bind(v);
	vmptrld(cpu->vmcs01_pa);
	vm->vcpu[vm->nvcpus++] = v;
	return 0;
}

long call_vm_bind_vcpu(struct percpu *cpu)
{
	struct vm *vm = vm_lock(cpu->gpr[RBX]);
	long err;

	if (!vm)
		return -UP_ENOENT;
	err = bind_vcpu(cpu, vm);
	cpu->gpr[RBX] = vm->nvcpus - 1;
	vm_unlock(vm);
	return err;
}

long call_vm_kill(struct percpu *cpu)
{
	struct vm *vm = vm_lock(cpu->gpr[RBX]);

	if (!vm)
		return -UP_ENOENT;
	vm_kill(vm, "by the host");
	vm_unlock(vm);
	return 0;
}

/* Frames go back one by one, zeroed, once every CPU has flushed. */
static long reclaim(struct vm *vm, u64 *list, u64 max, u64 *done)
{
	u64 gfn, pfn;
	int err;

	*done = 0;
	if (vm->own.state != UP_VM_DEAD)
		return -UP_EBUSY;
	while (*done < max && *done < RECLAIM_MAX) {
		gfn = vm->gfn_cursor;
		if (!vm_next_frame(vm, &gfn, &pfn))
			return 0;
		err = vm_return_host(&vm->own, gfn, &pfn);
		if (err)
			return *done ? 0 : err;
		vm->gfn_cursor = gfn + 1;
		list[(*done)++] = pfn;
	}
	return 0;
}

long call_vm_reclaim(struct percpu *cpu)
{
	u64 *list = host_page(cpu->gpr[RCX]);
	u64 max = cpu->gpr[RDX], done;
	struct vm *vm;
	long err;

	if (!list || !max || max > PAGE_SIZE / 8)
		return -UP_EINVAL;
	vm = vm_lock(cpu->gpr[RBX]);
	if (!vm)
		return -UP_ENOENT;
	err = reclaim(vm, list, max, &done);
	vm_unlock(vm);
	cpu->gpr[RBX] = done;
	return err;
}

/* A vCPU that another CPU holds is let go there first: L1 has to VMCLEAR it. */
static long free_vcpus(struct percpu *cpu, struct vm *vm)
{
	struct vcpu *v;
	int err;

	while (vm->nvcpus) {
		v = vm->vcpu[vm->nvcpus - 1];
		err = vvmcs_unbind(cpu, v->vv);
		if (err)
			return err;
		vcpu_free(v);
		vm->vcpu[--vm->nvcpus] = NULL;
	}
	return 0;
}

static long destroy(struct percpu *cpu, struct vm *vm)
{
	long err;

	/* A dead VM only loses frames, and under this lock: refused, nothing has changed. */
	if (vm->own.state != UP_VM_DEAD || vm->own.frames)
		return -UP_EBUSY;
	err = free_vcpus(cpu, vm);
	if (!err)
		err = vm_ept_destroy(vm->ept);
	if (!err)
		WRITE_ONCE(vm->own.state, UP_VM_NONE);
	return err;
}

long call_vm_destroy(struct percpu *cpu)
{
	struct vm *vm;
	long err = -UP_ENOENT;

	spin_lock(&vms_lock);
	vm = vm_lock(cpu->gpr[RBX]);
	if (vm) {
		err = destroy(cpu, vm);
		vm_unlock(vm);
	}
	spin_unlock(&vms_lock);
	return err;
}

