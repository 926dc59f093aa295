// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a protected VM above a layer made of C: whatever fails, and
 * whenever the process ends, everything is given back once, and nothing is given
 * back that the layer still has.
 */
#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include "fake_kunit.h"
#include "ioctl.h"
#include "vm.h"

#define PAGES		24	/* of the process: 16 of RAM, 8 of firmware */
#define ALIASES		4
#define GFN_FIRMWARE	0xffff8
#define FRAMES		(PAGES + ALIASES)

struct process {
	struct mm_struct *mm;
	unsigned long addr;
};

static void use_process(struct kunit *test, struct process *p)
{
	unsigned int i;

	p->mm = mm_alloc();
	KUNIT_ASSERT_NOT_NULL(test, p->mm);
	p->mm->task_size = TASK_SIZE;
	arch_pick_mmap_layout(p->mm, &current->signal->rlim[RLIMIT_STACK]);
	kthread_use_mm(p->mm);
	p->addr = vm_mmap(NULL, 0, (PAGES + 8) * PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(p->addr));
	for (i = 0; i < PAGES + 8; i++)
		KUNIT_ASSERT_EQ(test, put_user(i + 1, (u32 __user *)(p->addr + i * PAGE_SIZE)), 0);
}

static int init(struct kunit *test)
{
	struct process *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, up_vms_init(), 0);
	use_process(test, p);
	memset(&fake_layer, 0, sizeof(fake_layer));
	fake_layer.take = 7;
	fake_kvm = (struct kvm) {
		.mm = p->mm, .nr = 3, .slots = {
			{ 0, 16, p->addr },
			{ 0xe0, ALIASES, p->addr + 20 * PAGE_SIZE },
			{ GFN_FIRMWARE, 8, p->addr + 16 * PAGE_SIZE },
		},
	};
	test->priv = p;
	return 0;
}

static void end_process(struct process *p)
{
	if (!p->mm)
		return;
	kthread_unuse_mm(p->mm);
	mmput(p->mm);
	p->mm = NULL;
}

static void cleanup(struct kunit *test)
{
	struct process *p = test->priv;

	if (p && current->mm)
		end_process(p);
	up_vms_exit();
	up_pool_release();
}

/* What the process sees at a page; 0xdead0000 if it sees nothing. */
static u32 look(struct process *p, unsigned int page)
{
	u32 value;

	if (get_user(value, (u32 __user *)(p->addr + page * PAGE_SIZE)))
		return 0xdead0000;
	return value;
}

static struct up_vm *create(void)
{
	struct underpin_vm_create args = { .vcpus = 1 };
	s32 fds[1] = { 1 };

	return up_vm_create(&args, fds);
}

static int protect(struct up_vm *vm, struct underpin_vm_protect *args)
{
	struct up_where at = { };
	int ret = up_vm_protect(vm, args, &at);

	args->step = at.step;
	return ret;
}

static void expect_nothing_held(struct kunit *test, struct process *p)
{
	KUNIT_EXPECT_FALSE(test, up_vms_present());
	KUNIT_EXPECT_FALSE(test, fake_layer.exists);
	KUNIT_EXPECT_EQ(test, fake_layer.nr, 0);
	KUNIT_EXPECT_EQ(test, fake_kvm.refs, 0);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&p->mm->pinned_vm), 0ULL);
}

static void a_vm_is_protected_and_ends(struct kunit *test)
{
	struct underpin_vm_protect args = { };
	struct process *p = test->priv;
	struct up_vm *vm = create();
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	KUNIT_EXPECT_TRUE(test, up_vms_present());
	KUNIT_ASSERT_EQ(test, protect(vm, &args), 0);
	KUNIT_EXPECT_EQ(test, args.frames, FRAMES);
	KUNIT_EXPECT_EQ(test, args.aliases, ALIASES);
	KUNIT_EXPECT_EQ(test, args.measurement[31], 0x5a);
	KUNIT_EXPECT_EQ(test, fake_layer.measured, FRAMES);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&p->mm->pinned_vm), (u64)PAGES);
	KUNIT_EXPECT_EQ(test, look(p, 3), 4);
	KUNIT_EXPECT_EQ(test, protect(vm, &args), -EALREADY);
	KUNIT_EXPECT_EQ(test, up_vm_end(vm), 0);
	expect_nothing_held(test, p);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, look(p, i), 0);
	KUNIT_EXPECT_EQ(test, look(p, PAGES), PAGES + 1);
	KUNIT_EXPECT_EQ(test, up_vm_end(vm), 0);
	KUNIT_EXPECT_EQ(test, protect(vm, &args), -ESTALE);
	up_vm_put(vm);
}

static void the_higher_address_gets_the_memory(struct kunit *test)
{
	struct underpin_vm_protect args = { };
	struct up_vm *vm = create();
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	KUNIT_ASSERT_EQ(test, protect(vm, &args), 0);
	for (i = 0; i < fake_layer.nr; i++) {
		struct up_donation *d = &fake_layer.frames[i];
		u32 word = *(u32 *)page_address(pfn_to_page(d->pfn));

		if (d->gfn >= 0xe0 && d->gfn < 0xe0 + ALIASES)
			KUNIT_EXPECT_EQ(test, word, 0);
		else if (d->gfn >= GFN_FIRMWARE)
			KUNIT_EXPECT_EQ(test, word, d->gfn - GFN_FIRMWARE + 17);
		else
			KUNIT_EXPECT_EQ(test, word, d->gfn + 1);
	}
	up_vm_closed(vm);
}

