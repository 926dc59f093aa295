/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's operations on protected VMs (vmx/vm/life.c, vmx/measure.c); arguments
 * and results are in cpu->gpr as enum up_call says.  Return 0 or -UP_E*.
 */
#ifndef VMX_VM_CALL_H
#define VMX_VM_CALL_H

#include "vmx/base/lock.h"
#include "vmx/base/percpu.h"

extern struct spinlock vms_lock;	/* outermost: the table of VMs, and leaving */

/* One function an operation.  Root context; each takes vms_lock and the VM's lock itself. */
long call_vm_create(struct percpu *cpu);
long call_vm_donate(struct percpu *cpu);
long call_vm_bind_vcpu(struct percpu *cpu);
long call_vm_measure(struct percpu *cpu);
long call_vm_kill(struct percpu *cpu);
long call_vm_reclaim(struct percpu *cpu);
long call_vm_destroy(struct percpu *cpu);
long call_vm_info(struct percpu *cpu);

/** vms_count() - VM slots in use */
u32 vms_count(void);

/** host_page() - a page the host named as argument, or NULL if it may not be used */
void *host_page(u64 pfn);

/** layer_is_leaving() - no VM may be created: prepared, or a CPU is gone; under vms_lock */
bool layer_is_leaving(void);

/** note_denied() - count a refused request */
void note_denied(void);

#endif /* VMX_VM_CALL_H */
