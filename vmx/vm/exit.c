// SPDX-License-Identifier: GPL-2.0
/*
 * Protected vCPUs (S1.4): the host schedules them and serves their exits, but what it
 * sees and what it may change is one row of a table for each exit reason (show.c,
 * take.c).  It never holds their registers: VMCS02 and struct vcpu do.  Here is what
 * the layer answers itself, and the way in and out.
 */
#include "vmx/vm/exits.h"
#include "vmx/vm/protect.h"
#include "vmx/abi/errno.h"
#include "vmx/base/asm.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/cpu/event.h"
#include "vmx/vm/ghci.h"
#include "vmx/vm/vm.h"
#include "vmx/vmcs/vvmcs.h"
#include "ept/violation.h"

#define EFER_ALLOWED	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)

/* Exits that the host never sees.  Return: true: run on. */
typedef bool (*handler)(struct percpu *cpu, struct vcpu *v);

/*
 * MOV to CR0 or CR4 exits only when a kept bit differs from its shadow: take the
 * new value into the shadow and let the guest execute the instruction again.
 */
static bool on_cr(struct percpu *cpu, struct vcpu *v)
{
	u64 qual = vmread(VMCS_EXIT_QUAL);
	u32 cr = CR_NUMBER(qual), type = CR_TYPE(qual), reg = CR_REG(qual);
	u64 val = cr_operand(cpu, qual);

	if (type == CR_TYPE_TO && cr == 0) {
		vmwrite(VMCS_CR0_SHADOW, val & CR0_KEPT);
	} else if (type == CR_TYPE_TO && cr == 4 && !(val & ~CR4_ALLOWED)) {
		vmwrite(VMCS_CR4_SHADOW, val & cr4_kept());
	} else if (cr == 8) {
		/* Without a TPR shadow there is no local APIC: reads zero. */
		if (type == CR_TYPE_FROM && reg != RSP)
			cpu->gpr[reg] = 0;
		step_over();
	} else {
		inject_gp();
	}
	return true;
}

static bool on_xsetbv(struct percpu *cpu, struct vcpu *v)
{
	u64 val = edx_eax(cpu);

	if (guest_cpl() || (u32)cpu->gpr[RCX] || (val & ~vcpu_xcr0_mask()) || xsetbv_safe(0, val))
		inject_gp();
	else
		step_over();
	return true;
}

static bool write_efer(u64 val)
{
	u64 old = vmread(VMCS_GUEST_EFER);

	if (val & ~EFER_ALLOWED)
		return false;
	if ((vmread(VMCS_GUEST_CR0) & CR0_PG) && ((val ^ old) & EFER_LME))
		return false;
	vmwrite(VMCS_GUEST_EFER, (val & ~EFER_LMA) | (old & EFER_LMA));
	return true;
}

/*
 * The layer's own are EFER, XSS, what the processor is vulnerable to, and of the local APIC
 * which it is and that it is there; other MSRs that exit are for KVM to emulate.
 */
static bool on_rdmsr(struct percpu *cpu, struct vcpu *v)
{
	u32 msr = (u32)cpu->gpr[RCX];
	u64 val = 0;

	if (msr == MSR_EFER)
		val = vmread(VMCS_GUEST_EFER);
	else if (msr == MSR_ARCH_CAPABILITIES)
		val = protect_arch_capabilities();
	else if (msr == MSR_X2APIC_ID)
		val = v->index;
	else if (msr == MSR_APIC_BASE && v->vm->ghci)
		val = APIC_BASE_X2APIC | (v->index ? 0 : APIC_BASE_BSP);
	else if (msr != MSR_XSS && msr != MSR_TSC_ADJUST)
		return false;
	set_edx_eax(cpu, val);
	step_over();
	return true;
}

static bool on_wrmsr(struct percpu *cpu, struct vcpu *v)
{
	u64 val = edx_eax(cpu);
	u32 msr = (u32)cpu->gpr[RCX];
	bool ok;

	if (msr == MSR_EFER)
		ok = write_efer(val);
	else if (msr == MSR_XSS)
		ok = !val;
	else if (msr == MSR_TSC || msr == MSR_TSC_ADJUST)
		ok = false;	/* a VM has one time, on all of its vCPUs */
	else
		return false;
	if (ok)
		step_over();
	else
		inject_gp();
	return true;
}

static bool on_cpuid(struct percpu *cpu, struct vcpu *v)
{
	u32 r[4];

	protect_cpuid(v, (u32)cpu->gpr[RAX], (u32)cpu->gpr[RCX], r);
	set_cpuid(cpu, r);
	step_over();
	return true;
}

