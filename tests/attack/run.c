// SPDX-License-Identifier: GPL-2.0
/*
 * A KVM of our own, as hostile as one likes: runs a vCPU of the real KVM's by
 * VMRESUME, sees what there is to see after each exit, changes what there is to
 * change before the next entry, and then puts back what KVM relies on.
 */
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/special_insns.h>
#include <asm/vmx.h>
#include "module.h"

#define COM1		0x3f8
#define COM1_LSR	0x3fd
#define LSR_THRE	0x20
#define XFEATURES	7		/* x87, SSE, AVX */
#define NMSRS		5

static const u32 host_fields[] = {
	HOST_CR3, HOST_CR4, HOST_FS_BASE, HOST_GS_BASE, HOST_FS_SELECTOR, HOST_GS_SELECTOR,
	HOST_RSP, HOST_RIP, VM_EXIT_CONTROLS, CPU_BASED_VM_EXEC_CONTROL, EPT_POINTER,
	VMX_PREEMPTION_TIMER_VALUE,
};

#define NFIELDS ARRAY_SIZE(host_fields)

static const u32 msrs[NMSRS] = {
	MSR_STAR, MSR_LSTAR, MSR_SYSCALL_MASK, MSR_KERNEL_GS_BASE, MSR_TSC_AUX,
};

static bool debug;
module_param(debug, bool, 0600);
MODULE_PARM_DESC(debug, "log every exit");

struct run {
	struct atk_run *r;
	struct kvm_vcpu *vcpu;
	u64 gpr[ATK_GPRS];
	u64 fields[NFIELDS];		/* KVM's */
	u64 poked[ATK_POKES];
	bool pokes_made;
	u64 msr[NMSRS];
	u64 random;
	bool launch, altered;
	struct desc_ptr gdt;
	u64 ymm[8][4] __aligned(32);
};

static void *xsave_area(struct kvm_vcpu *vcpu)
{
	return &vcpu->arch.guest_fpu.fpstate->regs.xsave;
}

static void load_registers(struct run *s)
{
	struct kvm_vcpu *vcpu = s->vcpu;
	unsigned int i;

	for (i = 0; i < ATK_GPRS; i++)
		s->gpr[i] = vcpu->arch.regs[i];
	if (vcpu->arch.regs_dirty & BIT(VCPU_REGS_RIP))
		do_vmwrite(GUEST_RIP, vcpu->arch.regs[VCPU_REGS_RIP]);
	if (vcpu->arch.regs_dirty & BIT(VCPU_REGS_RSP))
		do_vmwrite(GUEST_RSP, vcpu->arch.regs[VCPU_REGS_RSP]);
	kernel_fpu_begin();
	asm volatile("xrstor64 (%0)" : : "r"(xsave_area(vcpu)), "a"(XFEATURES), "d"(0) : "memory");
	set_debugreg(vcpu->arch.db[0], 0);
	set_debugreg(vcpu->arch.db[1], 1);
	set_debugreg(vcpu->arch.db[2], 2);
	set_debugreg(vcpu->arch.db[3], 3);
	for (i = 0; i < NMSRS; i++)
		rdmsrl_safe(msrs[i], &s->msr[i]);
}

static void store_registers(struct run *s)
{
	struct kvm_vcpu *vcpu = s->vcpu;
	unsigned int i;

	for (i = 0; i < NMSRS; i++)
		wrmsrl_safe(msrs[i], s->msr[i]);
	get_debugreg(vcpu->arch.db[0], 0);
	get_debugreg(vcpu->arch.db[1], 1);
	get_debugreg(vcpu->arch.db[2], 2);
	get_debugreg(vcpu->arch.db[3], 3);
	set_debugreg(0, 0);
	set_debugreg(0, 1);
	set_debugreg(0, 2);
	set_debugreg(0, 3);
	asm volatile("xsave64 (%0)" : : "r"(xsave_area(vcpu)), "a"(XFEATURES), "d"(0) : "memory");
	kernel_fpu_end();
	for (i = 0; i < ATK_GPRS; i++)
		if (i != VCPU_REGS_RSP)
			vcpu->arch.regs[i] = s->gpr[i];
	vcpu->arch.regs_avail = (BIT(ATK_GPRS) - 1) & ~BIT(VCPU_REGS_RSP);
	vcpu->arch.regs_dirty = 0;
}

