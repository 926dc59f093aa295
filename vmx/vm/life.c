// SPDX-License-Identifier: GPL-2.0
/*
 * Protected VMs: made by the host, given frames and vCPUs by it, measured, run,
 * and taken apart.  After every call the host may do what it likes; nothing here
 * relies on an order that it was asked to keep.
 *
 * A page that the host names is checked to be the host's once.  It stays
 * harmless for the rest of the call: a change of owner completes only when this
 * CPU has flushed, too, and it does so on its way out.
 */
#include "vmx/vm/vm.h"
#include "vmx/vm/call.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/abi/errno.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/vm/protect.h"
#include "vmx/vm/vcpu.h"
#include "vmx/vmcs/vvmcs.h"
#include "ept/binding.h"
#include "ept/ept.h"
#include "ept/frames.h"

#define DONATIONS_MAX	(PAGE_SIZE / sizeof(struct up_donation))
#define RECLAIM_MAX	32	/* frames zeroed by one call */
#define MEASURE_FRAMES	64	/* frames looked at by one call ... */
#define FORGET_SPINS	(1u << 24)	/* a second or so */
#define MEASURE_HASHED	4	/* ... of which so many are not zero */

struct spinlock vms_lock;
static struct vm vms[UP_MAX_VMS];

struct vm *vm_find(u64 id)
{
	if (id >= UP_MAX_VMS || READ_ONCE(vms[id].state) == UP_VM_NONE)
		return NULL;
	return &vms[id];
}

u32 vms_count(void)
{
	u32 i, n = 0;

	for (i = 0; i < UP_MAX_VMS; i++)
		n += READ_ONCE(vms[i].state) != UP_VM_NONE;
	return n;
}

bool vms_present(void)
{
	return vms_count() != 0;
}

void vm_kill(struct vm *vm, const char *why)
{
	u32 i;

	if (vm->state == UP_VM_DEAD)
		return;
	WRITE_ONCE(vm->state, UP_VM_DEAD);
	vm->gfn_cursor = 0;	/* for reclaiming, from here on */
	for (i = 0; i < sizeof(vm->death) - 1 && why[i]; i++)
		vm->death[i] = why[i];
	up_log("VM %u: ended: %s", vm->id, why);
}

/* Locked VM of a host call, or NULL. */
static struct vm *vm_lock(u64 id)
{
	struct vm *vm = vm_find(id);

	if (!vm)
		return NULL;
	spin_lock(&vm->lock);
	if (vm->state != UP_VM_NONE)
		return vm;
	spin_unlock(&vm->lock);
	return NULL;
}

static void vm_unlock(struct vm *vm)
{
	spin_unlock(&vm->lock);
}

static struct vm *free_slot(void)
{
	u32 i;

	for (i = 0; i < UP_MAX_VMS; i++)
		if (vms[i].state == UP_VM_NONE)
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
	vm->id = (u32)(vm - vms);
	vm->ept = vm_ept_create(vm);
	if (vm->ept) {
		sha256_init(&vm->hash);
		*id = vm->id;
		WRITE_ONCE(vm->state, UP_VM_BUILDING);
	}
	spin_unlock(&vm->lock);
	return vm->ept ? 0 : -UP_ENOMEM;
}

long call_vm_create(struct percpu *cpu)
{
	long err;

	if (cpu->gpr[RBX])
		return -UP_EINVAL;	/* no flag is known yet */
	spin_lock(&vms_lock);
	err = vm_create(&cpu->gpr[RBX]);
	spin_unlock(&vms_lock);
	return err;
}

