/* SPDX-License-Identifier: GPL-2.0 */
/* A protected vCPU: what hardware does not keep in VMCS02 (vmx/vm/exit.c). */
#ifndef VMX_VCPU_H
#define VMX_VCPU_H

#include "vmx/base/types.h"
#include "vmx/base/percpu.h"

struct vm;
struct vvmcs;

/* How many MSRs vmx/intercept/msrs.h calls SWITCHED or QUIET; vcpu_msrs_init() checks. */
#define NR_VCPU_MSRS	14

/* Registers that belong to whoever runs, and that neither VMCS holds. */
struct cpu_regs {
	u64 dr[4], dr6, cr2, xcr0;
	u64 msr[NR_VCPU_MSRS];
};

/* What the GHCI needs of a vCPU; all zero unless the VM asked for it (vmx/vm/ghci.h). */
struct vcpu_ghci {
	/*
	 * A TDG.VP.VMCALL that the host has to serve: it sees an exit of this reason, and
	 * these registers in place of the vCPU's.
	 */
	struct {
		u32 reason;		/* 0: none */
		u64 qual, gpa;
		u64 stub;		/* MMIO: where the instruction that it emulates lies */
		bool wakes;		/* HLT: interrupts end it, whatever RFLAGS.IF says */
		u64 gpr[NR_GPRS];
	} ask;
	/* A virtualization exception that was not yet read: no other, and no NMI. */
	bool ve;
	u64 ve_qual, ve_gla, ve_gpa;
	/* MapGPA that is under way: its arguments, and pages done. */
	u64 map_at, map_size, map_done;
	/* MMIO of 8 bytes, of which the first 4 are done. */
	bool half;
	u64 low;
};

struct vcpu {
	struct vm *vm;
	struct vvmcs *vv;
	u64 gpr[NR_GPRS];
	u64 host_gpr[NR_GPRS];		/* L1's at its VM entry, should that fail */
	struct cpu_regs regs;		/* the VM's, while the host runs */
	struct cpu_regs host;		/* the host's, while the VM runs */
	u64 xsave_pa;			/* extended state of the VM: one frame */
	u64 host_xsave_pa;		/* PKRU of the host */
	u32 last_reason;		/* exit that L1 was shown last */
	u64 last_qual;
	u32 pending_event;		/* the VM's own, delivery was interrupted */
	u32 pending_error;
	u32 pending_len;
	u32 held_intr;			/* L1's external interrupt, not delivered yet; 0: none */
	bool held_nmi;			/* L1's NMI likewise */
	bool bare;			/* not entered since it was bound */
	u32 index;			/* in vm->vcpu[]; what the guest calls itself */
	struct vcpu_ghci ghci;
};

/** vcpu_msrs_init() - find the MSRs that change with the VM.  Launch. */
void vcpu_msrs_init(void);

/** vcpu_init_state() - architectural reset state, in VMCS02 (current) and @v */
void vcpu_init_state(struct vcpu *v);

/** vcpu_load() - the VM's registers and extended state in, the host's aside */
void vcpu_load(struct vcpu *v);

/** vcpu_save() - the VM's aside, the host's back; extended state is its initial one then */
void vcpu_save(struct vcpu *v);

/** vcpu_xcr0_mask() - XCR0 bits that a protected VM may set */
u64 vcpu_xcr0_mask(void);

/** vcpu_alloc() - a vCPU with its frames, or NULL: pool empty */
struct vcpu *vcpu_alloc(struct vm *vm, struct vvmcs *vv);

/** vcpu_forget() - zero its registers; it never runs again */
void vcpu_forget(struct vcpu *v);

/** vcpu_free() - zero it and give its frames back */
void vcpu_free(struct vcpu *v);

#endif /* VMX_VCPU_H */
