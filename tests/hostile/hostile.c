// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile host's own hypervisor: VM entries with bent VMCSs, from ring 0.
 *
 * Loads where no KVM has entered VMX operation.  On one CPU, interrupts off, it
 * makes a VMCS that is right, bends one to three fields of it, tries to enter,
 * and mends them, "rounds" times with random numbers from "seed".  It prints what
 * came of it.  A machine that still stands afterwards passes; the VM's only code
 * is CPUID and HLT, and the VMX-preemption timer is always on.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/tlbflush.h>

static unsigned int rounds = 2000;
module_param(rounds, uint, 0444);
static unsigned long seed = 1;
module_param(seed, ulong, 0444);

enum field_class { CTRL, EXIT, GUEST, HOST };
enum { NEVER, ALWAYS, VPID, EPT, MSR_BITMAP, TPR_SHADOW, APIC_ACCESS, XSAVES, TSC_SCALING,
	PERF_GLOBAL, PLE, PREEMPTION };

enum encoding {
#define VMCS_FIELD(name, enc, exists, class, sync, see, set) F_##name = enc,
#include "vmcs_fields.h"
};

static const struct {
	u16 enc;
	u8 class;
} fields[] = {
#define VMCS_FIELD(name, enc, exists, class, sync, see, set) { enc, class },
#include "vmcs_fields.h"
};

static u64 frame[8];	/* physical addresses of frames of our own */
enum { VMXON, VMCS, BITMAP, VAPIC, APIC, LIST, TABLE0, CODE };
static u64 table[4];	/* EPT: a path to CODE at guest-physical 0 */

static int vmx_pa(const char *what, u64 pa)
{
	bool cf, zf;

	if (what[2] == 'x')
		asm volatile("vmxon %2" : "=@ccc"(cf), "=@ccz"(zf) : "m"(pa) : "memory");
	else if (what[2] == 'c')
		asm volatile("vmclear %2" : "=@ccc"(cf), "=@ccz"(zf) : "m"(pa) : "memory");
	else
		asm volatile("vmptrld %2" : "=@ccc"(cf), "=@ccz"(zf) : "m"(pa) : "memory");
	return cf ? -1 : zf ? -2 : 0;
}

static int put(u64 enc, u64 val)
{
	bool cf, zf;

	asm volatile("vmwrite %2, %3" : "=@ccc"(cf), "=@ccz"(zf) : "rm"(val), "r"(enc));
	return cf ? -1 : zf ? -2 : 0;
}

static int get(u64 enc, u64 *val)
{
	bool cf, zf;

	asm volatile("vmread %3, %2" : "=@ccc"(cf), "=@ccz"(zf), "=r"(*val) : "r"(enc));
	return cf ? -1 : zf ? -2 : 0;
}