/* String I/O goes through memory that the host cannot reach. */
static bool on_io(struct percpu *cpu, struct vcpu *v)
{
	if (!(vmread(VMCS_EXIT_QUAL) & IO_STRING))
		return false;
	inject_gp();
	return true;
}

static bool on_vmcall(struct percpu *cpu, struct vcpu *v)
{
	if (guest_cpl())
		inject_ud();
	else
		protect_call(cpu, v);
	return true;
}

static bool on_invd(struct percpu *cpu, struct vcpu *v)
{
	wbinvd();
	step_over();
	return true;
}

static bool on_undefined(struct percpu *cpu, struct vcpu *v)
{
	inject_ud();
	return true;
}

static bool on_forbidden(struct percpu *cpu, struct vcpu *v)
{
	inject_gp();
	return true;
}

static bool on_ept_violation(struct percpu *cpu, struct vcpu *v)
{
	u64 qual = vmread(VMCS_EXIT_QUAL), gpa = vmread(VMCS_GUEST_PHYS_ADDR);
	enum ve_end end;

	block_nmi_again(qual);
	end = v->vm->ghci ? ve_violation(v, gpa, qual) : VE_PRIVATE;
	if (end != VE_PRIVATE)
		return end == VE_DONE;
	return vm_ept_violation(v->vm->ept, v->vv->f[ROW_EPTP], gpa, &qual) == EPT_FILLED;
}

/* What an intercepted #DB leaves undone (SDM vol. 3, 28.1 and table 28-1). */
static void take_debug_exception(void)
{
	u64 causes = vmread(VMCS_EXIT_QUAL) & DR6_CAUSES;

	write_dr6(((read_dr6() & ~DR6_TRAPS) | causes) & MASK(31, 0));
	vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~(u64)DR7_GD);
	/* Delivery ends the shadow of STI and MOV SS; with it the entry would be refused. */
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, vmread(VMCS_GUEST_INTERRUPTIBILITY) &
		~(u64)(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
}

/* NMI and #MC are the host's; what else exits is an exception of the VM's own. */
static bool is_hosts(u32 info)
{
	return INTR_TYPE(info) == INTR_TYPE_NMI ||
	       (INTR_TYPE(info) == INTR_TYPE_HARD_EXC && INTR_VECTOR(info) == VEC_MC);
}

/*
 * #DB and #AC are the VM's, and are injected when it runs next; meanwhile the host
 * gets a turn.  One raised while an interrupt was being delivered comes again with it.
 */
static bool on_exception(struct percpu *cpu, struct vcpu *v)
{
	u32 info = (u32)vmread(VMCS_EXIT_INTR_INFO);
	u32 vectoring = (u32)vmread(VMCS_IDT_VECTORING_INFO);

	if (is_hosts(info))
		return false;
	if ((vectoring & INTR_VALID) && (INTR_TYPE(vectoring) == INTR_TYPE_EXTERNAL ||
					 INTR_TYPE(vectoring) == INTR_TYPE_NMI))
		return false;
	if (INTR_VECTOR(info) == VEC_UD)
		return tdcall_undefined(cpu, v);
	if (INTR_VECTOR(info) == VEC_DB)
		take_debug_exception();
	vmwrite(VMCS_ENTRY_INTR_INFO, info & ~INTR_NMI_UNBLOCKED);
	vmwrite(VMCS_ENTRY_INTR_ERROR, 0);	/* #AC's is always zero */
	vmwrite(VMCS_ENTRY_INSN_LEN, vmread(VMCS_EXIT_INSN_LEN));
	return false;
}

/* The window that the layer opened for what it holds, or else the host's. */
static bool on_window(struct percpu *cpu, struct vcpu *v)
{
	if (!protect_deliver_held(v))
		return false;
	protect_windows(v);
	return true;
}

static const handler handlers[UP_EXIT_REASONS] = {
	[EXIT_REASON_EXCEPTION_NMI] = on_exception,
	[EXIT_REASON_INTR_WINDOW ... EXIT_REASON_NMI_WINDOW] = on_window,
	[EXIT_REASON_CPUID] = on_cpuid,
	[EXIT_REASON_GETSEC] = on_undefined,
	[EXIT_REASON_INVD] = on_invd,
	[EXIT_REASON_RDPMC] = on_forbidden,
	[EXIT_REASON_VMCALL] = on_vmcall,
	[EXIT_REASON_VMCLEAR ... EXIT_REASON_VMXON] = on_undefined,
	[EXIT_REASON_CR_ACCESS] = on_cr,
	[EXIT_REASON_IO] = on_io,
	[EXIT_REASON_RDMSR] = on_rdmsr,
	[EXIT_REASON_WRMSR] = on_wrmsr,
	[EXIT_REASON_EPT_VIOLATION] = on_ept_violation,
	[EXIT_REASON_INVEPT] = on_undefined,
	[EXIT_REASON_INVVPID] = on_undefined,
	[EXIT_REASON_XSETBV] = on_xsetbv,
	[EXIT_REASON_VMFUNC] = on_undefined,
	[EXIT_REASON_SEAMCALL] = on_undefined,
	[EXIT_REASON_TDCALL] = tdcall,
};

