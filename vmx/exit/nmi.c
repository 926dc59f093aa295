// SPDX-License-Identifier: GPL-2.0
/* NMIs that arrive in root mode: vmx/exit/entry.S notes them, the way out delivers them. */
#include "vmx/exit/exit.h"
#include "vmx/cpu/event.h"
#include "vmx/nested/nested.h"

#define MOV_SS_TICKS	64

/*
 * An NMI arrived in root mode.  It was meant for whichever guest is about to
 * run.  NMIs arrive here only while that guest does not block them: blocking
 * stays in force across the exit (SDM vol. 3, 28.2).
 */
void vm_nmi(struct percpu *cpu)
{
	u64 blocking;

	cpu->nmi_pending = 0;
	cpu->nmi_in_root++;
	if (cpu->nested.in_vm && nested_nmi(cpu))
		return;
	if (cpu->parked)
		return;		/* INIT has come since; the entry would be refused */
	blocking = vmread(VMCS_GUEST_INTERRUPTIBILITY);
	if (!(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID) && !(blocking & BLOCKED_BY_MOV_SS)) {
		/* A processor may refuse an NMI behind STI (SDM vol. 3, 27.3.1.5). */
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY, blocking & ~BLOCKED_BY_STI);
		vmwrite(VMCS_ENTRY_INTR_INFO, VEC_NMI | INTR_TYPE_NMI << 8 | INTR_VALID);
		return;
	}
	/*
	 * Something else goes first: come back as soon as it is delivered.  Zero would exit
	 * before the instruction behind MOV SS, again and again.
	 */
	nmi_timer_on(cpu, blocking & BLOCKED_BY_MOV_SS ? MOV_SS_TICKS : 0);
}
