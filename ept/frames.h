/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who owns a frame of RAM (design, section 5; S1.2, S1.4).
 *
 * One u64 a frame, indexed by PFN from 0, at UP_TABLE_BASE.  Zeroed memory
 * means "no RAM here".  Every path that makes memory reachable asks this table.
 */
#ifndef EPT_FRAMES_H
#define EPT_FRAMES_H

#include "vmx/base/types.h"
#include "vmx/base/lock.h"
#include "vmx/abi/image.h"

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

/** frame_set() - write a frame's entry and keep the counters.  Holds frames_lock. */
void frame_set(u64 pfn, u64 entry);

struct frame_counters {
	u64 ram, layer, vm;	/* frames */
	u64 table_bytes;
};

/** frame_counters() - how much RAM there is, and whose */
void frame_counters(struct frame_counters *c);

/**
 * frame_is_hosts() - true if the host may reach @pfn now: it owns it, a VM
 * shares it, or it is no RAM but an address that the processor has (MMIO).
 */
bool frame_is_hosts(u64 pfn);

enum frame_region {
	REGION_NO_RAM,		/* none of the 512 frames is RAM */
	REGION_HOST,		/* all are the host's own */
	REGION_MIXED,
};

/**
 * frames_region() - what the 2 MiB starting at @pfn (a multiple of 512) hold
 * Reads 512 entries, and no more: that bounds what a fill costs.
 */
enum frame_region frames_region(u64 pfn);

/** frames_have_ram() - true if RAM lies in [@pfn, @pfn + @count); at most 64 comparisons */
bool frames_have_ram(u64 pfn, u64 count);

/** phys_mask() - the address bits that this processor has, bit 12 up, at most 48 */
u64 phys_mask(void);

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

/** host_donate_layer() - @pfn joins the growth pool, once every CPU has flushed */
int host_donate_layer(u64 pfn);

/**
 * pool_commit() - move donated frames into the pool if their flush is complete
 * Also done by itself when the pool is short: call it only to know.
 * Return: 0 all moved, -UP_EAGAIN flush pending or more to move: call again.
 */
int pool_commit(void);

/** donated_to_pool() - pool_commit() for a holder of frames_lock.  Return: all moved */
bool donated_to_pool(void);

/**
 * layer_return_host() - zero a frame of the layer and give it to the host
 * @pfn: came from pool_alloc()
 * Return: as above; -UP_EAGAIN a decoy was mapped there and is not flushed yet.
 */
int layer_return_host(u64 pfn);

/**
 * host_donate_vm() - @pfn becomes frame @gfn of @vm, PENDING until vm_commit()
 * Caller holds vm->lock.  -UP_EBUSY also when @vm is frozen (being measured) or dead.
 */
int host_donate_vm(struct vm *vm, u64 pfn, u64 gfn);

/**
 * vm_commit() - complete the pending donations of @vm, in pieces
 *
 * A frame that arrives after the measurement was taken is zeroed, but only now
 * that no stale translation can write to it.  Caller holds vm->lock.
 * Return: 0 none is pending, -UP_EAGAIN flush pending or more to do: call again.
 */
int vm_commit(struct vm *vm);

/**
 * frame_ready() - may @vm's table map @pfn at @gfn?  Commits it if it is pending
 * and its flush is complete.  Holds frames_lock.
 */
bool frame_ready(struct vm *vm, u64 pfn, u64 gfn);

/**
 * vm_return_host() - a dead VM's frame goes back to the host, zeroed
 *
 * The first call takes the whole VM out of its table, and gets -UP_EAGAIN; when
 * every CPU has flushed since, each further call hands back one frame.
 * -UP_EBUSY while @vm may still run: its memory must not vanish beneath it.
 */
int vm_return_host(struct vm *vm, u64 gfn, u64 *pfn);

/** frames_forget_vms() - zero every VM's frames where they are; before a reset */
void frames_forget_vms(void);

/** vm_share_host() - the guest lets the host see @gfn; zeroes.  -UP_EAGAIN: again */
int vm_share_host(struct vm *vm, u64 gfn);

/**
 * vm_unshare_host() - @gfn is private again; zeroes
 * The first call takes it from the host and gets -UP_EAGAIN; call until 0.
 */
int vm_unshare_host(struct vm *vm, u64 gfn);

#endif /* EPT_FRAMES_H */
