// SPDX-License-Identifier: GPL-2.0
/*
 * VM exits of L2: one table says by reason who handles them.  What goes to L1 is
 * told as hardware tells it (SDM vol. 3, chapters 25.1 and 28).
 */
#include "vmx/nested/nested.h"
#include "vmx/nested/run.h"
#include "vmx/base/asm.h"
#include "vmx/host/host.h"
#include "vmx/host/io.h"
#include "vmx/base/log.h"
#include "vmx/intercept/msr.h"
#include "vmx/vm/protect.h"
#include "ept/ept.h"

#define AR_CODE64		0xa09b	/* present, code, accessed, L, G */
#define AR_DATA			0xc093	/* present, data, writable, accessed, D/B, G */
#define AR_TSS			0x8b	/* present, busy 64-bit TSS */
#define HOST_DR7		0x400
#define HOST_RFLAGS		X86_RFLAGS_FIXED

/* The fields that KVM reads after every exit; the others wait in VMCS02 until asked for. */
static void save_exit_info(struct vvmcs *vv, u32 reason, u64 qual)
{
	vv->f[ROW_EXIT_REASON] = reason;
	vv->f[ROW_EXIT_QUAL] = qual;
	vv->f[ROW_EXIT_INTR_INFO] = vmread(VMCS_EXIT_INTR_INFO);
	vv->f[ROW_IDT_VECTORING_INFO] = vmread(VMCS_IDT_VECTORING_INFO);
	vv->f[ROW_EXIT_INSN_LEN] = vmread(VMCS_EXIT_INSN_LEN);
	vv->f[ROW_GUEST_PHYS_ADDR] = vmread(VMCS_GUEST_PHYS_ADDR);
	vv->f[ROW_ENTRY_INTR_INFO] &= ~INTR_VALID;
}

static void save_guest_state(struct vvmcs *vv)
{
	u64 exit = vv->f[ROW_EXIT_CTLS];

	vv->f[ROW_GUEST_RIP] = vmread(VMCS_GUEST_RIP);
	vv->f[ROW_GUEST_RSP] = vmread(VMCS_GUEST_RSP);
	vv->f[ROW_GUEST_RFLAGS] = vmread(VMCS_GUEST_RFLAGS);
	vv->f[ROW_GUEST_INTERRUPTIBILITY] = vmread(VMCS_GUEST_INTERRUPTIBILITY);
	if (exit & EXIT_SAVE_EFER)
		vv->f[ROW_GUEST_EFER] = vmread(VMCS_GUEST_EFER);
	if (exit & EXIT_SAVE_PAT)
		vv->f[ROW_GUEST_PAT] = vmread(VMCS_GUEST_PAT);
	if (exit & EXIT_SAVE_PREEMPTION)
		vv->f[ROW_PREEMPTION_TIMER] = vmread(VMCS_PREEMPTION_TIMER);
	/* The exit stores LMA there (section 28.3.1, IA32_VMX_MISC[5]). */
	vv->f[ROW_ENTRY_CTLS] = (vv->f[ROW_ENTRY_CTLS] & ~ENTRY_IA32E) |
				(vmread(VMCS_ENTRY_CTLS) & ENTRY_IA32E);
	rows_add(vv->stale, rows_lazy);
}

static void load_unusable_segment(u32 n)
{
	vmwrite(VMCS_GUEST_ES_SEL + 2 * n, 0);
	vmwrite(VMCS_GUEST_ES_AR + 2 * n, SEG_AR_UNUSABLE);
}

static void load_segment(u32 n, u64 selector, u64 base, u64 limit, u64 ar)
{
	vmwrite(VMCS_GUEST_ES_SEL + 2 * n, selector);
	vmwrite(VMCS_GUEST_ES_BASE + 2 * n, base);
	vmwrite(VMCS_GUEST_ES_LIMIT + 2 * n, limit);
	vmwrite(VMCS_GUEST_ES_AR + 2 * n, ar);
}

