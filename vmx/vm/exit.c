// SPDX-License-Identifier: GPL-2.0
/*
 * Protected vCPUs (design, section 6): the host schedules them and serves their
 * exits, but what it sees and what it may change is one row of a table for each
 * exit reason.  It never holds their registers: VMCS02 and struct vcpu do.
 *
 * L1's copy of the guest state stays what KVM wrote when it made the vCPU, so
 * KVM goes on believing in a vCPU that was just reset.
 */
#include "vmx/vm/protect.h"
#include "vmx/base/asm.h"
#include "vmx/abi/call.h"
#include "vmx/abi/errno.h"
#include "vmx/host/host.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/intercept/caps.h"
#include "vmx/nested/run.h"
#include "vmx/vm/vcpu.h"
#include "vmx/vm/vm.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/vmcs/vvmcs.h"
#include "vmx/base/x86.h"
#include "ept/ept.h"
#include "ept/pool.h"

#define SHOWN_RIP	0xfff0	/* a constant: KVM only adds an instruction's length to it */
#define RFLAGS_TF	BIT(8)
#define PENDING_DBG_BS	BIT(14)
#define DR6_TRAPS	MASK(3, 0)
#define DR6_CAUSES	(BIT(14) | BIT(13) | MASK(3, 0))	/* BS BD B3..B0 */
#define DR7_GD		BIT(13)

#define G(reg)		BIT(reg)
#define IO_IN		BIT(3)
#define IO_STRING	BIT(4)

#define CPUID1_ECX_EMULATED	(BIT(31) | BIT(24) | BIT(21)) /* hypervisor, TSC deadline, x2APIC */
#define CPUID7_ECX_PKU		BIT(3)
#define CPUID7_ECX_OSPKE	BIT(4)
#define CPUID7_ECX_OFFERED	(MASK(14, 8) | BIT(22) | BIT(3) | BIT(2) | BIT(1))
#define CPUID7_EDX_IBT		BIT(20)
#define CPUID_D1_XSAVEOPT	BIT(0)
#define CPUID_D1_XSAVEC		BIT(1)
#define CPUID_D1_XGETBV1	BIT(2)

/* CR bits that the guest does not own (the rest never exits). */
#define CR0_KEPT	(CR0_NE | CR0_CD | CR0_NW)
#define CR4_ALLOWED	(MASK(11, 0) | CR4_FSGSBASE | CR4_PCIDE | CR4_OSXSAVE | CR4_SMEP | \
			 CR4_SMAP | CR4_PKE)
#define EFER_ALLOWED	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)

/* Controls that are the layer's: what a hostile KVM must not set or clear. */
#define CPU_NEVER	(CPU_INVLPG_EXITING | CPU_RDTSC_EXITING | CPU_CR3_LOAD_EXITING | \
			 CPU_CR3_STORE_EXITING | CPU_MOV_DR_EXITING | CPU_IO_BITMAPS | CPU_MTF)
#define CPU_ALWAYS	(CPU_UNCOND_IO_EXITING | CPU_MSR_BITMAPS | CPU_RDPMC_EXITING | \
			 CPU_SECONDARY_CTLS)
#define CPU2_NEVER	(CPU2_DESC_EXITING | CPU2_RDRAND_EXITING | CPU2_RDSEED_EXITING)
#define CPU2_ALWAYS	(CPU2_EPT | CPU2_VPID | CPU2_UNRESTRICTED)

static u64 bitmap_pa;

/* MSRs that the guest reaches without an exit; the layer or the VMCS switches them. */
static const u32 open_msrs[] = {
	MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_PAT, MSR_STAR, MSR_LSTAR,
	MSR_CSTAR, MSR_FMASK, MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_TSC_AUX,
};

int protect_init(void)
{
	u8 *bitmap;
	u32 i, off, msr;

	bitmap_pa = pool_alloc();
	if (!bitmap_pa)
		return -UP_ENOMEM;
	bitmap = phys(bitmap_pa);
	memset(bitmap, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(open_msrs); i++) {
		msr = open_msrs[i];
		off = (msr & 0x1fff) / 8 + (msr >= 0xc0000000 ? 1024 : 0);
		bitmap[off] &= (u8)~(1u << (msr % 8));
		bitmap[off + 2048] &= (u8)~(1u << (msr % 8));
	}
	bitmap[0x10 / 8] &= (u8)~1u;	/* the TSC may be read */
	return 0;
}

