/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layer's copy of one VMCS that L1 made, and the VMCS02 that hardware runs
 * in its place.
 *
 * A vvmcs is active on at most one CPU, from VMPTRLD to VMCLEAR, and only that
 * CPU touches it; vvmcs.c alone takes the lock, for finding, making and freeing.
 * VMCLEAR writes the contents back into L1's frame (revision id kept) and frees
 * the vvmcs, unless it is bound to a protected vCPU: then the frame gets nothing
 * and the vvmcs stays, so that the binding outlives any migration.
 */
#ifndef VMX_VVMCS_H
#define VMX_VVMCS_H

#include "vmx/base/types.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/base/percpu.h"

struct vm_ept;
struct vcpu;

#define VVMCS_FIRST_VPID	2	/* 0 is root mode, 1 the demoted host */
#define VVMCS_NO_CPU		(~0U)
#define MSR_BITMAP_WORDS	512
#define MSR_BITMAP_OPEN_MAX	64
#define MSR_LIST_COPY		64	/* more than the MSRs that may be listed */

/* An entry of an MSR list (SDM vol. 3, table 25-15). */
struct msr_entry {
	u32 index;
	u32 reserved;
	u64 value;
};

struct vvmcs {
	u64 f[NR_VMCS_ROWS];		/* VMCS12, by row */
	u64 dirty[VMCS_ROW_WORDS];	/* rows that L1 wrote since the last VM entry */
	u64 stale[VMCS_ROW_WORDS];	/* rows that are newer in VMCS02; none if bound */
	u64 shown[NR_VMCS_ROWS];	/* what the shadow VMCS had when it was last looked at */
	u64 pa;				/* L1's frame: the key */
	struct vvmcs *hash_next;
	struct vvmcs *cpu_next;		/* others active on the same CPU */
	struct vvmcs **cpu_prev;	/* what points to this one in that list */
	struct vcpu *vcpu;		/* bound protected vCPU, or NULL */
	struct vm_ept *ept;		/* in use by VMCS02 since the last entry */
	u32 cpu;			/* where it is active, or VVMCS_NO_CPU */
	u32 host_cpu;			/* whose host state VMCS02 holds, or VVMCS_NO_CPU */
	u16 vpid;			/* that hardware sees */
	bool launched;			/* VMCS12's launch state */
	bool launching;			/* the entry under way is a VMLAUNCH */
	bool hw_launched;		/* VMCS02's launch state */
	bool flush_vpid;		/* before the next entry */
	bool msr_list_loaded;		/* VMCS02's entry list is armed */
	bool remerge;			/* the MSR bitmap must be merged as a whole */
	u16 open_words;			/* entries of open[]; > MSR_BITMAP_OPEN_MAX: too many */
	u16 open[MSR_BITMAP_OPEN_MAX];	/* words of the merged bitmap that pass some MSR */
	u64 vmcs02_pa;
	u64 shadow_pa;			/* shadow VMCS, or 0: VMREAD and VMWRITE exit */
	u64 msr_bitmap_pa;		/* merged: VMCS12's and the layer's own */
	struct msr_entry msr_list[MSR_LIST_COPY] __aligned(16);	/* entry MSR-load list, filtered */
};

/** vvmcs_pa() - the frame that @vv itself lies in */
u64 vvmcs_pa(const struct vvmcs *vv);

/** vvmcs_init() - build the encoding look-up from what is offered.  Launch, first CPU. */
void vvmcs_init(void);

/* Encoding / 2 -> row + 1, 0: no such field. */
#define VMCS_LOOKUP_SIZE	0x4000
extern u8 vmcs_lookup[VMCS_LOOKUP_SIZE];

/* The index is masked besides being checked: L1 must not steer speculation either. */
static inline u32 vmcs_lookup_row1(u64 enc)
{
	/* The hot path: as index_below(), in one instruction; hidden, or it is left out. */
	__asm__("" : "+r"(enc));
	return vmcs_lookup[enc / 2 % VMCS_LOOKUP_SIZE];
}