/* A null selector makes the segment unusable: base and limit do not count then. */
static void load_data_segment(u32 n, u64 selector)
{
	if (selector)
		load_segment(n, selector, 0, 0xffffffff, AR_DATA);
	else
		load_unusable_segment(n);
}

enum { ES, CS, SS, DS, FS, GS, LDTR, TR };

/* Section 28.5.2 */
static void load_host_segments(const u64 *f)
{
	load_data_segment(ES, f[ROW_HOST_ES_SEL]);
	load_segment(CS, f[ROW_HOST_CS_SEL], 0, 0xffffffff, AR_CODE64);
	load_data_segment(SS, f[ROW_HOST_SS_SEL]);
	load_data_segment(DS, f[ROW_HOST_DS_SEL]);
	load_data_segment(FS, f[ROW_HOST_FS_SEL]);
	vmwrite(VMCS_GUEST_FS_BASE, f[ROW_HOST_FS_BASE]);
	load_data_segment(GS, f[ROW_HOST_GS_SEL]);
	vmwrite(VMCS_GUEST_GS_BASE, f[ROW_HOST_GS_BASE]);
	load_unusable_segment(LDTR);
	load_segment(TR, f[ROW_HOST_TR_SEL], f[ROW_HOST_TR_BASE], 0x67, AR_TSS);
	vmwrite(VMCS_GUEST_GDTR_BASE, f[ROW_HOST_GDTR_BASE]);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, 0xffff);
	vmwrite(VMCS_GUEST_IDTR_BASE, f[ROW_HOST_IDTR_BASE]);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, 0xffff);
}

/*
 * Section 28.5.1.  CR0.CD and CR0.NW are not changed by an exit.  CR4.VMXE is set
 * in what passed the checks; the layer's own masks stay as they are.
 */
static void load_host_control_registers(const u64 *f)
{
	u64 kept = X86_CR0_CD | X86_CR0_NW;
	u64 cr0 = (f[ROW_HOST_CR0] & ~kept) | (vmread(VMCS_GUEST_CR0) & kept);

	vmwrite(VMCS_GUEST_CR0, cr0);
	vmwrite(VMCS_CR0_SHADOW, cr0);
	vmwrite(VMCS_GUEST_CR3, f[ROW_HOST_CR3]);
	vmwrite(VMCS_GUEST_CR4, f[ROW_HOST_CR4]);
	vmwrite(VMCS_CR4_SHADOW, f[ROW_HOST_CR4]);
}

/* EFER and PAT that L1 does not ask to load stay L2's, in long mode. */
static void load_host_msrs(const u64 *f, u64 l2_efer, u64 l2_pat)
{
	u64 exit = f[ROW_EXIT_CTLS];

	vmwrite(VMCS_GUEST_SYSENTER_CS, f[ROW_HOST_SYSENTER_CS]);
	vmwrite(VMCS_GUEST_SYSENTER_ESP, f[ROW_HOST_SYSENTER_ESP]);
	vmwrite(VMCS_GUEST_SYSENTER_EIP, f[ROW_HOST_SYSENTER_EIP]);
	vmwrite(VMCS_GUEST_EFER, exit & EXIT_LOAD_EFER ? f[ROW_HOST_EFER]
						       : l2_efer | EFER_LME | EFER_LMA);
	vmwrite(VMCS_GUEST_PAT, exit & EXIT_LOAD_PAT ? f[ROW_HOST_PAT] : l2_pat);
	vmwrite(VMCS_GUEST_DEBUGCTL, 0);
}

