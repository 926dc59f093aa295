/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's operations on protected VMs (vmx/vm/table.c, life.c, measure.c); arguments
 * and results are in cpu->gpr as vmx/abi/call.h says.  Return 0 or -UP_E*.
 */
#ifndef VMX_VM_CALL_H
#define VMX_VM_CALL_H

#include "vmx/base/percpu.h"

/* One function an operation.  Root context; each takes vms_lock and the VM's lock itself. */
long call_vm_create(struct percpu *cpu);
long call_vm_donate(struct percpu *cpu);
long call_vm_bind_vcpu(struct percpu *cpu);
long call_vm_measure(struct percpu *cpu);
long call_vm_kill(struct percpu *cpu);
long call_vm_reclaim(struct percpu *cpu);
long call_vm_destroy(struct percpu *cpu);
long call_vm_info(struct percpu *cpu);
long call_vm_report(struct percpu *cpu);
long call_vm_ticket(struct percpu *cpu);

/** call_sign() - the launch itself, not a VM, speaks for a nonce */
long call_sign(struct percpu *cpu);

/** call_challenge() - what a ticket has to name: docs/ticket.md */
long call_challenge(struct percpu *cpu);

#endif /* VMX_VM_CALL_H */