/* Rows by what happens to them at entry and exit; computed by vvmcs_init(). */
extern u64 rows_copied[VMCS_ROW_WORDS];		/* VMCS12 -> VMCS02, when dirty */
extern u64 rows_copied_bound[VMCS_ROW_WORDS];	/* the same for a protected vCPU: set YES */
extern u64 rows_lazy[VMCS_ROW_WORDS];		/* VMCS02 -> VMCS12, when asked for */
extern u64 rows_merged[VMCS_ROW_WORDS];		/* a change means sync_controls() */
extern u64 rows_ctrl[VMCS_ROW_WORDS];		/* a change means checking controls again */
extern u64 rows_host[VMCS_ROW_WORDS];		/* a change means checking host state again */
extern u64 rows_seen[VMCS_ROW_WORDS];		/* a protected VM's exit writes them: not OWN */

/**
 * vmcs_row() - the row of an encoding that L1 named
 * Return: row, or -1 when no such field is offered
 */
static inline int vmcs_row(u64 enc)
{
	if (enc >= 2 * VMCS_LOOKUP_SIZE)
		return -1;
	if ((enc & VMCS_ENC_HIGH) && VMCS_ENC_WIDTH(enc) != 1)
		return -1;
	return (int)vmcs_lookup_row1(enc) - 1;
}

static inline bool row_test(const u64 *set, u32 row)
{
	return set[row / 64] >> (row % 64) & 1;
}

static inline void row_set(u64 *set, u32 row)
{
	set[row / 64] |= BIT(row % 64);
}

static inline void row_clear(u64 *set, u32 row)
{
	set[row / 64] &= ~BIT(row % 64);
}

/* Written out: these run at every entry and exit. */
_Static_assert(VMCS_ROW_WORDS == 3, "row sets are written out as three words");

static inline bool rows_meet(const u64 *a, const u64 *b)
{
	return (a[0] & b[0]) | (a[1] & b[1]) | (a[2] & b[2]);
}

static inline void rows_add(u64 *to, const u64 *set)
{
	to[0] |= set[0];
	to[1] |= set[1];
	to[2] |= set[2];
}

static inline void rows_zero(u64 *set)
{
	set[0] = 0;
	set[1] = 0;
	set[2] = 0;
}

/** vvmcs_fetch() - bring one stale row home from VMCS02; VMCS01 is and stays current */
void vvmcs_fetch(struct percpu *cpu, struct vvmcs *vv, u32 row);

/* The bits that a field has, by row. */
extern const u64 row_mask[NR_VMCS_ROWS];

/**
 * vvmcs_load() - VMPTRLD: make @pa's vvmcs active on @cpu
 * @vv: result
 * Return: 0; -UP_EBUSY active on another CPU; -UP_ENOMEM; -UP_ENOSPC no VPID left.
 */
int vvmcs_load(struct percpu *cpu, u64 pa, struct vvmcs **vv);

/**
 * vvmcs_clear() - VMCLEAR: write back, release VMCS02 from this CPU, free
 * Return: 0, also for an unknown frame; -UP_EBUSY active on another CPU.
 */
int vvmcs_clear(struct percpu *cpu, u64 pa);

/** vvmcs_clear_all() - as vvmcs_clear() for all that are active on @cpu */
void vvmcs_clear_all(struct percpu *cpu);

/**
 * vvmcs_for_vpid() - flag or flush: each vvmcs active on @cpu whose VPID12 is @vpid
 * @fn: called with the VPID that hardware sees
 */
void vvmcs_for_vpid(struct percpu *cpu, u16 vpid, void (*fn)(u16 hw_vpid, u64 arg), u64 arg);

/**
 * vvmcs_bind() - from now on @vv belongs to a protected vCPU
 * Return: 0; -UP_EBUSY not active on this CPU; -UP_EEXIST already bound.
 */
int vvmcs_bind(struct percpu *cpu, struct vvmcs *vv, struct vcpu *vcpu);

/**
 * vvmcs_unbind() - end of a protected vCPU: its vvmcs and VMCS02 are freed, unwritten
 * L1's frame is as it was when it was bound, and not active: L1 loads it anew.
 * Return: 0; -UP_EBUSY active on another CPU.
 */
int vvmcs_unbind(struct percpu *cpu, struct vvmcs *vv);

#endif /* VMX_VVMCS_H */
