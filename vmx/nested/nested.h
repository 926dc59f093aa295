/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMX as the layer offers it to the host's stock KVM (docs/root.md).
 *
 * L1 is the demoted host, L2 a VM of its KVM.  VMCS12 is what L1 reads and
 * writes; the layer keeps its contents in its own memory (struct vvmcs), keyed
 * by the frame L1 named.  VMCS02 is what hardware runs L2 with.
 */
#ifndef VMX_NESTED_H
#define VMX_NESTED_H

#include "vmx/base/types.h"
#include "vmx/base/percpu.h"

/** nested_cpu_reset() - forget VMXON state: launch, leave, INIT */
void nested_cpu_reset(struct percpu *cpu);

/** nested_insn() - L1 executed a VMX instruction; VMCS01 is current, RIP not yet advanced */
void nested_insn(struct percpu *cpu, u32 reason);

/**
 * nested_insn_fast() - VMREAD, VMWRITE or VMRESUME by L1, if it is an ordinary one
 * Return: false: nothing was done, nested_insn() decides
 */
bool nested_insn_fast(struct percpu *cpu, u32 reason);

/**
 * nested_exit() - a VM exit from L2; VMCS02 is current
 * Decides root_wants / host_wants; on return either VMCS02 is still current (run
 * on) or VMCS01 is, with L1 at its host RIP.
 */
void nested_exit(struct percpu *cpu, u32 reason);

/**
 * nested_recheck() - VMCS02 is about to run again, and frames have changed owner
 *
 * Addresses of VMCS12's that passed the checks at VM entry are asked of the owner
 * table again.  If one fails now, L2 is ended.
 */
void nested_recheck(struct percpu *cpu);

/** nested_entry_failed() - hardware refused VMCS02 although our checks passed */
void nested_entry_failed(struct percpu *cpu, u32 error);

/**
 * nested_nmi() - an NMI arrived in root mode while L2 was about to run
 * Return: true if L1 wants NMIs and is now at its host RIP with an NMI exit;
 * false: deliver it to L2
 */
bool nested_nmi(struct percpu *cpu);

/** nested_cr4_vmxe_may_clear() - false while L1 is in VMX operation (#GP) */
bool nested_cr4_vmxe_may_clear(const struct percpu *cpu);

#endif /* VMX_NESTED_H */
