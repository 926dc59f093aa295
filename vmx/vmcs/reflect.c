// SPDX-License-Identifier: GPL-2.0
/*
 * From VMCS02 back to L1: what hardware would have saved into VMCS12 and loaded from it
 * (SDM vol. 3, chapter 28).
 */
#include "vmx/vmcs/reflect.h"
#include "vmx/base/asm.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/speculation.h"
#include "vmx/intercept/caps.h"
#include "vmx/vmcs/msrlist.h"
#include "vmx/vmcs/shadow_vmcs.h"

#define AR_CODE64		0xa09b	/* present, code, accessed, L, G */
#define AR_DATA			0xc093	/* present, data, writable, accessed, D/B, G */
#define AR_TSS			0x8b	/* present, busy 64-bit TSS */

void nested_switch_to_l2(struct percpu *cpu, struct vvmcs *vv)
{
	vmptrld(vv->vmcs02_pa);
	cpu->nested.in_vm = true;
	cpu->vcpu = vv->vcpu;
}

/* Whatever has ended the VM's run, the host gets the processor here. */
void nested_switch_to_l1(struct percpu *cpu)
{
	if (cpu->nested.in_vm)
		speculation_to_host(cpu->vcpu);
	vmptrld(cpu->vmcs01_pa);
	cpu->nested.in_vm = false;
	cpu->vcpu = NULL;
	cpu->resume_launch = 0;
}

struct passed_msrs passed_msrs(void)
{
	return (struct passed_msrs) {
		.efer = vmread(VMCS_GUEST_EFER),
		.pat = vmread(VMCS_GUEST_PAT),
		.perf_global = caps_perf_global() ? vmread(VMCS_GUEST_PERF_GLOBAL) : 0,
	};
}

/* An event that root puts into VMCS02 must not be taken for L1's later. */
void event_rows_changed(struct vvmcs *vv)
{
	row_set(vv->dirty, ROW_ENTRY_INTR_INFO);
	row_set(vv->dirty, ROW_ENTRY_INTR_ERROR);
	row_set(vv->dirty, ROW_ENTRY_INSN_LEN);
}

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

void vmcs12_save_guest(struct vvmcs *vv)
{
	u64 exit = vv->f[ROW_EXIT_CTLS];

	vv->f[ROW_GUEST_RIP] = vmread(VMCS_GUEST_RIP);
	vv->f[ROW_GUEST_RSP] = vmread(VMCS_GUEST_RSP);
	vv->f[ROW_GUEST_RFLAGS] = vmread(VMCS_GUEST_RFLAGS);
	vv->f[ROW_GUEST_INTERRUPTIBILITY] = vmread(VMCS_GUEST_INTERRUPTIBILITY);
	vv->f[ROW_GUEST_CS_BASE] = vmread(VMCS_GUEST_CS_BASE);
	vv->f[ROW_GUEST_SS_AR] = vmread(VMCS_GUEST_SS_AR);
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

/* Inline, as everything of a segment's encodings is known then: the path of every exit. */
static inline void load_unusable_segment(u32 n)
{
	vmwrite(VMCS_GUEST_ES_SEL + 2 * n, 0);
	vmwrite(VMCS_GUEST_ES_AR + 2 * n, SEG_AR_UNUSABLE);
}

static inline void load_segment(u32 n, u64 selector, u64 base, u64 limit, u64 ar)
{
	vmwrite(VMCS_GUEST_ES_SEL + 2 * n, selector);
	vmwrite(VMCS_GUEST_ES_BASE + 2 * n, base);
	vmwrite(VMCS_GUEST_ES_LIMIT + 2 * n, limit);
	vmwrite(VMCS_GUEST_ES_AR + 2 * n, ar);
}

/* A null selector makes the segment unusable: base and limit do not count then. */
static inline void load_data_segment(u32 n, u64 selector)
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
	u64 kept = CR0_CD | CR0_NW;
	u64 cr0 = (f[ROW_HOST_CR0] & ~kept) | (vmread(VMCS_GUEST_CR0) & kept);

	vmwrite(VMCS_GUEST_CR0, cr0);
	vmwrite(VMCS_CR0_SHADOW, cr0);
	vmwrite(VMCS_GUEST_CR3, f[ROW_HOST_CR3]);
	vmwrite(VMCS_GUEST_CR4, f[ROW_HOST_CR4]);
	vmwrite(VMCS_CR4_SHADOW, f[ROW_HOST_CR4]);
}