static void take_fields(struct run *s)
{
	unsigned int i;
	u16 sel;

	for (i = 0; i < NFIELDS; i++)
		s->fields[i] = read_field(host_fields[i]);
	do_vmwrite(HOST_CR3, __read_cr3());
	do_vmwrite(HOST_CR4, native_read_cr4());
	do_vmwrite(HOST_GS_BASE, __rdmsr(MSR_GS_BASE));
	do_vmwrite(HOST_FS_BASE, __rdmsr(MSR_FS_BASE));
	savesegment(fs, sel);
	do_vmwrite(HOST_FS_SELECTOR, sel & 7 ? 0 : sel);
	do_vmwrite(HOST_GS_SELECTOR, 0);
	do_vmwrite(VM_EXIT_CONTROLS, read_field(VM_EXIT_CONTROLS) & ~VM_EXIT_ACK_INTR_ON_EXIT);
	do_vmwrite(VMX_PREEMPTION_TIMER_VALUE, 0xffffffff);	/* KVM has it on, but far off */
	if (s->r->eptp)
		do_vmwrite(EPT_POINTER, s->r->eptp);
}

static bool is_guest_field(u32 field)
{
	return (field >> 10 & 3) == 2 && field != VMX_PREEMPTION_TIMER_VALUE;
}

/* A guest-state field that KVM keeps is not put back: the VM has run on since. */
static void give_fields_back(struct run *s)
{
	unsigned int i;

	for (i = s->r->npokes; s->pokes_made && i-- > 0; )
		if (!is_guest_field(s->r->poke[i].field))
			do_vmwrite(s->r->poke[i].field, s->poked[i]);
	for (i = 0; i < NFIELDS; i++)
		do_vmwrite(host_fields[i], s->fields[i]);
}

static void make_pokes(struct run *s)
{
	unsigned int i;
	u64 val;

	for (i = 0; i < s->r->npokes; i++) {
		s->poked[i] = read_field(s->r->poke[i].field);
		val = s->r->poke[i].value;
		if (s->r->poke[i].mask == 1)
			val |= s->poked[i];
		else if (s->r->poke[i].mask)
			val = s->poked[i] & ~val;
		do_vmwrite(s->r->poke[i].field, val);
	}
	s->pokes_made = true;
}

static void alter_msrs(void)
{
	wrmsrl_safe(MSR_LSTAR, 0x1000);
	wrmsrl_safe(MSR_STAR, 0x10001000000000);
	wrmsrl_safe(MSR_SYSCALL_MASK, 0);
}

static void alter(struct run *s)
{
	unsigned int i;

	make_pokes(s);
	for (i = 0; i < ATK_GPRS; i++)
		if (s->r->gpr_mask & BIT(i))
			s->gpr[i] = s->r->gpr_value;
	if (s->r->alter & ATK_ALTER_YMM)
		asm volatile("vzeroall" ::: "memory");
	if (s->r->alter & ATK_ALTER_DR) {
		set_debugreg(0x1000, 0);
		set_debugreg(0x2000, 3);
	}
	if (s->r->alter & ATK_ALTER_CR2)
		s->vcpu->arch.cr2 = 0x4000;
	if (s->r->alter & ATK_ALTER_MSR)
		alter_msrs();
}

static bool any_secret(const u64 *v, unsigned int n)
{
	bool found = false;

	while (n--)
		found |= is_secret(v[n]);
	return found;
}

static bool ymm_leaks(struct run *s)
{
	bool found;

#define STORE(n) asm volatile("vmovdqu %%ymm" #n ", %0" : "=m"(s->ymm[n]))
	STORE(0); STORE(1); STORE(2); STORE(3); STORE(4); STORE(5); STORE(6); STORE(7);
#undef STORE
	found = any_secret(s->ymm[0], 32);
	memset(s->ymm, 0, sizeof(s->ymm));
	return found;
}