static void load_host_state(const struct vvmcs *vv, u64 l2_efer, u64 l2_pat)
{
	u64 nmi = EXIT_REASON_EXCEPTION_NMI;
	bool by_nmi = vv->f[ROW_EXIT_REASON] == nmi &&
		      INTR_TYPE(vv->f[ROW_EXIT_INTR_INFO]) == INTR_TYPE_NMI;

	load_host_control_registers(vv->f);
	load_host_segments(vv->f);
	load_host_msrs(vv->f, l2_efer, l2_pat);
	vmwrite(VMCS_GUEST_RIP, vv->f[ROW_HOST_RIP]);
	vmwrite(VMCS_GUEST_RSP, vv->f[ROW_HOST_RSP]);
	vmwrite(VMCS_GUEST_RFLAGS, HOST_RFLAGS);
	vmwrite(VMCS_GUEST_DR7, HOST_DR7);
	/* An exit by NMI leaves NMIs blocked (section 28.5.5). */
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, by_nmi ? BLOCKED_BY_NMI : 0);
	vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmwrite(VMCS_GUEST_PENDING_DBG, 0);
}

/* An NMI for L2 that waits behind another event is L1's now, or the next guest's. */
static void undo_nmi_deferral(struct percpu *cpu, struct vvmcs *vv)
{
	if (!cpu->nmi_deferred)
		return;
	cpu->nmi_deferred = false;
	cpu->nmi_pending = 1;
	row_set(vv->dirty, ROW_PIN_CTLS);
}

static void to_l1(struct percpu *cpu, struct vvmcs *vv, u64 l2_efer, u64 l2_pat)
{
	nested_switch_to_l1(cpu);
	undo_nmi_deferral(cpu, vv);
	load_host_state(vv, l2_efer, l2_pat);
	if (vv->f[ROW_EXIT_MSR_LOAD_COUNT] && !msr_list_load_host(vv))
		nested_log("nested: CPU %u: VM-exit MSR-load list refused", cpu->cpu);
}

void nested_reflect(struct percpu *cpu, struct vvmcs *vv, u32 reason, u64 qual)
{
	u64 efer = vmread(VMCS_GUEST_EFER), pat = vmread(VMCS_GUEST_PAT);

	save_exit_info(vv, reason, qual);
	save_guest_state(vv);
	if (vv->f[ROW_EXIT_MSR_STORE_COUNT] && !msr_list_store(vv))
		nested_log("nested: CPU %u: VM-exit MSR-store list refused", cpu->cpu);
	to_l1(cpu, vv, efer, pat);
}

/* Of a protected vCPU L1 gets what protect.c makes, and its own EFER and PAT back. */
static void finish_protected(struct percpu *cpu, struct vvmcs *vv)
{
	u64 efer, pat;

	vv->f[ROW_ENTRY_INTR_INFO] &= ~INTR_VALID;
	nested_switch_to_l1(cpu);
	efer = vmread(VMCS_GUEST_EFER);
	pat = vmread(VMCS_GUEST_PAT);
	to_l1(cpu, vv, efer, pat);
}

static void reflect_protected(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	protect_reflect(cpu, vv, reason);
	finish_protected(cpu, vv);
}

/* Section 27.8: no guest state is saved, the event stays to be injected. */
void nested_reflect_entry_failure(struct percpu *cpu, struct vvmcs *vv, u32 reason, u64 qual)
{
	vv->f[ROW_EXIT_REASON] = reason | EXIT_ENTRY_FAILURE;
	vv->f[ROW_EXIT_QUAL] = qual;
	to_l1(cpu, vv, vmread(VMCS_GUEST_EFER), vmread(VMCS_GUEST_PAT));
}

/* An event that root puts into VMCS02 must not be taken for L1's later. */
static void event_rows_changed(struct vvmcs *vv)
{
	row_set(vv->dirty, ROW_ENTRY_INTR_INFO);
	row_set(vv->dirty, ROW_ENTRY_INTR_ERROR);
	row_set(vv->dirty, ROW_ENTRY_INSN_LEN);
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
			vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
				vmread(VMCS_GUEST_INTERRUPTIBILITY) & ~BLOCKED_BY_NMI);
	}
	nested_prepare_tables(vv);
}

/* Handlers.  Return: true when L2 runs on; false when the exit is L1's. */
typedef bool (*exit_handler)(struct percpu *cpu, struct vvmcs *vv);