/* Return: 0 after a VM exit, -1, -2 as above.  All registers are the VM's afterwards. */
static noinline int enter(bool launch)
{
	long failed = 0;

	asm volatile("push %%rbp\n push %%rbx\n push %%r12\n push %%r13\n push %%r14\n push %%r15\n"
		     "push %[failed]\n"
		     "mov %%rsp, %%rdx\n mov %[rsp], %%ecx\n vmwrite %%rdx, %%rcx\n"
		     "lea 1f(%%rip), %%rdx\n mov %[rip], %%ecx\n vmwrite %%rdx, %%rcx\n"
		     "test %%al, %%al\n jz 3f\n vmlaunch\n jmp 4f\n"
		     "3: vmresume\n"
		     "4: mov $-2, %%rax\n jnc 5f\n mov $-1, %%rax\n"
		     "5: mov %%rax, (%%rsp)\n"
		     "1: pop %%rax\n"
		     "pop %%r15\n pop %%r14\n pop %%r13\n pop %%r12\n pop %%rbx\n pop %%rbp\n"
		     : "=&a"(failed)
		     : [failed] "r"(0L), "0"((long)launch), [rsp] "i"(F_HOST_RSP),
		       [rip] "i"(F_HOST_RIP)
		     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	return (int)failed;
}

static u64 msr(u32 index)
{
	u64 val;

	rdmsrl(index, val);
	return val;
}

static u32 control(u32 index, u32 want)
{
	u64 cap = msr(index);

	return (want | (u32)cap) & (u32)(cap >> 32);
}

static void put_segment(int n, u16 selector, u32 ar)
{
	put(F_GUEST_ES_SEL + 2 * n, selector);
	put(F_GUEST_ES_BASE + 2 * n, 0);
	put(F_GUEST_ES_LIMIT + 2 * n, 0xffff);
	put(F_GUEST_ES_AR + 2 * n, ar);
}

static void put_guest(void)
{
	int n;

	for (n = 0; n < 6; n++)
		put_segment(n, 0, n == 1 ? 0x9b : 0x93);
	put_segment(6, 0, 0x82);
	put_segment(7, 0, 0x8b);
	put(F_GUEST_GDTR_LIMIT, 0xffff);
	put(F_GUEST_IDTR_LIMIT, 0xffff);
	put(F_GUEST_CR0, 0x30);
	put(F_GUEST_CR4, X86_CR4_VMXE);
	put(F_GUEST_RFLAGS, 2);
	put(F_GUEST_DR7, 0x400);
	put(F_GUEST_RIP, 0);
	put(F_VMCS_LINK, ~0ULL);
	put(F_GUEST_PAT, msr(0x277));
}

static void put_controls(void)
{
	put(F_PIN_CTLS, control(0x48d, 0x49));			/* interrupts, NMI, timer */
	put(F_CPU_CTLS, control(0x48e, BIT(7) | BIT(21) | BIT(24) | BIT(28) | BIT(31)));
	put(F_CPU2_CTLS, control(0x48b, BIT(0) | BIT(1) | BIT(5) | BIT(7)));
	put(F_EXIT_CTLS, control(0x48f, BIT(9) | BIT(19) | BIT(21)));
	put(F_ENTRY_CTLS, control(0x490, BIT(14) | BIT(15)));
	put(F_VPID, 1);
	put(F_EPTP, table[0] | 3 << 3 | 6);
	put(F_MSR_BITMAP, frame[BITMAP]);
	put(F_VIRTUAL_APIC_ADDR, frame[VAPIC]);
	put(F_APIC_ACCESS_ADDR, frame[APIC]);
	put(F_EXIT_MSR_STORE_ADDR, frame[LIST]);
	put(F_EXIT_MSR_LOAD_ADDR, frame[LIST]);
	put(F_ENTRY_MSR_LOAD_ADDR, frame[LIST]);
	put(F_PREEMPTION_TIMER, 1000);
	put(F_EXCEPTION_BITMAP, ~0u);
}

static void put_host(void)
{
	struct desc_ptr gdt, idt;
	u16 tr;

	asm volatile("str %0" : "=r"(tr));
	native_store_gdt(&gdt);
	store_idt(&idt);
	put(F_HOST_CR0, read_cr0());
	put(F_HOST_CR3, __read_cr3());
	put(F_HOST_CR4, native_read_cr4());
	put(F_HOST_CS_SEL, __KERNEL_CS);
	put(F_HOST_SS_SEL, __KERNEL_DS);
	put(F_HOST_TR_SEL, tr);
	put(F_HOST_TR_BASE, (unsigned long)&get_cpu_entry_area(smp_processor_id())->tss.x86_tss);
	put(F_HOST_GDTR_BASE, gdt.address);
	put(F_HOST_IDTR_BASE, idt.address);
	put(F_HOST_FS_BASE, msr(MSR_FS_BASE));
	put(F_HOST_GS_BASE, msr(MSR_GS_BASE));
	put(F_HOST_SYSENTER_CS, msr(MSR_IA32_SYSENTER_CS));
	put(F_HOST_SYSENTER_ESP, msr(MSR_IA32_SYSENTER_ESP));
	put(F_HOST_SYSENTER_EIP, msr(MSR_IA32_SYSENTER_EIP));
	put(F_HOST_EFER, msr(MSR_EFER));
	put(F_HOST_PAT, msr(0x277));
}

static bool is_address(u16 enc)
{
	return (enc >= F_IO_BITMAP_A && enc <= F_EXECUTIVE_VMCS) ||
	       enc == F_VIRTUAL_APIC_ADDR || enc == F_APIC_ACCESS_ADDR || enc == F_EPTP;
}

/*
 * A value for a field.  Addresses: ours, no RAM, beyond the processor's, odd; but
 * never the code's, since Bochs stops at a fetch from an APIC-access page.
 * Host state: only what no processor may accept; the rest would be our own end.
 */
static bool bent_value(struct rnd_state *rnd, u16 enc, u8 class, u64 old, u64 *val)
{
	static const u64 odd[] = { 0, ~0ULL, BIT(63), BIT(47), 0x8000000000000000, 0xfee00000,
				   0xa0000, 0xfffffffffffff000 };
	u32 how = prandom_u32_state(rnd) % 4;

	if (class == HOST) {
		bool base = enc >= F_HOST_FS_BASE && enc <= F_HOST_SYSENTER_EIP;

		*val = base ? old ^ BIT(50) : old ^ BIT(prandom_u32_state(rnd) & 1);
		return base || (enc >= F_HOST_ES_SEL && enc <= F_HOST_TR_SEL);
	}
	if (is_address(enc)) {
		u32 pick = prandom_u32_state(rnd);

		*val = how == 0 ? odd[pick % ARRAY_SIZE(odd)] :
		       how == 1 ? frame[pick % CODE] :
		       how == 2 ? BIT(40 + pick % 24) | old : old | (pick & 0xfff);
		/* A list of stores goes where we say, and that must be ours. */
		return enc != F_EXIT_MSR_STORE_ADDR;
	}
	*val = how == 0 ? odd[prandom_u32_state(rnd) % ARRAY_SIZE(odd)] :
	       how == 1 ? (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd) :
	       old ^ BIT(prandom_u32_state(rnd) % 64);
	if (enc == F_PIN_CTLS)
		*val |= 0x49;
	/* An interrupt that an exit has acknowledged would be ours to deliver. */
	if (enc == F_EXIT_CTLS)
		*val &= ~BIT(15);
	/* Their lists are ours and zero: loads of 0 into MSR 0 are refused. */
	return enc != F_PREEMPTION_TIMER;
}

struct tally {
	u32 invalid, controls, host, other, entry_failed, exits;
};

static void count(struct tally *t, int ret)
{
	u64 val = 0;

	if (ret == -1) {
		t->invalid++;
	} else if (ret == -2) {
		get(F_INSN_ERROR, &val);
		if (val == 7)
			t->controls++;
		else if (val == 8)
			t->host++;
		else
			t->other++;
	} else {
		get(F_EXIT_REASON, &val);
		if (val & BIT(31))
			t->entry_failed++;
		else
			t->exits++;
	}
}

static void one_round(struct rnd_state *rnd, struct tally *t)
{
	struct { u16 enc; u64 old; } bent[3];
	u32 i, n = 0, want = 1 + prandom_u32_state(rnd) % 3;
	u64 error;
	int ret;

	for (i = 0; i < want; i++) {
		u32 row = prandom_u32_state(rnd) % ARRAY_SIZE(fields);
		u64 old, val;

		if (get(fields[row].enc, &old) ||
		    !bent_value(rnd, fields[row].enc, fields[row].class, old, &val) ||
		    put(fields[row].enc, val))
			continue;
		bent[n].enc = fields[row].enc;
		bent[n++].old = old;
	}
	ret = enter(true);
	if (ret == -2 && !get(F_INSN_ERROR, &error) && error == 4)
		ret = enter(false);	/* launched already */
	count(t, ret);
	while (n--)
		put(bent[n].enc, bent[n].old);
	put_guest();
	put(F_ENTRY_INTR_INFO, 0);
	put(F_GUEST_ACTIVITY, 0);
	put(F_GUEST_INTERRUPTIBILITY, 0);
	put(F_GUEST_PENDING_DBG, 0);
	if (prandom_u32_state(rnd) & 1) {
		vmx_pa("vmclear", frame[VMCS]);
		vmx_pa("vmptrld", frame[VMCS]);
	}
}

static int make_frames(void)
{
	u64 *all[ARRAY_SIZE(frame) + ARRAY_SIZE(table)];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = (void *)get_zeroed_page(GFP_KERNEL);	/* freed by the reboot */
		if (!all[i])
			return -ENOMEM;
		if (i < ARRAY_SIZE(frame))
			frame[i] = virt_to_phys(all[i]);
		else
			table[i - ARRAY_SIZE(frame)] = virt_to_phys(all[i]);
	}
	for (i = 0; i < 3; i++)
		*(u64 *)phys_to_virt(table[i]) = table[i + 1] | 7;
	*(u64 *)phys_to_virt(table[3]) = frame[CODE] | 0x37;
	memcpy(phys_to_virt(frame[CODE]), "\x0f\xa2\xf4\xeb\xfb", 5);	/* cpuid; hlt; jmp */
	memset(phys_to_virt(frame[BITMAP]), 0xff, PAGE_SIZE);
	*(u32 *)phys_to_virt(frame[VMXON]) = (u32)msr(0x480);
	*(u32 *)phys_to_virt(frame[VMCS]) = (u32)msr(0x480);
	return 0;
}

