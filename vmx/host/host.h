/* SPDX-License-Identifier: GPL-2.0 */
/* The demoted host's exits. */
#ifndef VMX_HOST_H
#define VMX_HOST_H

#include "vmx/base/percpu.h"

/** host_exit() - an exit of the demoted host, VMCS01 current */
void host_exit(struct percpu *cpu, u32 reason);

/* Handlers of other files.  VMCS01 is current. */

/** host_init(), host_sipi() - the CPU stays demoted, and waits for SIPI (SDM vol. 3, 10.1) */
void host_init(struct percpu *cpu);
void host_sipi(struct percpu *cpu);

/** host_triple_fault() - the host has shut itself down: VMs' frames are zeroed, then a reset */
void host_triple_fault(struct percpu *cpu);

/** host_io() - PM1_CNT and the reset ports */
void host_io(struct percpu *cpu);

/** up_call() - VMCALL by the demoted host, CPL 0 (vmx/host/call.c) */
void up_call(struct percpu *cpu);

#endif /* VMX_HOST_H */