static bool dr_leaks(void)
{
	unsigned long dr[4];
	bool found;

	get_debugreg(dr[0], 0);
	get_debugreg(dr[1], 1);
	get_debugreg(dr[2], 2);
	get_debugreg(dr[3], 3);
	found = any_secret((u64 *)dr, 4);
	memzero_explicit(dr, sizeof(dr));
	return found;
}

/* Every field that there may be: all widths and kinds, 32 indices. */
static bool field_leaks(void)
{
	u64 field, val;
	u32 kind, n;

	for (kind = 0; kind < 16; kind++)
		for (n = 0; n < 32; n++) {
			field = (kind >> 2) << 13 | (kind & 3) << 10 | n << 1;
			if (do_vmread(field, &val) == ATK_OK && is_secret(val))
				return true;
		}
	return false;
}

static void look(struct run *s)
{
	u32 leak = 0;

	if (any_secret(s->gpr, ATK_GPRS))
		leak |= ATK_LEAK_GPR;
	if (ymm_leaks(s))
		leak |= ATK_LEAK_YMM;
	if (dr_leaks())
		leak |= ATK_LEAK_DR;
	if (is_secret(read_cr2()))
		leak |= ATK_LEAK_CR2;
	if (s->r->exits < 4 && field_leaks())
		leak |= ATK_LEAK_FIELD;
	if (leak && !s->r->leak)
		s->r->leak_reason = s->r->reason;
	s->r->leak |= leak;
}

static void step(struct run *s)
{
	u64 len = read_field(VM_EXIT_INSTRUCTION_LEN);

	if (s->r->alter & ATK_PRETEND && !len)
		len = 2;
	do_vmwrite(GUEST_RIP, read_field(GUEST_RIP) + len);
}

static void serve_cpuid(struct run *s)
{
	u32 a = s->gpr[0], b = 0, c = s->gpr[1], d = 0;

	native_cpuid(&a, &b, &c, &d);
	if (s->altered && s->r->alter & ATK_LIE)
		a ^= 1;
	s->gpr[0] = a;
	s->gpr[1] = c;
	s->gpr[2] = d;
	s->gpr[3] = b;
	step(s);
}

static void serve_io(struct run *s)
{
	u32 port = s->r->qual >> 16 & 0xffff, in = 0;

	if (port == COM1_LSR)
		in = LSR_THRE | !!s->r->keys[0];
	else if (port == COM1)
		in = s->r->keys[0];
	if (s->r->qual & 8)
		s->gpr[0] = (s->gpr[0] & ~0xffULL) | in;
	if (s->r->qual & 8 && port == COM1)
		memmove(s->r->keys, s->r->keys + 1, sizeof(s->r->keys) - 1);
	else if (port == COM1 && s->r->nchars < sizeof(s->r->chars))
		s->r->chars[s->r->nchars++] = s->gpr[0];
	step(s);
}

/* An access to a device, which the VM's firmware makes by one instruction. */
static bool serve_device(struct run *s)
{
	u32 len = s->r->device_first && !s->r->devices ? s->r->device_first : s->r->device_len;

	if (!len)
		return false;
	s->r->devices++;
	s->gpr[0] = s->r->device_value;
	do_vmwrite(GUEST_RIP, read_field(GUEST_RIP) + len);
	return true;
}

/* As good as injections need it. */
static u32 random_below(struct run *s, u32 n)
{
	s->random = s->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (s->random >> 33) % n;
}

/*
 * Vectors: a quarter each those that Linux sends to its own processors, those that have
 * a meaning, exceptions, and any.
 */
