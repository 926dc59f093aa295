// SPDX-License-Identifier: GPL-2.0
/* A layer and a KVM made of C, for KUnit: the least that keeps the rules. */
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "call.h"
#include "fake_kunit.h"
#include "kvm.h"

#define FAKE_ID		3

struct fake_layer fake_layer;
struct kvm fake_kvm;

static void *frame(u64 pfn)
{
	return page_address(pfn_to_page(pfn));
}

static long vm_create(u64 *r1)
{
	if (fake_layer.exists)
		return -ENOSPC;
	fake_layer.exists = true;
	fake_layer.killed = false;
	fake_layer.vcpus = 0;
	fake_layer.measured = 0;
	*r1 = FAKE_ID;
	return 0;
}

static long take_one(const struct up_donation *d)
{
	unsigned int i;

	for (i = 0; i < fake_layer.nr; i++)
		if (fake_layer.frames[i].pfn == d->pfn || fake_layer.frames[i].gfn == d->gfn)
			return -EEXIST;
	if (fake_layer.nr == FAKE_FRAMES)
		return -EINVAL;
	if (fake_layer.measured)
		clear_page(frame(d->pfn));
	fake_layer.frames[fake_layer.nr++] = *d;
	return 0;
}

static long vm_donate(const struct up_donation *list, u64 count, u64 *r1)
{
	u64 limit = fake_layer.take ?: count;
	long ret = 0;

	if (fake_layer.need_pool && !fake_layer.pool)
		return -ENOMEM;
	while (*r1 < count && !ret) {
		if (*r1 == limit)
			return -EAGAIN;
		ret = take_one(&list[*r1]);
		*r1 += !ret;
	}
	return ret;
}

static long vm_measure(u64 *r1)
{
	unsigned int i;

	for (i = 1; i < fake_layer.nr; i++)
		if (fake_layer.frames[i].gfn <= fake_layer.frames[i - 1].gfn)
			return -EINVAL;
	if (!fake_layer.vcpus)
		return -EPERM;
	fake_layer.measured = min(fake_layer.measured + 5, fake_layer.nr);
	*r1 = fake_layer.measured;
	return fake_layer.measured < fake_layer.nr ? -EAGAIN : 0;
}

static long vm_reclaim(u64 *list, u64 max, u64 *r1)
{
	if (!fake_layer.killed)
		return -EPERM;
	if (!fake_layer.flushed)
		return -EAGAIN;
	while (fake_layer.nr && *r1 < max && *r1 < (fake_layer.take ?: max)) {
		u64 pfn = fake_layer.frames[--fake_layer.nr].pfn;

		clear_page(frame(pfn));
		list[(*r1)++] = pfn;
	}
	return 0;
}

static long vm_destroy(void)
{
	if (!fake_layer.killed || fake_layer.nr)
		return -EBUSY;
	fake_layer.exists = false;
	return 0;
}

static long vm_kill(void)
{
	fake_layer.killed = true;
	fake_layer.flushed = false;
	return 0;
}

static long vm_info(struct up_vm_info *info)
{
	memset(info, 0, sizeof(*info));
	info->id = FAKE_ID;
	info->frames = fake_layer.nr;
	info->frames_measured = fake_layer.measured;
	memset(info->measurement, 0x5a, sizeof(info->measurement));
	return 0;
}

static long vm_call(u64 op, u64 b, u64 c, u64 *r1)
{
	switch (op) {
	case UP_CALL_VM_DONATE:
		return vm_donate(frame(b), c, r1);
	case UP_CALL_VM_BIND_VCPU:
		fake_layer.vcpus++;
		return 0;
	case UP_CALL_VM_MEASURE:
		return vm_measure(r1);
	case UP_CALL_VM_KILL:
		return vm_kill();
	case UP_CALL_VM_RECLAIM:
		return vm_reclaim(frame(b), c, r1);
	case UP_CALL_VM_DESTROY:
		return vm_destroy();
	case UP_CALL_VM_INFO:
		return vm_info(frame(b));
	}
	return -ENOSYS;
}

long up_vmcall(u64 op, u64 a, u64 b, u64 c, u64 *r1, u64 *r2)
{
	u64 none = 0;

	if (!r1)
		r1 = &none;
	*r1 = 0;
	if (r2)
		*r2 = 0;
	if (op == UP_CALL_FLUSH) {
		fake_layer.flushed = true;
		return 0;
	}
	if (++fake_layer.calls == fake_layer.fail_at)
		return fake_layer.fail_with;
	if (op == UP_CALL_POOL_DONATE) {
		fake_layer.pool += b;
		*r1 = b;
		return 0;
	}
	if (op == UP_CALL_VM_CREATE)
		return vm_create(r1);
	if (!fake_layer.exists || a != FAKE_ID)
		return -ENOENT;
	return vm_call(op, b, c, r1);
}

int up_kvm_get(int fd, struct kvm **kvm)
{
	if (fd < 0)
		return -EBADF;
	fake_kvm.refs++;
	*kvm = &fake_kvm;
	return 0;
}

void up_kvm_put(struct kvm *kvm)
{
	kvm->refs--;
}

int up_kvm_check_vcpus(struct kvm *kvm, int kvm_fd, const s32 *fds, unsigned int nr)
{
	return nr == 1 ? 0 : -EXDEV;
}

long up_kvm_bind_vcpu(struct kvm *kvm, unsigned int index, u32 id)
{
	return up_vmcall(UP_CALL_VM_BIND_VCPU, id, 0, 0, NULL, NULL);
}

void up_kvm_expel(struct kvm *kvm)
{
}

void up_kvm_gather(struct kvm *kvm)
{
}

int up_kvm_slots(struct kvm *kvm, struct up_slot **slots, unsigned int *nr)
{
	if (kvm->slots_error)
		return kvm->slots_error;
	*nr = kvm->nr;
	*slots = kvmalloc(sizeof(kvm->slots), GFP_KERNEL);
	if (!*slots)
		return -ENOMEM;
	memcpy(*slots, kvm->slots, sizeof(kvm->slots));
	return 0;
}

struct mm_struct *up_kvm_mm(struct kvm *kvm)
{
	return kvm->mm;
}

int up_kvm_pid(struct kvm *kvm)
{
	return 1;
}
