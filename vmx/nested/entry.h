/* SPDX-License-Identifier: GPL-2.0 */
/* VM entry of L2 (vmx/nested/entry.c). */
#ifndef VMX_ENTRY_H
#define VMX_ENTRY_H

#include "vmx/vmcs/vvmcs.h"

/** nested_enter() - VMLAUNCH or VMRESUME of the current vvmcs passed the first checks */
void nested_enter(struct percpu *cpu, struct vvmcs *vv, bool launch);

/** nested_prepare_tables() - before every entry to VMCS02, also when root handled the exit */
void nested_prepare_tables(struct vvmcs *vv);

#endif /* VMX_ENTRY_H */
