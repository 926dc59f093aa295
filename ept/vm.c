// SPDX-License-Identifier: GPL-2.0
/*
 * The tables that hardware uses for VMs (two-stage mapping protocol, S1.2).
 *
 * An unprotected VM's table shadows one EPTP12 and maps what KVM's maps, if the
 * frames are the host's.  A protected VM's table is its binding.
 *
 * A shadow table belongs to its EPTP12 as long as a CPU uses it.  Tables not in
 * use are recycled: every CPU flushes before it enters one that was emptied
 * since it last did (->gen), so their frames may be reused at once.
 */

#include "ept/binding.h"
#include "ept/ept.h"
#include "ept/frames.h"
#include "ept/mtrr.h"
#include "ept/pool.h"
#include "ept/shadow.h"
#include "ept/table.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/abi/errno.h"
#include "vmx/base/log.h"
#include "vmx/vm/vm.h"
#include "vmx/vm/call.h"

#define INVEPT_SINGLE	1
#define SHADOW_TABLES	(UP_MAX_CPUS + 32)	/* so that one is always unused */
#define FREE_MAX	256			/* table frames freed in one go */
#define OFF_MAX		4096			/* and when no VM is left: some 100 us */

struct vm_ept {
	u64 root;		/* 0: none yet */
	u64 eptp12;		/* shadow: whose; 0: nobody's */
	struct vm *vm;		/* protected VM's: whose */
	bool filled;		/* maps something */
	u64 last_use;
	u64 gen;		/* counts how often it was emptied */
	u64 seen[UP_MAX_CPUS];	/* ->gen when that CPU last flushed; only it writes */
};

/* What each CPU uses.  Written by that CPU, ->shadow under frames_lock. */
struct cpu_use {
	struct vm_ept *shadow;
	struct vm_ept *reflected;	/* a violation of it went to KVM just now */
	u64 reflected_gpa;
	u64 reflected_eptp12;
};

static struct vm_ept shadows[SHADOW_TABLES];
static struct vm_ept vm_tables[UP_MAX_VMS];
static struct cpu_use cpu_use[UP_MAX_CPUS];
static u64 use_clock;
static u32 nfilled;		/* shadow tables that map something */

static struct cpu_use *this_use(void)
{
	return &cpu_use[this_cpu()->cpu];
}

static u32 users(const struct vm_ept *t)
{
	u32 i, n = 0;

	for (i = 0; i < ncpus; i++)
		n += cpu_use[i].shadow == t;
	return n;
}

static void shadow_empty(struct vm_ept *t)
{
	if (!t->filled)
		return;
	ept_park(t->root);
	t->filled = false;
	nfilled--;
	WRITE_ONCE(t->gen, t->gen + 1);
}

void shadow_empty_all(void)
{
	u32 i;

	for (i = 0; i < SHADOW_TABLES && nfilled; i++)
		shadow_empty(&shadows[i]);
}

/* A table that no CPU uses: a spare one, or the one not used longest */
static struct vm_ept *shadow_victim(bool with_frames)
{
	struct vm_ept *t, *best = NULL;

	for (t = shadows; t < shadows + SHADOW_TABLES; t++) {
		if (users(t) || (with_frames && !t->root))
			continue;
		if (!t->eptp12)
			return t;
		if (!best || t->last_use < best->last_use)
			best = t;
	}
	return best;
}

/* Nobody uses @t: it stands for no EPTP12 any more, and gives frames back. */
static void shadow_release(struct vm_ept *t, u32 *budget)
{
	t->eptp12 = 0;
	shadow_empty(t);
	if (!t->root || !ept_free_below(t->root, EPT_LEVELS, budget, pool_free))
		return;
	pool_free(t->root);
	t->root = 0;
}

bool shadow_reclaim(void)
{
	struct vm_ept *t = shadow_victim(true);
	u32 budget = FREE_MAX;

	if (t)
		shadow_release(t, &budget);
	return t;
}

/* @t is in use, and gives its tables back: after a flush if others use it too. */
static bool shadow_shrink(struct vm_ept *t)
{
	bool others = users(t) - (this_use()->shadow == t);
	u32 budget = FREE_MAX;

	shadow_empty(t);
	ept_free_below(t->root, EPT_LEVELS, &budget, others ? ept_retire : pool_free);
	return !others;
}

void shadow_shrink_all(void)
{
	struct vm_ept *t;

	for (t = shadows; t < shadows + SHADOW_TABLES; t++)
		if (t->root)
			shadow_shrink(t);
	ept_reap();	/* the flush that they wait for counts from now */
}

u64 table_alloc(void)
{
	u64 pa = pool_alloc();

	if (!pa) {
		donated_to_pool();
		pa = pool_alloc();
	}
	if (!pa && shadow_reclaim())
		pa = pool_alloc();
	return pa;
}

static struct vm_ept *shadow_find(u64 eptp12)
{
	u32 i;