bool protect_exit(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	struct vcpu *v = vv->vcpu;

	if (reason < UP_EXIT_REASONS && handlers[reason] && handlers[reason](cpu, v))
		return v->vm->own.state == UP_VM_RUNNABLE;
	if (v->ghci.ask.reason)
		return false;
	if (reason >= UP_EXIT_REASONS || !exit_rows[reason].host)
		vm_kill(v->vm, "an exit that no rule covers");
	else if (reason == EXIT_REASON_TRIPLE_FAULT)
		vm_kill(v->vm, "triple fault: the guest has shut itself down");
	return false;
}

/*
 * The event that was to be injected and never started, else the one whose delivery
 * the exit interrupted: of the two the second, if a fault, is raised again.
 */
static void save_events(struct vcpu *v)
{
	u32 vectoring = (u32)vmread(VMCS_IDT_VECTORING_INFO);
	u32 undelivered = (u32)vmread(VMCS_ENTRY_INTR_INFO);

	if (undelivered & INTR_VALID) {
		v->pending_event = undelivered;
		v->pending_error = (u32)vmread(VMCS_ENTRY_INTR_ERROR);
		v->pending_len = (u32)vmread(VMCS_ENTRY_INSN_LEN);
	} else if (vectoring & INTR_VALID) {
		v->pending_event = vectoring & ~(u32)INTR_NMI_UNBLOCKED;
		if (INTR_TYPE(vectoring) == INTR_TYPE_NMI)
			allow_nmi();	/* that it blocks itself would make the entry fail */
		v->pending_error = (u32)vmread(VMCS_IDT_VECTORING_ERROR);
		v->pending_len = (u32)vmread(VMCS_EXIT_INSN_LEN);
	}
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
}

void protect_reflect(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	struct vcpu *v = vv->vcpu;

	/* A VM that was ended shows itself as shut down, whatever its last exit was. */
	if (v->vm->own.state != UP_VM_RUNNABLE || reason >= UP_EXIT_REASONS)
		reason = EXIT_REASON_TRIPLE_FAULT;
	/* An exception of the VM's own: KVM looks what there is to inject, and goes on. */
	if (reason == EXIT_REASON_EXCEPTION_NMI && !is_hosts((u32)vmread(VMCS_EXIT_INTR_INFO)))
		reason = EXIT_REASON_INTR_WINDOW;
	if (reason == EXIT_REASON_TRIPLE_FAULT)
		ghci_forget(v);
	v->last_reason = v->ghci.ask.reason ? v->ghci.ask.reason : reason;
	v->last_qual = v->ghci.ask.reason ? v->ghci.ask.qual : vmread(VMCS_EXIT_QUAL);
	memcpy(v->gpr, cpu->gpr, sizeof(v->gpr));
	save_events(v);
	vcpu_save(v);
	protect_show(cpu, v);
}

int protect_entry(struct percpu *cpu, struct vvmcs *vv)
{
	struct vcpu *v = vv->vcpu;

	if (v->vm->own.state != UP_VM_RUNNABLE)
		return -UP_EPERM;
	/* Started by the firmware, which asked before: till then there is one vCPU. */
	if (v->index && !v->vm->ghci)
		return -UP_EPERM;
	vv->ept = v->vm->ept;
	protect_controls(v);
	protect_take(cpu, v);
	v->bare = false;
	v->vm->entries++;
	memcpy(v->host_gpr, cpu->gpr, sizeof(v->host_gpr));
	memcpy(cpu->gpr, v->gpr, sizeof(v->gpr));
	vcpu_load(v);
	return 0;
}

void protect_entry_failed(struct percpu *cpu, struct vvmcs *vv)
{
	struct vcpu *v = vv->vcpu;

	vcpu_save(v);
	memcpy(cpu->gpr, v->host_gpr, sizeof(cpu->gpr));
	vm_kill(v->vm, "hardware refused its state");
}
