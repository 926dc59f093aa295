// SPDX-License-Identifier: GPL-2.0
/*
 * The path of every exit: hardware -> entry.S -> vm_exit() -> the demoted host's
 * table or the nested one -> entry.S -> hardware.  And what may go wrong on it.
 */
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/abi/errno.h"
#include "vmx/host/host.h"
#include "vmx/host/io.h"
#include "vmx/launch/launch.h"
#include "vmx/base/log.h"
#include "vmx/nested/nested.h"
#include "vmx/base/ring.h"
#include "vmx/cpu/vmcs.h"
#include "ept/flush.h"

#define MOV_SS_TICKS	64

void vm_exit(struct percpu *cpu)
{
	u32 reason = (u32)vmread(VMCS_EXIT_REASON);
	bool flushed;

	cpu->transitions += 2;
	cpu->resume_launch = 0;
	/* First of all: ept/flush.h says why. */
	flushed = flush_this_cpu_if_behind();
	if (cpu->nested.in_vm)
		nested_exit(cpu, reason);
	else if (!(reason == EXIT_REASON_VMREAD || reason == EXIT_REASON_VMWRITE) ||
		 !nested_insn_fast(cpu, reason))
		host_exit(cpu, reason);
	if (flushed && cpu->nested.in_vm)
		nested_recheck(cpu);
}

void vm_entry_failed(struct percpu *cpu)
{
	u32 error = (u32)vmread(VMCS_INSN_ERROR);

	if (cpu->nested.in_vm)
		nested_entry_failed(cpu, error);
	else
		up_panic("CPU %u: VM entry of the host failed, error %u", cpu->cpu, error);
}

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
	/* Something else goes first: come back as soon as it is delivered. */
	cpu->nmi_deferred = true;
	vmwrite(VMCS_PIN_CTLS,
		vmread(VMCS_PIN_CTLS) | PIN_PREEMPTION_TIMER);
	/* Zero would exit before the instruction behind MOV SS, again and again. */
	vmwrite(VMCS_PREEMPTION_TIMER, blocking & BLOCKED_BY_MOV_SS ? MOV_SS_TICKS : 0);
}

void host_preemption_timer(struct percpu *cpu)
{
	vmwrite(VMCS_PIN_CTLS,
		vmread(VMCS_PIN_CTLS) & ~(u64)PIN_PREEMPTION_TIMER);
	if (cpu->nmi_deferred) {
		cpu->nmi_deferred = false;
		cpu->nmi_pending = 1;
	}
}

struct exception_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

extern const char rdmsr_insn[], wrmsr_insn[], xsetbv_insn[], msr_fault[];
void root_exception(struct exception_frame *f);

void root_exception(struct exception_frame *f)
{
	if (f->vector == VEC_GP && (f->rip == (u64)rdmsr_insn || f->rip == (u64)wrmsr_insn ||
				    f->rip == (u64)xsetbv_insn)) {
		f->rip = (u64)msr_fault;
		return;
	}
	up_panic("exception %lu, error %lx, RIP %lx, RSP %lx, CR2 %lx", f->vector, f->error,
		 f->rip, f->rsp, read_cr2());
}