/* What L1 does not ask to load stays L2's, EFER in long mode. */
static void load_host_msrs(const u64 *f, const struct passed_msrs *l2)
{
	u64 exit = f[ROW_EXIT_CTLS];

	vmwrite(VMCS_GUEST_SYSENTER_CS, f[ROW_HOST_SYSENTER_CS]);
	vmwrite(VMCS_GUEST_SYSENTER_ESP, f[ROW_HOST_SYSENTER_ESP]);
	vmwrite(VMCS_GUEST_SYSENTER_EIP, f[ROW_HOST_SYSENTER_EIP]);
	vmwrite(VMCS_GUEST_EFER, exit & EXIT_LOAD_EFER ? f[ROW_HOST_EFER]
						       : l2->efer | EFER_LME | EFER_LMA);
	vmwrite(VMCS_GUEST_PAT, exit & EXIT_LOAD_PAT ? f[ROW_HOST_PAT] : l2->pat);
	if (caps_perf_global())
		vmwrite(VMCS_GUEST_PERF_GLOBAL, exit & EXIT_LOAD_PERF_GLOBAL ?
			f[ROW_HOST_PERF_GLOBAL] : l2->perf_global);
	vmwrite(VMCS_GUEST_DEBUGCTL, 0);
}

static void load_host_state(const struct vvmcs *vv, const struct passed_msrs *l2)
{
	u64 nmi = EXIT_REASON_EXCEPTION_NMI;
	bool by_nmi = vv->f[ROW_EXIT_REASON] == nmi &&
		      INTR_TYPE(vv->f[ROW_EXIT_INTR_INFO]) == INTR_TYPE_NMI;

	load_host_control_registers(vv->f);
	load_host_segments(vv->f);
	load_host_msrs(vv->f, l2);
	vmwrite(VMCS_GUEST_RIP, vv->f[ROW_HOST_RIP]);
	vmwrite(VMCS_GUEST_RSP, vv->f[ROW_HOST_RSP]);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
	vmwrite(VMCS_GUEST_DR7, DR7_RESET);
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

void vmcs12_to_l1(struct percpu *cpu, struct vvmcs *vv, const struct passed_msrs *l2)
{
	shadow_vmcs_show(vv);
	nested_switch_to_l1(cpu);
	undo_nmi_deferral(cpu, vv);
	load_host_state(vv, l2);
	if (vv->f[ROW_EXIT_MSR_LOAD_COUNT] && !msr_list_load_host(vv))
		up_log_seldom("nested: CPU %u: VM-exit MSR-load list refused", cpu->cpu);
}

void nested_reflect(struct percpu *cpu, struct vvmcs *vv, u32 reason, u64 qual)
{
	struct passed_msrs l2 = passed_msrs();

	save_exit_info(vv, reason, qual);
	vmcs12_save_guest(vv);
	if (vv->f[ROW_EXIT_MSR_STORE_COUNT] && !msr_list_store(vv))
		up_log_seldom("nested: CPU %u: VM-exit MSR-store list refused", cpu->cpu);
	vmcs12_to_l1(cpu, vv, &l2);
}

/* Section 27.8: no guest state is saved, the event stays to be injected. */
void nested_reflect_entry_failure(struct percpu *cpu, struct vvmcs *vv, u32 reason, u64 qual)
{
	struct passed_msrs l1 = passed_msrs();

	vv->f[ROW_EXIT_REASON] = reason | EXIT_ENTRY_FAILURE;
	vv->f[ROW_EXIT_QUAL] = qual;
	vmcs12_to_l1(cpu, vv, &l1);
}
