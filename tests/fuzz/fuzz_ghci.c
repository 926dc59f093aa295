// SPDX-License-Identifier: GPL-2.0
/*
 * The GHCI from both sides: a guest of two vCPUs calls and touches what it likes, its host
 * completes, injects, maps and reclaims what it likes; root_promises.c looks on.
 *
 * Input: records of a byte that says which CPU does what, and its arguments.
 */
#include "root_fuzz.h"
#include "../unit/ghci_world.h"
#include "vmx/base/x86.h"
#include "vmx/vm/vcpu.h"
#include "ept/table.h"

#define MAX_STEPS	64
#define S		(1ULL << (W_MAXPHYADDR - 1))
#define EXPOSE		0xfcccULL

/* A guest-physical address: few pages, so that they meet, or any. */
static u64 gpa(struct input *in)
{
	static const u64 special[] = { G_UNBOUND, S - 4096, S, 2 * S, 2 * S - 4096, 1ULL << 48,
				       ~0ULL & PAGE_MASK, 0xfee00000, G_FRAMES << 12 };
	u8 sel = (u8)take(in, 1);
	u64 at = sel & 0x40 ? special[sel % ARRAY_SIZE(special)] : (u64)(sel % 32) << PAGE_SHIFT;

	return at | (sel & 0x80 ? S : 0);
}

static u64 operand(struct input *in)
{
	u8 sel = (u8)take(in, 1);

	if (sel < 0x40)
		return sel % 17;
	if (sel < 0xa0)
		return gpa(in) | (sel % 4 ? 0 : take(in, 2) & (PAGE_SIZE - 1));
	return sel < 0xe0 ? take(in, 4) : take(in, 8);
}

static void vmcall(struct input *in, u64 *g)
{
	static const u64 function[] = { 10, 12, 30, 31, 32, 48, 48, 48, 0x10001, 0x10001, 0x10001,
					0x10001, 0x10002, 0x10003, 0x10004, 0 };
	u8 sel = (u8)take(in, 1);

	/* Last words end the VM: seldom. */
	g[R11] = function[sel % ARRAY_SIZE(function)];
	if (g[R11] == 0x10003 && sel < 0xf0)
		g[R11] = 48;
	g[R10] = 0;
	g[RCX] = EXPOSE;
	if (g[R11] == 0x10001) {
		g[R12] = gpa(in);
		g[R13] = (take(in, 1) % 16) << PAGE_SHIFT;
	} else if (g[R11] == 48) {
		g[R12] = 1u << take(in, 1) % 5;
		g[R13] = take(in, 1) % 2;
		g[R14] = gpa(in) | (take(in, 1) << 4);
	}
}

static void guest_tdcall(struct input *in)
{
	static const u64 rips[] = { G_TEXT, G_TEXT, G_TEXT, G_TEXT, G_SPLIT, G_UD2, G_DATA << 12,
				    0x10000000, ~0ULL, G_STUB << 12 };
	u64 *g = fake_cpu->gpr, leaf = take(in, 1);
	u32 i;

	for (i = 0; i < NR_GPRS; i++)
		g[i] = operand(in);
	g[RAX] = leaf % 4 ? leaf % 16 : 0;
	if (leaf % 4 == 0 && leaf < 0xf0)
		vmcall(in, g);
	g_undefined(rips[take(in, 1) % ARRAY_SIZE(rips)]);
}

static void guest_touch(struct input *in)
{
	u8 how = (u8)take(in, 1);

	/* Most at an address that is no end of the VM. */
	vmwrite(VMCS_GUEST_PHYS_ADDR, how & 0x80 ? gpa(in) : S | G_UNBOUND);
	vmwrite(VMCS_EXIT_QUAL, how % 7 + 1);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	vmwrite(VMCS_IDT_VECTORING_INFO, how & 0x40 ? INTR_VALID | take(in, 2) % 0x800 : 0);
	w_root(EXIT_REASON_EPT_VIOLATION);
}

static void guest_state(struct input *in)
{
	u8 how = (u8)take(in, 1);

	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | (how & 1 ? RFLAGS_IF : 0));
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
		how & 2 ? BLOCKED_BY_NMI : how & 4 ? BLOCKED_BY_STI : 0);
	vmwrite(VMCS_GUEST_SS_AR, 0xc093 | (how & 0x30 ? 0 : 3 << 5));
	r_exit(how & 0x40 ? EXIT_REASON_INTR_WINDOW : EXIT_REASON_NMI_WINDOW, 0);
}

