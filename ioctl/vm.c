// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a protected VM, seen from the host.
 *
 * References: one of the list of VMs, from creation until everything is back;
 * one of the VM's file; one of each operation and of queued work.  The module
 * stays as long as any VM does.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/wait_bit.h>
#include "call.h"
#include "ioctl.h"
#include "kvm.h"
#include "memory.h"
#include "vm.h"

static DEFINE_MUTEX(vms_lock);	/* the list; taken after a VM's lock */
static LIST_HEAD(vms);
static bool closing;		/* the host is going down: no new VM; under vms_lock */
static struct workqueue_struct *end_queue;
static atomic_t objects = ATOMIC_INIT(0);	/* VMs that somebody still refers to */

static void vm_free(struct kref *ref)
{
	struct up_vm *vm = container_of(ref, struct up_vm, ref);

	kfree(vm);
	if (atomic_dec_and_test(&objects))
		wake_up_var(&objects);
	module_put(THIS_MODULE);
}

void up_vm_put(struct up_vm *vm)
{
	kref_put(&vm->ref, vm_free);
}

bool up_vms_present(void)
{
	bool present;

	mutex_lock(&vms_lock);
	present = !list_empty(&vms);
	mutex_unlock(&vms_lock);
	return present;
}

struct up_vm *up_vm_find(u32 id)
{
	struct up_vm *vm, *found = NULL;

	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, node) {
		if (vm->id == id) {
			found = vm;
			kref_get(&vm->ref);
			break;
		}
	}
	mutex_unlock(&vms_lock);
	return found;
}

unsigned int up_vm_list(u32 *ids, unsigned int room)
{
	unsigned int nr = 0;
	struct up_vm *vm;

	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, node) {
		if (nr < room)
			ids[nr] = vm->id;
		nr++;
	}
	mutex_unlock(&vms_lock);
	return nr;
}

static void end_by_work(struct work_struct *work)
{
	struct up_vm *vm = container_of(work, struct up_vm, end_work);

	up_vm_end(vm);
	up_vm_put(vm);
}

/* The process that owns the VM's memory is going, however it ends. */
static void process_gone(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct up_vm *vm = container_of(mn, struct up_vm, notifier);

	WRITE_ONCE(vm->ending, true);
	kref_get(&vm->ref);
	if (!queue_work(end_queue, &vm->end_work))
		up_vm_put(vm);
}

static const struct mmu_notifier_ops notifier_ops = {
	.release = process_gone,
};

/* The address space is watched from here on; nothing else is held yet. */
static int watch_process(struct up_vm *vm)
{
	struct mm_struct *mm = up_kvm_mm(vm->kvm);
	int ret;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	vm->notifier.ops = &notifier_ops;
	ret = mmu_notifier_register(&vm->notifier, mm);
	if (!ret) {
		mmgrab(mm);
		vm->mm = mm;
	}
	mmput(mm);
	return ret;
}

static void unwatch_process(struct up_vm *vm)
{
	mmu_notifier_unregister(&vm->notifier, vm->mm);
	mmdrop(vm->mm);
}

static struct up_vm *vm_alloc(struct kvm *kvm, u32 flags, u32 vcpus)
{
	struct up_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return NULL;
	__module_get(THIS_MODULE);
	atomic_inc(&objects);
	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	INIT_LIST_HEAD(&vm->regions);
	INIT_WORK(&vm->end_work, end_by_work);
	vm->kvm = kvm;
	vm->flags = flags;
	vm->vcpus = vcpus;
	vm->pid = up_kvm_pid(kvm);
	return vm;
}

static bool kvm_is_known(struct kvm *kvm)
{
	struct up_vm *vm;

	list_for_each_entry(vm, &vms, node)
		if (vm->kvm == kvm)
			return true;
	return false;
}

static bool kvm_is_known_now(struct kvm *kvm)
{
	bool known;

	mutex_lock(&vms_lock);
	known = kvm_is_known(kvm);
	mutex_unlock(&vms_lock);
	return known;
}

static int layer_create(u32 *id)
{
	struct up_retry retry = { .what = "creating a VM", .killable = true };
	int err = 0;
	long ret;
	u64 r1;

	do {
		ret = up_vmcall(UP_CALL_VM_CREATE, 0, 0, 0, &r1, NULL);
		if (ret)
			err = up_retry(&retry, ret, false);
	} while (ret && !err);
	*id = r1;
	return err;
}

/* Under both locks.  On success the list has a reference, too. */
static int vm_enter(struct up_vm *vm)
{
	int ret = closing ? -ESHUTDOWN : -EEXIST;

	if (!closing && !kvm_is_known(vm->kvm))
		ret = layer_create(&vm->id);
	if (ret) {
		pr_err("making a VM for process %d: error %d\n", vm->pid, ret);
		return ret;
	}
	kref_get(&vm->ref);
	list_add_tail(&vm->node, &vms);
	vm->phase = UP_VM_CREATED;
	return 0;
}

/* If the process ends meanwhile, the work that ends the VM waits for its lock. */
static int vm_enter_watched(struct up_vm *vm)
{
	int ret;

	mutex_lock(&vm->lock);
	ret = watch_process(vm);
	if (!ret) {
		mutex_lock(&vms_lock);
		ret = vm_enter(vm);
		mutex_unlock(&vms_lock);
		if (ret)
			unwatch_process(vm);
	}
	mutex_unlock(&vm->lock);
	return ret;
}