/*
 * KVM offers UMIP also where it has to emulate it.  The layer does not let it
 * (it would see the operands); the guest then keeps a bit without effect.
 */
static u64 cr4_kept(void)
{
	return CR4_UMIP & ~rdmsr(MSR_VMX_CR4_FIXED1);
}

void protect_bind(struct vcpu *v)
{
	vcpu_init_state(v);
	vmwrite(VMCS_CR0_MASK, CR0_KEPT);
	vmwrite(VMCS_CR0_SHADOW, CR0_CD | CR0_NW);
	vmwrite(VMCS_GUEST_CR0, CR0_ET | CR0_NE);
	vmwrite(VMCS_CR4_MASK, ~CR4_ALLOWED | cr4_kept());
	vmwrite(VMCS_CR4_SHADOW, 0);
	/* Raised anew by their own delivery they would keep this CPU for ever. */
	vmwrite(VMCS_EXCEPTION_BITMAP, BIT(VEC_DB) | BIT(VEC_AC));
	vmwrite(VMCS_PF_ERROR_MASK, 0);
	vmwrite(VMCS_PF_ERROR_MATCH, 0);
	vmwrite(VMCS_CR3_TARGET_COUNT, 0);
}

/*
 * What the host sees of each exit that it gets, and what it may change before
 * the vCPU runs on.  Reasons without a row are the layer's own or end the VM.
 */
struct exit_row {
	bool host;		/* the host gets this exit */
	bool advance;		/* it may step over the instruction */
	bool qual;		/* it sees the exit qualification */
	bool address;		/* it sees the guest-physical page */
	bool intr;		/* it sees the exit interruption information */
	u64 see;		/* registers it sees */
	u64 set;		/* registers it may set */
};