	for (i = 0; i < SHADOW_TABLES; i++)
		if (shadows[i].eptp12 == eptp12)
			return &shadows[i];
	return NULL;
}

static struct vm_ept *shadow_new(u64 eptp12)
{
	struct vm_ept *t = shadow_victim(false);

	up_assert(t);
	t->eptp12 = 0;
	shadow_empty(t);
	if (!t->root) {
		t->root = table_alloc();
		if (!t->root)
			t->root = pool_alloc_reserve();	/* KVM gives up without */
		if (!t->root)
			return NULL;
		t->gen++;	/* the frame may have been another table's root */
	}
	t->eptp12 = eptp12;
	return t;
}

struct vm_ept *shadow_get(u64 eptp12)
{
	struct cpu_use *use = this_use();
	struct vm_ept *t = use->shadow;

	/* A table in use keeps its meaning: no lock needed to see that it is ours. */
	if (t && t->eptp12 == eptp12)
		return t;
	spin_lock(&frames_lock);
	if (t)
		t->last_use = ++use_clock;
	use->shadow = NULL;
	t = shadow_find(eptp12);
	if (!t)
		t = shadow_new(eptp12);
	use->shadow = t;
	spin_unlock(&frames_lock);
	return t;
}

void shadow_cpu_off(void)
{
	struct cpu_use *use = this_use();
	u32 i, in_use = 0, budget = OFF_MAX;

	spin_lock(&frames_lock);
	use->shadow = NULL;
	use->reflected = NULL;
	for (i = 0; i < ncpus; i++)
		in_use += !!cpu_use[i].shadow;
	for (i = 0; i < SHADOW_TABLES && !in_use; i++)
		shadow_release(&shadows[i], &budget);
	spin_unlock(&frames_lock);
}

void shadow_invept(u64 type, u64 eptp12)
{
	struct vm_ept *t;

	spin_lock(&frames_lock);
	t = type == INVEPT_SINGLE ? shadow_find(eptp12) : NULL;
	if (t)
		shadow_empty(t);
	else if (type != INVEPT_SINGLE)
		shadow_empty_all();
	spin_unlock(&frames_lock);
}

u64 vm_ept_eptp(const struct vm_ept *t)
{
	return t->root | EPTP_FLAGS;
}

/* May a VM that is not protected reach the frame? */
static bool shadow_may_map(u64 pfn)
{
	return frame_entry(pfn) ? frame_host_usable(pfn) : frame_is_hosts(pfn);
}

/*
 * RAM as KVM says; anything else with the type that the host itself would get,
 * since a cached mapping of a device can stop the machine.
 */
static u64 shadow_leaf(u64 pa, u32 access, u64 entry12, u32 level)
{
	u64 e = pa | access | (level > 1 ? EPT_LARGE : 0);

	if (frame_entry(pa >> PAGE_SHIFT))
		return e | (entry12 & (EPT_TYPE(7) | EPT_IPAT));
	return e | EPT_TYPE(mtrr_type(pa, EPT_SPAN(level)));
}

static bool shadow_large(u64 pa)
{
	switch (frames_region(pa >> PAGE_SHIFT)) {
	case REGION_HOST:
		return true;
	case REGION_NO_RAM:
		return mtrr_type(pa, SZ_2M) >= 0;
	default:
		return false;
	}
}

/* A new 4 KiB table: what KVM's has there already, at once. */
static void shadow_fill_table(u64 *pt, const struct ept_walk *w)
{
	const u64 *pt12 = phys(w->table);
	u64 i, e12 = w->entry, pa = ALIGN_DOWN(w->hpa, SZ_2M);
	u32 access = w->access;

	for (i = 0; i < EPT_ENTRIES; i++, pa += PAGE_SIZE) {
		if (w->level == 1) {
			e12 = READ_ONCE(pt12[i]);
			access = e12 & w->above;
			if (!access || ept_entry_misconfigured(e12, 1))
				continue;
			pa = e12 & EPT_ADDR;
		}
		if (shadow_may_map(pa >> PAGE_SHIFT))
			ept_set(&pt[i], shadow_leaf(pa, access, e12, 1));
	}
}

static enum ept_result shadow_fill(struct vm_ept *t, const struct ept_walk *w, u64 gpa)
{
	u64 large = ALIGN_DOWN(w->hpa, SZ_2M);
	bool made;
	u64 *e;