/* Each call of the layer fails in turn, until none is left to fail. */
static void all_or_nothing(struct kunit *test)
{
	struct underpin_vm_protect args;
	struct process *p = test->priv;
	struct up_vm *vm;
	unsigned int n;
	int ret = -EIO;

	for (n = 1; ret; n++) {
		fake_layer = (struct fake_layer) {
			.take = 7, .fail_at = n, .fail_with = -EIO,
		};
		memset(&args, 0, sizeof(args));
		vm = create();
		ret = PTR_ERR_OR_ZERO(vm);
		if (!ret) {
			ret = protect(vm, &args);
			KUNIT_EXPECT_EQ(test, up_vms_present(), !ret);
			fake_layer.fail_at = 0;
			up_vm_closed(vm);
		}
		expect_nothing_held(test, p);
		KUNIT_ASSERT_LT(test, n, 100);
	}
	KUNIT_EXPECT_GT(test, n, 10);
}

static void memory_that_cannot_be_pinned_is_named(struct kunit *test)
{
	struct underpin_vm_protect args = { };
	struct process *p = test->priv;
	struct up_where at = { };
	struct up_vm *vm = create();

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	vm_munmap(p->addr + 5 * PAGE_SIZE, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, up_vm_protect(vm, &args, &at), -EFAULT);
	KUNIT_EXPECT_EQ(test, at.step, UNDERPIN_STEP_PIN);
	KUNIT_EXPECT_EQ(test, at.where, 5);
	expect_nothing_held(test, p);
	KUNIT_EXPECT_EQ(test, look(p, 4), 5);
	up_vm_closed(vm);
}

static void slots_that_cannot_be_read_fail(struct kunit *test)
{
	struct underpin_vm_protect args = { };
	struct up_vm *vm = create();

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	fake_kvm.slots_error = -EINVAL;
	KUNIT_EXPECT_EQ(test, protect(vm, &args), -EINVAL);
	KUNIT_EXPECT_EQ(test, args.step, UNDERPIN_STEP_MEMSLOTS);
	expect_nothing_held(test, test->priv);
	up_vm_closed(vm);
}

/* While the layer keeps frames they stay pinned; a later try may succeed. */
static void what_the_layer_keeps_stays_pinned(struct kunit *test)
{
	struct underpin_vm_protect args = { };
	struct process *p = test->priv;
	struct up_vm *vm = create();
	unsigned int step;

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	KUNIT_ASSERT_EQ(test, protect(vm, &args), 0);
	for (step = 1; step <= 2; step++) {	/* kill, reclaim */
		fake_layer.fail_at = fake_layer.calls + step;
		fake_layer.fail_with = -EIO;
		KUNIT_EXPECT_EQ(test, up_vm_end(vm), -EIO);
		KUNIT_EXPECT_TRUE(test, up_vms_present());
		KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&p->mm->pinned_vm), (u64)PAGES);
	}
	KUNIT_EXPECT_EQ(test, up_vm_end(vm), 0);
	expect_nothing_held(test, p);
	up_vm_put(vm);
}

static void the_end_of_the_process_ends_the_vm(struct kunit *test)
{
	struct underpin_vm_protect args = { };
	struct process *p = test->priv;
	struct up_vm *vm = create();

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	vm->flags = UNDERPIN_VM_DETACHED;
	KUNIT_ASSERT_EQ(test, protect(vm, &args), 0);
	up_vm_closed(vm);
	KUNIT_EXPECT_TRUE(test, up_vms_present());
	end_process(p);
	up_vms_exit();		/* waits for the end */
	KUNIT_EXPECT_FALSE(test, up_vms_present());
	KUNIT_EXPECT_FALSE(test, fake_layer.exists);
	KUNIT_EXPECT_EQ(test, fake_kvm.refs, 0);
	KUNIT_ASSERT_EQ(test, up_vms_init(), 0);
}

static void an_ended_process_cannot_be_protected(struct kunit *test)
{
	struct underpin_vm_protect args = { };
	struct process *p = test->priv;
	struct up_vm *vm = create();

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	end_process(p);
	KUNIT_EXPECT_EQ(test, protect(vm, &args), -ESTALE);
	up_vm_closed(vm);
	KUNIT_EXPECT_FALSE(test, up_vms_present());
}

static void an_end_stops_a_long_protection(struct kunit *test)
{
	struct underpin_vm_protect args = { };
	struct up_vm *vm = create();

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	WRITE_ONCE(vm->ending, true);
	KUNIT_EXPECT_EQ(test, protect(vm, &args), -ESTALE);
	KUNIT_EXPECT_EQ(test, args.step, UNDERPIN_STEP_PIN);
	expect_nothing_held(test, test->priv);
	up_vm_closed(vm);
}