static const struct exit_row rows[UP_EXIT_REASONS] = {
	[EXIT_REASON_EXCEPTION_NMI] = { .host = true, .intr = true },
	[EXIT_REASON_EXTINT] = { .host = true, .intr = true },
	[EXIT_REASON_TRIPLE_FAULT] = { .host = true },
	[EXIT_REASON_INIT] = { .host = true },
	[EXIT_REASON_INTR_WINDOW] = { .host = true },
	[EXIT_REASON_NMI_WINDOW] = { .host = true },
	[EXIT_REASON_CPUID] = { .host = true, .advance = true, .see = G(RAX) | G(RCX),
				.set = G(RAX) | G(RBX) | G(RCX) | G(RDX) },
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

static u32 guest_cpl(void)
{
	return vmread(VMCS_GUEST_SS_AR) >> 5 & 3;
}

/* Step over the instruction that exited, as the processor would have. */
static void step_over(void)
{
	advance_rip();
	if (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF)
		vmwrite(VMCS_GUEST_PENDING_DBG, vmread(VMCS_GUEST_PENDING_DBG) | PENDING_DBG_BS);
}

/* Exits that the host never sees.  Return: true: run on. */
typedef bool (*handler)(struct percpu *cpu, struct vcpu *v);

/*
 * MOV to CR0 or CR4 exits only when a kept bit differs from its shadow: take the
 * new value into the shadow and let the guest execute the instruction again.
 */
static bool on_cr(struct percpu *cpu, struct vcpu *v)
{
	u64 qual = vmread(VMCS_EXIT_QUAL);
	u32 cr = qual & 0xf, type = qual >> 4 & 3, reg = qual >> 8 & 0xf;
	u64 val = reg == RSP ? vmread(VMCS_GUEST_RSP) : cpu->gpr[reg];

	(void)v;
	if (type == 0 && cr == 0) {
		vmwrite(VMCS_CR0_SHADOW, val & CR0_KEPT);
	} else if (type == 0 && cr == 4 && !(val & ~CR4_ALLOWED)) {
		vmwrite(VMCS_CR4_SHADOW, val & cr4_kept());
	} else if (cr == 8) {
		/* Without a TPR shadow there is no local APIC: reads zero. */
		if (type == 1 && reg != RSP)
			cpu->gpr[reg] = 0;
		step_over();
	} else {
		inject_gp();
	}
	return true;
}

static bool on_xsetbv(struct percpu *cpu, struct vcpu *v)
{
	u64 val = cpu->gpr[RDX] << 32 | (u32)cpu->gpr[RAX];

	(void)v;
	if (guest_cpl() || (u32)cpu->gpr[RCX] || (val & ~vcpu_xcr0_mask()) || xsetbv_safe(0, val))
		inject_gp();
	else
		step_over();
	return true;
}

static bool write_efer(u64 val)
{
	u64 old = vmread(VMCS_GUEST_EFER);

	if (val & ~EFER_ALLOWED)
		return false;
	if ((vmread(VMCS_GUEST_CR0) & CR0_PG) && ((val ^ old) & EFER_LME))
		return false;
	vmwrite(VMCS_GUEST_EFER, (val & ~EFER_LMA) | (old & EFER_LMA));
	return true;
}

/* EFER and XSS are the layer's, other MSRs that exit are for KVM to emulate. */
static bool on_rdmsr(struct percpu *cpu, struct vcpu *v)
{
	u32 msr = (u32)cpu->gpr[RCX];
	u64 val = 0;

	(void)v;
	if (msr == MSR_EFER)
		val = vmread(VMCS_GUEST_EFER);
	else if (msr != MSR_XSS)
		return false;
	cpu->gpr[RAX] = (u32)val;
	cpu->gpr[RDX] = val >> 32;
	step_over();
	return true;
}

static bool on_wrmsr(struct percpu *cpu, struct vcpu *v)
{
	u64 val = cpu->gpr[RDX] << 32 | (u32)cpu->gpr[RAX];
	u32 msr = (u32)cpu->gpr[RCX];
	bool ok;

	(void)v;
	if (msr == MSR_EFER)
		ok = write_efer(val);
	else if (msr == MSR_XSS)
		ok = !val;
	else
		return false;
	if (ok)
		step_over();
	else
		inject_gp();
	return true;
}

/*
 * Leaf 0xd describes XCR0, which the layer keeps: KVM does not know the VM's and
 * would state the sizes for another.  The VM's XCR0 is in force here.
 */
static void cpuid_xstate(u32 sub, u32 r[4])
{
	u64 mask = vcpu_xcr0_mask();

	cpuid(0xd, sub, r);
	if (sub == 0) {
		r[0] &= (u32)mask;
		r[3] &= (u32)(mask >> 32);
	} else if (sub == 1) {
		r[0] &= CPUID_D1_XSAVEOPT | CPUID_D1_XSAVEC | CPUID_D1_XGETBV1;
		r[2] = r[3] = 0;
	} else if (sub > 62 || !(mask & BIT(sub))) {
		memset(r, 0, 4 * sizeof(*r));
	}
}

/* KVM's paravirtual leaves would invite the guest to share its secrets. */
static bool on_cpuid(struct percpu *cpu, struct vcpu *v)
{
	u32 leaf = (u32)cpu->gpr[RAX], r[4] = { 0 };

	(void)v;
	if (leaf == 0xd)
		cpuid_xstate((u32)cpu->gpr[RCX], r);
	else if (leaf >> 28 != 4)
		return false;
	cpu->gpr[RAX] = r[0];
	cpu->gpr[RBX] = r[1];
	cpu->gpr[RCX] = r[2];
	cpu->gpr[RDX] = r[3];
	step_over();
	return true;
}

/* String I/O goes through memory that the host cannot reach. */
static bool on_io(struct percpu *cpu, struct vcpu *v)
{
	(void)cpu;
	(void)v;
	if (!(vmread(VMCS_EXIT_QUAL) & IO_STRING))
		return false;
	inject_gp();
	return true;
}

static bool on_vmcall(struct percpu *cpu, struct vcpu *v)
{
	if (guest_cpl())
		inject_ud();
	else
		protect_call(cpu, v);
	return true;
}

static bool on_invd(struct percpu *cpu, struct vcpu *v)
{
	(void)cpu;
	(void)v;
	wbinvd();
	step_over();
	return true;
}

static bool on_undefined(struct percpu *cpu, struct vcpu *v)
{
	(void)cpu;
	(void)v;
	inject_ud();
	return true;
}

static bool on_forbidden(struct percpu *cpu, struct vcpu *v)
{
	(void)cpu;
	(void)v;
	inject_gp();
	return true;
}

static bool on_ept_violation(struct percpu *cpu, struct vcpu *v)
{
	u64 qual = vmread(VMCS_EXIT_QUAL), gpa = vmread(VMCS_GUEST_PHYS_ADDR);

	(void)cpu;
	nested_block_nmi_again(qual);
	return vm_ept_violation(v->vm->ept, v->vv->f[ROW_EPTP], gpa, &qual) == EPT_FILLED;
}

/* What an intercepted #DB leaves undone (SDM vol. 3, 28.1 and table 28-1). */
static void take_debug_exception(void)
{
	u64 causes = vmread(VMCS_EXIT_QUAL) & DR6_CAUSES;

	write_dr6(((read_dr6() & ~DR6_TRAPS) | causes) & MASK(31, 0));
	vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~(u64)DR7_GD);
	/* Delivery ends the shadow of STI and MOV SS; with it the entry would be refused. */
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, vmread(VMCS_GUEST_INTERRUPTIBILITY) &
		~(u64)(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
}

/*
 * #DB and #AC are the VM's, and are injected when it runs next; meanwhile the host
 * gets a turn.  One raised while an interrupt was being delivered comes again with it.
 */
static bool on_exception(struct percpu *cpu, struct vcpu *v)
{
	u32 info = (u32)vmread(VMCS_EXIT_INTR_INFO);
	u32 vectoring = (u32)vmread(VMCS_IDT_VECTORING_INFO);

	(void)cpu;
	(void)v;
	if (INTR_TYPE(info) == INTR_TYPE_NMI)
		return false;
	if ((vectoring & INTR_VALID) && (INTR_TYPE(vectoring) == INTR_TYPE_EXTERNAL ||
					 INTR_TYPE(vectoring) == INTR_TYPE_NMI))
		return false;
	if (INTR_VECTOR(info) == VEC_DB)
		take_debug_exception();
	vmwrite(VMCS_ENTRY_INTR_INFO, info & ~INTR_NMI_UNBLOCKED);
	vmwrite(VMCS_ENTRY_INTR_ERROR, 0);	/* #AC's is always zero */
	vmwrite(VMCS_ENTRY_INSN_LEN, vmread(VMCS_EXIT_INSN_LEN));
	return false;
}

static const handler handlers[UP_EXIT_REASONS] = {
	[EXIT_REASON_EXCEPTION_NMI] = on_exception,
	[EXIT_REASON_CPUID] = on_cpuid,
	[EXIT_REASON_GETSEC] = on_undefined,
	[EXIT_REASON_INVD] = on_invd,
	[EXIT_REASON_RDPMC] = on_forbidden,
	[EXIT_REASON_VMCALL] = on_vmcall,
	[EXIT_REASON_VMCLEAR] = on_undefined,
	[EXIT_REASON_VMLAUNCH] = on_undefined,
	[EXIT_REASON_VMPTRLD] = on_undefined,
	[EXIT_REASON_VMPTRST] = on_undefined,
	[EXIT_REASON_VMREAD] = on_undefined,
	[EXIT_REASON_VMRESUME] = on_undefined,
	[EXIT_REASON_VMWRITE] = on_undefined,
	[EXIT_REASON_VMXOFF] = on_undefined,
	[EXIT_REASON_VMXON] = on_undefined,
	[EXIT_REASON_INVEPT] = on_undefined,
	[EXIT_REASON_INVVPID] = on_undefined,
	[EXIT_REASON_VMFUNC] = on_undefined,
	[EXIT_REASON_CR_ACCESS] = on_cr,
	[EXIT_REASON_IO] = on_io,
	[EXIT_REASON_RDMSR] = on_rdmsr,
	[EXIT_REASON_WRMSR] = on_wrmsr,
	[EXIT_REASON_XSETBV] = on_xsetbv,
	[EXIT_REASON_EPT_VIOLATION] = on_ept_violation,
	[EXIT_REASON_SEAMCALL] = on_undefined,
	[EXIT_REASON_TDCALL] = on_undefined,
};

bool protect_exit(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	struct vcpu *v = vv->vcpu;

	if (reason < UP_EXIT_REASONS && handlers[reason] && handlers[reason](cpu, v))
		return v->vm->state == UP_VM_RUNNABLE;
	if (reason >= UP_EXIT_REASONS || !rows[reason].host)
		vm_kill(v->vm, "an exit that no rule covers");
	else if (reason == EXIT_REASON_TRIPLE_FAULT)
		vm_kill(v->vm, "triple fault: the guest has shut itself down");
	return false;
}

static void allow_nmi(void)
{
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
		vmread(VMCS_GUEST_INTERRUPTIBILITY) & ~BLOCKED_BY_NMI);
}

