/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who owns a frame of RAM (design, section 5; S1.2, S1.4).
 *
 * One u64 a frame, indexed by PFN from 0, at UP_TABLE_BASE.  Zeroed memory
 * means "no RAM here".  Every path that makes memory reachable asks this table.
 */
#ifndef EPT_FRAMES_H
#define EPT_FRAMES_H

#include "../vmx/types.h"
#include "../vmx/lock.h"
#include "../vmx/image.h"

/* Owners; VM n is OWNER_VM0 + n. */
enum frame_owner {
	OWNER_NONE = 0,		/* no RAM: MMIO, firmware, hole */
	OWNER_HOST = 1,
	OWNER_LAYER = 2,
	OWNER_VM0 = 16,
};

enum frame_state {
	FRAME_OWNED = 0,
	FRAME_SHARED = 1,	/* the owner (a VM) lets the host see it */
	FRAME_PENDING = 2,	/* has a new owner, old translations not yet flushed everywhere */
	FRAME_LEAVING = 3,	/* leaves a VM: unmapped there, waits for flush and zeroing */
};

/* Entry: gfn in bits 39:0, state in 43:40, owner in 59:44. */
#define FRAME_GFN(e)		((e) & MASK(39, 0))
#define FRAME_STATE(e)		((enum frame_state)(((e) >> 40) & 0xf))
#define FRAME_OWNER(e)		((u32)(((e) >> 44) & 0xffff))
#define FRAME_ENTRY(owner, state, gfn) \
	((u64)(owner) << 44 | (u64)(state) << 40 | (gfn))

extern struct spinlock frames_lock;

/**
 * frames_init() - fill the owner table from the launch configuration
 * @cfg: RAM is the host's, the layer's ranges the layer's
 *
 * Root context, first CPU, before any guest runs.
 * Return: 0, or -UP_EINVAL when a range lies outside the table or overlaps wrongly.
 */
int frames_init(const struct up_config *cfg);

/** frame_entry() - a frame's entry, or 0 when @pfn is not RAM.  Any context. */
u64 frame_entry(u64 pfn);

/** frame_is_hosts() - true if the host may reach @pfn now: it owns it, or a VM shares it. */
bool frame_is_hosts(u64 pfn);

/**
 * frame_host_usable() - true if an address the host supplied may be *used by the
 * layer or hardware on the host's behalf* (operands, bitmaps, MSR lists,
 * virtual-APIC pages): RAM owned by the host, not the layer's, not a VM's.
 */
bool frame_host_usable(u64 pfn);

/*
 * The transitions.  Each takes frames_lock, checks every side's state, changes,
 * unlocks; an illegal one returns a distinct error and changes nothing.
 * Return: 0; -UP_ENOENT not RAM; -UP_EPERM wrong owner; -UP_EBUSY wrong state
 * or flush pending (-UP_EAGAIN where calling again helps); -UP_EEXIST gfn or
 * frame already bound; -UP_EINVAL malformed number; -UP_ENOMEM pool empty.
 */
struct vm;
int host_donate_layer(u64 pfn);
int layer_return_host(u64 pfn);				/* zeroes */
int host_donate_vm(struct vm *vm, u64 pfn, u64 gfn);	/* zeroes if vm was measured */
int vm_return_host(struct vm *vm, u64 gfn, u64 *pfn);	/* unmap, flush, zero, hand back */
int vm_share_host(struct vm *vm, u64 gfn);		/* zeroes */
int vm_unshare_host(struct vm *vm, u64 gfn);		/* unmaps from host, flush, zeroes */

#endif /* EPT_FRAMES_H */
