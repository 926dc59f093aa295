/* SPDX-License-Identifier: GPL-2.0 */
/* The state of a processor after INIT (vmx/cpu/reset_state.c). */
#ifndef VMX_RESET_STATE_H
#define VMX_RESET_STATE_H

#include "vmx/base/percpu.h"

#define INIT_CS_BASE	0xffff0000

/** guest_init_state() - put the current VMCS and @gpr into the state after INIT */
void guest_init_state(u64 gpr[NR_GPRS]);

#endif /* VMX_RESET_STATE_H */
