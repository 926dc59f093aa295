// SPDX-License-Identifier: GPL-2.0
/*
 * What the host sees of a protected vCPU (docs/root.md; S1.4).
 *
 * L1's copy of the guest state stays what KVM wrote when it made the vCPU, so KVM goes
 * on believing in a vCPU that was just reset.
 */
#include "vmx/vm/exits.h"
#include "vmx/vm/ghci.h"
#include "vmx/base/asm.h"
#include "vmx/base/x86.h"
#include "vmx/vmcs/vvmcs.h"

#define G(reg)		BIT(reg)

#define SHOWN_CS_BASE	0xffff0000	/* with SHOWN_RIP: the reset vector */

const struct exit_row exit_rows[UP_EXIT_REASONS] = {
	[EXIT_REASON_EXCEPTION_NMI] = { .host = true, .intr = true },
	[EXIT_REASON_EXTINT] = { .host = true, .intr = true },
	[EXIT_REASON_TRIPLE_FAULT] = { .host = true },
	[EXIT_REASON_INIT] = { .host = true },
	[EXIT_REASON_INTR_WINDOW] = { .host = true },
	[EXIT_REASON_NMI_WINDOW] = { .host = true },
	[EXIT_REASON_HLT] = { .host = true, .advance = true },
	[EXIT_REASON_IO] = { .host = true, .advance = true, .qual = true, .see = G(RAX),
			     .set = G(RAX) },
	[EXIT_REASON_RDMSR] = { .host = true, .advance = true, .see = G(RCX),
				.set = G(RAX) | G(RDX) },
	[EXIT_REASON_WRMSR] = { .host = true, .advance = true,
				.see = G(RAX) | G(RCX) | G(RDX) },
	[EXIT_REASON_MWAIT] = { .host = true, .advance = true },
	[EXIT_REASON_MONITOR] = { .host = true, .advance = true },
	[EXIT_REASON_PAUSE] = { .host = true, .advance = true },
	[EXIT_REASON_TPR_BELOW] = { .host = true },
	[EXIT_REASON_EPT_VIOLATION] = { .host = true, .qual = true, .address = true },
	[EXIT_REASON_EPT_MISCONFIG] = { .host = true, .address = true },
	[EXIT_REASON_PREEMPTION_TIMER] = { .host = true },
	[EXIT_REASON_WBINVD] = { .host = true, .advance = true },
};

/* MMIO that the guest asked for: one of six MOVs of the layer's choice (ghci.c). */
static const struct exit_row mmio_row = { .host = true, .advance = true, .qual = true,
					  .address = true, .see = G(RAX) | G(RBX),
					  .set = G(RAX) };

const struct exit_row *shown_row(const struct vcpu *v)
{
	return v->ghci.ask.stub ? &mmio_row : &exit_rows[v->last_reason];
}

u64 shown_rip(const struct vcpu *v)
{
	return v->ghci.ask.stub ? v->ghci.ask.stub & (PAGE_SIZE - 1) : SHOWN_RIP;
}

/* An I/O exit shows the bytes that go out, and none of what an input replaces. */
static u64 shown_rax(u64 rax, u32 reason, u64 qual)
{
	u32 size = (u32)IO_SIZE(qual);

	if (reason != EXIT_REASON_IO)
		return (u32)rax;
	if (qual & IO_IN)
		return 0;
	return rax & MASK(8 * size - 1, 0);
}

static void show_registers(struct percpu *cpu, const struct vcpu *v, const struct exit_row *r)
{
	const u64 *gpr = v->ghci.ask.reason ? v->ghci.ask.gpr : v->gpr;
	u32 i;

	for (i = 0; i < NR_GPRS; i++)
		cpu->gpr[i] = r->see & G(i) ? (u32)gpr[i] : 0;
	if (r->see & G(RAX))
		cpu->gpr[RAX] = shown_rax(gpr[RAX], v->last_reason, v->last_qual);
}

/* Of a qualification: for EPT violations the access alone, for I/O all of it. */
static u64 shown_qual(const struct vcpu *v, const struct exit_row *r)
{
	if (!r->qual)
		return 0;
	return v->last_reason == EXIT_REASON_IO ? v->last_qual : v->last_qual & MASK(5, 0);
}

/* Blocked by STI or NMI is also who holds an event of the host's already (take.c). */
static u64 shown_blocking(const struct vcpu *v)
{
	return vmread(VMCS_GUEST_INTERRUPTIBILITY) | (v->held_intr ? BLOCKED_BY_STI : 0) |
	       (v->held_nmi ? BLOCKED_BY_NMI : 0);
}

/* The value of a row that vmcs_fields.h calls SHOWN. */
static u64 shown(const struct vcpu *v, const struct exit_row *r, u32 row)
{
	switch (row) {
	case ROW_EXIT_REASON:
		return v->last_reason;
	case ROW_EXIT_QUAL:
		return shown_qual(v, r);
	case ROW_GUEST_PHYS_ADDR:
		return !r->address ? 0 : v->ghci.ask.stub ? v->ghci.ask.gpa :
		       vmread(VMCS_GUEST_PHYS_ADDR) & PAGE_MASK;
	case ROW_EXIT_INTR_INFO:
		return r->intr ? vmread(VMCS_EXIT_INTR_INFO) : 0;
	case ROW_EXIT_INSN_LEN:
		return !r->advance ? 0 : v->ghci.ask.stub ? STUB_LEN :
		       v->ghci.ask.reason ? TDCALL_LEN : vmread(VMCS_EXIT_INSN_LEN);
	case ROW_GUEST_RIP:
		return shown_rip(v);
	case ROW_GUEST_CS_BASE:
		return v->ghci.ask.stub ? v->ghci.ask.stub & PAGE_MASK : SHOWN_CS_BASE;
	case ROW_GUEST_RFLAGS:
		return RFLAGS_FIXED | (v->ghci.ask.wakes ? RFLAGS_IF :
				       vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF);
	case ROW_GUEST_INTERRUPTIBILITY:
		return shown_blocking(v);
	case ROW_PREEMPTION_TIMER:
		return v->vv->f[ROW_EXIT_CTLS] & EXIT_SAVE_PREEMPTION ?
		       vmread(VMCS_PREEMPTION_TIMER) : v->vv->f[ROW_PREEMPTION_TIMER];
	default:
		return 0;
	}
}

static void show_fields(const struct vcpu *v, const struct exit_row *r)
{
	u32 row;

	for (row = 0; row < NR_VMCS_ROWS; row++)
		if (row_test(rows_seen, row))
			v->vv->f[row] = vmcs_field[row].see == SEE_SHOWN ? shown(v, r, row) : 0;
}

void protect_show(struct percpu *cpu, const struct vcpu *v)
{
	const struct exit_row *r = shown_row(v);

	show_registers(cpu, v, r);
	show_fields(v, r);
}