/*
 * The event that was to be injected and never started, else the one whose delivery
 * the exit interrupted: of the two the second, if a fault, is raised again.
 */
static void save_events(struct vcpu *v)
{
	u32 vectoring = (u32)vmread(VMCS_IDT_VECTORING_INFO);
	u32 undelivered = (u32)vmread(VMCS_ENTRY_INTR_INFO);

	if (undelivered & INTR_VALID) {
		v->pending_event = undelivered;
		v->pending_error = (u32)vmread(VMCS_ENTRY_INTR_ERROR);
		v->pending_len = (u32)vmread(VMCS_ENTRY_INSN_LEN);
	} else if (vectoring & INTR_VALID) {
		v->pending_event = vectoring & ~(u32)INTR_NMI_UNBLOCKED;
		if (INTR_TYPE(vectoring) == INTR_TYPE_NMI)
			allow_nmi();	/* that it blocks itself would make the entry fail */
		v->pending_error = (u32)vmread(VMCS_IDT_VECTORING_ERROR);
		v->pending_len = (u32)vmread(VMCS_EXIT_INSN_LEN);
	}
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
}

/* An I/O exit shows the bytes that go out, and none of what an input replaces. */
static u64 shown_rax(u64 rax, u32 reason, u64 qual)
{
	u32 size = (u32)(qual & 7) + 1;

	if (reason != EXIT_REASON_IO)
		return (u32)rax;
	if (qual & IO_IN)
		return 0;
	return rax & MASK(8 * size - 1, 0);
}

