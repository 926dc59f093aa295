/* SPDX-License-Identifier: GPL-2.0 */
/* Extended page tables: the demoted host's, and those of VMs (SDM vol. 3, section 29.3). */
#ifndef EPT_EPT_H
#define EPT_EPT_H

#include "vmx/base/types.h"
#include "ept/frames.h"

/* Exit qualification of an EPT violation (SDM vol. 3, table 28-7). */
#define EPT_VIOL_READ		BIT(0)
#define EPT_VIOL_WRITE		BIT(1)
#define EPT_VIOL_EXEC		BIT(2)
#define EPT_VIOL_READABLE	BIT(3)
#define EPT_VIOL_WRITABLE	BIT(4)
#define EPT_VIOL_EXECUTABLE	BIT(5)
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
	EPT_NOMEM,		/* pool empty; try again: frames come as other CPUs flush */
};

/* Host EPT: identity, filled on demand from the owner table. */

/** host_ept_init() - allocate the host's EPT root.  Return: EPTP, or 0 (pool empty) */
u64 host_ept_init(void);

/**
 * host_ept_violation() - the demoted host touched an address it has no mapping for
 * @gpa: guest-physical address from the VMCS
 * @qual: exit qualification
 * @gla: guest-linear address, valid if qual says so (user half or kernel half decides)
 *
 * Root context, host exits.  Takes frames_lock.
 */
enum ept_result host_ept_violation(u64 gpa, u64 qual, u64 gla);

/** host_ept_drop_all() - forget all mappings (memory types changed); caller flushes */
void host_ept_drop_all(void);

/* Tables that hardware uses for VMs. */
struct vm;
struct vm_ept;

/**
 * shadow_get() - the layer's table that stands for KVM's EPTP12, for an unprotected VM
 * @eptp12: as in the VMCS12, already checked for format
 *
 * Call it before every VM entry of an unprotected VM: cheap when nothing
 * changed.  The table belongs to @eptp12 until this CPU asks for another one
 * (or leaves VMX operation), so don't keep the pointer across entries.
 * Return: table (a new one is empty: it fills on violations), or NULL: pool empty
 */
struct vm_ept *shadow_get(u64 eptp12);

/** vm_ept_eptp() - the EPTP value for VMCS02 */
u64 vm_ept_eptp(const struct vm_ept *t);

/** shadow_cpu_off() - the host left VMX operation on this CPU: the last one frees all tables */
void shadow_cpu_off(void);

/**
 * vm_ept_prepare() - call before every VM entry that uses @t, on this CPU
 *
 * Flushes this CPU where the table was emptied since it last ran in it, and
 * fills what a violation just reflected to KVM has put into KVM's table, which
 * saves the second exit for it.  Takes frames_lock then.
 */
void vm_ept_prepare(struct vm_ept *t);

/**
 * vm_ept_violation() - stage one and three of the two-stage mapping protocol (S1.2)
 * @t: the table in use
 * @eptp12: KVM's table, a proposal only
 * @gpa: @qual: from the VMCS; *qual is corrected to what KVM would have seen
 * EPT_NOMEM: nothing else to recycle; run the host, then try again.
 */
enum ept_result vm_ept_violation(struct vm_ept *t, u64 eptp12, u64 gpa, u64 *qual);

/** shadow_invept() - KVM executed INVEPT: type 1 for @eptp12, type 2 for all */
void shadow_invept(u64 type, u64 eptp12);

/**
 * vm_ept_create() - a protected VM's table: made and freed with the VM
 * Return: NULL when the pool is empty
 */
struct vm_ept *vm_ept_create(struct vm *vm);

/**
 * vm_ept_destroy() - free it, after all frames are back, or before any came
 * Return: 0; -UP_EAGAIN more to do: call again; -UP_EBUSY frames are bound
 */
int vm_ept_destroy(struct vm_ept *t);

/* Walk of KVM's EPT: proposals. */
struct ept_walk {
	u64 hpa;	/* of the 4 KiB frame that holds gpa */
	u64 entry;	/* leaf entry, or the entry where the walk ended */
	u64 table;	/* the table that holds it */
	u32 level;	/* 1: 4 KiB, 2: 2 MiB, 3: 1 GiB */
	u32 access;	/* read/write/execute allowed, bits 0..2, all levels */
	u32 above;	/* the same without the last level */
	bool misconfigured;
};

/**
 * ept_walk() - walk a table in host memory; each table frame must be the host's
 *
 * Reads each entry once.  Holds frames_lock, so that a table frame does not
 * become a VM's meanwhile.
 * Return: 0, or -UP_EPERM when a table frame is not the host's.
 */
int ept_walk(u64 eptp12, u64 gpa, struct ept_walk *w);

/** ept_entry_misconfigured() - would hardware refuse this present entry at this level? */
bool ept_entry_misconfigured(u64 e, u32 level);

#endif /* EPT_EPT_H */
