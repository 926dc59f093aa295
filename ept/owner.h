/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who owns a frame of RAM (docs/memory.md; S1.2, S1.4).
 *
 * One u64 a frame, indexed by PFN from 0, at UP_TABLE_BASE.  Zeroed memory
 * means "no RAM here", and is read-only where no range of RAM lies.  Every path that
 * makes memory reachable asks this table.
 */
#ifndef EPT_OWNER_H
#define EPT_OWNER_H

#include "vmx/base/types.h"
#include "vmx/abi/call.h"
#include "vmx/abi/image.h"
#include "vmx/base/lock.h"

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
	FRAME_SHARING = 3,	/* a VM's, will be shared once its own translations are flushed */
};

/* Entry: gfn in bits 39:0, state in 43:40, owner in 59:44. */
#define FRAME_GFN(e)		((e) & MASK(39, 0))
#define FRAME_STATE(e)		((enum frame_state)(((e) >> 40) & 0xf))
#define FRAME_OWNER(e)		((u32)(((e) >> 44) & 0xffff))
#define FRAME_ENTRY(owner, state, gfn) \
	((u64)(owner) << 44 | (u64)(state) << 40 | (gfn))

extern struct spinlock frames_lock;

/**
 * frames_init() - fill the owner table, which is zero, from the launch configuration
 * @cfg: RAM is the host's, the layer's ranges the layer's; its lists must stay
 *
 * Root context, first CPU, before any guest runs.
 * Return: 0, or -UP_EINVAL when a range lies outside the table or overlaps wrongly.
 */
int frames_init(const struct up_config *cfg);

/**
 * frames_init_devices() - devices_init(), and none of the registers is RAM
 * After frames_init().  Return: 0 or -UP_EINVAL.
 */
int frames_init_devices(const struct up_config *cfg);

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
 * shares it, or it is no RAM but an address that the processor has (MMIO) and no
 * register that the layer keeps (ept/device.h).
 */
bool frame_is_hosts(u64 pfn);

enum frame_region {
	REGION_NO_RAM,		/* none of the 512 frames is RAM, nor a device of the layer's */
	REGION_HOST,		/* all are the host's own */
	REGION_MIXED,
};

/**
 * frames_region() - what the 2 MiB starting at @pfn (a multiple of 512) hold
 * Reads 512 entries, and no more: that bounds what a fill costs.
 */
enum frame_region frames_region(u64 pfn);

/** frames_have_ram() - true if RAM lies in [@pfn, @pfn + @count) */
bool frames_have_ram(u64 pfn, u64 count);

extern u64 address_mask;	/* phys_mask(), for the path of every violation */

/** phys_mask() - the address bits that this processor has, bit 12 up, at most 48 */
static inline u64 phys_mask(void)
{
	return address_mask;
}

/**
 * frame_host_usable() - true if an address the host supplied may be *used by the
 * layer or hardware on the host's behalf* (operands, bitmaps, MSR lists,
 * virtual-APIC pages): RAM owned by the host, not the layer's, not a VM's.
 */
bool frame_host_usable(u64 pfn);

/**
 * host_pointer() - what the host named, through the layer's direct map
 *
 * The only way from a host's address to memory (gate: tests/suites/gates-spectre).  By
 * arithmetic alone, so that also a processor that has guessed wrongly loads from NULL,
 * which root does not map, and not from a VM's frame.
 * Return: NULL unless the frame is the host's own
 */
void *host_pointer(u64 pfn, u64 offset);

/** host_page(), host_byte() - by frame number, and by physical address */
static inline void *host_page(u64 pfn)
{
	return host_pointer(pfn, 0);
}

static inline void *host_byte(u64 pa)
{
	return host_pointer(pa >> PAGE_SHIFT, pa & (PAGE_SIZE - 1));
}

/**
 * frame_flush() - memory has what the caches have, and no cache has another copy
 *
 * The host may reach its frames uncached, which need not see a cache, nor be seen by one
 * (SDM vol. 3, 12.12.4): before a frame's content is measured, and behind its zeroing
 * for the host.
 */
void frame_flush(u64 pfn);

/**
 * struct owner - a VM as an owner of frames
 * @id: its number; the owner table has OWNER_VM0 + @id
 * @state: changes under the VM's lock; read anywhere
 *
 * All but @state under frames_lock.
 */
struct owner {
	u32 id;
	enum up_vm_state state;
	bool unmapped;		/* dead, and its table is cut */
	bool aliased;		/* reaches what it shares by aliases alone */
	u64 frames;		/* owned */
	u64 frames_shared;
	u64 frames_pending;	/* donated, not committed */
	u64 commit_cursor;	/* no pending gfn lies below */
	u64 gfn_root;		/* ept/binding.c: gfn -> pfn, and its EPT */
	u64 flush_ticket;	/* of the newest unmapping for this VM */
	u64 mismatches;		/* proposals of KVM that named another frame */
};

/** frame_owned_by() - @pfn's entry says: @o's frame @gfn, in whatever state */
bool frame_owned_by(u64 pfn, const struct owner *o, u64 gfn);

/** frames_forget_vms() - zero every VM's frames where they are; before a reset */
void frames_forget_vms(void);

#endif /* EPT_OWNER_H */
