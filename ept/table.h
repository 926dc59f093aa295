/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trees of EPT entries (SDM vol. 3, section 29.3.2), one shape for the host's
 * table, shadow tables and VMs' tables.
 *
 * To forget a table's contents at once, the entries of its root are *parked*:
 * they lose their access bits and keep their pointers.  Hardware sees nothing
 * below; whoever needs the place again wipes one table a level on the way down.
 * Table frames stay where they are, so what other CPUs have cached of the
 * structure never points at a frame that has become something else.
 */
#ifndef EPT_TABLE_H
#define EPT_TABLE_H

#include "vmx/base/types.h"

#define EPT_R			BIT(0)
#define EPT_W			BIT(1)
#define EPT_X			BIT(2)
#define EPT_RWX			(EPT_R | EPT_W | EPT_X)
#define EPT_TYPE(type)		((u64)(type) << 3)
#define EPT_IPAT		BIT(6)
#define EPT_LARGE		BIT(7)
#define EPT_ADDR		MASK(51, 12)

#define EPT_LEVELS		4
#define EPT_ENTRIES		512
#define EPT_SHIFT(level)	(PAGE_SHIFT + 9 * ((level) - 1))
#define EPT_SPAN(level)		(1ULL << EPT_SHIFT(level))

/* EPTP: write-back tables, four levels, no accessed and dirty flags (SDM table 25-9). */
#define EPTP_FLAGS		(6 | (EPT_LEVELS - 1) << 3)

/* IA32_VMX_EPT_VPID_CAP (SDM vol. 3, A.10), read at launch by host_ept_init() */
#define EPT_CAP_EXEC_ONLY	BIT(0)
#define EPT_CAP_1G		BIT(17)
extern u64 ept_caps;

/* Exit qualification of an EPT violation (SDM vol. 3, table 28-7). */
#define EPT_VIOL_READ		BIT(0)
#define EPT_VIOL_WRITE		BIT(1)
#define EPT_VIOL_EXEC		BIT(2)
#define EPT_VIOL_GLA_VALID	BIT(7)
#define EPT_VIOL_GLA_TRANSLATED	BIT(8)
#define EPT_VIOL_NMI_UNBLOCKING	BIT(12)

enum ept_result {
	EPT_FILLED,		/* run again: the mapping is there now */
	EPT_REFLECT,		/* VM: give the host an EPT violation with ->qual */
	EPT_REFLECT_MISCONFIG,	/* VM: give the host an EPT misconfiguration */
	EPT_FAULT_USER,		/* host: inject #PF with the protection-key bit */
	EPT_FAULT_DECOY,	/* host: decoy has been mapped, run again */
	EPT_FAULT_DENIED,	/* host: a layer frame or an impossible address: inject #GP */
	EPT_DEVICE,		/* host: a register that the layer keeps: vmx/host/device.c */
	EPT_NOMEM,		/* pool empty; try again: frames come as other CPUs flush */
};

static inline u32 ept_index(u64 gpa, u32 level)
{
	return gpa >> EPT_SHIFT(level) & (EPT_ENTRIES - 1);
}

/* Points to a table, parked or not? */
static inline bool ept_is_table(u64 e)
{
	return e && !(e & EPT_LARGE);
}

static inline void ept_set(u64 *e, u64 val)
{
	WRITE_ONCE(*e, val);
}

/**
 * ept_slot() - the entry for @gpa at @level of the tree at @root
 * @alloc: where table frames come from, or NULL for a look-up
 *
 * With @alloc, makes, unparks and wipes tables on the way; a large leaf in the
 * way is replaced by a table without entries.
 * Return: NULL when @alloc had none, or when a look-up finds nothing active.
 */
u64 *ept_slot(u64 root, u64 gpa, u32 level, u64 (*alloc)(void));

/** ept_find() - ept_slot() as look-up, through parked tables too */
u64 *ept_find(u64 root, u64 gpa, u32 level);

/** ept_park() - nothing below @root is reachable any more, except from stale caches */
void ept_park(u64 root);

/**
 * ept_free_below() - free every table below the one at @pa
 * @budget: at most so many, counted down
 * @free: pool_free for a tree that no CPU uses, nor will again without a flush;
 *	  ept_retire for one that others use
 *
 * Return: false when the budget ran out; what is left is still a proper tree.
 */
bool ept_free_below(u64 pa, u32 level, u32 *budget, void (*free)(u64));

/**
 * ept_retire() - a table frame that other CPUs may still have cached: it is
 * freed by ept_reap() after a flush.  Holds frames_lock.
 */
void ept_retire(u64 pa);

/** ept_reap() - free some retired tables if their flush is complete.  Holds frames_lock. */
void ept_reap(void);

#endif /* EPT_TABLE_H */