static u32 random_vector(struct run *s)
{
	static const u8 linux_own[] = { 0xec, 0xf2, 0xf6, 0xf7, 0xfa, 0xfb, 0xfc, 0xfd };
	static const u8 meaning[] = { 2, 3, 4, 8, 13, 14, 18, 20, 0x80 };

	switch (random_below(s, 4)) {
	case 0:
		return linux_own[random_below(s, ARRAY_SIZE(linux_own))];
	case 1:
		return meaning[random_below(s, ARRAY_SIZE(meaning))];
	case 2:
		return random_below(s, 32);
	default:
		return random_below(s, 256);
	}
}

/*
 * Any vector, error code and type (but reserved ones, and 7, which the emulator does not know),
 * and when the next one comes: a quarter of them in the handler of the last.
 */
static void inject_any(struct run *s)
{
	static const u32 types[] = {
		INTR_TYPE_NMI_INTR, INTR_TYPE_EXT_INTR, INTR_TYPE_HARD_EXCEPTION,
		INTR_TYPE_SOFT_INTR, INTR_TYPE_PRIV_SW_EXCEPTION, INTR_TYPE_SOFT_EXCEPTION,
	};
	struct atk_run *r = s->r;
	u32 info = INTR_INFO_VALID_MASK | random_vector(s);

	if (r->injected >= r->events)
		return;
	info |= types[random_below(s, ARRAY_SIZE(types))];
	if (random_below(s, 2))
		info |= INTR_INFO_DELIVER_CODE_MASK;
	r->injected++;
	do_vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, random_below(s, 0x10000));
	do_vmwrite(VM_ENTRY_INSTRUCTION_LEN, 1 + random_below(s, 4));
	do_vmwrite(VM_ENTRY_INTR_INFO_FIELD, info);
	do_vmwrite(VMX_PREEMPTION_TIMER_VALUE, 1 +
		   random_below(s, random_below(s, 4) ? r->ticks : 8));
	if (debug)
		pr_info("attack: event %x at exit %u\n", info, r->exits);
}

/* Return: false: this exit is the end of the run. */
static bool serve(struct run *s)
{
	switch (s->r->reason) {
	case EXIT_REASON_EXCEPTION_NMI:
		if ((read_field(VM_EXIT_INTR_INFO) & 0x7ff) == 0x202)
			asm volatile("int $2");
		return true;
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		local_irq_enable();
		asm volatile("nop; nop");
		local_irq_disable();
		return true;
	case EXIT_REASON_CPUID:
		serve_cpuid(s);
		return true;
	case EXIT_REASON_IO_INSTRUCTION:
		serve_io(s);
		return true;
	case EXIT_REASON_MSR_READ:
		s->gpr[0] = s->gpr[2] = 0;
		step(s);
		return true;
	case EXIT_REASON_VMCALL:
		s->gpr[0] = -38;
		step(s);
		return true;
	case EXIT_REASON_MSR_WRITE:
	case EXIT_REASON_HLT:
		step(s);
		return true;
	case EXIT_REASON_DR_ACCESS:
		do_vmwrite(CPU_BASED_VM_EXEC_CONTROL,
			   read_field(CPU_BASED_VM_EXEC_CONTROL) & ~CPU_BASED_MOV_DR_EXITING);
		return true;
	case EXIT_REASON_EPT_VIOLATION:
	case EXIT_REASON_EPT_MISCONFIG:
		return serve_device(s);
	case EXIT_REASON_PREEMPTION_TIMER:
		do_vmwrite(VMX_PREEMPTION_TIMER_VALUE, 20000);
		if (s->r->alter & ATK_INJECT)
			inject_any(s);
		return true;
	case EXIT_REASON_INTERRUPT_WINDOW:
	case EXIT_REASON_NMI_WINDOW:
		do_vmwrite(CPU_BASED_VM_EXEC_CONTROL,
			   read_field(CPU_BASED_VM_EXEC_CONTROL) &
			   ~(CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING));
		return true;
	case EXIT_REASON_MONITOR_TRAP_FLAG:
	case EXIT_REASON_PAUSE_INSTRUCTION:
		return true;
	}
	return false;
}

