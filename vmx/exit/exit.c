// SPDX-License-Identifier: GPL-2.0
/*
 * The path of every exit: hardware -> entry.S -> vm_exit() -> the demoted host's
 * table or the nested one -> entry.S -> hardware.  And what may go wrong on it.
 */
#include "vmx/exit/exit.h"
#include "vmx/base/asm.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/event.h"
#include "vmx/host/host.h"
#include "vmx/nested/nested.h"
#include "ept/flush.h"

/* The banks still say what it was; another event goes first. */
static void deliver_machine_check(struct percpu *cpu)
{
	if (vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID)
		return;
	cpu->mc_pending = false;
	inject_exception(VEC_MC, false, 0);
}

void vm_exit(struct percpu *cpu)
{
	u32 reason = (u32)vmread(VMCS_EXIT_REASON);
	bool flushed;

	cpu->transitions += 2;
	cpu->resume_launch = 0;
	/* First of all: ept/flush.h says why. */
	flushed = flush_this_cpu_if_behind(cpu);
	if (cpu->nested.in_vm)
		nested_exit(cpu, reason);
	else if (reason < EXIT_REASON_VMREAD || reason > EXIT_REASON_VMWRITE ||
		 !nested_insn_fast(cpu, reason))
		host_exit(cpu, reason);
	if (flushed && cpu->nested.in_vm)
		nested_recheck(cpu);
	if (cpu->mc_pending && !cpu->nested.in_vm)
		deliver_machine_check(cpu);
}

void vm_entry_failed(struct percpu *cpu)
{
	u32 error = (u32)vmread(VMCS_INSN_ERROR);

	if (cpu->nested.in_vm)
		nested_entry_failed(cpu, error);
	else
		up_panic("CPU %u: VM entry of the host failed, error %u", cpu->cpu, error);
}

extern const char rdmsr_insn[], wrmsr_insn[], xsetbv_insn[], msr_fault[];
void root_exception(struct exception_frame *f)
{
	if (f->vector == VEC_GP && (f->rip == (u64)rdmsr_insn || f->rip == (u64)wrmsr_insn ||
				    f->rip == (u64)xsetbv_insn)) {
		f->rip = (u64)msr_fault;
		return;
	}
	if (f->vector == VEC_MC && (rdmsr(MSR_MCG_STATUS) & MCG_STATUS_RIPV)) {
		up_log("machine check in root mode: for the host");
		this_cpu()->mc_pending = true;
		return;
	}
	up_panic("exception %lu, error %lx, RIP %lx, RSP %lx, CR2 %lx", f->vector, f->error,
		 f->rip, f->rsp, read_cr2());
}
