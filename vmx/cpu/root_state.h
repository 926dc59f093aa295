/* SPDX-License-Identifier: GPL-2.0 */
/* What a VM exit loads: the state of root mode (vmx/cpu/root_state.c). */
#ifndef VMX_ROOT_STATE_H
#define VMX_ROOT_STATE_H

#include "vmx/base/percpu.h"

/* Where hardware arrives in root mode; vmx/exit/ fills it, at the top of the image. */
struct root_entries {
	u64 exit;		/* VM exits */
	u64 nmi;
	u64 exceptions;		/* a stub of 16 bytes for each vector */
};

extern struct root_entries root_entries;

/** root_state_init() - the host-state area of the VMCS that is current */
void root_state_init(struct percpu *cpu);

#endif /* VMX_ROOT_STATE_H */