static struct up_vm *create_for(struct kvm *kvm, struct underpin_vm_create *args, const s32 *fds)
{
	struct up_vm *vm;
	int ret;

	if (kvm_is_known_now(kvm))	/* the clearer answer; vm_enter() makes sure */
		return ERR_PTR(-EEXIST);
	ret = up_kvm_check_vcpus(kvm, args->kvm_fd, fds, args->vcpus);
	if (ret)
		return ERR_PTR(ret);
	vm = vm_alloc(kvm, args->flags, args->vcpus);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	ret = vm_enter_watched(vm);
	if (!ret)
		return vm;
	up_vm_put(vm);
	return ERR_PTR(ret);
}

struct up_vm *up_vm_create(struct underpin_vm_create *args, const s32 *fds)
{
	struct up_vm *vm;
	struct kvm *kvm;
	int ret = up_kvm_get(args->kvm_fd, &kvm);

	if (ret)
		return ERR_PTR(ret);
	vm = create_for(kvm, args, fds);
	if (IS_ERR(vm)) {
		up_kvm_put(kvm);
		return vm;
	}
	args->id = vm->id;
	pr_info("VM %u: process %d, %u vCPUs\n", vm->id, vm->pid, vm->vcpus);
	return vm;
}

struct destroy_call {
	u32 id;
	long ret;
};

static void destroy_here(void *arg)
{
	struct destroy_call *call = arg;

	call->ret = up_vmcall(UP_CALL_VM_DESTROY, call->id, 0, 0, NULL, NULL);
}

/* The layer forgets a VMCS only on the CPU that holds it. */
static long destroy_somewhere(struct up_vm *vm)
{
	struct destroy_call call = { .id = vm->id };
	unsigned int cpu;

	migrate_disable();
	up_kvm_gather(vm->kvm);
	destroy_here(&call);
	migrate_enable();
	for_each_online_cpu(cpu) {
		if (call.ret != -EBUSY)
			break;
		smp_call_function_single(cpu, destroy_here, &call, 1);
	}
	return call.ret;
}

/* Under vms_lock, since the layer may give the number to another VM at once. */
static int layer_destroy(struct up_vm *vm)
{
	struct up_retry retry = { .what = "destroying a VM" };
	int err = 0;
	long ret;

	up_kvm_expel(vm->kvm);
	mutex_lock(&vms_lock);
	do {
		ret = destroy_somewhere(vm);
		if (ret)
			err = up_retry(&retry, ret, false);
	} while (ret && !err);
	if (!err)
		list_del(&vm->node);
	mutex_unlock(&vms_lock);
	return err;
}

/* Kill, take back, forget.  Under the VM's lock. */
static int layer_end(struct up_vm *vm)
{
	long ret = up_vmcall(UP_CALL_VM_KILL, vm->id, 0, 0, NULL, NULL);

	return ret ?: up_memory_reclaim(vm) ?: layer_destroy(vm);
}

static int vm_end_locked(struct up_vm *vm)
{
	int ret = layer_end(vm);

	if (ret) {
		pr_err("VM %u: ending: error %d; %llu frames stay pinned\n", vm->id, ret,
		       vm->pinned);
		vm->phase = UP_VM_STUCK;
		return ret;
	}
	up_memory_release(vm, &vm->regions);
	pr_info("VM %u: ended, %llu frames came back zeroed\n", vm->id, vm->donated);
	vm->phase = UP_VM_ENDED;
	return 0;
}

int up_vm_end(struct up_vm *vm)
{
	bool ended = false;
	int ret = 0;

	WRITE_ONCE(vm->ending, true);
	mutex_lock(&vm->lock);
	if (vm->phase != UP_VM_ENDED) {
		ret = vm_end_locked(vm);
		ended = !ret;
	}
	mutex_unlock(&vm->lock);
	if (ended) {
		unwatch_process(vm);
		up_kvm_put(vm->kvm);
		up_vm_put(vm);
	}
	return ret;
}

static struct up_vm *first_vm(void)
{
	struct up_vm *vm;

	mutex_lock(&vms_lock);
	closing = true;
	vm = list_first_entry_or_null(&vms, struct up_vm, node);
	if (vm)
		kref_get(&vm->ref);
	mutex_unlock(&vms_lock);
	return vm;
}

int up_vms_end_all(void)
{
	struct up_vm *vm;
	int err = 0;

	while (!err && (vm = first_vm())) {
		err = up_vm_end(vm);
		up_vm_put(vm);
	}
	return err;
}

void up_vm_closed(struct up_vm *vm)
{
	bool stays;

	mutex_lock(&vm->lock);
	stays = vm->phase == UP_VM_PROTECTED && vm->flags & UNDERPIN_VM_DETACHED;
	mutex_unlock(&vm->lock);
	if (!stays)
		up_vm_end(vm);
	up_vm_put(vm);
}

int up_vms_init(void)
{
	closing = false;
	end_queue = alloc_workqueue("underpin", WQ_UNBOUND, 0);
	return end_queue ? 0 : -ENOMEM;
}

/* A forced unload comes here in spite of our references; it has to wait for them. */
void up_vms_exit(void)
{
	int left = atomic_read(&objects);

	if (left) {
		pr_err("unloading waits until %d protected VMs have ended\n", left);
		wait_var_event(&objects, !atomic_read(&objects));
		/* Who dropped the last reference may still be on its way out of our text. */
		synchronize_rcu_tasks();
	}
	destroy_workqueue(end_queue);
}
