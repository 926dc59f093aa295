// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a protected VM.  A page is pinned before it is donated (no
 * migration, no merging, no swap), and unpinned only after the layer gave it
 * back zeroed.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/version.h>
#include "call.h"
#include "kvm.h"
#include "memory.h"
#include "vm.h"

#define PIN_BATCH	512	/* pages, for each time that the address space is locked */

static int interrupted(struct up_vm *vm)
{
	cond_resched();
	if (READ_ONCE(vm->ending))
		return -ESTALE;
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static long pin_pages(struct mm_struct *mm, u64 hva, u64 nr, struct page **pages)
{
	long ret;

	mmap_read_lock(mm);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	ret = pin_user_pages_remote(mm, hva, nr, FOLL_WRITE | FOLL_LONGTERM, pages, NULL);
#else
	ret = pin_user_pages_remote(mm, hva, nr, FOLL_WRITE | FOLL_LONGTERM, pages, NULL, NULL);
#endif
	mmap_read_unlock(mm);
	return ret ?: -EFAULT;
}

static long alloc_alias(struct page **page)
{
	*page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return *page ? 1 : -ENOMEM;
}

static long fill_some(struct up_vm *vm, struct up_region *r)
{
	u64 hva = r->run.hva + (r->filled << PAGE_SHIFT);
	u64 nr = min_t(u64, r->run.npages - r->filled, PIN_BATCH);
	struct page **pages = r->pages + r->filled;
	long ret;

	if (r->run.alias)
		ret = alloc_alias(pages);
	else
		ret = pin_pages(vm->mm, hva, nr, pages);
	if (ret < 0)
		return ret;
	r->filled += ret;
	if (r->run.alias) {
		vm->aliases += ret;
	} else {
		vm->pinned += ret;
		atomic64_add(ret, &vm->mm->pinned_vm);
	}
	return 0;
}

static int fill_region(struct up_vm *vm, struct up_region *r, struct up_where *at)
{
	int ret = 0;

	while (r->filled < r->run.npages && !ret) {
		at->where = r->run.gfn + r->filled;
		ret = interrupted(vm) ?: fill_some(vm, r);
	}
	return ret;
}

static struct up_region *new_region(const struct up_run *run)
{
	struct up_region *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	r->run = *run;
	r->pages = kvcalloc(run->npages, sizeof(*r->pages), GFP_KERNEL_ACCOUNT);
	if (r->pages)
		return r;
	kfree(r);
	return NULL;
}

static int pin_run(struct up_vm *vm, const struct up_run *run, struct list_head *regions,
		   struct up_where *at)
{
	struct up_region *r = new_region(run);

	at->where = run->gfn;
	if (!r)
		return -ENOMEM;
	list_add_tail(&r->node, regions);
	return fill_region(vm, r, at);
}

static int pin_slots(struct up_vm *vm, const struct up_slot *slots, unsigned int nr,
		     u64 gfn, u64 count, struct list_head *regions, struct up_where *at)
{
	struct up_run run;
	unsigned int i;
	u64 page;
	int ret;

	for (i = 0; i < nr; i++) {
		for (page = 0; page < slots[i].npages; ) {
			page = up_run_next(slots, nr, i, page, &run);
			if (!up_run_clip(&run, gfn, count))
				continue;
			ret = pin_run(vm, &run, regions, at);
			if (ret)
				return ret;
		}
	}
	return list_empty(regions) ? -ENOENT : 0;
}

int up_memory_pin(struct up_vm *vm, u64 gfn, u64 count, struct list_head *regions,
		  struct up_where *at)
{
	struct up_slot *slots;
	unsigned int nr;
	int ret;

	*at = (struct up_where) { .step = UNDERPIN_STEP_MEMSLOTS };
	ret = up_kvm_slots(vm->kvm, &slots, &nr);
	if (ret)
		return ret;
	*at = (struct up_where) { .step = UNDERPIN_STEP_PIN, .where = gfn };
	ret = -ESTALE;
	if (mmget_not_zero(vm->mm)) {
		ret = pin_slots(vm, slots, nr, gfn, count, regions, at);
		mmput(vm->mm);
	}
	kvfree(slots);
	return ret;
}

unsigned int up_list_fill(struct up_donation *list, const struct up_region *r)
{
	u64 nr = min_t(u64, r->filled - r->donated, UP_LIST_ENTRIES);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		list[i].pfn = page_to_pfn(r->pages[r->donated + i]);
		list[i].gfn = r->run.gfn + r->donated + i;
	}
	return nr;
}

