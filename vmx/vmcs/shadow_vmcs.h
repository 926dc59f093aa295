/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMCS shadowing (SDM vol. 3, 25.10 and 26.1.3): hardware carries out L1's VMREAD and
 * VMWRITE of a few fields (vmx/vmcs/shadow_fields.h) on a shadow VMCS.
 *
 * A shadow VMCS is a mailbox.  VMCS12 remains vv->f[]: what L1 has written is taken
 * from the mailbox once, at its VM entry, before anything is checked, and what L1 may
 * see is put there from vv->f[] alone.  So a protected VM's fields are never in it,
 * and what a write of L1's has to pass is the same with and without.
 */
#ifndef VMX_SHADOW_VMCS_H
#define VMX_SHADOW_VMCS_H

#include "vmx/vmcs/vvmcs.h"

/** shadow_vmcs_init() - can it be used, and may it?  Launch, first CPU. */
void shadow_vmcs_init(void);

/**
 * shadow_vmcs_make() - a shadow VMCS with what @vv holds; without a frame L1's accesses exit
 * @frame: gives one, or 0.  VMCS01 is current after it.
 */
void shadow_vmcs_make(struct percpu *cpu, struct vvmcs *vv, u64 (*frame)(void));

/**
 * vvmcs_make_current() - @vv, or none, is what L1's VMREAD and VMWRITE name
 * VMCS01 is current.
 */
void vvmcs_make_current(struct percpu *cpu, struct vvmcs *vv);

/**
 * shadow_vmcs_take() - what L1 has written, into vv->f[]
 * Return: true if there is a shadow VMCS: it is current now
 */
bool shadow_vmcs_take(struct vvmcs *vv);

/** shadow_vmcs_show() - vv->f[], for L1 to read; the shadow VMCS is current after it, if any */
void shadow_vmcs_show(struct vvmcs *vv);

#endif /* VMX_SHADOW_VMCS_H */
