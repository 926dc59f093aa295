// SPDX-License-Identifier: GPL-2.0
/*
 * The transitions of ownership (docs/memory.md; S1.4).  One shape: lock,
 * check every side's state, change, unlock.
 *
 * A frame that changes hands is PENDING until every CPU has flushed since the
 * old owner's mappings went: nobody's table maps it in that state.
 *
 * Comments that begin with an @ are for the prover, with the names of tests/proof/world.h.
 */

#include "ept/transition.h"
#include "ept/binding.h"
#include "ept/flush.h"
#include "ept/grow.h"
#include "ept/table.h"
#include "ept/view.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/base/lib.h"

/* Work done by one call: some 100 us. */
#define COMMIT_FRAMES	4096	/* looked at */
#define COMMIT_ZEROED	64

static u32 owner_of(const struct owner *o)
{
	return OWNER_VM0 + o->id;
}

/* @gfn of @o: its frame and state.  -UP_ENOENT when it is unbound. */
static int bound_frame(const struct owner *o, u64 gfn, u64 **e, u64 *pfn, enum frame_state *state)
{
	if (gfn >= binding_gfns())
		return -UP_EINVAL;
	*e = binding_entry(o, gfn);
	if (!*e)
		return -UP_ENOENT;
	*pfn = (**e & EPT_ADDR) >> PAGE_SHIFT;
	if (!frame_owned_by(*pfn, o, gfn))
		return -UP_EPERM;
	*state = FRAME_STATE(frame_entry(*pfn));
	return 0;
}

/* What one view says and does; without a function of its own, nothing (ept/view.h). */
static bool row_ready(const struct view *v, u64 pfn)
{
	return !v->ready || v->ready(pfn);
}

static void row_lose(const struct view *v, u64 pfn)
{
	v->lose(pfn);
}

static bool row_clean(const struct view *v, u64 pfn)
{
	return !v->clean || v->clean(pfn);
}

static void row_gain(const struct view *v, u64 pfn)
{
	if (v->gain)
		v->gain(pfn);
}

/* Every view can lose @pfn. */
static bool host_ready(u64 pfn)
{
	const struct view *v;

	/*@ loop invariant v == __start_views + AT(v) && 0 <= AT(v) <= VIEWS;
	    loop assigns v;
	    loop variant VIEWS - AT(v); */
	for (v = __start_views; v < __stop_views; v++)
		if (!row_ready(v, pfn))
			return false;
	return true;
}

/* The host owns @pfn, and can give it away. */
static int check_frame(u64 pfn)
{
	u64 e = frame_entry(pfn);

	if (!e)
		return -UP_ENOENT;
	if (FRAME_OWNER(e) != OWNER_HOST)
		return -UP_EPERM;
	return host_ready(pfn) ? 0 : -UP_ENOMEM;
}

/* The host can reach @pfn no more, through any view. */
static u64 host_lose(u64 pfn, u64 entry)
{
	const struct view *v;

	frame_set(pfn, entry);
	/*@ loop invariant v == __start_views + AT(v) && 0 <= AT(v) <= VIEWS;
	    loop invariant lost: \forall integer i; 0 <= i < AT(v) ==> mapped[pfn][i] == 0;
	    loop invariant then: AT(v) > 0 ==> lost[pfn] == flush_now;
	    loop assigns v, mapped[pfn][0 .. VIEWS - 1], lost[pfn];
	    loop variant VIEWS - AT(v); */
	for (v = __start_views; v < __stop_views; v++)
		row_lose(v, pfn);
	return flush_ticket();
}

/* Nothing stands in for @pfn in any view. */
static bool host_clean(u64 pfn)
{
	const struct view *v;

	/*@ loop invariant v == __start_views + AT(v) && 0 <= AT(v) <= VIEWS;
	    loop invariant clean: \forall integer i; 0 <= i < AT(v) ==> stands_in[pfn][i] == 0;
	    loop invariant flush_now >= \at(flush_now, Pre) && flushed >= \at(flushed, Pre);
	    loop assigns v, stands_in[pfn][0 .. VIEWS - 1], flush_now, flushed;
	    loop variant VIEWS - AT(v); */
	for (v = __start_views; v < __stop_views; v++)
		if (!row_clean(v, pfn))
			return false;
	return true;
}