static void spoil(struct run *s)
{
	unsigned int i;

	for (i = 5; i < ATK_GPRS; i++)
		s->gpr[i] = 0x5151515151515151;
	do_vmwrite(GUEST_RSP, 0x5151);
	do_vmwrite(GUEST_CR3, 0x5000);
}

static bool enter(struct run *s)
{
	unsigned long failed;

	native_store_gdt(&s->gdt);
	native_write_cr2(s->vcpu->arch.cr2);
	failed = attack_enter(s->gpr, s->launch);
	native_load_gdt(&s->gdt);
	invalidate_tss_limit();
	refresh_tss_limit();
	if (failed && insn_error() == VMXERR_VMRESUME_NONLAUNCHED_VMCS && !s->launch) {
		s->launch = true;
		return enter(s);
	}
	s->launch = false;
	s->vcpu->arch.cr2 = read_cr2();
	if (!failed)
		return true;
	s->r->failed = ATK_FAIL_VALID;
	s->r->error = insn_error();
	look(s);
	return false;
}

/* An event that hardware does not know fails the entry, and would each one after that. */
static bool only_an_event(struct run *s)
{
	if (!(s->r->alter & ATK_INJECT) || !s->r->injected ||
	    s->r->error != VMXERR_ENTRY_INVALID_CONTROL_FIELD)
		return false;
	s->r->failed = 0;
	s->r->error = 0;
	do_vmwrite(VM_ENTRY_INTR_INFO_FIELD, 0);
	return true;
}

static bool time_to_alter(const struct atk_run *r)
{
	if (r->alter & ATK_AT_DEVICE)
		return r->devices;
	return r->exits == (r->alter & ATK_POKE_FIRST ? 0 : 1);
}

static bool one_exit(struct run *s)
{
	struct atk_run *r = s->r;

	if (!s->altered && time_to_alter(r)) {
		alter(s);
		s->altered = true;
	}
	if (!enter(s))
		return only_an_event(s);
	r->reason = read_field(VM_EXIT_REASON);
	r->qual = read_field(EXIT_QUALIFICATION);
	r->gpa = read_field(GUEST_PHYSICAL_ADDRESS);
	r->rip = read_field(GUEST_RIP);
	r->rsp = read_field(GUEST_RSP);
	r->cr3 = read_field(GUEST_CR3);
	if ((r->reason & 0xffff) < ATK_REASONS)
		r->count[r->reason & 0xffff]++;
	if (debug)
		pr_info("attack: exit %u: reason %u, qualification %llx, RIP %llx, timer %llu\n",
			r->exits, r->reason, r->qual, r->rip,
			read_field(VMX_PREEMPTION_TIMER_VALUE));
	look(s);
	if (r->stop && r->reason == r->stop)
		return false;
	if (!serve(s))
		return false;
	if (r->alter & ATK_SPOIL)
		spoil(s);
	if (r->alter & ATK_PRETEND && r->reason == EXIT_REASON_PREEMPTION_TIMER) {
		step(s);
		spoil(s);
	}
	return true;
}

static void run(struct run *s, u32 exits)
{
	unsigned long flags;

	local_irq_save(flags);
	load_registers(s);
	take_fields(s);
	for (s->r->exits = 0; s->r->exits < exits; s->r->exits++)
		if (!one_exit(s))
			break;
	give_fields_back(s);
	store_registers(s);
	local_irq_restore(flags);
}

long atk_run(void __user *arg)
{
	struct run *s = kzalloc(sizeof(*s), GFP_KERNEL);
	struct atk_run *r = memdup_user(arg, sizeof(*r));
	struct file *file;
	long ret = -EFAULT;

	if (!s || IS_ERR(r) || r->npokes > ATK_POKES)
		goto out;
	s->r = r;
	s->random = r->seed;
	s->vcpu = vcpu_enter(r->vcpu_fd, &file);
	run(s, r->exits);
	vcpu_leave(s->vcpu, file);
	ret = copy_to_user(arg, r, sizeof(*r)) ? -EFAULT : 0;
out:
	if (!IS_ERR(r))
		kfree(r);
	kfree_sensitive(s);
	return ret;
}
