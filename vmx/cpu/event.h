/* SPDX-License-Identifier: GPL-2.0 */
/* What handlers do to the guest whose VMCS is current (vmx/cpu/event.c). */
#ifndef VMX_EVENT_H
#define VMX_EVENT_H

#include "vmx/base/asm.h"
#include "vmx/base/percpu.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/vmcs.h"

/** guest_cpl() - the current guest's privilege level */
static inline u32 guest_cpl(void)
{
	return SEG_AR_DPL(vmread(VMCS_GUEST_SS_AR));
}

/** guest_gpr(), set_guest_gpr() - a register by its number; RSP is in the VMCS */
static inline u64 guest_gpr(const struct percpu *cpu, u32 reg)
{
	return reg == RSP ? vmread(VMCS_GUEST_RSP) : cpu->gpr[reg];
}

static inline void set_guest_gpr(struct percpu *cpu, u32 reg, u64 val)
{
	if (reg == RSP)
		vmwrite(VMCS_GUEST_RSP, val);
	else
		cpu->gpr[reg] = val;
}

/** edx_eax(), set_edx_eax() - the 64-bit operand of MSR accesses and XSETBV */
static inline u64 edx_eax(const struct percpu *cpu)
{
	return cpu->gpr[RDX] << 32 | (u32)cpu->gpr[RAX];
}

static inline void set_edx_eax(struct percpu *cpu, u64 val)
{
	cpu->gpr[RAX] = (u32)val;
	cpu->gpr[RDX] = val >> 32;
}

/** set_cpuid() - CPUID's four results */
static inline void set_cpuid(struct percpu *cpu, const u32 r[4])
{
	cpu->gpr[RAX] = r[0];
	cpu->gpr[RBX] = r[1];
	cpu->gpr[RCX] = r[2];
	cpu->gpr[RDX] = r[3];
}

/** advance_rip() - step over the instruction that exited; clears STI and MOV-SS blocking */
static inline void advance_rip(void)
{
	u64 blocking = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	vmwrite(VMCS_GUEST_RIP, vmread(VMCS_GUEST_RIP) + vmread(VMCS_EXIT_INSN_LEN));
	if (blocking & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
			blocking & ~(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
}

/** step_over() - step over the instruction that exited, as the processor would have: TF counts */
void step_over(void);

/** inject_exception() - deliver a fault to the current guest; RIP stays at the instruction */
void inject_exception(u32 vector, bool has_error, u32 error);

static inline void inject_ud(void)
{
	inject_exception(VEC_UD, false, 0);
}

static inline void inject_gp(void)
{
	inject_exception(VEC_GP, true, 0);
}

/** inject_pf() - page fault with CR2 */
void inject_pf(u64 cr2, u32 error);

/** reinject_vectoring() - an exit interrupted the delivery of an event: deliver it again */
void reinject_vectoring(void);

/** allow_nmi() - the current guest is not blocked by NMI */
void allow_nmi(void);

/**
 * block_nmi_again() - an EPT violation with this qualification will be run again
 * It may have interrupted an IRET that ended an NMI.  The bit is undefined when an
 * event was being delivered (SDM vol. 3, section 28.2.3).
 */
void block_nmi_again(u64 qual);

/** nmi_timer_on(), nmi_timer_off() - make this CPU exit again behind an event that goes first */
void nmi_timer_on(struct percpu *cpu, u32 ticks);
void nmi_timer_off(struct percpu *cpu);

#endif /* VMX_EVENT_H */