static void show_registers(struct percpu *cpu, const struct vcpu *v, const struct exit_row *r)
{
	u32 i;

	for (i = 0; i < NR_GPRS; i++)
		cpu->gpr[i] = r->see & G(i) ? (u32)v->gpr[i] : 0;
	if (r->see & G(RAX))
		cpu->gpr[RAX] = shown_rax(v->gpr[RAX], v->last_reason, v->last_qual);
}

/* Of a qualification: for EPT violations the access alone, for I/O all of it. */
static u64 shown_qual(const struct vcpu *v, const struct exit_row *r)
{
	if (!r->qual)
		return 0;
	return v->last_reason == EXIT_REASON_IO ? v->last_qual : v->last_qual & MASK(5, 0);
}

static void show_fields(const struct vcpu *v, u64 *f, const struct exit_row *r)
{
	u64 page = ~(PAGE_SIZE - 1);

	f[ROW_EXIT_REASON] = v->last_reason;
	f[ROW_EXIT_QUAL] = shown_qual(v, r);
	f[ROW_GUEST_PHYS_ADDR] = r->address ? vmread(VMCS_GUEST_PHYS_ADDR) & page : 0;
	f[ROW_EXIT_INTR_INFO] = r->intr ? vmread(VMCS_EXIT_INTR_INFO) : 0;
	f[ROW_EXIT_INTR_ERROR] = 0;
	f[ROW_EXIT_INSN_LEN] = r->advance ? vmread(VMCS_EXIT_INSN_LEN) : 0;
	f[ROW_EXIT_INSN_INFO] = 0;
	f[ROW_GUEST_LINEAR] = 0;
	f[ROW_IDT_VECTORING_INFO] = v->held_event;
	f[ROW_IDT_VECTORING_ERROR] = 0;
	f[ROW_GUEST_RIP] = SHOWN_RIP;
	f[ROW_GUEST_RSP] = 0;
	f[ROW_GUEST_RFLAGS] = RFLAGS_FIXED | (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF);
	f[ROW_GUEST_INTERRUPTIBILITY] = vmread(VMCS_GUEST_INTERRUPTIBILITY);
	f[ROW_GUEST_ACTIVITY] = ACTIVITY_ACTIVE;
	if (f[ROW_EXIT_CTLS] & EXIT_SAVE_PREEMPTION)
		f[ROW_PREEMPTION_TIMER] = vmread(VMCS_PREEMPTION_TIMER);
}

