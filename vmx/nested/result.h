/* SPDX-License-Identifier: GPL-2.0 */
/* Outcomes of VMX instructions (SDM vol. 3, section 31.2); each also steps over it. */
#ifndef VMX_RESULT_H
#define VMX_RESULT_H

#include "vmx/cpu/event.h"

/** vm_finish() - @status: the flags that are set, of the six that say how it went */
static inline void vm_finish(u64 status)
{
	retire(vmread(VMCS_EXIT_INSN_LEN), RFLAGS_STATUS, status);
}

static inline void vm_succeed(void)
{
	vm_finish(0);
}

static inline void vm_fail_invalid(void)
{
	vm_finish(RFLAGS_CF);
}

/** vm_fail() - VMfailValid with @error if there is a current VMCS, else VMfailInvalid */
void vm_fail(struct percpu *cpu, u32 error);

#endif /* VMX_RESULT_H */