static void guest_exit(struct input *in)
{
	static const u32 reason[] = { EXIT_REASON_HLT, EXIT_REASON_CPUID, EXIT_REASON_EXTINT,
				      EXIT_REASON_PAUSE, EXIT_REASON_RDMSR, EXIT_REASON_WRMSR,
				      EXIT_REASON_TDCALL };
	bool lives;
	u32 which;

	/* What a guest gives away by these: a WRMSR's value, too. */
	fake_cpu->gpr[RAX] = take(in, 1) % 0x30;
	fake_cpu->gpr[RCX] = operand(in);
	fake_cpu->gpr[RDX] = take(in, 1);
	which = reason[take(in, 1) % ARRAY_SIZE(reason)];
	/* The other vCPU may have ended the VM meanwhile: then any exit shows that. */
	lives = fake_cpu->nested.current->vcpu->vm->own.state == UP_VM_RUNNABLE;
	r_exit(which, 0);
	if (which == EXIT_REASON_CPUID && !fake_cpu->nested.in_vm && lives)
		r_fail("the host is asked what the processor is");
}

static u64 began_at;	/* the VM's TSC offset, when it began */

/* The host ends an exit: done, not done, or done wrongly, with an event of its choice. */
static void host_enters(struct input *in)
{
	u8 how = (u8)take(in, 1);
	u64 rip = w_read(VMCS_GUEST_RIP), len = w_read(VMCS_EXIT_INSN_LEN);

	if (how & 0x10)
		w_vmwrite(VMCS_GUEST_RIP, how & 0x20 ? take(in, 8) : rip + len);
	if (how & 0x40)
		w_vmwrite(VMCS_GUEST_CS_BASE, take(in, 8));
	if (how & 1) {
		w_vmwrite(VMCS_ENTRY_INTR_INFO, INTR_VALID | take(in, 2) % 0x1000);
		w_vmwrite(VMCS_ENTRY_INTR_ERROR, take(in, 1));
		w_vmwrite(VMCS_ENTRY_INSN_LEN, take(in, 1));
	}
	if (how & 2)
		w_vmwrite(VMCS_GUEST_RFLAGS, take(in, 4));
	if (how & 8)
		w_vmwrite(VMCS_TSC_OFFSET, take(in, 8));
	for (u32 i = 0; i < NR_GPRS; i++)
		fake_cpu->gpr[i] = how & 4 ? take(in, 8) : how;
	if (w_enter(false) != W_ENTERED && !fake_cpu->nested.in_vm)
		w_enter(true);
	if (fake_cpu->nested.in_vm && vmread(VMCS_TSC_OFFSET) != began_at)
		r_fail("the host moves a vCPU's time");
}

static void host_acts(struct input *in)
{
	u8 what = (u8)take(in, 1);

	switch (what % 8) {
	case 0:
		r_host_touch(R_VM_PFN + take(in, 1) % 32, what >> 4 & 1 ? 1 : 2, what & 0x80);
		break;
	case 1:
		r_kvm_map(take(in, 1) % 64, 64 + take(in, 1) % 128);
		break;
	case 2:
		/* A host that writes where it may. */
		if (r_hosts(R_VM_PFN + what / 8))
			memset(phys((R_VM_PFN + what / 8) << PAGE_SHIFT), what, 64);
		break;
	case 3:
		if (what > 0xf0)
			r_call(UP_CALL_VM_KILL, 0, 0, 0);
		break;
	case 4:
		r_call(UP_CALL_VM_RECLAIM, 0, r_host_frame(), 8);
		break;
	default:
		r_call(UP_CALL_FLUSH, 0, 0, 0);
	}
}

static void step(struct input *in)
{
	u8 what = (u8)take(in, 1);

	w_use_cpu(what >> 7);
	if (!fake_cpu->nested.in_vm) {
		if (what % 8)
			host_enters(in);
		else
			host_acts(in);
		return;
	}
	switch (what % 8) {
	case 0 ... 3:
		guest_tdcall(in);
		break;
	case 4:
		guest_touch(in);
		break;
	case 5:
		guest_state(in);
		break;
	case 6:
		guest_exit(in);
		break;
	case 7:
		r_flush_all();
	}
}

/* Both vCPUs in 64-bit mode, each on its CPU. */
static void first_time(void)
{
	r_init();
	if (g_start() || g_enable(G_STUB))
		r_fail("the VM does not start");
	began_at = vmread(VMCS_TSC_OFFSET);
	r_to_host();
	w_insn_mem(EXIT_REASON_VMCLEAR, r_vmcs12[1]);
	w_insn_mem(EXIT_REASON_VMPTRLD, r_vmcs12[0]);
	if (w_enter(false) != W_ENTERED)
		r_fail("the first vCPU is not entered");
	g_long_mode();
	w_use_cpu(1);
	w_insn_mem(EXIT_REASON_VMXON, W_VMXON);
	w_insn_mem(EXIT_REASON_VMPTRLD, r_vmcs12[1]);
	if (w_enter(true) != W_ENTERED)
		r_fail("the second vCPU is not entered");
	g_long_mode();
	root_fuzz_mark();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return root_fuzz_run((struct input){ data, size }, MAX_STEPS, first_time, step);
}