/* One list; the layer takes it from its start and says how far it came, if it fails, too. */
static long donate_some(struct up_vm *vm, struct up_region *r, struct up_donation *list,
			u64 *taken)
{
	u64 nr = up_list_fill(list, r);
	long ret = up_vmcall(UP_CALL_VM_DONATE, vm->id, up_page_pfn(list), nr, taken, NULL);

	if (*taken > nr)
		return ret ?: -EIO;
	r->donated += *taken;
	vm->donated += *taken;
	return ret;
}

static int donate_region(struct up_vm *vm, struct up_region *r, struct up_donation *list,
			 struct up_where *at)
{
	struct up_retry retry = { .what = "donating", .stop = &vm->ending, .killable = true };
	int err = 0;
	u64 taken;
	long ret;

	while (r->donated < r->filled && !err) {
		ret = donate_some(vm, r, list, &taken);
		at->where = r->run.gfn + r->donated;
		err = ret ? up_retry(&retry, ret, taken) : interrupted(vm);
	}
	return err;
}

int up_memory_donate(struct up_vm *vm, struct list_head *regions, struct up_where *at)
{
	struct up_donation *list = (struct up_donation *)__get_free_page(GFP_KERNEL);
	struct up_region *r;
	int ret = 0;

	*at = (struct up_where) { .step = UNDERPIN_STEP_DONATE };
	if (!list)
		return -ENOMEM;
	list_for_each_entry(r, regions, node) {
		ret = donate_region(vm, r, list, at);
		if (ret)
			break;
	}
	free_page((unsigned long)list);
	return ret;
}

/* Counts what came back; the layer hands back nothing while it says -EAGAIN. */
static int reclaim_all(struct up_vm *vm, u64 *list, u64 *back)
{
	struct up_retry retry = { .what = "reclaiming" };
	u64 nr = 1;
	long ret;
	int err = 0;

	while (nr && !err) {
		ret = up_vmcall(UP_CALL_VM_RECLAIM, vm->id, up_page_pfn(list),
				PAGE_SIZE / sizeof(*list), &nr, NULL);
		if (ret) {
			err = up_retry(&retry, ret, false);
			nr = 1;
		} else if (nr > PAGE_SIZE / sizeof(*list)) {
			err = -EIO;
		} else {
			*back += nr;
		}
		cond_resched();
	}
	return err;
}

int up_memory_reclaim(struct up_vm *vm)
{
	u64 *list = (u64 *)__get_free_page(GFP_KERNEL | __GFP_NOFAIL);
	u64 back = 0;
	int ret = reclaim_all(vm, list, &back);

	free_page((unsigned long)list);
	if (!ret && back != vm->donated) {
		pr_err("VM %u: %llu frames given, %llu came back\n", vm->id, vm->donated, back);
		return -EIO;
	}
	return ret;
}

static void give_up_pages(struct up_vm *vm, struct up_region *r, u64 from)
{
	u64 i, nr = r->filled - from;

	if (r->run.alias) {
		for (i = from; i < r->filled; i++)
			__free_page(r->pages[i]);
		vm->aliases -= nr;
	} else {
		for (i = 0; i < nr; i += PIN_BATCH) {
			unpin_user_pages_dirty_lock(r->pages + from + i,
						    min_t(u64, nr - i, PIN_BATCH), true);
			cond_resched();
		}
		vm->pinned -= nr;
		atomic64_sub(nr, &vm->mm->pinned_vm);
	}
	r->filled = from;
}

static void free_region(struct up_region *r)
{
	list_del(&r->node);
	kvfree(r->pages);
	kfree(r);
}

void up_memory_release(struct up_vm *vm, struct list_head *regions)
{
	struct up_region *r, *next;

	list_for_each_entry_safe(r, next, regions, node) {
		give_up_pages(vm, r, 0);
		free_region(r);
	}
}

void up_memory_trim(struct up_vm *vm, struct list_head *regions)
{
	struct up_region *r, *next;

	list_for_each_entry_safe(r, next, regions, node) {
		give_up_pages(vm, r, r->donated);
		if (r->donated)
			list_move_tail(&r->node, &vm->regions);
		else
			free_region(r);
	}
}
