/* SPDX-License-Identifier: GPL-2.0 */
/* The transitions of ownership: who may give which frame to whom (docs/memory.md; S1.2, S1.4). */
#ifndef EPT_TRANSITION_H
#define EPT_TRANSITION_H

#include "ept/owner.h"

/*
 * The transitions.  Each takes frames_lock, checks every side's state, changes,
 * unlocks; an illegal one returns a distinct error and changes nothing.
 * Return: 0; -UP_ENOENT not RAM; -UP_EPERM wrong owner; -UP_EBUSY wrong state
 * or flush pending (-UP_EAGAIN where calling again helps); -UP_EEXIST gfn or
 * frame already bound; -UP_EINVAL malformed number; -UP_ENOMEM pool empty.
 */
/** host_donate_layer() - @pfn joins the growth pool, once every CPU has flushed */
int host_donate_layer(u64 pfn);

/**
 * host_donate_vm() - @pfn becomes frame @gfn of @o, PENDING until vm_commit()
 * Caller holds the VM's lock.  -UP_EBUSY also when @o is frozen (being measured) or dead.
 */
int host_donate_vm(struct owner *o, u64 pfn, u64 gfn);

/**
 * vm_commit() - complete the pending donations of @o, in pieces
 *
 * A frame that arrives after the measurement was taken is zeroed, but only now
 * that no stale translation can write to it.  Caller holds the VM's lock.
 * Return: 0 none is pending, -UP_EAGAIN flush pending or more to do: call again.
 */
int vm_commit(struct owner *o);

/**
 * frame_ready() - may @o's table map @pfn at @gfn?  Commits it if it is pending
 * and its flush is complete.  Holds frames_lock.
 */
bool frame_ready(struct owner *o, u64 pfn, u64 gfn);

/**
 * vm_return_host() - a dead VM's frame goes back to the host, zeroed
 *
 * The first call takes the whole VM out of its table, and gets -UP_EAGAIN; when
 * every CPU has flushed since, each further call hands back one frame.
 * -UP_EBUSY while @o may still run: its memory must not vanish beneath it.
 */
int vm_return_host(struct owner *o, u64 gfn, u64 *pfn);

/**
 * vm_share_host() - the guest lets the host see @gfn; zeroes.  -UP_EAGAIN: again
 * With aliases the private mapping goes first, and the frame is shared once all flushed.
 */
int vm_share_host(struct owner *o, u64 gfn);

/**
 * vm_unshare_host() - @gfn is private again; zeroes
 * The first call takes it from the host and gets -UP_EAGAIN; call until 0.
 */
int vm_unshare_host(struct owner *o, u64 gfn);

#endif /* EPT_TRANSITION_H */