/* The host can reach @pfn, which holds nothing. */
static void host_gain(u64 pfn, u64 entry)
{
	const struct view *v;

	zero_page(phys(pfn << PAGE_SHIFT));
	frame_flush(pfn);
	frame_set(pfn, entry);
	/*@ loop invariant v == __start_views + AT(v) && 0 <= AT(v) <= VIEWS;
	    loop assigns v, mapped[pfn][0 .. VIEWS - 1];
	    loop variant VIEWS - AT(v); */
	for (v = __start_views; v < __stop_views; v++)
		row_gain(v, pfn);
	ept_reap();
}

int host_donate_layer(u64 pfn)
{
	u64 entry;
	int err;

	spin_lock(&frames_lock);
	err = pfn ? check_frame(pfn) : -UP_EINVAL;
	if (!err) {
		entry = grow_entry();
		grow_wait(pfn, host_lose(pfn, entry));
	}
	spin_unlock(&frames_lock);
	return err;
}

static int check_donate_vm(const struct owner *o, u64 pfn, u64 gfn)
{
	int err;

	if (gfn >= binding_gfns())
		return -UP_EINVAL;
	err = check_frame(pfn);
	if (err)
		return err;
	if (o->unmapped || (o->state != UP_VM_BUILDING && o->state != UP_VM_RUNNABLE))
		return -UP_EBUSY;
	return binding_entry(o, gfn) ? -UP_EEXIST : 0;
}

/* @pfn becomes @o's, or again its own, once every CPU has flushed. */
static void make_pending(struct owner *o, u64 pfn, u64 gfn)
{
	o->flush_ticket = host_lose(pfn, FRAME_ENTRY(owner_of(o), FRAME_PENDING, gfn));
	o->frames_pending++;
	if (o->commit_cursor > gfn)
		o->commit_cursor = gfn;
}

int host_donate_vm(struct owner *o, u64 pfn, u64 gfn)
{
	int err;

	spin_lock(&frames_lock);
	err = check_donate_vm(o, pfn, gfn);
	if (!err)
		err = binding_set(o, gfn, pfn);
	if (!err) {
		o->frames++;
		make_pending(o, pfn, gfn);
	}
	spin_unlock(&frames_lock);
	return err;
}

/* Complete a pending donation or unsharing.  False while a flush is outstanding. */
static bool commit_frame(struct owner *o, u64 pfn, u64 gfn)
{
	if (!flush_done(o->flush_ticket))
		return false;
	if (o->state != UP_VM_BUILDING && o->state != UP_VM_MEASURING)
		zero_page(phys(pfn << PAGE_SHIFT));
	frame_set(pfn, FRAME_ENTRY(owner_of(o), FRAME_OWNED, gfn));
	o->frames_pending--;
	return true;
}

bool frame_ready(struct owner *o, u64 pfn, u64 gfn)
{
	if (!frame_owned_by(pfn, o, gfn))
		return false;
	return FRAME_STATE(frame_entry(pfn)) != FRAME_PENDING || commit_frame(o, pfn, gfn);
}

int vm_commit(struct owner *o)
{
	u32 looked = 0, zeroed = 0;
	u64 pfn;
	int err;

	spin_lock(&frames_lock);
	/*@ loop invariant rules: rules(o);
	    loop invariant entries: \forall integer p; in_table(p) ==>
		owner_table[p] == \at(owner_table[p], Pre) || committed{Pre, Here}(o, p);
	    loop invariant flushed >= \at(flushed, Pre) && 0 <= looked <= COMMIT_FRAMES;
	    loop assigns looked, zeroed, pfn, o->commit_cursor, o->frames_pending, flushed,
		owner_table[0 .. FRAMES - 1], counters, words[..][..];
	    loop variant COMMIT_FRAMES - looked; */
	while (o->frames_pending && looked++ < COMMIT_FRAMES && zeroed < COMMIT_ZEROED &&
	       binding_next(o, &o->commit_cursor, &pfn)) {
		if (FRAME_STATE(frame_entry(pfn)) == FRAME_PENDING) {
			if (!commit_frame(o, pfn, o->commit_cursor))
				break;
			zeroed += o->state != UP_VM_BUILDING && o->state != UP_VM_MEASURING;
		}
		o->commit_cursor++;
	}
	err = o->frames_pending ? -UP_EAGAIN : 0;
	spin_unlock(&frames_lock);
	return err;
}

