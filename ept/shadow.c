// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow tables: one stands for one EPTP12 and maps what KVM's maps, if the frames
 * are the host's (S1.3, S1.4).
 *
 * A table belongs to its EPTP12 as long as a CPU uses it.  Tables not in use are
 * recycled: every CPU flushes before it enters one that was emptied since it last
 * did (->gen), so their frames may be reused at once.
 */

#include "ept/shadow.h"
#include "ept/flush.h"
#include "ept/grow.h"
#include "ept/mtrr.h"
#include "ept/pool.h"
#include "ept/view.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"

#define FREE_MAX	256			/* table frames freed in one go */
#define OFF_MAX		4096			/* and when no VM is left: some 100 us */

static struct vm_ept shadows[SHADOW_TABLES];
static u32 nshadows;		/* of them have been used */
static u64 use_clock;
static u32 nfilled;		/* shadow tables that map something */

/* This CPU uses @t, or none, from here on. */
static void use(struct vm_ept *t)
{
	struct ept_cpu *cpu = &this_cpu()->ept;

	if (cpu->in_use) {
		cpu->in_use->users--;
		cpu->in_use->last_use = ++use_clock;
	}
	if (t)
		t->users++;
	cpu->in_use = t;
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

static void shadow_empty_all(u64 pfn)
{
	u32 i;

	for (i = 0; i < nshadows && nfilled; i++)
		shadow_empty(&shadows[i]);
}

/* The host lost a frame: no shadow table maps anything any more. */
VIEW shadow_view = { .lose = shadow_empty_all };

/* A table that no CPU uses: a spare one, or the one not used longest */
static struct vm_ept *shadow_victim(bool with_frames)
{
	struct vm_ept *t, *best = NULL;

	for (t = shadows; t < shadows + nshadows; t++) {
		if (t->users || (with_frames && !t->root))
			continue;
		if (!t->eptp12)
			return t;
		if (!best || t->last_use < best->last_use)
			best = t;
	}
	if (with_frames || nshadows == SHADOW_TABLES)
		return best;
	t->index = nshadows++;
	return t;
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
bool shadow_shrink(struct vm_ept *t)
{
	bool others = t->users > (this_cpu()->ept.in_use == t);
	u32 budget = FREE_MAX;

	shadow_empty(t);
	ept_free_below(t->root, EPT_LEVELS, &budget, others ? ept_retire : pool_free);
	return !others;
}

void shadow_shrink_all(void)
{
	struct vm_ept *t;

	for (t = shadows; t < shadows + nshadows; t++)
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

u64 table_alloc_kvm(void)
{
	u64 pa = table_alloc();

	if (!pa)
		pa = pool_alloc_kvm();
	if (!pa) {
		shadow_shrink_all();
		pa = pool_alloc_kvm();
	}
	return pa;
}

static struct vm_ept *shadow_find(u64 eptp12)
{
	u32 i;

	for (i = 0; i < nshadows; i++)
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
		t->root = table_alloc_kvm();
		if (!t->root)
			return NULL;
		t->gen++;	/* the frame may have been another table's root */
	}
	t->eptp12 = eptp12;
	return t;
}

struct vm_ept *shadow_get(u64 eptp12)
{
	struct vm_ept *t = this_cpu()->ept.in_use;

	/* A table in use keeps its meaning: no lock needed to see that it is ours. */
	if (t && t->eptp12 == eptp12)
		return t;
	spin_lock(&frames_lock);
	use(NULL);
	t = shadow_find(eptp12);
	if (!t)
		t = shadow_new(eptp12);
	use(t);
	spin_unlock(&frames_lock);
	return t;
}

void shadow_cpu_off(void)
{
	u32 i, n = 0, budget = OFF_MAX;

	spin_lock(&frames_lock);
	use(NULL);
	for (i = 0; i < nshadows; i++)
		n += shadows[i].users;
	for (i = 0; i < nshadows && !n; i++)
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
		shadow_empty_all(0);
	spin_unlock(&frames_lock);
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
	const u64 *pt12 = host_byte(w->table);	/* not NULL: ept_walk() was there */
	u64 i, e12 = w->entry, pa = ALIGN_DOWN(w->hpa, SZ_2M);
	u32 access = w->access;

	for (i = 0; i < EPT_ENTRIES; i++, pa += PAGE_SIZE) {
		if (w->level == 1) {
			e12 = READ_ONCE(pt12[index_below(i, EPT_ENTRIES)]);
			access = e12 & w->above;
			if (!access || ept_entry_misconfigured(e12, 1))
				continue;
			pa = e12 & EPT_ADDR;
		}
		if (shadow_may_map(pa >> PAGE_SHIFT))
			ept_set(&pt[i], shadow_leaf(pa, access, e12, 1));
	}
}

enum ept_result shadow_fill(struct vm_ept *t, const struct ept_walk *w, u64 gpa)
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
