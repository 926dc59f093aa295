/* SPDX-License-Identifier: GPL-2.0 */
/* How a CPU changes sides (vmx/launch/launch.c, vmx/launch/leave.c) and what it hosts meanwhile. */
#ifndef VMX_LAUNCH_H
#define VMX_LAUNCH_H

#include "vmx/base/percpu.h"

struct up_entry_state;

/* Linux's descriptor-table registers and segments, as captured on its side. */
struct dtr {
	u16 limit;
	u64 base;
} __packed;

/**
 * launch_cpu() - demote this CPU; called by vmx/exit/head.S on the CPU's root stack
 * @cpu: its area, zeroed but for launch_regs
 * @st: Linux's, valid under Linux's page tables only
 *
 * Linux's page tables (with the image's slot), interrupts off.  Returns on
 * failure only: a negative UP_E* number, the CPU as it was but for CR3.
 */
long launch_cpu(struct percpu *cpu, struct up_entry_state *st);

/** vmcs01_init() - fill VMCS01's control and host-state areas; it is current (vmcs01.c) */
int vmcs01_init(struct percpu *cpu);

/**
 * leave_cpu() - bring this CPU back to root mode and Linux
 *
 * Exit context, VMCS01 current, called for UP_CALL_LEAVE: does not return.
 */
void leave_cpu(struct percpu *cpu) __noreturn;

/* What leave_jump() restores. */
struct leave_frame {
	u64 rip, rflags, rsp;
	u64 gpr[NR_GPRS];
};

/** launch_first_entry() - VMLAUNCH of the host (jump.S); returns only when that fails */
int launch_first_entry(struct percpu *cpu);

/** leave_jump() - Linux goes on, in root mode, at @f->rip; @f may lie on root's stack */
void leave_jump(struct leave_frame *f) __noreturn;

#endif /* VMX_LAUNCH_H */
