/* SPDX-License-Identifier: GPL-2.0 */
/* The demoted host's exits. */
#ifndef VMX_HOST_H
#define VMX_HOST_H

#include "vmx/base/asm.h"
#include "vmx/base/percpu.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/vmcs.h"

/** host_exit() - an exit of the demoted host, VMCS01 current */
void host_exit(struct percpu *cpu, u32 reason);

/**
 * host_forget_translations() - the host's paging has changed in an exit
 * Its translations are tagged with its VPID, and MOV to CR0 or CR4 and INIT drop them
 * (SDM vol. 3, section 4.10.4.1); VM entry does not.
 */
static inline void host_forget_translations(void)
{
	invvpid(INVVPID_SINGLE, HOST_VPID, 0);
}

/* Handlers of other files.  VMCS01 is current. */

/** host_init(), host_sipi() - the CPU stays demoted, and waits for SIPI (SDM vol. 3, 10.1) */
void host_init(struct percpu *cpu);
void host_sipi(struct percpu *cpu);

/** host_triple_fault() - the host has shut itself down: VMs' frames are zeroed, then a reset */
void host_triple_fault(struct percpu *cpu);

/** host_io() - PM1_CNT and the reset ports */
void host_io(struct percpu *cpu);

/**
 * host_device() - an EPT violation at a register that the layer keeps (vmx/host/device.c)
 * Return: false when an exception of the host's page tables comes first, or it is to be
 * run again
 */
bool host_device(struct percpu *cpu, u64 gpa, u64 qual);

/** up_call() - VMCALL by the demoted host, CPL 0 (vmx/host/call.c) */
void up_call(struct percpu *cpu);

#endif /* VMX_HOST_H */
