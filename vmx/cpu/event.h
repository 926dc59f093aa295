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

/** guest_cr0(), guest_cr4() - as the current guest reads them (SDM vol. 3, section 26.3) */
#define guest_cr0()	guest_cr(VMCS_GUEST_CR0, VMCS_CR0_MASK, VMCS_CR0_SHADOW)
#define guest_cr4()	guest_cr(VMCS_GUEST_CR4, VMCS_CR4_MASK, VMCS_CR4_SHADOW)
static inline u64 guest_cr(u32 field, u32 mask_field, u32 shadow_field)
{
	u64 mask = vmread(mask_field);

	return (vmread(field) & ~mask) | (vmread(shadow_field) & mask);
}

/** guest_64bit() - is the current guest in 64-bit code? */
static inline bool guest_64bit(void)
{
	return (vmread(VMCS_GUEST_EFER) & EFER_LMA) && (vmread(VMCS_GUEST_CS_AR) & SEG_AR_L);
}

/** cr_operand() - what MOV to CR writes, by its exit qualification: 32 bits but in 64-bit code */
static inline u64 cr_operand(const struct percpu *cpu, u64 qual)
{
	u64 val = guest_gpr(cpu, CR_REG(qual));

	return guest_64bit() ? val : (u32)val;
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

/** pend_single_step() - RFLAGS.TF is set at the end of an instruction: a #DB is due */
void pend_single_step(void);

/**
 * retire() - the instruction that exited ends as the processor ends one
 * @len: bytes to step over; 0: a REP goes on
 * @clear, @set: its own changes to RFLAGS
 *
 * All that is in root goes through here: RF is cleared, the shadow of STI or MOV SS
 * ends, a single step is not lost.  Breakpoints of DR7 on its port or operand are.
 */
static inline void retire(u64 len, u64 clear, u64 set)
{
	u64 blocking = vmread(VMCS_GUEST_INTERRUPTIBILITY), rip = vmread(VMCS_GUEST_RIP);
	u64 flags = vmread(VMCS_GUEST_RFLAGS), new = (flags & ~(clear | RFLAGS_RF)) | set;
	u64 next = rip + len;

	/* EIP wraps at 4 GiB; a VM entry would be refused (SDM vol. 3, section 27.3.1.4). */
	if ((u32)next < len && !guest_64bit())
		next = (u32)next;
	vmwrite(VMCS_GUEST_RIP, next);
	if (new != flags)
		vmwrite(VMCS_GUEST_RFLAGS, new);
	if (blocking & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
			blocking & ~(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
	if (flags & RFLAGS_TF)
		pend_single_step();
}

/** step_over() - the instruction that exited ends, with RFLAGS as they were */
static inline void step_over(void)
{
	retire(vmread(VMCS_EXIT_INSN_LEN), 0, 0);
}

/**
 * keep_single_step() - the instruction that exited will be run again
 * An exit behind STI or MOV SS need not save the step that is due; the entry asks for it
 * (SDM vol. 3, sections 28.3.4 and 27.3.1.5).
 */
void keep_single_step(void);

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
