/* SPDX-License-Identifier: GPL-2.0 */
/* What handlers do to the guest whose VMCS is current (vmx/host/exit.c). */
#ifndef VMX_HOST_H
#define VMX_HOST_H

#include "vmx/base/percpu.h"

#define VEC_DB	1
#define VEC_NMI	2
#define VEC_UD	6
#define VEC_DF	8
#define VEC_GP	13
#define VEC_PF	14
#define VEC_AC	17

/** advance_rip() - step over the instruction that exited; clears STI and MOV-SS blocking */
void advance_rip(void);

/** inject_exception() - deliver a fault to the current guest; RIP stays at the instruction */
void inject_exception(u32 vector, bool has_error, u32 error);

static inline void inject_ud(void)
{
	inject_exception(VEC_UD, false, 0);
}

static inline void inject_gp(void)
{
	inject_exception(VEC_GP, true, 0);
}

/** inject_pf() - page fault with CR2 */
void inject_pf(u64 cr2, u32 error);

/** host_exit() - an exit of the demoted host, VMCS01 current */
void host_exit(struct percpu *cpu, u32 reason);

/** up_call() - VMCALL by the demoted host, CPL 0 (vmx/host/call.c) */
void up_call(struct percpu *cpu);

#endif /* VMX_HOST_H */
