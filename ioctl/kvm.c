// SPDX-License-Identifier: GPL-2.0
/*
 * The only file that knows KVM's structures.  The symbols of kvm.ko are looked
 * up when they are needed, and held as long as a VM is, so that the module loads
 * before KVM does.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/delay.h>
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include "vmx/abi/call.h"
#include "call.h"
#include "kvm.h"
#include "layout.h"

#define EXPEL_TRIES	1000	/* of a millisecond or two, for all vCPUs together */

/* Used with up_kvm_get()'s reference held, so that the module stays. */
static struct kvm_symbols {
	typeof(file_is_kvm) *file_is_kvm;
	typeof(kvm_get_kvm_safe) *get;
	typeof(kvm_put_kvm) *put;
	typeof(vcpu_load) *load;
	typeof(vcpu_put) *unload;
	typeof(kvm_inject_nmi) *nmi;
	typeof(kvm_vcpu_kick) *kick;
	unsigned int users;
} syms;
static DEFINE_MUTEX(syms_lock);

static void symbols_drop(void)
{
	if (syms.file_is_kvm)
		symbol_put(file_is_kvm);
	if (syms.get)
		symbol_put(kvm_get_kvm_safe);
	if (syms.put)
		symbol_put(kvm_put_kvm);
	if (syms.load)
		symbol_put(vcpu_load);
	if (syms.unload)
		symbol_put(vcpu_put);
	if (syms.kick)
		symbol_put(kvm_vcpu_kick);
	memset(&syms, 0, sizeof(syms));
}

static bool symbols_take(void)
{
	syms.file_is_kvm = symbol_get(file_is_kvm);
	syms.get = symbol_get(kvm_get_kvm_safe);
	syms.put = symbol_get(kvm_put_kvm);
	syms.load = symbol_get(vcpu_load);
	syms.unload = symbol_get(vcpu_put);
	syms.kick = symbol_get(kvm_vcpu_kick);
	if (syms.file_is_kvm && syms.get && syms.put && syms.load && syms.unload && syms.kick)
		return true;
	symbols_drop();
	return false;
}

static int symbols_get(void)
{
	int ret = 0;

	mutex_lock(&syms_lock);
	if (!syms.users && !symbols_take())
		ret = -EOPNOTSUPP;
	else
		syms.users++;
	mutex_unlock(&syms_lock);
	return ret;
}

static void symbols_put(void)
{
	mutex_lock(&syms_lock);
	if (!--syms.users)
		symbols_drop();
	mutex_unlock(&syms_lock);
}

static struct kvm *kvm_of_file(struct file *file)
{
	struct kvm *kvm;

	if (!syms.file_is_kvm(file))
		return NULL;
	kvm = file->private_data;
	return syms.get(kvm) ? kvm : NULL;
}

int up_kvm_get(int fd, struct kvm **kvm)
{
	struct file *file;
	int ret = symbols_get();

	if (ret)
		return ret;
	file = fget(fd);
	*kvm = file ? kvm_of_file(file) : NULL;
	if (file)
		fput(file);
	if (*kvm)
		return 0;
	symbols_put();
	return -EBADF;
}

void up_kvm_put(struct kvm *kvm)
{
	syms.put(kvm);
	symbols_put();
}

static bool has_run(struct kvm_vcpu *vcpu)
{
	return vcpu->arch.last_vmentry_cpu != -1 || vcpu->stat.exits;
}

/*
 * KVM exports no test for a vCPU's file.  This one is sound: the file's private
 * data is a vCPU that we got from the VM itself, its operations belong to the
 * module that the VM's own do, and it is not the statistics file (the only other
 * one with that private data), which cannot be mapped.
 */
static bool file_is_vcpu(struct file *file, struct file *kvm_file, struct kvm_vcpu *vcpu)
{
	return file->private_data == vcpu && file->f_op->owner == kvm_file->f_op->owner &&
	       file->f_op->mmap && file->f_op->unlocked_ioctl;
}

static int find_vcpu(struct kvm *kvm, struct file *kvm_file, struct file *file)
{
	int i, nr = atomic_read(&kvm->online_vcpus);

	for (i = 0; i < nr; i++)
		if (file_is_vcpu(file, kvm_file, kvm_get_vcpu(kvm, i)))
			return i;
	return -EBADF;
}

static int check_vcpu_fd(struct kvm *kvm, struct file *kvm_file, int fd, unsigned long *seen)
{
	struct file *file = fget(fd);
	int index;

	if (!file)
		return -EBADF;
	index = find_vcpu(kvm, kvm_file, file);
	fput(file);
	if (index < 0)
		return index;
	if (index >= UP_VM_MAX_VCPUS)
		return -EXDEV;
	if (has_run(kvm_get_vcpu(kvm, index)))
		return -EBUSY;
	return __test_and_set_bit(index, seen) ? -EXDEV : 0;
}

