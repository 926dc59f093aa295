// SPDX-License-Identifier: GPL-2.0
/* Events and the end of instructions, in whatever guest is current: see event.h. */
#include "vmx/cpu/event.h"
#include "ept/table.h"

void pend_single_step(void)
{
	/* With BTF only a branch is a step, and none is completed here (SDM vol. 3, 18.4.3). */
	if (!(vmread(VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF))
		vmwrite(VMCS_GUEST_PENDING_DBG, vmread(VMCS_GUEST_PENDING_DBG) | PENDING_DBG_BS);
}

void keep_single_step(void)
{
	if ((vmread(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)) &&
	    (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF))
		pend_single_step();
}

void inject_exception(u32 vector, bool has_error, u32 error)
{
	u32 info = vector | INTR_TYPE_HARD_EXC << 8 | INTR_VALID;

	/* In real mode exceptions have no error code (SDM vol. 3, 27.2.1.3). */
	if (has_error && (vmread(VMCS_GUEST_CR0) & CR0_PE)) {
		info |= INTR_HAS_ERROR;
		vmwrite(VMCS_ENTRY_INTR_ERROR, error);
	}
	vmwrite(VMCS_ENTRY_INTR_INFO, info);
	/* A fault is delivered with RF set, which a VM entry does not do (SDM vol. 3, 18.3.1.1). */
	vmwrite(VMCS_GUEST_RFLAGS, vmread(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
}

void inject_pf(u64 cr2, u32 error)
{
	write_cr2(cr2);
	inject_exception(VEC_PF, true, error);
}

void reinject_vectoring(void)
{
	u32 info = (u32)vmread(VMCS_IDT_VECTORING_INFO);

	if (!(info & INTR_VALID))
		return;
	vmwrite(VMCS_ENTRY_INTR_INFO, info & ~INTR_NMI_UNBLOCKED);
	if (info & INTR_HAS_ERROR)
		vmwrite(VMCS_ENTRY_INTR_ERROR, vmread(VMCS_IDT_VECTORING_ERROR));
	vmwrite(VMCS_ENTRY_INSN_LEN, vmread(VMCS_EXIT_INSN_LEN));
}

void allow_nmi(void)
{
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
		vmread(VMCS_GUEST_INTERRUPTIBILITY) & ~BLOCKED_BY_NMI);
}

void block_nmi_again(u64 qual)
{
	if ((qual & EPT_VIOL_NMI_UNBLOCKING) && !(vmread(VMCS_IDT_VECTORING_INFO) & INTR_VALID))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
			vmread(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKED_BY_NMI);
}

void nmi_timer_on(struct percpu *cpu, u32 ticks)
{
	cpu->nmi_deferred = true;
	vmwrite(VMCS_PIN_CTLS, vmread(VMCS_PIN_CTLS) | PIN_PREEMPTION_TIMER);
	vmwrite(VMCS_PREEMPTION_TIMER, ticks);
}

void nmi_timer_off(struct percpu *cpu)
{
	vmwrite(VMCS_PIN_CTLS, vmread(VMCS_PIN_CTLS) & ~(u64)PIN_PREEMPTION_TIMER);
	keep_single_step();
	if (cpu->nmi_deferred) {
		cpu->nmi_deferred = false;
		cpu->nmi_pending = 1;
	}
}
