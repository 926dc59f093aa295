// SPDX-License-Identifier: GPL-2.0
/* What the host may set in a protected vCPU before it runs on (docs/root.md; S1.4). */
#include "vmx/vm/exits.h"
#include "vmx/base/asm.h"
#include "vmx/base/x86.h"
#include "vmx/vmcs/vvmcs.h"

#define CPUID1_ECX_EMULATED	(BIT(31) | BIT(24) | BIT(21)) /* hypervisor, TSC deadline, x2APIC */
#define CPUID7_ECX_OFFERED	(MASK(14, 8) | BIT(22) | BIT(3) | BIT(2) | BIT(1))

/*
 * What KVM answers, less what the processor does not have or the layer does not
 * switch (KVM would emulate UMIP, for one), and the mirrors of CR4, which it
 * cannot see.
 */
static void correct_cpuid(struct vcpu *v, u32 leaf, u32 sub)
{
	u64 cr4 = vmread(VMCS_GUEST_CR4), *gpr = v->gpr;
	u32 r[4];

	cpuid(leaf, sub, r);
	if (leaf == 1) {
		gpr[RCX] &= (r[2] | CPUID1_ECX_EMULATED) &
			    ~(CPUID1_ECX_VMX | CPUID1_ECX_OSXSAVE);
		if (cr4 & CR4_OSXSAVE)
			gpr[RCX] |= CPUID1_ECX_OSXSAVE;
	} else if (leaf == 7) {
		gpr[RBX] &= r[1];
		gpr[RCX] &= sub ? 0 : r[2] & CPUID7_ECX_OFFERED;
		gpr[RDX] &= sub ? 0 : r[3] & ~CPUID7_EDX_IBT;
		if (!sub && (gpr[RCX] & CPUID7_ECX_PKU) && (cr4 & CR4_PKE))
			gpr[RCX] |= CPUID7_ECX_OSPKE;
	}
}

static void set_registers(struct percpu *cpu, struct vcpu *v, const struct exit_row *r)
{
	u64 *rax = &v->gpr[RAX], mask;
	u32 i, leaf, sub;

	if (v->last_reason == EXIT_REASON_IO) {
		if (!(v->last_qual & IO_IN))
			return;
		mask = MASK(8 * (IO_SIZE(v->last_qual)) - 1, 0);
		*rax = (mask >> 31 ? 0 : *rax & ~mask) | (cpu->gpr[RAX] & mask);
		return;
	}
	leaf = (u32)v->gpr[RAX];
	sub = (u32)v->gpr[RCX];
	for (i = 0; i < NR_GPRS; i++)
		if (r->set & BIT(i))
			v->gpr[i] = (u32)cpu->gpr[i];
	if (v->last_reason == EXIT_REASON_CPUID)
		correct_cpuid(v, leaf, sub);
}

/*
 * The host finished an instruction if it moved the RIP that it was shown by the
 * length that it was shown; only then do its register values count.
 */
static void take_result(struct percpu *cpu, struct vcpu *v)
{
	const struct exit_row *r = &exit_rows[v->last_reason];
	u64 *f = v->vv->f;

	if (v->bare || !r->advance || f[ROW_GUEST_RIP] != SHOWN_RIP + f[ROW_EXIT_INSN_LEN])
		return;
	set_registers(cpu, v, r);
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
 * May hardware deliver L1's event now (SDM vol. 3, 27.3.1.4)?  KVM brings an event
 * that was handed back without asking again; the entry would be refused.
 */
static bool deliverable(u32 info)
{
	u64 blocking = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	switch (INTR_TYPE(info)) {
	case INTR_TYPE_EXTERNAL:
		return (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF) &&
		       !(blocking & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
	case INTR_TYPE_NMI:
		return !(blocking & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS | BLOCKED_BY_NMI));
	default:
		return true;
	}
}

static void inject_events(struct vcpu *v)
{
	u32 info = clean_event(v, (u32)v->vv->f[ROW_ENTRY_INTR_INFO]);

	if (v->pending_event & INTR_VALID) {
		/* The VM's own goes first; L1's is handed back at the next exit. */
		v->held_event = info;
		info = v->pending_event;
		vmwrite(VMCS_ENTRY_INTR_ERROR, v->pending_error);
		vmwrite(VMCS_ENTRY_INSN_LEN, v->pending_len);
		v->pending_event = 0;
	} else if (info && !deliverable(info)) {
		v->held_event = info;
		info = 0;
	} else if (info & INTR_HAS_ERROR) {
		vmwrite(VMCS_ENTRY_INTR_ERROR, 0);
	}
	vmwrite(VMCS_ENTRY_INTR_INFO, info);
}

void protect_take(struct percpu *cpu, struct vcpu *v)
{
	take_result(cpu, v);
	inject_events(v);
}
