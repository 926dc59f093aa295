/* SPDX-License-Identifier: GPL-2.0 */
/* One CPU's state in root mode.  Only that CPU writes it, but for the fields marked. */
#ifndef VMX_PERCPU_H
#define VMX_PERCPU_H

#include "vmx/base/types.h"
#include "vmx/abi/call.h"

struct vvmcs;
struct vcpu;
struct vm_ept;

/* GPR indices are the processor's encoding (SDM vol. 2, table 2-2 and vol. 3, table 28-3). */
enum gpr { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NR_GPRS };

/* The nested-VMX state of one CPU of the demoted host (vmx/nested/nested.h). */
struct nested_cpu {
	bool vmxon;		/* the host executed VMXON on this CPU */
	u64 vmxon_pa;
	struct vvmcs *current;	/* VMPTRLD; NULL: none (VMCS pointer is ~0) */
	struct vvmcs *active;	/* list by ->cpu_next: all that were loaded and not cleared */
	bool in_vm;		/* VMCS02 of ->current is the hardware's VMCS */
};

/* So many shadow tables that with every CPU in one, one is unused; then VMs' tables. */
#define SHADOW_TABLES	(UP_MAX_CPUS + 32)
#define VM_TABLES	(SHADOW_TABLES + UP_MAX_VMS)

/* A table of level 1 of KVM's, for 2 MiB of what a shadow table maps. */
struct walked {
	const struct vm_ept *in;	/* the shadow table */
	u64 gen;			/* its ->gen then */
	u64 region;			/* GPA >> 21 */
	u64 table;
	u32 above;			/* what the levels above it allow */
};

/* What the memory side keeps for one CPU. */
struct ept_cpu {
	struct vm_ept *in_use;		/* shadow table; ept/shadow.c, under frames_lock */
	struct {			/* a violation that went to KVM just now; ept/violation.c */
		struct vm_ept *table;
		u64 gpa;
		u64 eptp12;
	} reflected;
	struct walked walked;		/* ept/violation.c, under frames_lock */
	u64 seen[VM_TABLES];		/* by ->index: ->gen when this CPU last flushed it */
};

struct percpu {
	struct percpu *self;		/* read through GS base: first member */
	u64 gpr[NR_GPRS];		/* the guest's, saved by entry.S; RSP is in the VMCS */
	u32 resume_launch;		/* entry.S: VMLAUNCH instead of VMRESUME */
	u32 nmi_pending;		/* an NMI arrived in root mode */
	u64 launch_regs[8];		/* Linux's rbx rbp r12-r15 rflags rsp at up_enter() */
	/* up to here the offsets are known to assembly: offsets.h */
	u32 cpu;
	u32 apic_id;
	bool demoted;			/* read by others */
	bool parked;			/* waits for SIPI, runs nothing; read by others */
	bool nmi_deferred;		/* to be injected behind another event */
	bool signing;			/* with the launch's key; read by others */
	bool mc_pending;		/* a machine check arrived in root mode: the host's */
	u64 vmxon_pa;
	u64 vmcs01_pa;			/* the demoted host's VMCS */
	u64 msr_bitmap_pa;		/* the demoted host's */
	u64 io_bitmap_pa;		/* two frames: A and B */
	u64 flushed_epoch;		/* ept/flush.h; read by others */
	u64 nmi_in_root;
	u64 transitions;
	u64 flushes;
	u64 exits_host[UP_EXIT_REASONS];
	u64 exits_vm[UP_EXIT_REASONS];
	struct nested_cpu nested;
	struct vcpu *vcpu;		/* protected vCPU being run, or NULL */
	struct ept_cpu ept;

	/* root's own descriptor tables; gdt has Linux's selector numbers */
	u64 gdt[10];
	u8 tss[104];
	struct { u64 lo, hi; } idt[32] __aligned(16);
};

#endif /* VMX_PERCPU_H */
