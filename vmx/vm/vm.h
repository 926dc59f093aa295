/* SPDX-License-Identifier: GPL-2.0 */
/* Protected VMs and their vCPUs, as the layer knows them (vmx/vm/life.c). */
#ifndef VMX_VM_H
#define VMX_VM_H

#include "vmx/base/types.h"
#include "vmx/abi/call.h"
#include "vmx/base/lock.h"
#include "vmx/base/sha256.h"

struct vm_ept;
struct vvmcs;
struct vcpu;

struct vm {
	struct spinlock lock;
	u32 id;
	enum up_vm_state state;		/* changes under lock; read anywhere */
	u32 nvcpus;
	struct vcpu *vcpu[UP_VM_MAX_VCPUS];
	struct vm_ept *ept;
	u64 frames;			/* owned; under frames_lock */
	u64 frames_shared;		/* under frames_lock */
	u64 frames_pending;		/* donated, not committed; under frames_lock */
	u64 commit_cursor;		/* no pending gfn lies below; under frames_lock */
	bool unmapped;			/* dead, and its table is cut; under frames_lock */
	u64 gfn_root;			/* ept/binding.c: gfn -> pfn, and its EPT; frames_lock */
	u64 gfn_cursor;			/* measuring, reclaiming: next gfn to look at */
	u64 frames_measured;
	u64 flush_ticket;		/* of the newest unmapping for this VM */
	u64 mismatches;
	u64 entries;
	struct sha256 hash;
	u8 measurement[32];
	u32 reports;
	u8 report[UP_VM_REPORTS][32];
	char death[64];
};

/** vm_find() - the VM with this id, or NULL; ids are array indices, checked */
struct vm *vm_find(u64 id);

/** vms_present() - true while any protected VM exists, dead ones included */
bool vms_present(void);

/**
 * vms_forget() - before a reset, which leaves memory as it is for whatever starts next
 *
 * Ends every protected VM, waits until none runs, and zeroes their frames and registers.
 * Long, but the host asked for its end.  Takes each VM's lock and frames_lock.
 * Return: false: a CPU is still in a VM; the reset must not happen
 */
bool vms_forget(void);

/** vm_kill() - it never runs again; the first reason given is kept */
void vm_kill(struct vm *vm, const char *why);

#endif /* VMX_VM_H */
