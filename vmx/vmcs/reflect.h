/* SPDX-License-Identifier: GPL-2.0 */
/* From VMCS02 back to L1 (vmx/vmcs/reflect.c). */
#ifndef VMX_REFLECT_H
#define VMX_REFLECT_H

#include "vmx/vmcs/vvmcs.h"

/** nested_switch_to_l2(), nested_switch_to_l1() - change the current hardware VMCS */
void nested_switch_to_l2(struct percpu *cpu, struct vvmcs *vv);
void nested_switch_to_l1(struct percpu *cpu);

/* MSRs that pass from L1 to L2 and back unless L1 asks to load others. */
struct passed_msrs {
	u64 efer, pat, perf_global;
};

/** passed_msrs() - those of the current VMCS */
struct passed_msrs passed_msrs(void);

/** event_rows_changed() - root put an event into VMCS02: it must not be taken for L1's later */
void event_rows_changed(struct vvmcs *vv);

/** vmcs12_save_guest() - guest state that KVM reads after each exit; the rest on demand */
void vmcs12_save_guest(struct vvmcs *vv);

/**
 * vmcs12_to_l1() - L1 goes on at its host state; what it sees of the exit is in vv->f
 * @l2: VMCS02's, for what L1 does not ask to load
 * Any VMCS is current before, VMCS01 after.
 */
void vmcs12_to_l1(struct percpu *cpu, struct vvmcs *vv, const struct passed_msrs *l2);

/**
 * nested_reflect() - hand an exit to L1; VMCS02 is current before, VMCS01 after
 * @reason: whole exit reason
 * @qual: exit qualification that L1 shall see
 */
void nested_reflect(struct percpu *cpu, struct vvmcs *vv, u32 reason, u64 qual);

/** nested_reflect_entry_failure() - L1's VM entry fails after its checks; VMCS01 is current */
void nested_reflect_entry_failure(struct percpu *cpu, struct vvmcs *vv, u32 reason, u64 qual);

#endif /* VMX_REFLECT_H */
