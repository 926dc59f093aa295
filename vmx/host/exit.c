// SPDX-License-Identifier: GPL-2.0
/*
 * Exits of the demoted host: one function a reason, one table.  The host must
 * notice nothing but what is taken from it (docs/root.md).
 */
#include "vmx/host/host.h"
#include "vmx/base/asm.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/event.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/intercept/msr.h"
#include "vmx/nested/nested.h"
#include "ept/host.h"

/* A feature bit that says what CR4 has: the answer was of root's. */
static void mirror(u32 *reg, u64 feature, u64 cr4)
{
	*reg = vmread(VMCS_GUEST_CR4) & cr4 ? *reg | (u32)feature : *reg & ~(u32)feature;
}

/*
 * Intel PT and the hardware feedback table store to physical addresses, and their MSRs
 * are refused (vmx/intercept/msrs.h): nobody is to find them.
 */
static void on_cpuid(struct percpu *cpu)
{
	u32 leaf = (u32)cpu->gpr[RAX], sub = (u32)cpu->gpr[RCX], r[4];

	cpuid(leaf, sub, r);
	switch (leaf) {
	case 1:
		mirror(&r[2], CPUID1_ECX_OSXSAVE, CR4_OSXSAVE);
		break;
	case 6:
		r[0] &= ~(u32)(CPUID6_EAX_HW_FEEDBACK | CPUID6_EAX_DIRECTOR);
		break;
	case 7:
		if (sub)
			break;
		r[1] &= ~(u32)CPUID7_EBX_PT;
		if (r[2] & CPUID7_ECX_PKU)
			mirror(&r[2], CPUID7_ECX_OSPKE, CR4_PKE);
		break;
	case 0xd:
		if (sub == 1)
			r[2] &= ~(u32)XSS_PT;
	}
	if (leaf == 0x14 || (leaf == 0xd && sub == XSTATE_PT))
		r[0] = r[1] = r[2] = r[3] = 0;
	set_cpuid(cpu, r);
	step_over();
}

static void on_rdmsr(struct percpu *cpu)
{
	u64 val;

	if (host_msr_read((u32)cpu->gpr[RCX], &val)) {
		inject_gp();
		return;
	}
	set_edx_eax(cpu, val);
	step_over();
}

static void on_wrmsr(struct percpu *cpu)
{
	u64 val = edx_eax(cpu);

	if (host_msr_write((u32)cpu->gpr[RCX], val))
		inject_gp();
	else
		step_over();
}

static void on_xsetbv(struct percpu *cpu)
{
	u64 val = edx_eax(cpu);

	/* The processor judges the value, we only lend it our privilege. */
	if (guest_cpl() || (u32)cpu->gpr[RCX] || xsetbv_safe(0, val))
		inject_gp();
	else
		step_over();
}

static void on_invd(struct percpu *cpu)
{
	wbinvd();	/* INVD would drop the layer's own writes */
	step_over();
}

/*
 * CR accesses exit only for a change of CR0.NE or CR4.VMXE (SDM vol. 3, 26.1.3,
 * table 28-3 for the qualification).
 *
 * Paging on or off changes between long and protected mode (SDM vol. 3, 10.8.5): the
 * trampoline of a CPU that is started turns on paging and NE at once.
 * Return: false: the processor would refuse.
 */
static bool switch_long_mode(bool paging)
{
	u64 efer = vmread(VMCS_GUEST_EFER), entry = vmread(VMCS_ENTRY_CTLS);
	bool long_code = vmread(VMCS_GUEST_CS_AR) & SEG_AR_L;

	if (!(efer & EFER_LME) || !!(efer & EFER_LMA) == paging)
		return true;
	if (long_code || (paging && !(vmread(VMCS_GUEST_CR4) & CR4_PAE)))
		return false;
	vmwrite(VMCS_GUEST_EFER, efer ^ EFER_LMA);
	vmwrite(VMCS_ENTRY_CTLS, entry ^ ENTRY_IA32E);
	return true;
}

/* Where MOV to CR0 raises #GP the VM entry would fail. */
static void write_cr0_for_host(u64 val)
{
	if (val >> 32 || ((val & CR0_PG) && !(val & CR0_PE)) ||
	    (!(val & CR0_WP) && (vmread(VMCS_GUEST_CR4) & CR4_CET)) ||
	    ((val & CR0_NW) && !(val & CR0_CD)) || !switch_long_mode(val & CR0_PG)) {
		inject_gp();
		return;
	}
	vmwrite(VMCS_CR0_SHADOW, val);
	vmwrite(VMCS_GUEST_CR0, val | CR0_NE);
	host_forget_translations();
	step_over();
}

static void write_cr4_for_host(struct percpu *cpu, u64 val)
{
	bool long_mode = vmread(VMCS_GUEST_EFER) & EFER_LMA;

	if (!(val & CR4_VMXE) && !nested_cr4_vmxe_may_clear(cpu)) {
		inject_gp();
		return;
	}
	/* Reserved bits, PAE, PCIDE, CET: VM entry would fail where MOV to CR4 raises #GP. */
	if (val & ~rdmsr(MSR_VMX_CR4_FIXED1) || (long_mode && !(val & CR4_PAE)) ||
	    (!long_mode && (val & CR4_PCIDE)) ||
	    ((val & CR4_CET) && !(vmread(VMCS_GUEST_CR0) & CR0_WP))) {
		inject_gp();
		return;
	}
	vmwrite(VMCS_CR4_SHADOW, val);
	vmwrite(VMCS_GUEST_CR4, val | CR4_VMXE);
	host_forget_translations();
	step_over();
}

