// SPDX-License-Identifier: GPL-2.0
/* What the host may set in a protected vCPU before it runs on (docs/root.md; S1.4). */
#include "vmx/vm/exits.h"
#include "vmx/base/asm.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/event.h"
#include "vmx/vm/ghci.h"
#include "vmx/vmcs/vvmcs.h"

static void set_registers(struct percpu *cpu, struct vcpu *v, const struct exit_row *r)
{
	u64 *gpr = v->ghci.ask.reason ? v->ghci.ask.gpr : v->gpr, *rax = &gpr[RAX], mask;
	u32 i;

	if (v->last_reason == EXIT_REASON_IO) {
		if (!(v->last_qual & IO_IN))
			return;
		mask = MASK(8 * (IO_SIZE(v->last_qual)) - 1, 0);
		*rax = (mask >> 31 ? 0 : *rax & ~mask) | (cpu->gpr[RAX] & mask);
		return;
	}
	for (i = 0; i < NR_GPRS; i++)
		if (r->set & BIT(i))
			gpr[i] = (u32)cpu->gpr[i];
}

/*
 * The host finished an instruction if it moved the RIP that it was shown by the
 * length that it was shown; only then do its register values count.
 */
static void take_result(struct percpu *cpu, struct vcpu *v)
{
	const struct exit_row *r = shown_row(v);
	u64 *f = v->vv->f;

	if (v->bare || !r->advance || f[ROW_GUEST_RIP] != shown_rip(v) + f[ROW_EXIT_INSN_LEN])
		return;
	set_registers(cpu, v, r);
	if (v->ghci.ask.reason)
		ghci_served(v);
	else
		step_over();
	f[ROW_GUEST_RIP] = SHOWN_RIP;
	v->last_reason = EXIT_REASON_EXTINT;	/* once */
}

/* External interrupts above the exceptions but int 0x80, NMIs, and #GP for an MSR refused. */
static bool event_allowed(const struct vcpu *v, u32 info)
{
	u32 vector = INTR_VECTOR(info);

	switch (INTR_TYPE(info)) {
	case INTR_TYPE_EXTERNAL:
		return vector >= 32 && vector != 0x80;
	case INTR_TYPE_NMI:
		return vector == VEC_NMI;
	case INTR_TYPE_HARD_EXC:
		return vector == VEC_GP && (v->last_reason == EXIT_REASON_RDMSR ||
					    v->last_reason == EXIT_REASON_WRMSR);
	default:
		return false;
	}
}

/* The error code of an exception that has one, but not in real mode (SDM vol. 3, 27.2.1.3). */
static u32 with_error_code(u32 info)
{
	info &= ~(u32)INTR_HAS_ERROR;
	return vmread(VMCS_GUEST_CR0) & CR0_PE ? info | (u32)INTR_HAS_ERROR : info;
}

/* What remains of L1's event: nothing reserved, and an error code where hardware wants it. */
static u32 clean_event(const struct vcpu *v, u32 info)
{
	if (!(info & INTR_VALID) || !event_allowed(v, info))
		return 0;
	info &= INTR_VALID | 0x7ff;
	/* KVM takes the vCPU for one in real mode, where #GP has no error code. */
	return INTR_TYPE(info) == INTR_TYPE_HARD_EXC ? with_error_code(info) : info;
}

/*
 * May hardware deliver L1's event now (SDM vol. 3, 27.3.1.4)?  In real mode never: until
 * the firmware has an IDT, an NMI would run whatever is at address 0 (CR0.PE is set
 * together with it, and at creation IDTR has no limit).  Behind a #VE no NMI until the
 * guest has read what it was: its handler may cause another, which would be #DF.
 */
static bool deliverable(const struct vcpu *v, bool nmi)
{
	u64 blocking = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	if (!(vmread(VMCS_GUEST_CR0) & CR0_PE) || v->ghci.half ||
	    (blocking & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)))
		return false;
	return nmi ? !(blocking & BLOCKED_BY_NMI) && !v->ghci.ve :
		     vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF;
}

static void inject(u32 info, u32 error, u32 len)
{
	vmwrite(VMCS_ENTRY_INTR_ERROR, error);
	vmwrite(VMCS_ENTRY_INSN_LEN, len);
	vmwrite(VMCS_ENTRY_INTR_INFO, info);
}

bool protect_deliver_held(struct vcpu *v)
{
	if (v->held_nmi && deliverable(v, true)) {
		v->held_nmi = false;
		inject(INTR_VALID | INTR_TYPE_NMI << 8 | VEC_NMI, 0, 0);
	} else if (v->held_intr && deliverable(v, false)) {
		inject(v->held_intr, 0, 0);
		v->held_intr = 0;
	} else {
		return false;
	}
	return true;
}

/*
 * KVM believes that an event is delivered once the VM was entered with it; shown again
 * with an exit of another reason, it makes KVM give up (internal error, suberror 3).  So
 * the layer holds what cannot be delivered yet, one of a kind, and shows the VM as blocked
 * for that kind meanwhile.
 */
static void inject_events(struct vcpu *v)
{
	u32 info = clean_event(v, (u32)v->vv->f[ROW_ENTRY_INTR_INFO]);

	if (INTR_TYPE(info) == INTR_TYPE_NMI)
		v->held_nmi = true;
	else if (info && INTR_TYPE(info) == INTR_TYPE_EXTERNAL && !v->held_intr)
		v->held_intr = info;
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	if (v->pending_event & INTR_VALID) {
		/* The VM's own goes first. */
		inject(v->pending_event, v->pending_error, v->pending_len);
		v->pending_event = 0;
	} else if (info && INTR_TYPE(info) == INTR_TYPE_HARD_EXC) {
		if (v->ghci.ask.reason)
			ghci_end(v, GHCI_INVALID_OPERAND);
		else
			inject(info, 0, 0);
	} else {
		protect_deliver_held(v);
	}
	protect_windows(v);
}

void protect_take(struct percpu *cpu, struct vcpu *v)
{
	take_result(cpu, v);
	inject_events(v);
	if (v->ghci.ask.reason)
		ghci_forget(v);
}