/* No mapping of @gfn is left in the VM's table, private or alias. */
static void share_lose(struct owner *o, u64 *e, u64 gfn)
{
	u64 *alias = ept_find(o->gfn_root, gfn << PAGE_SHIFT | shared_bit(), 1);

	ept_set(e, *e & ~(u64)EPT_RWX);
	if (alias)
		ept_set(alias, 0);
}

int vm_return_host(struct owner *o, u64 gfn, u64 *pfn)
{
	enum frame_state state;
	u64 *e;
	int err;

	spin_lock(&frames_lock);
	err = bound_frame(o, gfn, &e, pfn, &state);
	if (!err && o->state != UP_VM_DEAD)
		err = -UP_EBUSY;
	if (!err && !o->unmapped) {
		binding_cut(o);
		o->flush_ticket = flush_ticket();
	}
	if (!err && (!flush_done(o->flush_ticket) || !host_clean(*pfn)))
		err = -UP_EAGAIN;
	if (!err) {
		share_lose(o, e, gfn);
		binding_clear(o, gfn);
		o->frames--;
		o->frames_pending -= state == FRAME_PENDING;
		o->frames_shared -= state == FRAME_SHARED;
		host_gain(*pfn, FRAME_ENTRY(OWNER_HOST, FRAME_OWNED, 0));
	}
	spin_unlock(&frames_lock);
	return err;
}

/*
 * A VM with aliases loses its private mapping first: through a translation that some CPU
 * still had, it would execute what the host writes.
 */
static int private_lose(struct owner *o, u64 *e, u64 pfn, u64 gfn)
{
	if (!frame_ready(o, pfn, gfn))
		return -UP_EAGAIN;
	if (FRAME_STATE(frame_entry(pfn)) == FRAME_OWNED) {
		ept_set(e, *e & ~(u64)EPT_RWX);
		frame_set(pfn, FRAME_ENTRY(owner_of(o), FRAME_SHARING, gfn));
		/*@ assert cut: pfn_of(leaf[gfn]) == pfn && leaf[gfn] != 0; */
		/*@ ghost lost[pfn] = flush_now; */
		o->flush_ticket = flush_ticket();
	}
	return flush_done(o->flush_ticket) ? 0 : -UP_EAGAIN;
}

int vm_share_host(struct owner *o, u64 gfn)
{
	enum frame_state state;
	u64 *e, pfn;
	int err;

	spin_lock(&frames_lock);
	err = bound_frame(o, gfn, &e, &pfn, &state);
	if (!err && (o->state != UP_VM_RUNNABLE || state == FRAME_SHARED ||
		     (state != FRAME_OWNED && !o->aliased)))
		err = -UP_EBUSY;
	if (!err && o->aliased)
		err = private_lose(o, e, pfn, gfn);
	if (!err && !host_clean(pfn))
		err = -UP_EAGAIN;
	if (!err) {
		host_gain(pfn, FRAME_ENTRY(owner_of(o), FRAME_SHARED, gfn));
		o->frames_shared++;
	}
	spin_unlock(&frames_lock);
	return err;
}

int vm_unshare_host(struct owner *o, u64 gfn)
{
	enum frame_state state;
	u64 *e, pfn;
	int err;

	spin_lock(&frames_lock);
	err = bound_frame(o, gfn, &e, &pfn, &state);
	if (!err && (state == FRAME_OWNED || o->state != UP_VM_RUNNABLE))
		err = -UP_EBUSY;
	if (!err && state != FRAME_PENDING) {
		share_lose(o, e, gfn);
		o->frames_shared -= state == FRAME_SHARED;
		make_pending(o, pfn, gfn);
	}
	if (!err && !commit_frame(o, pfn, gfn))
		err = -UP_EAGAIN;
	spin_unlock(&frames_lock);
	return err;
}