int up_kvm_check_vcpus(struct kvm *kvm, int kvm_fd, const s32 *fds, unsigned int nr)
{
	struct file *kvm_file = fget(kvm_fd);
	unsigned long seen = 0;
	unsigned int i;
	int ret = 0;

	if (!kvm_file)
		return -EBADF;
	if (kvm_file->private_data != kvm)	/* the descriptor was replaced meanwhile */
		ret = -EBADF;
	for (i = 0; i < nr && !ret; i++)
		ret = check_vcpu_fd(kvm, kvm_file, fds[i], &seen);
	fput(kvm_file);
	if (!ret && (nr != atomic_read(&kvm->online_vcpus) || nr != kvm->created_vcpus))
		ret = -EXDEV;
	return ret;
}

/*
 * vcpu_load() makes the vCPU's VMCS the current one of this CPU, and KVM's
 * preemption notifier does so again wherever we wake up.
 */
static long bind_loaded(struct kvm_vcpu *vcpu, u32 id)
{
	long ret;

	syms.load(vcpu);
	preempt_disable();
	ret = up_vmcall(UP_CALL_VM_BIND_VCPU, id, 0, 0, NULL, NULL);
	preempt_enable();
	syms.unload(vcpu);
	return ret;
}

long up_kvm_bind_vcpu(struct kvm *kvm, unsigned int index, u32 id)
{
	struct kvm_vcpu *vcpu = kvm_get_vcpu(kvm, index);
	long ret;

	if (!vcpu)
		return -ENOENT;
	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	ret = has_run(vcpu) ? -EBUSY : bind_loaded(vcpu, id);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

/*
 * A halted vCPU waits inside KVM_RUN; the request to look for NMIs makes it try to
 * run, which the layer refuses by then.
 */
void up_kvm_expel(struct kvm *kvm)
{
	int i, tries = 0, nr = atomic_read(&kvm->online_vcpus);

	for (i = 0; i < nr; i++) {
		struct kvm_vcpu *vcpu = kvm_get_vcpu(kvm, i);

		while (!mutex_trylock(&vcpu->mutex)) {
			if (tries++ == EXPEL_TRIES)
				return;
			kvm_make_request(KVM_REQ_NMI, vcpu);
			syms.kick(vcpu);
			usleep_range(1000, 2000);
		}
		mutex_unlock(&vcpu->mutex);
	}
}

void up_kvm_gather(struct kvm *kvm)
{
	int i, nr = atomic_read(&kvm->online_vcpus);

	for (i = 0; i < nr; i++) {
		struct kvm_vcpu *vcpu = kvm_get_vcpu(kvm, i);

		if (!mutex_trylock(&vcpu->mutex))
			continue;
		syms.load(vcpu);
		syms.unload(vcpu);
		mutex_unlock(&vcpu->mutex);
	}
}

static struct kvm_memory_slot *slot_of(struct rb_node *node, int idx)
{
	return container_of(node, struct kvm_memory_slot, gfn_node[idx]);
}

static unsigned int copy_slots(struct kvm_memslots *all, struct up_slot *slots, unsigned int room)
{
	struct rb_node *node;
	unsigned int nr = 0;

	for (node = rb_first(&all->gfn_tree); node; node = rb_next(node)) {
		struct kvm_memory_slot *s = slot_of(node, all->node_idx);

		if (s->id >= KVM_USER_MEM_SLOTS)
			continue;
		if (nr < room)
			slots[nr] = (struct up_slot) {
				.gfn = s->base_gfn, .npages = s->npages, .hva = s->userspace_addr,
			};
		nr++;
	}
	return nr;
}

int up_kvm_slots(struct kvm *kvm, struct up_slot **slots, unsigned int *nr)
{
	struct kvm_memslots *all;
	int ret = 0;

	mutex_lock(&kvm->slots_lock);
	all = __kvm_memslots(kvm, 0);
	*nr = copy_slots(all, NULL, 0);
	*slots = kvcalloc(*nr, sizeof(**slots), GFP_KERNEL_ACCOUNT);
	if (*slots)
		copy_slots(all, *slots, *nr);
	else
		ret = -ENOMEM;
	mutex_unlock(&kvm->slots_lock);
	if (!ret)
		ret = up_slots_check(*slots, *nr);
	if (ret)
		kvfree(*slots);
	return ret;
}

struct mm_struct *up_kvm_mm(struct kvm *kvm)
{
	return kvm->mm;
}

int up_kvm_pid(struct kvm *kvm)
{
	return kvm->userspace_pid;
}
