/* SPDX-License-Identifier: GPL-2.0 */
/* Rarer exits of the demoted host: resets, start-up IPIs, sleep ports, NMIs. */
#ifndef VMX_IO_H
#define VMX_IO_H

#include "vmx/base/percpu.h"

/* vmx/host/init.c: INIT leaves the CPU demoted and waiting for SIPI (SDM vol. 3, 10.1) */
void host_init(struct percpu *cpu);
void host_sipi(struct percpu *cpu);
void host_triple_fault(struct percpu *cpu);

/** guest_init_state() - put the current VMCS and @gpr into the state after INIT */
void guest_init_state(u64 gpr[NR_GPRS]);

#define PORT_KEYBOARD		0x64
#define PORT_PCI_ADDRESS	0xcf8
#define PORT_RESET		0xcf9

/* vmx/host/io.c: writes to PM1_CNT and the reset ports */
void host_io(struct percpu *cpu);

/* vmx/exit/exit.c: the timer that makes a CPU exit again behind an injected event */
void host_preemption_timer(struct percpu *cpu);

/** reinject_vectoring() - an exit interrupted the delivery of an event: deliver it again */
void reinject_vectoring(void);

#endif /* VMX_IO_H */