long call_vm_donate(struct percpu *cpu)
{
	const struct up_donation *list = host_page(cpu->gpr[RCX]);
	u64 count = cpu->gpr[RDX], i;
	struct up_donation d;
	struct vm *vm;
	long err = 0;

	if (!list || count > DONATIONS_MAX)
		return -UP_EINVAL;
	vm = vm_lock(cpu->gpr[RBX]);
	if (!vm)
		return -UP_ENOENT;
	for (i = 0; i < count; i++) {
		d.pfn = READ_ONCE(list[i].pfn);
		d.gfn = READ_ONCE(list[i].gfn);
		err = d.pfn == cpu->gpr[RCX] ? -UP_EINVAL : host_donate_vm(vm, d.pfn, d.gfn);
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

	if (vm->state != UP_VM_BUILDING)
		return -UP_EBUSY;
	if (!vv)
		return -UP_ENOENT;
	if (vm->nvcpus >= 1)
		return -UP_ENOSPC;	/* one vCPU, until start-up of others is the layer's */
	v = vcpu_alloc(vm, vv);
	if (!v)
		return -UP_ENOMEM;
	err = vvmcs_bind(cpu, vv, v);
	if (err) {
		vcpu_free(v);
		return err;
	}
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

/* One record of the measurement.  Return: true if the content had to be hashed. */
static bool measure_frame(struct vm *vm, u64 gfn, u64 pfn)
{
	static const u8 zero_digest[32] = {	/* SHA-256 of 4096 zero bytes */
		0xad, 0x7f, 0xac, 0xb2, 0x58, 0x6f, 0xc6, 0xe9, 0x66, 0xc0, 0x04, 0xd7, 0xd1,
		0xd1, 0x6b, 0x02, 0x4f, 0x58, 0x05, 0xff, 0x7c, 0xb4, 0x7c, 0x7a, 0x85, 0xda,
		0xbd, 0x8b, 0x48, 0x89, 0x2c, 0xa7,
	};
	const void *page = phys(pfn << PAGE_SHIFT);
	struct {
		u64 gfn;
		u8 digest[32];
	} record = { .gfn = gfn };
	bool zero = page_is_zero(page);
	struct sha256 s;

	if (zero) {
		memcpy(record.digest, zero_digest, 32);
	} else {
		sha256_init(&s);
		sha256_update(&s, page, PAGE_SIZE);
		sha256_final(&s, record.digest);
	}
	sha256_update(&vm->hash, &record, sizeof(record));
	vm->frames_measured++;
	return !zero;
}

static bool next_frame(struct vm *vm, u64 *gfn, u64 *pfn)
{
	bool found;

	spin_lock(&frames_lock);
	found = binding_next(vm, gfn, pfn);
	spin_unlock(&frames_lock);
	return found;
}

/* From here on no frame comes or goes until all are hashed. */
static long measure(struct vm *vm)
{
	u32 n, hashed = 0;
	u64 gfn, pfn;

	if (vm->state == UP_VM_BUILDING) {
		if (!vm->nvcpus)
			return -UP_ENOENT;
		if (vm_commit(vm))
			return -UP_EAGAIN;
		WRITE_ONCE(vm->state, UP_VM_MEASURING);
	}
	if (vm->state != UP_VM_MEASURING)
		return -UP_EBUSY;
	for (n = 0; n < MEASURE_FRAMES && hashed < MEASURE_HASHED; n++) {
		gfn = vm->gfn_cursor;
		if (!next_frame(vm, &gfn, &pfn)) {
			sha256_final(&vm->hash, vm->measurement);
			WRITE_ONCE(vm->state, UP_VM_RUNNABLE);
			return 0;
		}
		hashed += measure_frame(vm, gfn, pfn);
		vm->gfn_cursor = gfn + 1;
	}
	return -UP_EAGAIN;
}

long call_vm_measure(struct percpu *cpu)
{
	struct vm *vm = vm_lock(cpu->gpr[RBX]);
	long err;

	if (!vm)
		return -UP_ENOENT;
	err = measure(vm);
	cpu->gpr[RBX] = vm->frames_measured;
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
	if (vm->state != UP_VM_DEAD)
		return -UP_EBUSY;
	while (*done < max && *done < RECLAIM_MAX) {
		gfn = vm->gfn_cursor;
		if (!next_frame(vm, &gfn, &pfn))
			return 0;
		err = vm_return_host(vm, gfn, &pfn);
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
	if (vm->state != UP_VM_DEAD || vm->frames)
		return -UP_EBUSY;
	err = free_vcpus(cpu, vm);
	if (!err)
		err = vm_ept_destroy(vm->ept);
	if (!err)
		WRITE_ONCE(vm->state, UP_VM_NONE);
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

static void fill_info(const struct vm *vm, struct up_vm_info *out)
{
	memset(out, 0, sizeof(*out));
	out->id = vm->id;
	out->state = vm->state;
	out->vcpus = vm->nvcpus;
	out->reports = vm->reports;
	out->frames = vm->frames;
	out->frames_shared = vm->frames_shared;
	out->frames_measured = vm->frames_measured;
	out->entries = vm->entries;
	out->mismatches = vm->mismatches;
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
