/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which frame is which guest frame of a protected VM.  The binding *is* the
 * VM's EPT: an entry names the frame, and has access bits only while the
 * mapping is active.  All functions hold frames_lock.
 */
#ifndef EPT_BINDING_H
#define EPT_BINDING_H

#include "ept/owner.h"

/**
 * shared_bit() - the bit of a guest-physical address that says "shared" (docs/guest.md)
 *
 * The highest that a guest can form.  No gfn with it is ever bound: that half of the tree
 * has the aliases of frames that the VM shares, if it asked for them.
 */
static inline u64 shared_bit(void)
{
	return (phys_mask() + PAGE_SIZE) >> 1;
}

/** binding_gfns() - gfns that can be bound lie below */
static inline u64 binding_gfns(void)
{
	return shared_bit() >> PAGE_SHIFT;
}

/** binding_root() - the tree of @o, made if there is none.  Return: 0 pool empty */
u64 binding_root(struct owner *o);

/** binding_entry() - the entry that binds @gfn, or NULL when it is unbound */
u64 *binding_entry(const struct owner *o, u64 gfn);

/** binding_set() - bind @gfn to @pfn, inactive.  Return: 0 or -UP_ENOMEM */
int binding_set(struct owner *o, u64 gfn, u64 pfn);

/**
 * binding_clear() - @gfn is unbound; tables that are empty then are freed
 * Only after binding_cut() and a flush: no CPU may have the tables cached.
 */
void binding_clear(struct owner *o, u64 gfn);

/** binding_cut() - no gfn of @o is reachable any more, and none will be */
void binding_cut(struct owner *o);

/**
 * binding_next() - the first bound gfn from *@gfn on
 * For measuring and reclaiming in ascending order; skips what is absent a table
 * at a time.  Return: false when there is none.
 */
bool binding_next(const struct owner *o, u64 *gfn, u64 *pfn);

#endif /* EPT_BINDING_H */