static void a_vm_is_protected_once(struct kunit *test)
{
	struct up_vm *vm = create(), *again = create();

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(again), -EEXIST);
	KUNIT_EXPECT_EQ(test, fake_kvm.refs, 1);
	up_vm_closed(vm);
	expect_nothing_held(test, test->priv);
}

static void the_pool_grows_when_it_is_empty(struct kunit *test)
{
	struct underpin_vm_protect args = { };
	struct up_vm *vm = create();

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	fake_layer.need_pool = true;
	KUNIT_EXPECT_EQ(test, protect(vm, &args), 0);
	KUNIT_EXPECT_GT(test, fake_layer.pool, 0);
	up_vm_closed(vm);
}

static int donate(struct up_vm *vm, u64 gfn, u64 count, u64 *done)
{
	struct underpin_vm_donate args = { .gfn = gfn, .count = count };
	struct up_where at = { };
	int ret = up_vm_donate(vm, &args, &at);

	*done = args.done;
	return ret;
}

static void late_memory_is_donated(struct kunit *test)
{
	struct underpin_vm_protect args = { };
	struct process *p = test->priv;
	struct up_vm *vm = create();
	u64 done;

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	KUNIT_EXPECT_EQ(test, donate(vm, 0, 1, &done), -EAGAIN);
	KUNIT_ASSERT_EQ(test, protect(vm, &args), 0);
	fake_kvm.slots[fake_kvm.nr++] =
		(struct up_slot) { 0x100000, 8, p->addr + PAGES * PAGE_SIZE };
	KUNIT_EXPECT_EQ(test, donate(vm, 0x100002, 3, &done), 0);
	KUNIT_EXPECT_EQ(test, done, 3);
	KUNIT_EXPECT_EQ(test, fake_layer.nr, FRAMES + 3);
	KUNIT_EXPECT_EQ(test, look(p, PAGES + 2), 0);
	KUNIT_EXPECT_EQ(test, donate(vm, 0x100006, 4, &done), -ENOENT);
	KUNIT_EXPECT_EQ(test, done, 0);
	KUNIT_EXPECT_EQ(test, donate(vm, 0x200000, 1, &done), -ENOENT);
	KUNIT_EXPECT_EQ(test, donate(vm, 0x100000, 8, &done), -EEXIST);
	KUNIT_EXPECT_EQ(test, donate(vm, 0x100002, 1, &done), -EEXIST);
	KUNIT_EXPECT_EQ(test, done, 0);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&p->mm->pinned_vm), (u64)PAGES + 3);
	KUNIT_EXPECT_EQ(test, donate(vm, 0, 0, &done), -EINVAL);
	KUNIT_EXPECT_EQ(test, donate(vm, U64_MAX, 2, &done), -EINVAL);
	up_vm_closed(vm);
	expect_nothing_held(test, p);
}

/* What the layer took before it failed stays the VM's; the rest is unpinned. */
static void a_late_donation_may_end_half_way(struct kunit *test)
{
	struct underpin_vm_protect args = { };
	struct process *p = test->priv;
	struct up_vm *vm = create();
	u64 done;

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm));
	KUNIT_ASSERT_EQ(test, protect(vm, &args), 0);
	fake_kvm.slots[fake_kvm.nr++] =
		(struct up_slot) { 0x100000, 8, p->addr + PAGES * PAGE_SIZE };
	fake_layer.take = 5;
	fake_layer.fail_at = fake_layer.calls + 2;
	fake_layer.fail_with = -EIO;
	KUNIT_EXPECT_EQ(test, donate(vm, 0x100000, 8, &done), -EIO);
	KUNIT_EXPECT_EQ(test, done, 5);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&p->mm->pinned_vm), (u64)PAGES + 5);
	KUNIT_EXPECT_EQ(test, donate(vm, 0x100005, 3, &done), 0);
	up_vm_closed(vm);
	expect_nothing_held(test, p);
}

static struct kunit_case vm_cases[] = {
	KUNIT_CASE(a_vm_is_protected_and_ends),
	KUNIT_CASE(the_higher_address_gets_the_memory),
	KUNIT_CASE(all_or_nothing),
	KUNIT_CASE(memory_that_cannot_be_pinned_is_named),
	KUNIT_CASE(slots_that_cannot_be_read_fail),
	KUNIT_CASE(what_the_layer_keeps_stays_pinned),
	KUNIT_CASE(the_end_of_the_process_ends_the_vm),
	KUNIT_CASE(an_ended_process_cannot_be_protected),
	KUNIT_CASE(an_end_stops_a_long_protection),
	KUNIT_CASE(a_vm_is_protected_once),
	KUNIT_CASE(the_pool_grows_when_it_is_empty),
	KUNIT_CASE(late_memory_is_donated),
	KUNIT_CASE(a_late_donation_may_end_half_way),
	{ }
};

static struct kunit_suite vm_suite = {
	.name = "underpin-vm",
	.init = init,
	.exit = cleanup,
	.test_cases = vm_cases,
};

kunit_test_suite(vm_suite);
