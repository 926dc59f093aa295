/* SPDX-License-Identifier: GPL-2.0 */
/* What the host sees of a protected VM's exits, and what it may set: one row a reason. */
#ifndef VMX_EXITS_H
#define VMX_EXITS_H

#include "vmx/cpu/vmcs.h"
#include "vmx/vm/vcpu.h"

/* A constant but for MMIO: KVM only adds an instruction's length to it. */
#define SHOWN_RIP	0xfff0

struct exit_row {
	bool host;		/* the host gets this exit */
	bool advance;		/* it may step over the instruction */
	bool qual;		/* it sees the exit qualification */
	bool address;		/* it sees the guest-physical page */
	bool intr;		/* it sees the exit interruption information */
	u64 see;		/* registers it sees */
	u64 set;		/* registers it may set */
};

/* exit_rows[] - reasons without a row are the layer's own or end the VM */
extern const struct exit_row exit_rows[UP_EXIT_REASONS];

/** shown_row(), shown_rip() - the row of the exit that the host was shown, and where */
const struct exit_row *shown_row(const struct vcpu *v);
u64 shown_rip(const struct vcpu *v);

/** protect_cpuid() - the answer to CPUID */
void protect_cpuid(const struct vcpu *v, u32 leaf, u32 sub, u32 r[4]);

/** protect_arch_capabilities() - IA32_ARCH_CAPABILITIES for a protected VM */
u64 protect_arch_capabilities(void);

/** protect_show() - what the host gets to see of an exit, into vv->f[] and cpu->gpr */
void protect_show(struct percpu *cpu, const struct vcpu *v);

/** protect_take() - what the host changed: the result of an instruction, an event */
void protect_take(struct percpu *cpu, struct vcpu *v);

/** protect_deliver_held() - an event that is held goes in now.  Return: false: none may */
bool protect_deliver_held(struct vcpu *v);

/** protect_windows() - exit as soon as what is held can be delivered */
void protect_windows(const struct vcpu *v);

/** protect_controls() - VMCS02's controls, after L1's were merged */
void protect_controls(struct vcpu *v);

/** cr4_kept() - CR4 bits that the guest keeps without effect */
u64 cr4_kept(void);

/* CR bits that the guest does not own (the rest never exits). */
#define CR0_KEPT	(CR0_NE | CR0_CD | CR0_NW)
#define CR4_ALLOWED	(MASK(11, 0) | CR4_FSGSBASE | CR4_PCIDE | CR4_OSXSAVE | CR4_SMEP | \
			 CR4_SMAP | CR4_PKE)

#endif /* VMX_EXITS_H */
