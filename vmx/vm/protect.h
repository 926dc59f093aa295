/* SPDX-License-Identifier: GPL-2.0 */
/* Protected vCPUs: what the host sees of them and what it may set (vmx/vm/exit.c). */
#ifndef VMX_PROTECT_H
#define VMX_PROTECT_H

#include "vmx/base/types.h"
#include "vmx/base/percpu.h"

struct vcpu;
struct vvmcs;

/** protect_init() - the MSR bitmap of protected VMs.  Launch, first CPU.  Return: 0, -UP_ENOMEM */
int protect_init(void);

/** protect_bind() - reset state into VMCS02, which is current, and @v */
void protect_bind(struct vcpu *v);

/** protect_call() - VMCALL by a protected VM, CPL 0 (vmx/vm/call.c) */
void protect_call(struct percpu *cpu, struct vcpu *v);

/**
 * protect_entry() - complete VMCS02 for a vvmcs that is bound (vv->vcpu)
 *
 * VMCS02 is current.  Controls are merged as for any VM; of the fields copied as
 * they are, only those that vmcs_fields.h lets the host set (YES).  Everything
 * else, guest state, EFER, PAT, EPTP and vv->ept included, is written here.
 * vv->dirty still says what L1 wrote since the last entry.
 * Return: 0; negative: the vCPU may not run, L1's VM entry fails.
 */
int protect_entry(struct percpu *cpu, struct vvmcs *vv);

/**
 * protect_entry_failed() - hardware refused VMCS02 after protect_entry(): take it all back
 * Any VMCS is current.  The VM is ended: its state is not one it can be in.
 */
void protect_entry_failed(struct percpu *cpu, struct vvmcs *vv);

/**
 * protect_exit() - a VM exit of a bound vvmcs; VMCS02 is current
 * Return: true: handled, run on; false: L1 gets it, by way of protect_reflect()
 */
bool protect_exit(struct percpu *cpu, struct vvmcs *vv, u32 reason);

/**
 * protect_reflect() - put what L1 may see into vv->f[], cpu->gpr and registers
 *
 * VMCS02 is current.  If its VM-entry event is still valid, it was not delivered.
 */
void protect_reflect(struct percpu *cpu, struct vvmcs *vv, u32 reason);

#endif /* VMX_PROTECT_H */