static bool host_wants(struct percpu *cpu, struct vvmcs *vv)
{
	(void)cpu;
	(void)vv;
	return false;
}

static bool on_msr(struct percpu *cpu, struct vvmcs *vv, bool write)
{
	u32 msr = (u32)cpu->gpr[RCX];

	if (msr_wanted_by_l1(vv, msr, write))
		return false;
	if (!msr_vm_must_intercept(msr, write)) {
		/* The merged bitmap is stricter than L1's has become: merge, try again. */
		vv->remerge = true;
		msr_bitmap_sync(vv);
		return true;
	}
	nested_log("denied: VM access to MSR %x", msr);
	inject_gp();
	event_rows_changed(vv);
	return true;
}

static bool on_rdmsr(struct percpu *cpu, struct vvmcs *vv)
{
	return on_msr(cpu, vv, false);
}

static bool on_wrmsr(struct percpu *cpu, struct vvmcs *vv)
{
	return on_msr(cpu, vv, true);
}

static bool on_io(struct percpu *cpu, struct vvmcs *vv)
{
	u64 qual = vmread(VMCS_EXIT_QUAL);

	(void)cpu;
	if (io_wanted_by_l1(vv, qual))
		return false;
	/* L1's bitmaps have become more lax since they were merged, if it has any. */
	if (!io_must_intercept(qual) && (vv->f[ROW_CPU_CTLS] & CPU_IO_BITMAPS) &&
	    !io_bitmap_sync(vv))
		return true;
	nested_log("denied: VM access to ports, qualification %lx", qual);
	inject_gp();
	event_rows_changed(vv);
	return true;
}

static bool on_preemption_timer(struct percpu *cpu, struct vvmcs *vv)
{
	if (!cpu->nmi_deferred || (vv->f[ROW_PIN_CTLS] & PIN_PREEMPTION_TIMER))
		return false;
	host_preemption_timer(cpu);
	return true;
}

/* Exits at any CPL; L1's KVM does not know them, and a program would end its VM. */
static bool on_undefined(struct percpu *cpu, struct vvmcs *vv)
{
	(void)cpu;
	inject_ud();
	event_rows_changed(vv);
	return true;
}

void nested_block_nmi_again(u64 qual)
{
	if ((qual & EPT_VIOL_NMI_UNBLOCKING) && !(vmread(VMCS_IDT_VECTORING_INFO) & INTR_VALID))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
			vmread(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKED_BY_NMI);
}

