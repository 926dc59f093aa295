// SPDX-License-Identifier: GPL-2.0
/*
 * VM exits of L2: one table says by reason who handles them.  What goes to L1 is
 * told as hardware tells it (SDM vol. 3, chapters 25.1 and 28).
 */
#include "vmx/nested/nested.h"
#include "vmx/nested/entry.h"
#include "vmx/base/log.h"
#include "vmx/cpu/event.h"
#include "vmx/intercept/msr.h"
#include "vmx/intercept/port.h"
#include "vmx/vm/protect.h"
#include "vmx/vmcs/check.h"
#include "vmx/vmcs/msrbitmap.h"
#include "vmx/vmcs/reflect.h"
#include "ept/violation.h"

/* Of a protected vCPU L1 gets what vmx/vm/show.c makes, and its own MSRs back. */
static void finish_protected(struct percpu *cpu, struct vvmcs *vv)
{
	struct passed_msrs l1;

	vv->f[ROW_ENTRY_INTR_INFO] &= ~INTR_VALID;
	nested_switch_to_l1(cpu);
	l1 = passed_msrs();
	vmcs12_to_l1(cpu, vv, &l1);
}

static void reflect_protected(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	protect_reflect(cpu, vv, reason);
	finish_protected(cpu, vv);
}

/* Root handled the exit: VMCS02 goes on, with the event whose delivery was interrupted. */
static void run_on(struct vvmcs *vv)
{
	if (!(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID) &&
	    (vmread(VMCS_IDT_VECTORING_INFO) & INTR_VALID)) {
		reinject_vectoring();
		event_rows_changed(vv);
		/* An NMI blocks itself while it is delivered: the entry would be refused. */
		if (INTR_TYPE(vmread(VMCS_IDT_VECTORING_INFO)) == INTR_TYPE_NMI)
			allow_nmi();
	}
	keep_single_step();
	nested_prepare_tables(vv);
}

/* Handlers.  Return: true when L2 runs on; false when the exit is L1's. */
typedef bool (*exit_handler)(struct percpu *cpu, struct vvmcs *vv);

static bool host_wants(struct percpu *cpu, struct vvmcs *vv)
{
	return false;
}

static bool on_msr(struct percpu *cpu, struct vvmcs *vv)
{
	bool write = (u32)vmread(VMCS_EXIT_REASON) == EXIT_REASON_WRMSR;
	u32 msr = (u32)cpu->gpr[RCX];

	if (msr_wanted_by_l1(vv, msr, write))
		return false;
	if (!msr_vm_must_intercept(msr, write)) {
		/* The merged bitmap is stricter than L1's has become: merge, try again. */
		vv->remerge = true;
		msr_bitmap_sync(vv);
		return true;
	}
	up_log_seldom("denied: VM access to MSR %x", msr);
	inject_gp();
	event_rows_changed(vv);
	return true;
}

static bool on_io(struct percpu *cpu, struct vvmcs *vv)
{
	u64 qual = vmread(VMCS_EXIT_QUAL);

	if (vv->f[ROW_CPU_CTLS] & CPU_UNCOND_IO_EXITING)
		return false;
	up_log_seldom("denied: VM access to ports, qualification %lx", qual);
	inject_gp();
	event_rows_changed(vv);
	return true;
}

static bool on_preemption_timer(struct percpu *cpu, struct vvmcs *vv)
{
	if (!cpu->nmi_deferred || (vv->f[ROW_PIN_CTLS] & PIN_PREEMPTION_TIMER))
		return false;
	nmi_timer_off(cpu);
	return true;
}

/* Exits at any CPL; L1's KVM does not know them, and a program would end its VM. */
static bool on_undefined(struct percpu *cpu, struct vvmcs *vv)
{
	inject_ud();
	event_rows_changed(vv);
	return true;
}

/* The two-stage mapping protocol (ept/violation.h) decides. */
static bool on_ept_violation(struct percpu *cpu, struct vvmcs *vv)
{
	u64 qual = vmread(VMCS_EXIT_QUAL), gpa = vmread(VMCS_GUEST_PHYS_ADDR);

	switch (vm_ept_violation(vv->ept, vv->f[ROW_EPTP], gpa, &qual)) {
	case EPT_FILLED:
		block_nmi_again(qual);
		return true;
	case EPT_REFLECT_MISCONFIG:
		nested_reflect(cpu, vv, EXIT_REASON_EPT_MISCONFIG, 0);
		return true;
	default:
		/* Without frames too: KVM finds its mapping present, and tries again. */
		nested_reflect(cpu, vv, EXIT_REASON_EPT_VIOLATION, qual);
		return true;
	}
}

/* An absent row is an exit that nothing we enabled can cause: the VM is ended. */
static const exit_handler handlers[UP_EXIT_REASONS] = {
	[EXIT_REASON_EXCEPTION_NMI ... EXIT_REASON_SIPI] = host_wants,
	[EXIT_REASON_INTR_WINDOW ... EXIT_REASON_RDTSC] = host_wants,
	[EXIT_REASON_VMCALL ... EXIT_REASON_MOV_DR] = host_wants,
	[EXIT_REASON_IO] = on_io,
	[EXIT_REASON_RDMSR ... EXIT_REASON_WRMSR] = on_msr,
	[EXIT_REASON_MWAIT ... EXIT_REASON_MTF] = host_wants,
	[EXIT_REASON_MONITOR ... EXIT_REASON_PAUSE] = host_wants,
	[EXIT_REASON_TPR_BELOW ... EXIT_REASON_APIC_ACCESS] = host_wants,
	[EXIT_REASON_GDTR_IDTR ... EXIT_REASON_LDTR_TR] = host_wants,
	[EXIT_REASON_EPT_VIOLATION] = on_ept_violation,
	[EXIT_REASON_INVEPT ... EXIT_REASON_RDTSCP] = host_wants,
	[EXIT_REASON_PREEMPTION_TIMER] = on_preemption_timer,
	[EXIT_REASON_INVVPID ... EXIT_REASON_XSETBV] = host_wants,
	[EXIT_REASON_RDRAND ... EXIT_REASON_INVPCID] = host_wants,
	[EXIT_REASON_RDSEED] = host_wants,
	[EXIT_REASON_XSAVES ... EXIT_REASON_XRSTORS] = host_wants,
	[EXIT_REASON_UMWAIT ... EXIT_REASON_TPAUSE] = host_wants,
	[EXIT_REASON_SEAMCALL ... EXIT_REASON_TDCALL] = on_undefined,
};

