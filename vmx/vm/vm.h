/* SPDX-License-Identifier: GPL-2.0 */
/* Protected VMs and their vCPUs, as the layer knows them (vmx/vm/table.c). */
#ifndef VMX_VM_H
#define VMX_VM_H

#include "vmx/abi/call.h"
#include "vmx/base/lock.h"
#include "vmx/base/sha256.h"
#include "ept/owner.h"

struct vm_ept;
struct vvmcs;
struct vcpu;

struct vm {
	struct spinlock lock;
	struct owner own;		/* as the memory side knows it; ->state under lock */
	u32 nvcpus;
	bool ghci;			/* the guest asked for it: vmx/vm/ghci.h */
	u64 tsc_offset;			/* of all vCPUs: the first one's when it began */
	u64 stub;			/* gfn from which the host's KVM fetches, shared */
	struct vcpu *vcpu[UP_VM_MAX_VCPUS];
	struct vm_ept *ept;
	u64 gfn_cursor;			/* measuring, reclaiming: next gfn to look at */
	u64 frames_measured;
	u64 entries;
	struct sha256 hash;
	u8 measurement[32];
	u32 reports;
	u8 report[UP_VM_REPORTS][32];
	u8 rtmr[UP_VM_RTMRS][48];
	char death[64];
	bool ticketed;			/* the next two count: vmx/vm/ticket.h */
	u64 ticket_made;		/* its challenge: TSC */
	struct up_ticket ticket;
};

/** vm_lock() - the VM with this id, locked, or NULL */
struct vm *vm_lock(u64 id);
void vm_unlock(struct vm *vm);

/** vm_next_frame() - the first of its frames from *@gfn on.  Return: false: none */
bool vm_next_frame(struct vm *vm, u64 *gfn, u64 *pfn);

/** vms_count() - protected VMs that there are, dead ones included */
u32 vms_count(void);

/**
 * vms_forget() - before a reset, which leaves memory as it is for whatever starts next
 *
 * Ends every protected VM, waits until none runs, and zeroes their frames and registers.
 * Long, but the host asked for its end.  Takes each VM's lock and frames_lock.
 * Return: false: a CPU is still in a VM; the reset must not happen
 */
bool vms_forget(void);

extern struct spinlock vms_lock;	/* outermost: the table of VMs, and leaving */

/**
 * vms_close() - from here on, or no more, no VM can be made
 * Return: 0, -UP_EBUSY while one exists or holds memory.  Takes vms_lock.
 */
long vms_close(bool on);

/** vms_closed() - vms_close() was granted, no VM exists or holds memory.  Holds vms_lock. */
bool vms_closed(void);

/** vm_kill() - it never runs again; the first reason given is kept */
void vm_kill(struct vm *vm, const char *why);

#endif /* VMX_VM_H */