static void run(struct tally *t)
{
	struct rnd_state rnd;
	u32 i;

	prandom_seed_state(&rnd, seed);
	put_controls();
	put_guest();
	put_host();
	for (i = 0; i < rounds; i++)
		one_round(&rnd, t);
}

static int __init hostile_init(void)
{
	struct tally t = { 0 };
	unsigned long flags;
	struct desc_ptr gdt, idt;
	int err = make_frames();

	if (err)
		return err;
	local_irq_save(flags);
	native_store_gdt(&gdt);
	store_idt(&idt);
	cr4_set_bits_irqsoff(X86_CR4_VMXE);
	err = vmx_pa("vmxon", frame[VMXON]);
	if (!err) {
		vmx_pa("vmclear", frame[VMCS]);
		err = vmx_pa("vmptrld", frame[VMCS]);
		if (!err)
			run(&t);
		asm volatile("vmxoff");
	}
	cr4_clear_bits_irqsoff(X86_CR4_VMXE);
	/* A VM exit leaves limits of 64 KiB, and a TSS without its I/O bitmap. */
	native_load_gdt(&gdt);
	load_idt(&idt);
	invalidate_tss_limit();
	local_irq_restore(flags);
	pr_info("hostile: %d; invalid %u controls %u host %u other %u entry %u exits %u\n", err,
		t.invalid, t.controls, t.host, t.other, t.entry_failed, t.exits);
	return err ? -EIO : 0;
}

static void __exit hostile_exit(void)
{
}

module_init(hostile_init);
module_exit(hostile_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Bent VM entries from a hostile host");