/* The two-stage mapping protocol (ept/ept.h) decides. */
static bool on_ept_violation(struct percpu *cpu, struct vvmcs *vv)
{
	u64 qual = vmread(VMCS_EXIT_QUAL), gpa = vmread(VMCS_GUEST_PHYS_ADDR);

	switch (vm_ept_violation(vv->ept, vv->f[ROW_EPTP], gpa, &qual)) {
	case EPT_FILLED:
		nested_block_nmi_again(qual);
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
	[EXIT_REASON_EXCEPTION_NMI] = host_wants,
	[EXIT_REASON_EXTINT] = host_wants,
	[EXIT_REASON_TRIPLE_FAULT] = host_wants,
	[EXIT_REASON_INIT] = host_wants,
	[EXIT_REASON_SIPI] = host_wants,
	[EXIT_REASON_INTR_WINDOW] = host_wants,
	[EXIT_REASON_NMI_WINDOW] = host_wants,
	[EXIT_REASON_TASK_SWITCH] = host_wants,
	[EXIT_REASON_CPUID] = host_wants,
	[EXIT_REASON_GETSEC] = host_wants,
	[EXIT_REASON_HLT] = host_wants,
	[EXIT_REASON_INVD] = host_wants,
	[EXIT_REASON_INVLPG] = host_wants,
	[EXIT_REASON_RDPMC] = host_wants,
	[EXIT_REASON_RDTSC] = host_wants,
	[EXIT_REASON_VMCALL] = host_wants,
	[EXIT_REASON_VMCLEAR] = host_wants,
	[EXIT_REASON_VMLAUNCH] = host_wants,
	[EXIT_REASON_VMPTRLD] = host_wants,
	[EXIT_REASON_VMPTRST] = host_wants,
	[EXIT_REASON_VMREAD] = host_wants,
	[EXIT_REASON_VMRESUME] = host_wants,
	[EXIT_REASON_VMWRITE] = host_wants,
	[EXIT_REASON_VMXOFF] = host_wants,
	[EXIT_REASON_VMXON] = host_wants,
	[EXIT_REASON_CR_ACCESS] = host_wants,
	[EXIT_REASON_MOV_DR] = host_wants,
	[EXIT_REASON_IO] = on_io,
	[EXIT_REASON_RDMSR] = on_rdmsr,
	[EXIT_REASON_WRMSR] = on_wrmsr,
	[EXIT_REASON_MWAIT] = host_wants,
	[EXIT_REASON_MTF] = host_wants,
	[EXIT_REASON_MONITOR] = host_wants,
	[EXIT_REASON_PAUSE] = host_wants,
	[EXIT_REASON_TPR_BELOW] = host_wants,
	[EXIT_REASON_APIC_ACCESS] = host_wants,
	[EXIT_REASON_GDTR_IDTR] = host_wants,
	[EXIT_REASON_LDTR_TR] = host_wants,
	[EXIT_REASON_EPT_VIOLATION] = on_ept_violation,
	[EXIT_REASON_INVEPT] = host_wants,
	[EXIT_REASON_RDTSCP] = host_wants,
	[EXIT_REASON_PREEMPTION_TIMER] = on_preemption_timer,
	[EXIT_REASON_INVVPID] = host_wants,
	[EXIT_REASON_WBINVD] = host_wants,
	[EXIT_REASON_XSETBV] = host_wants,
	[EXIT_REASON_RDRAND] = host_wants,
	[EXIT_REASON_INVPCID] = host_wants,
	[EXIT_REASON_RDSEED] = host_wants,
	[EXIT_REASON_XSAVES] = host_wants,
	[EXIT_REASON_XRSTORS] = host_wants,
	[EXIT_REASON_UMWAIT] = host_wants,
	[EXIT_REASON_TPAUSE] = host_wants,
	[EXIT_REASON_SEAMCALL] = on_undefined,
	[EXIT_REASON_TDCALL] = on_undefined,
};

static void exit_ordinary(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	if (reason >= ARRAY_SIZE(handlers) || !handlers[reason]) {
		nested_log("nested: CPU %u: VM ended, unexpected exit %x, qualification %lx",
			   cpu->cpu, reason, vmread(VMCS_EXIT_QUAL));
		nested_reflect(cpu, vv, EXIT_REASON_TRIPLE_FAULT, 0);
		return;
	}
	if (!handlers[reason](cpu, vv))
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

	nested_log("nested: CPU %u: VM entry fails by hardware, reason %x, qualification %lx",
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
	const char *failed = nested_check_addresses(vv);

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
	u64 efer = vmread(VMCS_GUEST_EFER), pat = vmread(VMCS_GUEST_PAT);

	/* A protected vCPU always exits by NMI: the host's are not for it. */
	if (!vv->vcpu && !(vv->f[ROW_PIN_CTLS] & PIN_NMI_EXITING))
		return false;
	if (vv->vcpu) {
		protect_reflect(cpu, vv, EXIT_REASON_EXCEPTION_NMI);
		save_nmi_exit(vv);
		finish_protected(cpu, vv);
		return true;
	}
	save_guest_state(vv);
	save_nmi_exit(vv);
	save_undelivered(vv);
	vv->f[ROW_ENTRY_INTR_INFO] &= ~INTR_VALID;
	to_l1(cpu, vv, efer, pat);
	return true;
}