void protect_reflect(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	struct vcpu *v = vv->vcpu;
	const struct exit_row *r;

	/* A VM that was ended shows itself as shut down, whatever its last exit was. */
	if (v->vm->state != UP_VM_RUNNABLE || reason >= UP_EXIT_REASONS)
		reason = EXIT_REASON_TRIPLE_FAULT;
	/* An exception of the VM's own: KVM looks what there is to inject, and goes on. */
	if (reason == EXIT_REASON_EXCEPTION_NMI &&
	    INTR_TYPE(vmread(VMCS_EXIT_INTR_INFO)) != INTR_TYPE_NMI)
		reason = EXIT_REASON_INTR_WINDOW;
	r = &rows[reason];
	v->last_reason = reason;
	v->last_qual = vmread(VMCS_EXIT_QUAL);
	memcpy(v->gpr, cpu->gpr, sizeof(v->gpr));
	save_events(v);
	vcpu_save(v);
	show_registers(cpu, v, r);
	show_fields(v, vv->f, r);
	v->held_event = 0;
	vcpu_scrub();
}

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
		mask = MASK(8 * ((u32)(v->last_qual & 7) + 1) - 1, 0);
		*rax = (mask >> 31 ? 0 : *rax & ~mask) | (cpu->gpr[RAX] & mask);
		return;
	}
	leaf = (u32)v->gpr[RAX];
	sub = (u32)v->gpr[RCX];
	for (i = 0; i < NR_GPRS; i++)
		if (r->set & G(i))
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
	const struct exit_row *r = &rows[v->last_reason];
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

/* After sync_controls(): what of it is not L1's to decide. */
static void override_controls(struct vcpu *v)
{
	const u64 *f = v->vv->f;
	u64 cpu2 = f[ROW_CPU_CTLS] & CPU_SECONDARY_CTLS ? f[ROW_CPU2_CTLS] : 0;
	u64 entry = f[ROW_ENTRY_CTLS] & ~(ENTRY_IA32E | ENTRY_LOAD_PERF_GLOBAL);
	u64 exit = (f[ROW_EXIT_CTLS] & ~EXIT_LOAD_PERF_GLOBAL) | EXIT_SAVE_DEBUG |
		   EXIT_SAVE_EFER | EXIT_LOAD_EFER | EXIT_SAVE_PAT | EXIT_LOAD_PAT;
	u64 pin = f[ROW_PIN_CTLS] | PIN_EXTINT_EXITING | PIN_NMI_EXITING;

	if (f[ROW_PIN_CTLS] & PIN_PREEMPTION_TIMER)
		exit |= EXIT_SAVE_PREEMPTION;
	if (vmread(VMCS_GUEST_EFER) & EFER_LMA)
		entry |= ENTRY_IA32E;
	/* Without virtual NMIs L1 could inject one into the handler of another. */
	if (caps_may(CTLS_PIN, PIN_VIRTUAL_NMIS))
		pin |= PIN_VIRTUAL_NMIS;
	vmwrite(VMCS_PIN_CTLS, pin);
	vmwrite(VMCS_CPU_CTLS, (f[ROW_CPU_CTLS] & ~CPU_NEVER) | CPU_ALWAYS);
	vmwrite(VMCS_CPU2_CTLS, (cpu2 & ~CPU2_NEVER) | CPU2_ALWAYS);
	vmwrite(VMCS_ENTRY_CTLS, entry | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT | ENTRY_LOAD_DEBUG);
	vmwrite(VMCS_EXIT_CTLS, exit);
	vmwrite(VMCS_MSR_BITMAP, bitmap_pa);
	vmwrite(VMCS_TSC_OFFSET, f[ROW_CPU_CTLS] & CPU_TSC_OFFSETTING ? f[ROW_TSC_OFFSET] : 0);
	vmwrite(VMCS_EPTP, vm_ept_eptp(v->vm->ept));
}

int protect_entry(struct percpu *cpu, struct vvmcs *vv)
{
	struct vcpu *v = vv->vcpu;

	if (v->vm->state != UP_VM_RUNNABLE)
		return -UP_EPERM;
	vv->ept = v->vm->ept;
	override_controls(v);
	take_result(cpu, v);
	inject_events(v);
	v->bare = false;
	v->vm->entries++;
	memcpy(v->host_gpr, cpu->gpr, sizeof(v->host_gpr));
	memcpy(cpu->gpr, v->gpr, sizeof(v->gpr));
	vcpu_load(v);
	return 0;
}

void protect_entry_failed(struct percpu *cpu, struct vvmcs *vv)
{
	struct vcpu *v = vv->vcpu;

	vcpu_save(v);
	memcpy(cpu->gpr, v->host_gpr, sizeof(cpu->gpr));
	vm_kill(v->vm, "hardware refused its state");
}
