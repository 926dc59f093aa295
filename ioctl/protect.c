// SPDX-License-Identifier: GPL-2.0
/* Making a VM a protected one, and giving it memory later. */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/list.h>
#include <linux/printk.h>
#include <linux/string.h>
#include "call.h"
#include "kvm.h"
#include "memory.h"
#include "vm.h"

static const char * const step_names[] = {
	[UNDERPIN_STEP_NONE]		= "start",
	[UNDERPIN_STEP_MEMSLOTS]	= "reading memory slots",
	[UNDERPIN_STEP_PIN]		= "pinning memory",
	[UNDERPIN_STEP_BIND]		= "binding a vCPU",
	[UNDERPIN_STEP_DONATE]		= "donating memory",
	[UNDERPIN_STEP_MEASURE]		= "measuring",
};

static void log_failure(struct up_vm *vm, const char *what, const struct up_where *at, int err)
{
	pr_err("VM %u: %s: %s at %#llx: error %d\n", vm->id, what, step_names[at->step],
	       at->where, err);
}

static int bind_vcpu(struct up_vm *vm, unsigned int index)
{
	struct up_retry retry = {
		.what = "binding a vCPU", .stop = &vm->ending, .killable = true,
	};
	int err = 0;
	long ret;

	do {
		ret = up_kvm_bind_vcpu(vm->kvm, index, vm->id);
		if (ret)
			err = up_retry(&retry, ret, false);
	} while (ret && !err);
	return err;
}

static int bind_vcpus(struct up_vm *vm, struct up_where *at)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < vm->vcpus && !ret; i++) {
		*at = (struct up_where) { .step = UNDERPIN_STEP_BIND, .where = i };
		ret = bind_vcpu(vm, i);
	}
	return ret;
}

static int measure(struct up_vm *vm, struct up_where *at)
{
	struct up_retry retry = { .what = "measuring", .stop = &vm->ending, .killable = true };
	u64 done = 0, before;
	int err = 0;
	long ret;

	*at = (struct up_where) { .step = UNDERPIN_STEP_MEASURE };
	do {
		before = done;
		ret = up_vmcall(UP_CALL_VM_MEASURE, vm->id, 0, 0, &done, NULL);
		at->where = done;
		if (ret)
			err = up_retry(&retry, ret, done > before);
	} while (ret && !err);
	return err;
}

static int protect_locked(struct up_vm *vm, struct up_where *at)
{
	int ret = up_memory_pin(vm, 0, U64_MAX, &vm->regions, at);

	if (!ret)
		ret = bind_vcpus(vm, at);
	if (!ret)
		ret = up_memory_donate(vm, &vm->regions, at);
	if (!ret)
		ret = measure(vm, at);
	if (!ret)
		vm->phase = UP_VM_PROTECTED;
	return ret;
}

int up_vm_protect(struct up_vm *vm, struct underpin_vm_protect *args, struct up_where *at)
{
	struct underpin_vm_info info = {};
	int ret;

	mutex_lock(&vm->lock);
	if (vm->phase != UP_VM_CREATED) {
		ret = vm->phase == UP_VM_PROTECTED ? -EALREADY : -ESTALE;
		mutex_unlock(&vm->lock);
		return ret;
	}
	ret = protect_locked(vm, at);
	args->frames = vm->donated;
	args->aliases = vm->aliases;
	mutex_unlock(&vm->lock);
	if (!ret)
		ret = up_vm_info(vm, &info);
	if (ret) {
		log_failure(vm, "protecting", at, ret);
		up_vm_end(vm);
		return ret;
	}
	memcpy(args->measurement, info.measurement, sizeof(args->measurement));
	pr_info("VM %u: protected, %llu frames, measurement %*phN\n", vm->id, args->frames,
		(int)sizeof(args->measurement), args->measurement);
	return 0;
}

static u64 pages_pinned(struct list_head *regions)
{
	struct up_region *r;
	u64 pages = 0;

	list_for_each_entry(r, regions, node)
		pages += r->filled;
	return pages;
}

static bool is_donated(struct up_vm *vm, u64 gfn, u64 count, struct up_where *at)
{
	struct up_region *r;

	list_for_each_entry(r, &vm->regions, node) {
		struct up_run run = r->run;

		run.npages = r->filled;
		if (!up_run_clip(&run, gfn, count))
			continue;
		*at = (struct up_where) { .step = UNDERPIN_STEP_DONATE, .where = run.gfn };
		return true;
	}
	return false;
}

static int pin_and_donate(struct up_vm *vm, u64 gfn, u64 count, struct up_where *at)
{
	LIST_HEAD(regions);
	int ret;

	if (is_donated(vm, gfn, count, at))
		return -EEXIST;
	ret = up_memory_pin(vm, gfn, count, &regions, at);
	if (!ret && pages_pinned(&regions) != count)
		ret = -ENOENT;
	if (!ret)
		ret = up_memory_donate(vm, &regions, at);
	up_memory_trim(vm, &regions);
	return ret;
}

int up_vm_donate(struct up_vm *vm, struct underpin_vm_donate *args, struct up_where *at)
{
	u64 before;
	int ret;

	if (!args->count || args->gfn + args->count < args->gfn)
		return -EINVAL;
	mutex_lock(&vm->lock);
	before = vm->donated;
	if (vm->phase == UP_VM_PROTECTED)
		ret = pin_and_donate(vm, args->gfn, args->count, at);
	else
		ret = vm->phase == UP_VM_CREATED ? -EAGAIN : -ESTALE;
	args->done = vm->donated - before;
	mutex_unlock(&vm->lock);
	if (ret && ret != -EAGAIN && ret != -ESTALE)
		log_failure(vm, "late donation", at, ret);
	return ret;
}
