/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's side of Intel's Guest-Host Communication Interface, for protected VMs that
 * ask for it (docs/guest.md; "TDX Guest-Host Communication Interface", 344426, and "TDX
 * Module ABI", 348551).  It is not Intel TDX: no memory encryption, no quote by Intel.
 *
 * TDCALL is tdcall.c, the sub-functions of TDG.VP.VMCALL ghci.c, #VE is ve.c.
 */
#ifndef VMX_GHCI_H
#define VMX_GHCI_H

#include "vmx/base/percpu.h"
#include "vmx/vm/vcpu.h"

#define TDCALL_LEN		4	/* 66 0f 01 cc */

/* Completion of TDCALL, in RAX: status, and the number of the operand at fault */
#define TDX_SUCCESS		0ULL
#define TDX_OPERAND_INVALID(gpr) (0xc000010000000000ULL | (gpr))

/* Completion of TDG.VP.VMCALL, in R10 (GHCI, "completion-status codes"); RAX is zero then */
#define GHCI_SUCCESS		0ULL
#define GHCI_INVALID_OPERAND	BIT(63)

#define STUB_LEN		3	/* of the instruction that KVM emulates for MMIO */

enum tdcall_end {
	TDCALL_DONE,		/* the results are in the registers: step over it */
	TDCALL_HOST,		/* the host gets a turn, and what v->ghci.ask says */
};

/**
 * ghci_enable() - the guest asks for it, and names the frame from which KVM shall fetch
 * Holds the VM's lock; its VMCS02 is current.  Return: 0 or -UP_E*, as UP_GUEST_GHCI
 */
long ghci_enable(struct vm *vm, u64 gfn);

/** ghci_vmcall() - TDG.VP.VMCALL: answer it, or ask the host.  @g: the guest's registers */
enum tdcall_end ghci_vmcall(struct vcpu *v, u64 *g);

/** ghci_turn() - nothing but a turn for the host; the guest then tries again */
void ghci_turn(struct vcpu *v);

/** ghci_forget() - the host is asked for nothing */
void ghci_forget(struct vcpu *v);

/** ghci_served() - the host did what was asked; its results are in v->ghci.ask.gpr */
void ghci_served(struct vcpu *v);

/** ghci_end() - what was asked of the host ends, with this status */
void ghci_end(struct vcpu *v, u64 status);

/** tdcall() - TDCALL by ring 0 in 64-bit code.  Return: false: the host gets a turn */
bool tdcall(struct percpu *cpu, struct vcpu *v);

/** tdcall_undefined() - #UD: is it a TDCALL?  If not, the guest gets it back.  As tdcall() */
bool tdcall_undefined(struct percpu *cpu, struct vcpu *v);

enum ve_end {
	VE_DONE,		/* run on */
	VE_HOST,		/* the host gets a turn */
	VE_PRIVATE,		/* private memory: as in any protected VM */
};

/** ve_violation() - an EPT violation of a VM that speaks the GHCI; the VM may end by it */
enum ve_end ve_violation(struct vcpu *v, u64 gpa, u64 qual);

#endif /* VMX_GHCI_H */