	if (!shadow_may_map(w->hpa >> PAGE_SHIFT)) {
		note_denied();
		return EPT_REFLECT;
	}
	nfilled += !t->filled;
	t->filled = true;
	e = ept_slot(t->root, gpa, 2, table_alloc);
	if (!e)
		return EPT_NOMEM;
	if (w->level > 1 && shadow_large(large)) {
		if (ept_is_table(*e))
			ept_retire(*e & EPT_ADDR);
		ept_set(e, shadow_leaf(large, w->access, w->entry, 2));
		return EPT_FILLED;
	}
	made = !ept_is_table(*e) || !(*e & EPT_RWX);
	e = made ? ept_slot(t->root, gpa, 1, table_alloc) :
		   (u64 *)phys(*e & EPT_ADDR) + ept_index(gpa, 1);
	if (!e)
		return EPT_NOMEM;
	if (made)
		shadow_fill_table(e - ept_index(gpa, 1), w);
	ept_set(e, shadow_leaf(w->hpa, w->access, w->entry, 1));
	return EPT_FILLED;
}

/*
 * The stored mapping: whatever KVM proposes, the frame is the one bound to this
 * gfn.  So swapping, aliasing and replaying frames has no effect but a count.
 */
static enum ept_result vm_fill(struct vm *vm, const struct ept_walk *w, u64 gpa)
{
	u64 gfn = gpa >> PAGE_SHIFT;
	u64 *e = binding_entry(vm, gfn);

	if (vm->unmapped || READ_ONCE(vm->state) != UP_VM_RUNNABLE)
		return EPT_REFLECT;
	if (!e || (*e ^ w->hpa) & EPT_ADDR)
		vm->mismatches++;
	if (!e || !frame_ready(vm, (*e & EPT_ADDR) >> PAGE_SHIFT, gfn))
		return EPT_REFLECT;
	ept_set(e, *e | EPT_RWX);
	return EPT_FILLED;
}

static enum ept_result violation(struct vm_ept *t, u64 eptp12, u64 gpa, u64 *qual)
{
	struct ept_walk w;
	enum ept_result r;

	if (ept_walk(eptp12, gpa, &w) || w.misconfigured)
		return EPT_REFLECT_MISCONFIG;
	*qual = (*qual & ~(EPT_RWX << 3)) | (u64)w.access << 3;
	if (!w.access || *qual & EPT_RWX & ~w.access)
		return EPT_REFLECT;
	if (t->vm)
		return vm_fill(t->vm, &w, gpa);
	r = shadow_fill(t, &w, gpa);
	/* The pool is empty, and no table is out of use: this one has to shrink. */
	return r == EPT_NOMEM && shadow_shrink(t) ? shadow_fill(t, &w, gpa) : r;
}

enum ept_result vm_ept_violation(struct vm_ept *t, u64 eptp12, u64 gpa, u64 *qual)
{
	struct cpu_use *use = this_use();
	enum ept_result r;

	up_assert(t->vm || t->eptp12 == eptp12);
	spin_lock(&frames_lock);
	ept_reap();
	r = violation(t, eptp12, gpa, qual);
	spin_unlock(&frames_lock);
	if (r == EPT_REFLECT) {
		use->reflected = t;
		use->reflected_gpa = gpa;
		use->reflected_eptp12 = eptp12;
	}
	return r;
}

/* KVM has answered a violation, probably: save the second exit for it. */
static void prefill(struct vm_ept *t, u64 eptp12, u64 gpa)
{
	struct ept_walk w;

	spin_lock(&frames_lock);
	if (!ept_walk(eptp12, gpa, &w) && !w.misconfigured && w.access) {
		if (t->vm)
			vm_fill(t->vm, &w, gpa);
		else
			shadow_fill(t, &w, gpa);
	}
	spin_unlock(&frames_lock);
}

void vm_ept_prepare(struct vm_ept *t)
{
	struct cpu_use *use = this_use();
	u32 cpu = this_cpu()->cpu;
	u64 gen;

	if (use->reflected == t && (t->vm || t->eptp12 == use->reflected_eptp12))
		prefill(t, use->reflected_eptp12, use->reflected_gpa);
	use->reflected = NULL;
	gen = READ_ONCE(t->gen);
	if (t->seen[cpu] != gen) {
		invept(INVEPT_SINGLE, vm_ept_eptp(t));
		t->seen[cpu] = gen;
	}
}

struct vm_ept *vm_ept_create(struct vm *vm)
{
	struct vm_ept *t = &vm_tables[vm->id];

	spin_lock(&frames_lock);
	t->root = binding_root(vm);
	t->vm = t->root ? vm : NULL;
	t->gen++;	/* the root may have been another table's */
	spin_unlock(&frames_lock);
	return t->vm ? t : NULL;
}

int vm_ept_destroy(struct vm_ept *t)
{
	u32 budget = FREE_MAX;
	int err = 0;

	spin_lock(&frames_lock);
	if (t->vm->frames) {
		err = -UP_EBUSY;
	} else if (!ept_free_below(t->root, EPT_LEVELS, &budget, pool_free)) {
		err = -UP_EAGAIN;
	} else {
		pool_free(t->root);
		t->vm->gfn_root = 0;
		t->root = 0;
		t->vm = NULL;
	}
	spin_unlock(&frames_lock);
	return err;
}