static void exit_ordinary(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	if (reason >= ARRAY_SIZE(handlers) || !handlers[reason]) {
		up_log_seldom("nested: CPU %u: VM ended, unexpected exit %x, qualification %lx",
			   cpu->cpu, reason, vmread(VMCS_EXIT_QUAL));
		nested_reflect(cpu, vv, EXIT_REASON_TRIPLE_FAULT, 0);
		return;
	}
	/* Most are: without the call, which is a retpoline. */
	if (handlers[reason] == host_wants || !handlers[reason](cpu, vv))
		nested_reflect(cpu, vv, reason, vmread(VMCS_EXIT_QUAL));
	else if (cpu->nested.in_vm)
		run_on(vv);
}

static void exit_protected(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	if (protect_exit(cpu, vv, reason))
		run_on(vv);
	else
		reflect_protected(cpu, vv, reason);
}

/* Hardware checked VMCS02's guest state, or loaded its MSR list, and refused. */
static void entry_failure(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	u64 qual = vmread(VMCS_EXIT_QUAL);

	up_log_seldom("nested: CPU %u: VM entry fails by hardware, reason %x, qualification %lx",
		   cpu->cpu, reason, qual);
	if (vv->launching)
		vv->launched = false;
	if (vv->vcpu)
		protect_entry_failed(cpu, vv);
	nested_switch_to_l1(cpu);
	nested_reflect_entry_failure(cpu, vv, reason & 0xffff, qual);
}

void nested_exit(struct percpu *cpu, u32 reason)
{
	struct vvmcs *vv = cpu->nested.current;
	u32 basic = reason & 0xffff;

	if (basic < UP_EXIT_REASONS)
		cpu->exits_vm[basic]++;
	if (vv->msr_list_loaded) {
		/* Loaded once an entry of L1's, not again when root resumes. */
		vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
		vv->msr_list_loaded = false;
	}
	if (reason & EXIT_ENTRY_FAILURE) {
		entry_failure(cpu, vv, reason);
		return;
	}
	vv->hw_launched = true;
	vv->launching = false;
	if (vv->vcpu)
		exit_protected(cpu, vv, basic);
	else
		exit_ordinary(cpu, vv, basic);
}

void nested_recheck(struct percpu *cpu)
{
	struct vvmcs *vv = cpu->nested.current;
	const char *failed = vmcs12_check_addresses(vv);

	if (!failed)
		return;
	up_log("nested: CPU %u: VM ended, its frames are gone: %s", cpu->cpu, failed);
	if (vv->vcpu) {
		protect_entry_failed(cpu, vv);
		nested_switch_to_l1(cpu);
		nested_reflect_entry_failure(cpu, vv, EXIT_REASON_GUEST_STATE, 0);
	} else {
		nested_reflect(cpu, vv, EXIT_REASON_TRIPLE_FAULT, 0);
	}
}

/* An exit by NMI, as hardware would have made it had the NMI come just after the VM entry. */
static void save_nmi_exit(struct vvmcs *vv)
{
	vv->f[ROW_EXIT_REASON] = EXIT_REASON_EXCEPTION_NMI;
	vv->f[ROW_EXIT_QUAL] = 0;
	vv->f[ROW_EXIT_INTR_INFO] = VEC_NMI | INTR_TYPE_NMI << 8 | INTR_VALID;
}

/* The event that was about to be injected: the NMI interrupted its delivery (section 28.2.4). */
static void save_undelivered(struct vvmcs *vv)
{
	u64 event = vmread(VMCS_ENTRY_INTR_INFO);

	vv->f[ROW_IDT_VECTORING_INFO] = event & INTR_VALID ? event : 0;
	vv->f[ROW_IDT_VECTORING_ERROR] = vmread(VMCS_ENTRY_INTR_ERROR);
	vv->f[ROW_EXIT_INSN_LEN] = vmread(VMCS_ENTRY_INSN_LEN);
	row_clear(vv->stale, ROW_IDT_VECTORING_ERROR);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	event_rows_changed(vv);
}

/* Of a protected vCPU, protect_reflect() says what of an undelivered event is L1's. */
bool nested_nmi(struct percpu *cpu)
{
	struct vvmcs *vv = cpu->nested.current;
	struct passed_msrs l2 = passed_msrs();

	/* A protected vCPU always exits by NMI: the host's are not for it. */
	if (!vv->vcpu && !(vv->f[ROW_PIN_CTLS] & PIN_NMI_EXITING))
		return false;
	if (vv->vcpu) {
		protect_reflect(cpu, vv, EXIT_REASON_EXCEPTION_NMI);
		save_nmi_exit(vv);
		finish_protected(cpu, vv);
		return true;
	}
	vmcs12_save_guest(vv);
	save_nmi_exit(vv);
	save_undelivered(vv);
	vv->f[ROW_ENTRY_INTR_INFO] &= ~INTR_VALID;
	vmcs12_to_l1(cpu, vv, &l2);
	return true;
}