static void on_cr(struct percpu *cpu)
{
	u64 qual = vmread(VMCS_EXIT_QUAL);
	u64 val = cr_operand(cpu, qual);

	if (CR_TYPE(qual) == CR_TYPE_TO && CR_NUMBER(qual) == 4) {
		write_cr4_for_host(cpu, val);
	} else if (CR_TYPE(qual) == CR_TYPE_TO && CR_NUMBER(qual) == 0) {
		write_cr0_for_host(val);
	} else {
		up_log("denied: CR access, qualification %lx", qual);
		inject_gp();
	}
}

static void on_ept_violation(struct percpu *cpu)
{
	u64 qual = vmread(VMCS_EXIT_QUAL);
	u64 gla = vmread(VMCS_GUEST_LINEAR);
	u64 gpa = vmread(VMCS_GUEST_PHYS_ADDR);
	u32 error = PF_PRESENT | PF_PROTECTION_KEY;

	switch (host_ept_violation(gpa, qual, gla)) {
	case EPT_FILLED:
	case EPT_FAULT_DECOY:
		break;
	case EPT_FAULT_USER:
		/*
		 * Linux refuses such a fault at once instead of retrying a valid
		 * PTE: SIGSEGV, or -EFAULT through the exception table.
		 */
		if (qual & EPT_VIOL_WRITE)
			error |= PF_WRITE;
		if (qual & EPT_VIOL_EXEC)
			error |= PF_FETCH;
		if (guest_cpl() == 3)
			error |= PF_USER;
		inject_pf(gla, error);
		break;
	case EPT_DEVICE:
		if (host_device(cpu, gpa, qual))
			return;
		break;
	case EPT_NOMEM:
		/* Frames come when other CPUs have flushed: the host tries again. */
		break;
	default:
		up_log("denied: host access to %lx, qualification %lx", gpa, qual);
		inject_gp();
	}
	/* The violation may have interrupted an IRET from an NMI, or an event's delivery. */
	block_nmi_again(qual);
	keep_single_step();
	if (!(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID))
		reinject_vectoring();
}

static void on_vmcall(struct percpu *cpu)
{
	if (guest_cpl() == 0 && (cpu->gpr[RAX] & ~0xffffULL) == UP_CALL_MAGIC) {
		up_call(cpu);
		return;
	}
	/* A Linux that believes itself on KVM calls it; module/needs.h refuses such a host. */
	if (guest_cpl() == 0)
		up_log_seldom("denied: VMCALL %lx: no call of the layer's", cpu->gpr[RAX]);
	nested_insn(cpu, EXIT_REASON_VMCALL);	/* as a processor executes it */
}

static void on_undefined(struct percpu *cpu)
{
	inject_ud();
}

static void on_vmx(struct percpu *cpu)
{
	nested_insn(cpu, (u32)vmread(VMCS_EXIT_REASON) & 0xffff);
}

typedef void (*exit_handler)(struct percpu *cpu);

static const exit_handler handlers[UP_EXIT_REASONS] = {
	[EXIT_REASON_TRIPLE_FAULT] = host_triple_fault,
	[EXIT_REASON_INIT] = host_init,
	[EXIT_REASON_SIPI] = host_sipi,
	[EXIT_REASON_CPUID] = on_cpuid,
	[EXIT_REASON_GETSEC] = on_undefined,
	[EXIT_REASON_INVD] = on_invd,
	[EXIT_REASON_VMCALL] = on_vmcall,
	[EXIT_REASON_VMCLEAR ... EXIT_REASON_VMXON] = on_vmx,
	[EXIT_REASON_CR_ACCESS] = on_cr,
	[EXIT_REASON_IO] = host_io,
	[EXIT_REASON_RDMSR] = on_rdmsr,
	[EXIT_REASON_WRMSR] = on_wrmsr,
	[EXIT_REASON_EPT_VIOLATION] = on_ept_violation,
	[EXIT_REASON_INVEPT] = on_vmx,
	[EXIT_REASON_PREEMPTION_TIMER] = nmi_timer_off,
	[EXIT_REASON_INVVPID] = on_vmx,
	[EXIT_REASON_XSETBV] = on_xsetbv,
	[EXIT_REASON_VMFUNC] = on_undefined,
	/* At any CPL, as VMCALL. */
	[EXIT_REASON_SEAMCALL ... EXIT_REASON_TDCALL] = on_undefined,
};

void host_exit(struct percpu *cpu, u32 reason)
{
	u32 basic = reason & 0xffff;

	if (basic < UP_EXIT_REASONS)
		cpu->exits_host[basic]++;
	if (basic < ARRAY_SIZE(handlers) && handlers[basic] && !(reason & EXIT_ENTRY_FAILURE))
		handlers[basic](cpu);
	else
		up_panic("CPU %u: unexpected exit %x of the host, qualification %lx, RIP %lx",
			 cpu->cpu, reason, vmread(VMCS_EXIT_QUAL),
			 vmread(VMCS_GUEST_RIP));
}
