// SPDX-License-Identifier: GPL-2.0
/* The protected VMs that there are: finding, making, ending and forgetting them. */
#include "vmx/vm/vm.h"
#include "vmx/vm/call.h"
#include "vmx/vm/vcpu.h"
#include "vmx/abi/errno.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "ept/owner.h"
#include "ept/protected.h"
#include "iommu/launch.h"

#define FORGET_SPINS	(1u << 24)	/* a second or so */

struct spinlock vms_lock;
static struct vm vms[UP_MAX_VMS];
static bool leaving;		/* under vms_lock: vms_close() was granted */

static struct vm *vm_find(u64 id)
{
	u64 i = index_below(id, UP_MAX_VMS);

	return i == id && READ_ONCE(vms[i].own.state) != UP_VM_NONE ? &vms[i] : NULL;
}

u32 vms_count(void)
{
	u32 i, n = 0;

	for (i = 0; i < UP_MAX_VMS; i++)
		n += READ_ONCE(vms[i].own.state) != UP_VM_NONE;
	return n;
}

void vm_kill(struct vm *vm, const char *why)
{
	u32 i;

	if (vm->own.state == UP_VM_DEAD)
		return;
	WRITE_ONCE(vm->own.state, UP_VM_DEAD);
	vm->gfn_cursor = 0;	/* for reclaiming, from here on */
	for (i = 0; i < sizeof(vm->death) - 1 && why[i]; i++)
		vm->death[i] = why[i];
	up_log("VM %u: ended: %s", vm->own.id, why);
}

struct vm *vm_lock(u64 id)
{
	struct vm *vm = vm_find(id);

	if (!vm)
		return NULL;
	spin_lock(&vm->lock);
	if (vm->own.state != UP_VM_NONE)
		return vm;
	spin_unlock(&vm->lock);
	return NULL;
}

void vm_unlock(struct vm *vm)
{
	spin_unlock(&vm->lock);
}

/*
 * Beneath no layer the host reads all memory: nobody leaves before the last frame of a VM
 * is zeroed.  The owner table says so, whatever became of the VMs.
 */
static bool vms_hold_memory(void)
{
	struct frame_counters c;

	frame_counters(&c);
	return c.vm || vms_count();
}

long vms_close(bool on)
{
	long err = 0;

	spin_lock(&vms_lock);
	if (on && vms_hold_memory())
		err = -UP_EBUSY;
	else
		leaving = on;
	spin_unlock(&vms_lock);
	return err;
}

bool vms_closed(void)
{
	return leaving && !vms_hold_memory();
}

/* A CPU that left runs the host in root mode: cancelling does not bring it back. */
static bool layer_is_leaving(void)
{
	u32 i;

	for (i = 0; i < ncpus; i++)
		if (!cpus[i] || !cpus[i]->demoted)
			return true;
	return leaving;
}

static struct vm *free_slot(void)
{
	u32 i;

	for (i = 0; i < UP_MAX_VMS; i++)
		if (vms[i].own.state == UP_VM_NONE)
			return &vms[i];
	return NULL;
}

static long vm_create(u64 *id)
{
	struct vm *vm = free_slot();

	if (layer_is_leaving())
		return -UP_EPERM;
	if (!vm)
		return -UP_ENOSPC;
	spin_lock(&vm->lock);	/* somebody may still try the slot's last VM */
	memset((u8 *)vm + sizeof(vm->lock), 0, sizeof(*vm) - sizeof(vm->lock));
	vm->own.id = (u32)(vm - vms);
	vm->ept = vm_ept_create(&vm->own);
	if (vm->ept) {
		sha256_init(&vm->hash);
		*id = vm->own.id;
		WRITE_ONCE(vm->own.state, UP_VM_BUILDING);
	}
	spin_unlock(&vm->lock);
	return vm->ept ? 0 : -UP_ENOMEM;
}

long call_vm_create(struct percpu *cpu)
{
	long err;

	if (cpu->gpr[RBX])
		return -UP_EINVAL;	/* no flag is known yet */
	if (!iommu_protects())
		return -UP_ENXIO;
	spin_lock(&vms_lock);
	err = vm_create(&cpu->gpr[RBX]);
	spin_unlock(&vms_lock);
	return err;
}

static void fill_info(const struct vm *vm, struct up_vm_info *out)
{
	memset(out, 0, sizeof(*out));
	out->id = vm->own.id;
	out->state = vm->own.state;
	out->vcpus = vm->nvcpus;
	out->reports = vm->reports;
	out->frames = vm->own.frames;
	out->frames_shared = vm->own.frames_shared;
	out->frames_measured = vm->frames_measured;
	out->entries = vm->entries;
	out->mismatches = vm->own.mismatches;
	memcpy(out->measurement, vm->measurement, sizeof(out->measurement));
	memcpy(out->report, vm->report, sizeof(out->report));
	memcpy(out->death, vm->death, sizeof(out->death));
}

long call_vm_info(struct percpu *cpu)
{
	struct up_vm_info *out = host_page(cpu->gpr[RCX]);
	struct vm *vm;

	if (!out)
		return -UP_EINVAL;
	vm = vm_lock(cpu->gpr[RBX]);
	if (!vm)
		return -UP_ENOENT;
	fill_info(vm, out);
	vm_unlock(vm);
	return 0;
}

/* Bounded: a CPU in a VM exits for the host's next timer interrupt. */
static bool no_cpu_in_vm(void)
{
	u32 i, spins = 0;

	for (i = 0; i < ncpus; i++)
		while (cpus[i] && READ_ONCE(cpus[i]->vcpu)) {
			if (++spins == FORGET_SPINS)
				return false;
			cpu_relax();
		}
	return true;
}

static void vm_forget(struct vm *vm)
{
	u32 i;

	vm_kill(vm, "the host resets the machine");
	for (i = 0; i < vm->nvcpus; i++)
		vcpu_forget(vm->vcpu[i]);
}

bool vms_forget(void)
{
	struct vm *vm;
	u32 pass, i;

	/* Once more when none runs: a vCPU that left meanwhile has saved its registers. */
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < UP_MAX_VMS; i++) {
			vm = vm_lock(i);
			if (!vm)
				continue;
			vm_forget(vm);
			vm_unlock(vm);
		}
		if (!no_cpu_in_vm())
			return false;
	}
	frames_forget_vms();
	wbinvd();	/* a reset may drop what only caches hold */
	return true;
}
