// SPDX-License-Identifier: GPL-2.0
/* Nested VMX: each test is named after the promise it holds to. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "nested_world.h"
#include "vmx/cpu/paging.h"
#include "vmx/intercept/port.h"
#include "vmx/intercept/msr.h"
#include "vmx/cpu/operand.h"
#include "vmx/vm/protect.h"

/* The protected side, as the tests set it. */
static struct {
	int entry;		/* what protect_entry() returns */
	bool handled;		/* what protect_exit() returns */
	u32 entries, exits, reflected, failed;
} guard;

int protect_entry(struct percpu *cpu, struct vvmcs *vv)
{
	(void)cpu;
	(void)vv;
	guard.entries++;
	return guard.entry;
}

bool protect_exit(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	(void)cpu;
	(void)vv;
	(void)reason;
	guard.exits++;
	return guard.handled;
}

void protect_reflect(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	(void)cpu;
	vv->f[ROW_EXIT_REASON] = reason;
	vv->f[ROW_IDT_VECTORING_INFO] = 0x77;	/* an event of L1's, handed back */
	guard.reflected++;
}

void protect_entry_failed(struct percpu *cpu, struct vvmcs *vv)
{
	(void)cpu;
	(void)vv;
	guard.failed++;
}

static int setup(void **state)
{
	(void)state;
	w_init(2);
	memset(&guard, 0, sizeof(guard));
	guard.entry = -UP_EPERM;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	w_free();
	return 0;
}

static void in_vm_ready(void)
{
	w_vmxon();
	w_load(W_VMCS12);
	w_fill_valid();
}

static void in_l2(void)
{
	in_vm_ready();
	assert_int_equal(w_enter(true), W_ENTERED);
}

/* Capabilities */

#define PML_ADDR	0x200e

static void offered_capabilities_are_a_subset_without_ways_around(void **state)
{
	u64 val;

	(void)state;
	for (u32 msr = MSR_VMX_TRUE_PINBASED; msr <= MSR_VMX_TRUE_ENTRY; msr++) {
		assert_int_equal(caps_msr_read(msr, &val), 0);
		assert_int_equal((val >> 32) & ~(rdmsr(msr) >> 32), 0);
		assert_int_equal((u32)rdmsr(msr) & ~(u32)val, 0);	/* must-be-1 kept */
		assert_int_equal((u32)val & ~(val >> 32), 0);
	}
	assert_int_equal(caps_msr_read(MSR_VMX_PROCBASED2, &val), 0);
	assert_int_equal(val >> 32 & (CPU2_X2APIC_MODE | CPU2_APIC_REGISTERS | CPU2_VIRTUAL_INTR |
				      CPU2_VMFUNC | CPU2_PML | CPU2_EPT_VE | CPU2_SHADOW_VMCS |
				      CPU2_ENCLS_EXITING | CPU2_PT_GPA | CPU2_SUBPAGE_WRITE |
				      CPU2_MODE_BASED_EXEC), 0);
	assert_int_equal(caps_msr_read(MSR_VMX_TRUE_PINBASED, &val), 0);
	assert_int_equal(val >> 32 & PIN_POSTED_INTERRUPTS, 0);
	assert_int_equal(caps_msr_read(MSR_VMX_EPT_VPID_CAP, &val), 0);
	assert_int_equal(val & BIT(21), 0);
	assert_int_equal(caps_msr_read(MSR_VMX_BASIC, &val), 0);
	assert_int_equal((u32)val, W_REVISION);
	assert_int_equal(caps_msr_read(MSR_VMX_VMFUNC, &val), -UP_ENOENT);
	assert_int_equal(caps_msr_read(0x1b, &val), -UP_ENOENT);
}

static void fields_of_features_not_offered_do_not_exist(void **state)
{
	(void)state;
	assert_true(vmcs_row(VMCS_GUEST_RIP) == ROW_GUEST_RIP);
	assert_true(vmcs_row(VMCS_TSC_OFFSET | 1) == ROW_TSC_OFFSET);
	assert_int_equal(vmcs_row(VMCS_GUEST_RIP | 1), -1);	/* no upper half */
	assert_int_equal(vmcs_row(PML_ADDR), -1);
	assert_int_equal(vmcs_row(0x2016), -1);		/* posted-interrupt descriptor */
	assert_int_equal(vmcs_row(0x201c), -1);		/* EOI-exit bitmap */
	assert_int_equal(vmcs_row(VMCS_IO_BITMAP_A), -1);
	assert_int_equal(vmcs_row(0xdeadbeef), -1);
	assert_int_equal(vmcs_row(BIT(32) | VMCS_GUEST_RIP), -1);
	for (u64 enc = 0; enc < 0x10000; enc++) {
		int row = vmcs_row(enc);

		if (row >= 0)
			assert_int_equal(vmcs_field[row].encoding, enc & ~1ULL);
	}
}

/* Instructions */

#define RFLAGS_ALL	(0x8d5 | RFLAGS_IF)

static void nothing_but_vmxon_before_vmxon(void **state)
{
	static const u32 reason[] = {
		EXIT_REASON_VMCLEAR, EXIT_REASON_VMLAUNCH, EXIT_REASON_VMPTRLD,
		EXIT_REASON_VMPTRST, EXIT_REASON_VMREAD, EXIT_REASON_VMRESUME,
		EXIT_REASON_VMWRITE, EXIT_REASON_VMXOFF, EXIT_REASON_INVEPT, EXIT_REASON_INVVPID,
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(reason); i++) {
		assert_int_equal(w_insn(reason[i], 0, 0), W_FAULT);
		assert_int_equal(ev.vector, VEC_UD);
	}
	vmwrite(VMCS_CR4_SHADOW, 0x20);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMXON, W_VMXON), W_FAULT);
	assert_int_equal(ev.vector, VEC_UD);
}

static void user_mode_gets_gp(void **state)
{
	(void)state;
	w_vmxon();
	vmwrite(VMCS_GUEST_SS_AR, 0xc0f3);
	assert_int_equal(w_insn(EXIT_REASON_VMREAD, BIT(10), 0), W_FAULT);
	assert_int_equal(ev.vector, VEC_GP);
}

static void vmxon_checks_its_region(void **state)
{
	static const u64 bad[] = {
		W_VMXON + 1, 1ULL << W_MAXPHYADDR, W_VMFRAME, W_POOL, W_SCRATCH,
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(w_insn_mem(EXIT_REASON_VMXON, bad[i]), W_FAIL_INVALID);
	assert_false(fake_cpu->nested.vmxon);
	assert_true(nested_cr4_vmxe_may_clear(fake_cpu));
	w_vmxon();
	assert_false(nested_cr4_vmxe_may_clear(fake_cpu));
	assert_int_equal(w_insn_mem(EXIT_REASON_VMXON, W_VMXON), W_FAIL_INVALID);
	w_load(W_VMCS12);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMXON, W_VMXON), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_VMXON_IN_ROOT);
	assert_int_equal(w_insn(EXIT_REASON_VMXOFF, 0, 0), W_SUCCEED);
	assert_true(nested_cr4_vmxe_may_clear(fake_cpu));
}

static void vmptrld_and_vmclear_name_what_is_wrong(void **state)
{
	(void)state;
	w_vmxon();
	w_load(W_VMCS12);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12 + 8), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_VMPTRLD_ADDRESS);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMXON), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_VMPTRLD_VMXON);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_SCRATCH), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_VMPTRLD_REVISION);
	*(u32 *)phys(W_VMCS12B) |= BIT(31);	/* shadow VMCS */
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12B), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_VMPTRLD_REVISION);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, W_VMFRAME), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_VMCLEAR_ADDRESS);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, W_VMXON), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_VMCLEAR_VMXON);
	assert_int_equal(w_insn(EXIT_REASON_VMPTRST, BIT(27) | BIT(22) | 3 << 15 | 2 << 7,
				W_OPERAND), W_SUCCEED);
	assert_int_equal(*(u64 *)phys(W_OPERAND), W_VMCS12);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, W_VMCS12), W_SUCCEED);
	assert_int_equal(w_insn(EXIT_REASON_VMPTRST, BIT(27) | BIT(22) | 3 << 15 | 2 << 7,
				W_OPERAND), W_SUCCEED);
	assert_true(*(u64 *)phys(W_OPERAND) == ~0ULL);
}

static void vmread_and_vmwrite_keep_widths_and_halves(void **state)
{
	u64 val;

	(void)state;
	w_vmxon();
	assert_int_equal(w_vmread(VMCS_GUEST_RIP, &val), W_FAIL_INVALID);
	assert_int_equal(w_vmwrite(VMCS_GUEST_RIP, 1), W_FAIL_INVALID);
	w_load(W_VMCS12);
	w_write(VMCS_GUEST_CS_SEL, 0x123456);
	assert_int_equal(w_read(VMCS_GUEST_CS_SEL), 0x3456);
	w_write(VMCS_EXCEPTION_BITMAP, 0x1234567890);
	assert_int_equal(w_read(VMCS_EXCEPTION_BITMAP), 0x34567890);
	w_write(VMCS_TSC_OFFSET, 0x1122334455667788);
	w_write(VMCS_TSC_OFFSET | 1, 0xaabbccdd);
	assert_true(w_read(VMCS_TSC_OFFSET) == 0xaabbccdd55667788);
	assert_int_equal(w_read(VMCS_TSC_OFFSET | 1), 0xaabbccdd);
	assert_int_equal(w_vmwrite(VMCS_EXIT_REASON, 1), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_FIELD_READ_ONLY);
	assert_int_equal(w_vmwrite(PML_ADDR, 1), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_FIELD_UNSUPPORTED);
	assert_int_equal(w_vmread(0x7ffe, &val), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_FIELD_UNSUPPORTED);
}

static void vmread_reaches_rsp_and_memory(void **state)
{
	u32 mem = BIT(27) | BIT(22) | 3 << 15 | 2 << 7 | (u32)RCX << 28;

	(void)state;
	w_vmxon();
	w_load(W_VMCS12);
	w_write(VMCS_GUEST_SYSENTER_ESP, 0x1234);
	fake_cpu->gpr[RCX] = VMCS_GUEST_SYSENTER_ESP;
	assert_int_equal(w_insn(EXIT_REASON_VMREAD, BIT(10) | RSP << 3 | (u32)RCX << 28, 0),
			 W_SUCCEED);
	assert_int_equal(vmread(VMCS_GUEST_RSP), 0x1234);
	assert_int_equal(w_insn(EXIT_REASON_VMREAD, mem, W_OPERAND + 0xffc), W_SUCCEED);
	/* Across two pages that are not neighbours in physical memory. */
	assert_int_equal(*(u32 *)phys(W_OPERAND + 0xffc), 0x1234);
	assert_int_equal(*(u32 *)phys(W_SCRATCH), 0);
	*(u32 *)phys(W_OPERAND + 0xffc) = 0x55;
	*(u32 *)phys(W_SCRATCH) = 0x66;
	assert_int_equal(w_insn(EXIT_REASON_VMWRITE, mem, W_OPERAND + 0xffc), W_SUCCEED);
	assert_true(w_read(VMCS_GUEST_SYSENTER_ESP) == 0x6600000055);
}

static void memory_faults_are_l1s_and_change_nothing(void **state)
{
	u64 *pt = phys(0x4000), pte = pt[W_OPERAND >> 12];
	u32 mem = BIT(27) | BIT(22) | 3 << 15 | 2 << 7 | (u32)RCX << 28;

	(void)state;
	w_vmxon();
	w_load(W_VMCS12);
	fake_cpu->gpr[RCX] = VMCS_GUEST_SYSENTER_ESP;
	pt[W_OPERAND >> 12] = 0;
	assert_int_equal(w_insn(EXIT_REASON_VMREAD, mem, W_OPERAND), W_FAULT);
	assert_int_equal(ev.vector, VEC_PF);
	assert_int_equal(ev.error, 2);
	assert_true(ev.cr2 == W_OPERAND);
	pt[W_OPERAND >> 12] = pte & ~2ULL;	/* read-only, CR0.WP */
	assert_int_equal(w_insn(EXIT_REASON_VMREAD, mem, W_OPERAND), W_FAULT);
	assert_int_equal(ev.error, 3);
	assert_int_equal(w_insn(EXIT_REASON_VMWRITE, mem, W_OPERAND), W_SUCCEED);
	pt[W_OPERAND >> 12] = pte | 4;		/* user page, SMAP */
	assert_int_equal(w_insn(EXIT_REASON_VMWRITE, mem, W_OPERAND), W_FAULT);
	assert_int_equal(ev.error, 1);
	vmwrite(VMCS_GUEST_RFLAGS, 2 | RFLAGS_AC);
	assert_int_equal(w_insn(EXIT_REASON_VMWRITE, mem, W_OPERAND), W_SUCCEED);
	pt[W_OPERAND >> 12] = pte | BIT(45);	/* beyond MAXPHYADDR */
	assert_int_equal(w_insn(EXIT_REASON_VMWRITE, mem, W_OPERAND), W_FAULT);
	assert_int_equal(ev.error, 9);
	pt[W_OPERAND >> 12] = W_POOL | 0x63;	/* the layer's frame */
	assert_int_equal(w_insn(EXIT_REASON_VMWRITE, mem, W_OPERAND), W_FAULT);
	assert_int_equal(ev.vector, VEC_GP);
	assert_int_equal(w_insn(EXIT_REASON_VMWRITE, mem, BIT(47)), W_FAULT);
	assert_int_equal(ev.vector, VEC_GP);
	pt[W_OPERAND >> 12] = pte & ~0x60ULL;
	assert_int_equal(w_insn(EXIT_REASON_VMWRITE, mem, W_OPERAND), W_SUCCEED);
	assert_int_equal(pt[W_OPERAND >> 12], (pte & ~0x60ULL) | 0x20);	/* accessed only */
	assert_int_equal(w_insn(EXIT_REASON_VMREAD, mem, W_OPERAND), W_SUCCEED);
	assert_int_equal(pt[W_OPERAND >> 12], pte);			/* and dirty */
}

static void page_tables_in_foreign_frames_are_not_walked(void **state)
{
	struct paging p = { .cr3 = W_CR3, .cr4 = CR4_SMAP, .efer = EFER_NXE };
	u32 error;
	u64 pa;

	(void)state;
	assert_int_equal(gva_walk(&p, W_OPERAND, false, &pa, &error), 0);
	assert_int_equal(pa, W_OPERAND);
	w_usable[3] = false;
	assert_int_equal(gva_walk(&p, W_OPERAND, false, &pa, &error), -UP_EINVAL);
	w_usable[3] = true;
	((u64 *)phys(0x3000))[1] = 0x87 | 1 << 5;	/* 2 MiB page at 0 */
	assert_int_equal(gva_walk(&p, SZ_2M + 0x5000, false, &pa, &error), -UP_EPERM);
	((u64 *)phys(0x3000))[1] = 0x83;
	assert_int_equal(gva_walk(&p, SZ_2M + 0x5123, false, &pa, &error), 0);
	assert_int_equal(pa, 0x5123);
	((u64 *)phys(0x3000))[1] = 0x83 | BIT(13);	/* reserved */
	assert_int_equal(gva_walk(&p, SZ_2M, false, &pa, &error), -UP_EPERM);
	assert_int_equal(error, 9);
	((u64 *)phys(0x2000))[1] = 0x83;		/* 1 GiB page at 0 */
	assert_int_equal(gva_walk(&p, SZ_1G + 0x6000, false, &pa, &error), 0);
	assert_int_equal(pa, 0x6000);
	p.efer = 0;
	((u64 *)phys(0x2000))[1] |= BIT(63);
	assert_int_equal(gva_walk(&p, SZ_1G, false, &pa, &error), -UP_EPERM);
	p.cr4 |= CR4_LA57;
	p.cr3 = 0x5000;
	((u64 *)phys(0x5000))[0] = W_CR3 | 7;
	assert_int_equal(gva_walk(&p, W_OPERAND, false, &pa, &error), 0);
	assert_int_equal(pa, W_OPERAND);
}

static void operand_addresses_follow_the_manual(void **state)
{
	struct operand op = {
		.info = 3 << 15 | 2 << 7 | 2, .disp = (u64)-16, .base = 0x1000, .index = 3,
		.len = 8, .seg_base = 0x10000,
	};
	u64 la = 0;

	(void)state;
	assert_int_equal(operand_linear(&op, &la), 0);
	assert_int_equal(la, 0x1000 + 12 - 16);		/* DS has no base in 64-bit code */
	op.info = (op.info & ~(7u << 15)) | SEG_GS << 15;
	assert_int_equal(operand_linear(&op, &la), 0);
	assert_int_equal(la, 0x11000 + 12 - 16);
	op.info = (op.info & ~(7u << 7)) | 1 << 7;	/* 32-bit addresses wrap before the base */
	op.base = 0x100000000;
	op.index = 4;
	assert_int_equal(operand_linear(&op, &la), 0);
	assert_int_equal(la, 0x10000);
	op.info = BIT(27) | BIT(22) | SEG_SS << 15 | 2 << 7;
	op.disp = BIT(47) - 4;				/* runs out of the canonical half */
	assert_int_equal(operand_linear(&op, &la), 12);
	op.info |= 7 << 7;
	assert_int_equal(operand_linear(&op, &la), VEC_UD);
}

static void invvpid_reaches_only_the_layers_own_numbers(void **state)
{
	u32 info = BIT(27) | BIT(22) | 3 << 15 | 2 << 7 | (u32)RDX << 28;
	u64 *desc = phys(W_OPERAND);

	(void)state;
	in_l2();
	w_exit(EXIT_REASON_CPUID);
	fake_cpu->gpr[RDX] = 1;
	desc[0] = 7;
	assert_int_equal(w_insn(EXIT_REASON_INVVPID, info, W_OPERAND), W_SUCCEED);
	assert_int_equal(ev.invvpids, 1);
	assert_true(ev.last_invvpid == w_vmcs(w_vmcs02(), VMCS_VPID));
	assert_true(ev.last_invvpid >= VVMCS_FIRST_VPID);
	desc[0] = 1;		/* the number of the demoted host itself */
	assert_int_equal(w_insn(EXIT_REASON_INVVPID, info, W_OPERAND), W_SUCCEED);
	assert_int_equal(ev.invvpids, 0);
	desc[0] = 0;
	assert_int_equal(w_insn(EXIT_REASON_INVVPID, info, W_OPERAND), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_INVALID_OPERAND);
	desc[0] = 7;
	desc[1] = BIT(47);	/* not canonical */
	fake_cpu->gpr[RDX] = 0;
	assert_int_equal(w_insn(EXIT_REASON_INVVPID, info, W_OPERAND), W_FAIL_VALID);
	desc[1] = 0x1000;
	for (u64 type = 0; type < 4; type++) {
		fake_cpu->gpr[RDX] = type;
		assert_int_equal(w_insn(EXIT_REASON_INVVPID, info, W_OPERAND), W_SUCCEED);
		assert_int_equal(ev.invvpids, 1);
	}
	fake_cpu->gpr[RDX] = 4;
	assert_int_equal(w_insn(EXIT_REASON_INVVPID, info, W_OPERAND), W_FAIL_VALID);
	fake_cpu->gpr[RDX] = 3;
	assert_int_equal(w_insn(EXIT_REASON_INVEPT, info, W_OPERAND), W_FAIL_VALID);
	desc[0] = W_EPTP;
	fake_cpu->gpr[RDX] = 1;
	assert_int_equal(w_insn(EXIT_REASON_INVEPT, info, W_OPERAND), W_SUCCEED);
	assert_int_equal(ev.shadow_invepts, 1);
}

/* VMCSs and CPUs */

static void contents_survive_vmclear_and_migration(void **state)
{
	(void)state;
	in_l2();
	vmwrite(VMCS_GUEST_CR3, 0x7777000);		/* L2 changed it */
	vmwrite(VMCS_GUEST_RIP, 0x4242);
	w_exit(EXIT_REASON_HLT);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, W_VMCS12), W_SUCCEED);
	assert_int_equal(*(u32 *)phys(W_VMCS12), W_REVISION);

	w_use_cpu(1);
	w_vmxon();
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_SUCCEED);
	assert_int_equal(w_read(VMCS_GUEST_CR3), 0x7777000);
	assert_int_equal(w_read(VMCS_GUEST_RIP), 0x4242);
	assert_int_equal(w_enter(false), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_RESUME_NOT_LAUNCHED);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(w_vmcs(w_vmcs02(), VMCS_GUEST_CR3), 0x7777000);
	assert_int_equal(w_vmcs(w_vmcs02(), VMCS_HOST_GS_BASE), 2);	/* this CPU's root */
}

static void one_vmcs_on_two_cpus_is_refused(void **state)
{
	(void)state;
	w_vmxon();
	w_load(W_VMCS12);
	w_use_cpu(1);
	w_vmxon();
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_FAIL_INVALID);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, W_VMCS12), W_FAIL_INVALID);
	w_use_cpu(0);
	assert_int_equal(w_insn(EXIT_REASON_VMXOFF, 0, 0), W_SUCCEED);
	w_use_cpu(1);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_SUCCEED);
}

static void a_donated_frame_gets_nothing_back(void **state)
{
	u8 before[PAGE_SIZE];

	(void)state;
	w_vmxon();
	w_load(W_VMCS12);
	w_write(VMCS_GUEST_RIP, 0x1234);
	memcpy(before, phys(W_VMCS12), PAGE_SIZE);
	w_usable[W_VMCS12 >> 12] = false;
	assert_int_equal(w_insn(EXIT_REASON_VMXOFF, 0, 0), W_SUCCEED);
	assert_memory_equal(before, phys(W_VMCS12), PAGE_SIZE);
}

static void no_frame_is_lost(void **state)
{
	u32 before;

	(void)state;
	w_vmxon();
	before = w_pool_used;
	for (u32 i = 0; i < 3000; i++) {
		w_load(i & 1 ? W_VMCS12 : W_VMCS12B);
		assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, i & 1 ? W_VMCS12 : W_VMCS12B),
				 W_SUCCEED);
	}
	assert_int_equal(w_pool_used, before);
	for (u32 short_of = 0; short_of < 3; short_of++) {
		w_pool_limit = before + short_of;
		assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_FAIL_INVALID);
		assert_int_equal(w_pool_used, before);
	}
}

/*
 * KVM does not look whether VMPTRLD failed.  The manual's failures leave the VMCS that
 * was current; those that only the layer has must leave none, not another vCPU's.
 */
static void what_cannot_be_loaded_leaves_no_vmcs_current(void **state)
{
	u64 val;

	(void)state;
	w_vmxon();
	w_load(W_VMCS12);
	w_write(VMCS_GUEST_RIP, 0x1111);
	for (u32 more = 0; more < 4; more++) {
		bool shared = more == 3;	/* not for want of memory: the frame is a VM's */
		u64 pa = shared ? W_VMFRAME : W_VMCS12B;

		w_pool_limit = w_pool_used + more % 3;
		assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, pa), W_FAIL_INVALID);
		assert_null(fake_cpu->nested.current);
		assert_int_equal(w_vmwrite(VMCS_GUEST_RIP, 0x2222), W_FAIL_INVALID);
		assert_int_equal(w_vmread(VMCS_GUEST_RIP, &val), W_FAIL_INVALID);
		assert_int_equal(w_enter(true), W_FAIL_INVALID);
		assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_SUCCEED);
		assert_int_equal(w_read(VMCS_GUEST_RIP), 0x1111);
	}
	w_pool_limit = 1000;
	w_use_cpu(1);
	w_vmxon();
	w_load(W_VMCS12B);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_FAIL_INVALID);
	assert_null(fake_cpu->nested.current);
}

#define MANY	5000U

/* The frame of the nth of many VMCS12s. */
static u64 nth(u32 n)
{
	return (W_FRAMES - MANY + n) << PAGE_SHIFT;
}

static bool vpid_seen[1 << 16];

static void check_vpid(u16 hw_vpid, u64 n)
{
	assert_true(hw_vpid >= VVMCS_FIRST_VPID && !vpid_seen[hw_vpid]);
	vpid_seen[hw_vpid] = true;
	assert_true(n < MANY);
}

/* Memory is the only bound; every one keeps its contents and has a VPID of its own. */
static void five_thousand_vmcss_are_active(void **state)
{
	u32 before;

	(void)state;
	memset(vpid_seen, 0, sizeof(vpid_seen));
	w_pool_limit = 5 * MANY;
	w_vmxon();
	before = w_pool_used;
	for (u32 n = 0; n < MANY; n++) {
		w_usable[nth(n) >> PAGE_SHIFT] = true;
		*(u32 *)phys(nth(n)) = W_REVISION;
		w_load(nth(n));
		w_write(VMCS_GUEST_RIP, n);
		w_write(VMCS_VPID, n + 1);
	}
	for (u32 n = 0; n < MANY; n++) {
		assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, nth(n)), W_SUCCEED);
		assert_int_equal(w_read(VMCS_GUEST_RIP), n);
		vvmcs_for_vpid(fake_cpu, (u16)(n + 1), check_vpid, n);
	}
	/* From the middle of the list, both its ends, and the rest at once. */
	for (u32 n = 1; n < MANY; n += 2)
		assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, nth(n)), W_SUCCEED);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, nth(0)), W_SUCCEED);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, nth(3)), W_SUCCEED);
	assert_int_equal(w_read(VMCS_GUEST_RIP), 3);
	assert_int_equal(w_insn(EXIT_REASON_VMXOFF, 0, 0), W_SUCCEED);
	assert_int_equal(w_pool_used, before);
}

/* VPIDs come back: more VMCSs than there are numbers, one after the other. */
static void vpids_do_not_run_out(void **state)
{
	(void)state;
	w_vmxon();
	for (u32 i = 0; i < 70000; i++)
		w_load(W_VMCS12);
}

static void a_bound_vmcs_stays_the_layers(void **state)
{
	struct vvmcs *vv;
	struct vcpu *vcpu = (struct vcpu *)&vv;
	u8 before[PAGE_SIZE];

	(void)state;
	in_vm_ready();
	vv = fake_cpu->nested.current;
	assert_int_equal(vvmcs_bind(cpus[1], vv, vcpu), -UP_EBUSY);
	assert_int_equal(vvmcs_bind(fake_cpu, vv, vcpu), 0);
	assert_int_equal(vvmcs_bind(fake_cpu, vv, vcpu), -UP_EEXIST);
	memcpy(before, phys(W_VMCS12), PAGE_SIZE);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, W_VMCS12), W_SUCCEED);
	assert_memory_equal(before, phys(W_VMCS12), PAGE_SIZE);
	w_use_cpu(1);
	w_vmxon();
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_SUCCEED);
	assert_ptr_equal(fake_cpu->nested.current, vv);
	assert_ptr_equal(vv->vcpu, vcpu);
	/* protect_entry() says no: the entry fails, nothing ran. */
	assert_int_equal(w_enter(true), W_FAIL_VALID);
	assert_int_equal(vvmcs_unbind(cpus[0], vv), -UP_EBUSY);
	assert_int_equal(vvmcs_unbind(fake_cpu, vv), 0);
	assert_null(fake_cpu->nested.current);
}

static void of_a_bound_vmcs_only_the_guard_touches_guest_state(void **state)
{
	struct vcpu *vcpu = (struct vcpu *)&guard;
	u64 v02;

	(void)state;
	in_vm_ready();
	assert_int_equal(vvmcs_bind(fake_cpu, fake_cpu->nested.current, vcpu), 0);
	v02 = w_vmcs02();
	guard.entry = 0;
	w_set_vmcs(v02, VMCS_GUEST_RIP, 0xfff0);
	w_set_vmcs(v02, VMCS_EXCEPTION_BITMAP, 0x40);
	w_write(VMCS_GUEST_RIP, 0x6666);
	w_write(VMCS_GUEST_CR3, 0x6666000);
	w_write(VMCS_EXCEPTION_BITMAP, ~0u);
	w_write(VMCS_TPR_THRESHOLD, 3);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_ptr_equal(fake_cpu->vcpu, vcpu);
	assert_int_equal(w_vmcs(v02, VMCS_GUEST_RIP), 0xfff0);
	assert_int_equal(w_vmcs(v02, VMCS_GUEST_CR3), 0);
	assert_int_equal(w_vmcs(v02, VMCS_EXCEPTION_BITMAP), 0x40);
	assert_int_equal(w_vmcs(v02, VMCS_TPR_THRESHOLD), 3);
	assert_int_equal(w_vmcs(v02, VMCS_EPTP), 0);		/* the guard's to write */
	guard.handled = true;
	w_exit(EXIT_REASON_CPUID);
	assert_true(fake_cpu->nested.in_vm);
	guard.handled = false;
	vmwrite(VMCS_GUEST_RSP, 0x5ec7e7);
	vmwrite(VMCS_GUEST_FS_BASE, 0x5ec7e7);
	vmwrite(VMCS_GUEST_EFER, 0x5ec7e7);
	w_exit(EXIT_REASON_HLT);
	assert_int_equal(guard.exits, 2);
	assert_int_equal(guard.reflected, 1);
	assert_null(fake_cpu->vcpu);
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_HLT);
	for (u32 row = 0; row < NR_VMCS_ROWS; row++) {
		u64 val;

		if (w_vmread(vmcs_field[row].encoding, &val) == W_SUCCEED)
			assert_int_not_equal(val, 0x5ec7e7);
	}
	assert_int_equal(vmread(VMCS_GUEST_EFER), 0xd01);	/* L1's own */
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_true(nested_nmi(fake_cpu));
	assert_int_equal(guard.reflected, 2);
	assert_int_equal(w_read(VMCS_IDT_VECTORING_INFO), 0x77);
	assert_int_equal(w_enter(false), W_ENTERED);
	w_exit(EXIT_REASON_GUEST_STATE | BIT(31));
	assert_int_equal(guard.failed, 1);
	assert_int_equal(w_enter(false), W_ENTERED);
	nested_entry_failed(fake_cpu, VMERR_ENTRY_CONTROLS);
	assert_int_equal(guard.failed, 2);
	assert_int_equal(vvmcs_unbind(fake_cpu, fake_cpu->nested.current), 0);
}

/* VM entry */

static void entry_merges_what_l1_wants_with_what_the_layer_needs(void **state)
{
	u64 v02;

	(void)state;
	in_l2();
	v02 = w_vmcs02();
	assert_true(w_vmcs(v02, VMCS_EPTP) == (W_EPTP ^ 0x100000));
	assert_true(w_vmcs(v02, VMCS_CPU2_CTLS) & CPU2_VPID);
	assert_true(w_vmcs(v02, VMCS_MSR_BITMAP) >= W_POOL);
	assert_true(w_vmcs(v02, VMCS_EXIT_CTLS) & EXIT_SAVE_EFER);
	assert_int_equal(w_vmcs(v02, VMCS_EXIT_MSR_LOAD_COUNT), 0);
	assert_true(w_vmcs(v02, VMCS_HOST_RIP) == 0xffff800000001000);
	assert_int_equal(w_vmcs(v02, VMCS_GUEST_RIP), 0x1000);
	assert_int_equal(fake_cpu->resume_launch, 1);
	w_exit(EXIT_REASON_CPUID);
	assert_int_equal(fake_cpu->resume_launch, 0);
	assert_int_equal(w_enter(true), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_LAUNCH_NOT_CLEAR);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(fake_cpu->resume_launch, 0);
}

static void translations_of_a_former_owner_are_flushed(void **state)
{
	(void)state;
	in_vm_ready();
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(ev.invvpids, 1);
	assert_true(ev.last_invvpid == w_vmcs(w_vmcs02(), VMCS_VPID));
	w_exit(EXIT_REASON_CPUID);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(ev.invvpids, 0);
	w_exit(EXIT_REASON_CPUID);
	w_load(W_VMCS12);			/* perhaps back from another CPU */
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(ev.invvpids, 1);
}

static void without_a_vpid_every_entry_flushes(void **state)
{
	(void)state;
	in_vm_ready();
	w_write(VMCS_CPU2_CTLS, CPU2_EPT | CPU2_UNRESTRICTED);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(w_enter(!i), W_ENTERED);
		assert_int_equal(ev.invvpids, 1);
		assert_true(w_vmcs(w_vmcs02(), VMCS_CPU2_CTLS) & CPU2_VPID);
		w_exit(EXIT_REASON_CPUID);
	}
}

struct refusal {
	u32 enc;
	u64 val;
	u32 error;
};

static const struct refusal refusals[] = {
	{ VMCS_PIN_CTLS, 0, VMERR_ENTRY_CONTROLS },
	{ VMCS_PIN_CTLS, 0x16 | PIN_POSTED_INTERRUPTS, VMERR_ENTRY_CONTROLS },
	{ VMCS_CPU_CTLS, 0x04006172 | CPU_TERTIARY_CTLS | CPU_SECONDARY_CTLS,
	  VMERR_ENTRY_CONTROLS },
	{ VMCS_CPU_CTLS, 0x04006172, VMERR_ENTRY_CONTROLS },	/* no EPT */
	{ VMCS_CPU2_CTLS, CPU2_EPT | CPU2_PML, VMERR_ENTRY_CONTROLS },
	{ VMCS_CPU2_CTLS, CPU2_EPT | CPU2_VMFUNC, VMERR_ENTRY_CONTROLS },
	{ VMCS_CPU2_CTLS, CPU2_EPT | CPU2_SHADOW_VMCS, VMERR_ENTRY_CONTROLS },
	{ VMCS_CPU2_CTLS, CPU2_EPT | CPU2_VIRTUAL_INTR, VMERR_ENTRY_CONTROLS },
	{ VMCS_EXIT_CTLS, 0x00036fff & ~EXIT_HOST_64, VMERR_ENTRY_CONTROLS },
	{ VMCS_EXIT_CTLS, 0x00036fff | EXIT_SAVE_PREEMPTION, VMERR_ENTRY_CONTROLS },
	{ VMCS_ENTRY_CTLS, 0x000011ff | ENTRY_SMM, VMERR_ENTRY_CONTROLS },
	{ VMCS_EPTP, W_EPTP | BIT(6), VMERR_ENTRY_CONTROLS },	/* accessed and dirty */
	{ VMCS_EPTP, W_EPTP & ~6ULL, 0 },			/* UC: allowed */
	{ VMCS_EPTP, W_EPTP | BIT(45), VMERR_ENTRY_CONTROLS },
	{ VMCS_EPTP, (W_EPTP & ~0x38ULL) | 4 << 3, VMERR_ENTRY_CONTROLS },
	{ VMCS_VPID, 0, VMERR_ENTRY_CONTROLS },
	{ VMCS_CR3_TARGET_COUNT, 5, VMERR_ENTRY_CONTROLS },
	{ VMCS_MSR_BITMAP, W_VMFRAME, VMERR_ENTRY_CONTROLS },
	{ VMCS_MSR_BITMAP, W_POOL, VMERR_ENTRY_CONTROLS },
	{ VMCS_MSR_BITMAP, W_MSR_BITMAP + 8, VMERR_ENTRY_CONTROLS },
	{ VMCS_VIRTUAL_APIC_ADDR, W_POOL, VMERR_ENTRY_CONTROLS },
	{ VMCS_VIRTUAL_APIC_ADDR, W_VMFRAME, VMERR_ENTRY_CONTROLS },
	{ VMCS_APIC_ACCESS_ADDR, W_VMFRAME, VMERR_ENTRY_CONTROLS },
	{ VMCS_EXIT_MSR_LOAD_COUNT, 513, VMERR_ENTRY_CONTROLS },
	{ VMCS_EXIT_MSR_STORE_COUNT, 0xffffffff, VMERR_ENTRY_CONTROLS },
	{ VMCS_ENTRY_MSR_LOAD_COUNT, 600, VMERR_ENTRY_CONTROLS },
	{ VMCS_HOST_CR0, 0x10033, VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_CR4, 0x80a0, VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_CR4, 0x2080, VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_CR3, BIT(45), VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_EFER, 0x1, VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_EFER, 0xd01 | BIT(20), VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_PAT, 2, VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_CS_SEL, 0, VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_TR_SEL, 0, VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_SS_SEL, 0x1b, VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_RIP, BIT(47), VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_GS_BASE, BIT(60), VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_SYSENTER_EIP, BIT(60), VMERR_ENTRY_HOST_STATE },
	{ VMCS_HOST_IDTR_BASE, BIT(60), VMERR_ENTRY_HOST_STATE },
};

static void each_bad_field_is_refused_and_can_be_mended(void **state)
{
	u64 good;

	(void)state;
	in_vm_ready();
	for (u32 i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *r = &refusals[i];

		good = w_read(r->enc);
		w_write(r->enc, r->val);
		if (r->error) {
			assert_int_equal(w_enter(true), W_FAIL_VALID);
			assert_int_equal(w_insn_error(), r->error);
		}
		w_write(r->enc, good);
	}
	assert_int_equal(w_enter(true), W_ENTERED);
}

static void addresses_are_asked_at_every_entry(void **state)
{
	(void)state;
	in_l2();
	w_exit(EXIT_REASON_CPUID);
	w_usable[W_VAPIC >> 12] = false;		/* donated meanwhile */
	assert_int_equal(w_enter(false), W_FAIL_VALID);
	w_usable[W_VAPIC >> 12] = true;
	w_usable[W_MSR_BITMAP >> 12] = false;
	assert_int_equal(w_enter(false), W_FAIL_VALID);
	w_usable[W_MSR_BITMAP >> 12] = true;
	assert_int_equal(w_enter(false), W_ENTERED);
}

static void a_bad_guest_state_is_an_entry_failure(void **state)
{
	(void)state;
	in_vm_ready();
	w_write(VMCS_VMCS_LINK, W_VMCS12B);
	assert_int_equal(w_enter(true), W_EXITED);
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_GUEST_STATE | BIT(31));
	assert_int_equal(w_read(VMCS_EXIT_QUAL), 4);
	assert_true(vmread(VMCS_GUEST_RIP) != 0x1000);
	w_write(VMCS_VMCS_LINK, ~0ULL);
	w_write(VMCS_GUEST_ACTIVITY, ACTIVITY_WAIT_SIPI);
	assert_int_equal(w_enter(true), W_EXITED);
	w_write(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	assert_int_equal(w_enter(true), W_ENTERED);	/* still clear, not launched */
}

static void only_a_64_bit_host_enters(void **state)
{
	(void)state;
	in_vm_ready();
	vmwrite(VMCS_GUEST_EFER, 1);
	assert_int_equal(w_enter(true), W_FAULT);
	assert_int_equal(ev.vector, VEC_UD);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	vmwrite(VMCS_GUEST_EFER, 0xd01);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, BLOCKED_BY_MOV_SS);
	assert_int_equal(w_enter(true), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_ENTRY_MOV_SS);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
	assert_int_equal(w_enter(true), W_ENTERED);
}

static void the_short_way_is_the_long_way(void **state)
{
	u64 rip = vmread(VMCS_GUEST_RIP);

	(void)state;
	fake_cpu->gpr[RCX] = VMCS_GUEST_SYSENTER_ESP;
	vmwrite(VMCS_EXIT_INSN_INFO, BIT(10) | RBX << 3 | (u32)RCX << 28);
	vmwrite(VMCS_EXIT_INSN_LEN, W_INSN_LEN);
	assert_false(nested_insn_fast(fake_cpu, EXIT_REASON_VMREAD));	/* no VMXON */
	w_vmxon();
	assert_false(nested_insn_fast(fake_cpu, EXIT_REASON_VMREAD));	/* no VMCS */
	w_load(W_VMCS12);
	w_write(VMCS_GUEST_SYSENTER_ESP, 0x1234);
	fake_cpu->gpr[RBX] = 0;
	vmwrite(VMCS_GUEST_RFLAGS, 0x2 | RFLAGS_ALL);
	rip = vmread(VMCS_GUEST_RIP);
	assert_true(nested_insn_fast(fake_cpu, EXIT_REASON_VMREAD));
	assert_int_equal(fake_cpu->gpr[RBX], 0x1234);
	assert_int_equal(vmread(VMCS_GUEST_RFLAGS), 2 | RFLAGS_IF);
	assert_true(vmread(VMCS_GUEST_RIP) == rip + W_INSN_LEN);
	fake_cpu->gpr[RBX] = 0x5678;
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, BLOCKED_BY_STI | BLOCKED_BY_NMI);
	assert_true(nested_insn_fast(fake_cpu, EXIT_REASON_VMWRITE));
	assert_int_equal(w_read(VMCS_GUEST_SYSENTER_ESP), 0x5678);
	assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), BLOCKED_BY_NMI);
	/* What may fail, or is rare, goes the long way, and nothing was done. */
	vmwrite(VMCS_EXIT_INSN_INFO, RBX << 3 | (u32)RCX << 28);
	assert_false(nested_insn_fast(fake_cpu, EXIT_REASON_VMREAD));
	vmwrite(VMCS_EXIT_INSN_INFO, BIT(10) | RBX << 3 | (u32)RCX << 28);
	fake_cpu->gpr[RCX] = VMCS_EXIT_REASON;
	assert_false(nested_insn_fast(fake_cpu, EXIT_REASON_VMWRITE));
	fake_cpu->gpr[RCX] = PML_ADDR;
	assert_false(nested_insn_fast(fake_cpu, EXIT_REASON_VMREAD));
	fake_cpu->gpr[RCX] = VMCS_TSC_OFFSET | 1;
	assert_false(nested_insn_fast(fake_cpu, EXIT_REASON_VMREAD));
	fake_cpu->gpr[RCX] = ~0ULL;
	assert_false(nested_insn_fast(fake_cpu, EXIT_REASON_VMREAD));
	fake_cpu->gpr[RCX] = VMCS_GUEST_SYSENTER_ESP;
	vmwrite(VMCS_GUEST_SS_AR, 0xc0f3);
	assert_false(nested_insn_fast(fake_cpu, EXIT_REASON_VMREAD));
	vmwrite(VMCS_GUEST_SS_AR, 0xc093);
}

static void what_hardware_refuses_l1_learns(void **state)
{
	u64 rip;

	(void)state;
	in_l2();
	rip = w_vmcs(fake_cpu->vmcs01_pa, VMCS_GUEST_RIP);
	nested_entry_failed(fake_cpu, VMERR_ENTRY_CONTROLS);
	assert_false(fake_cpu->nested.in_vm);
	assert_int_equal(vmread(VMCS_GUEST_RIP), rip + W_INSN_LEN);
	assert_int_equal(w_insn_error(), VMERR_ENTRY_CONTROLS);
	assert_int_equal(w_enter(true), W_ENTERED);
	vmwrite(VMCS_EXIT_QUAL, 3);
	w_exit(EXIT_REASON_GUEST_STATE | BIT(31));
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_GUEST_STATE | BIT(31));
	assert_int_equal(w_read(VMCS_EXIT_QUAL), 3);
	assert_int_equal(w_read(VMCS_GUEST_RIP), 0x1000);
	assert_int_equal(w_enter(false), W_FAIL_VALID);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(fake_cpu->resume_launch, 1);
}

static void efer_and_pat_follow_the_controls(void **state)
{
	(void)state;
	in_vm_ready();
	w_write(VMCS_ENTRY_CTLS, 0x000011ff | ENTRY_IA32E);
	w_write(VMCS_EXIT_CTLS, 0x00036fff);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(w_vmcs(w_vmcs02(), VMCS_GUEST_EFER), 0xd01);	/* L1's */
	vmwrite(VMCS_GUEST_EFER, 0x501);
	vmwrite(VMCS_GUEST_PAT, 0x0606060606060606);
	w_exit(EXIT_REASON_CPUID);
	assert_int_equal(vmread(VMCS_GUEST_EFER), 0x501);		/* L2's stays */
	assert_int_equal(vmread(VMCS_GUEST_PAT), 0x0606060606060606);
	w_write(VMCS_ENTRY_CTLS, 0x000011ff);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(w_vmcs(w_vmcs02(), VMCS_GUEST_EFER), 1);
}

/* Bitmaps and lists */

static u8 *l1_bitmap(void)
{
	return phys(W_MSR_BITMAP);
}

static u8 *merged_bitmap(void)
{
	return phys(w_vmcs(w_vmcs02(), VMCS_MSR_BITMAP));
}

static void l1s_bitmap_can_never_open_the_floor(void **state)
{
	(void)state;
	in_vm_ready();
	memset(l1_bitmap(), 0, PAGE_SIZE);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(merged_bitmap()[0x79 / 8] >> 0x79 % 8 & 1, 1);
	assert_int_equal(merged_bitmap()[2048 + 0x480 / 8] & 1, 1);
	fake_cpu->gpr[RCX] = 0x79;
	w_exit(EXIT_REASON_WRMSR);
	assert_true(fake_cpu->nested.in_vm);
	assert_int_equal(ev.vector, VEC_GP);
}

static void a_new_interception_holds_from_the_next_entry(void **state)
{
	(void)state;
	in_vm_ready();
	l1_bitmap()[0x174 / 8] = 0;			/* passes 0x170..0x177 */
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(merged_bitmap()[0x174 / 8], 0);
	w_exit(EXIT_REASON_CPUID);
	l1_bitmap()[0x174 / 8] = 0xff;			/* in place, no VMCS write */
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(merged_bitmap()[0x174 / 8], 0xff);
}

static void a_new_permission_is_found_by_the_first_exit(void **state)
{
	(void)state;
	in_l2();
	w_exit(EXIT_REASON_CPUID);
	l1_bitmap()[1024 + 0x102 / 8] = 0;
	assert_int_equal(w_enter(false), W_ENTERED);
	fake_cpu->gpr[RCX] = 0xc0000102;
	w_exit(EXIT_REASON_RDMSR);
	assert_true(fake_cpu->nested.in_vm);		/* run on: it does not exit any more */
	assert_int_equal(ev.vector, ~0u);
	assert_int_equal(merged_bitmap()[1024 + 0x102 / 8], 0);
	fake_cpu->gpr[RCX] = 0xc0000082;
	w_exit(EXIT_REASON_RDMSR);
	assert_false(fake_cpu->nested.in_vm);		/* L1 wants that one */
	assert_int_equal(w_enter(false), W_ENTERED);
	fake_cpu->gpr[RCX] = 0x40000000;		/* outside the bitmap */
	w_exit(EXIT_REASON_RDMSR);
	assert_false(fake_cpu->nested.in_vm);
}

static void many_open_words_are_merged_as_a_whole(void **state)
{
	(void)state;
	in_vm_ready();
	memset(l1_bitmap(), 0, PAGE_SIZE);
	assert_int_equal(w_enter(true), W_ENTERED);
	w_exit(EXIT_REASON_CPUID);
	l1_bitmap()[4095] = 0xff;
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(merged_bitmap()[4095], 0xff);
}

static void ports_of_the_floor_exit(void **state)
{
	u64 cpu = 0x04006172 | CPU_MSR_BITMAPS | CPU_SECONDARY_CTLS;

	(void)state;
	in_vm_ready();
	w_write(VMCS_CPU_CTLS, cpu | CPU_IO_BITMAPS);	/* not offered */
	assert_int_equal(w_enter(true), W_FAIL_VALID);
	w_write(VMCS_CPU_CTLS, cpu | CPU_UNCOND_IO_EXITING);
	assert_int_equal(w_enter(true), W_ENTERED);
	vmwrite(VMCS_EXIT_QUAL, 0x604ULL << 16);
	w_exit(EXIT_REASON_IO);
	assert_false(fake_cpu->nested.in_vm);
	w_write(VMCS_CPU_CTLS, cpu);			/* L1 wants no port at all */
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_true(w_vmcs(w_vmcs02(), VMCS_CPU_CTLS) & CPU_IO_BITMAPS);
	assert_true(w_vmcs(w_vmcs02(), VMCS_IO_BITMAP_A) == io_bitmap(0));
	assert_int_equal(((u8 *)phys(io_bitmap(0)))[0x605 / 8] >> 5 & 1, 1);
	vmwrite(VMCS_EXIT_QUAL, 0x604ULL << 16);
	w_exit(EXIT_REASON_IO);
	assert_true(fake_cpu->nested.in_vm);
	assert_int_equal(ev.vector, VEC_GP);
}

struct list_entry {
	u32 index, reserved;
	u64 value;
};

static void msr_lists_load_only_what_is_allowed(void **state)
{
	struct list_entry *l = phys(W_MSR_LIST);

	(void)state;
	in_vm_ready();
	w_write(VMCS_ENTRY_MSR_LOAD_ADDR, W_MSR_LIST);
	w_write(VMCS_ENTRY_MSR_LOAD_COUNT, 2);
	l[0] = (struct list_entry){ 0xc0000102, 0, 5 };
	l[1] = (struct list_entry){ 0x79, 0, 0xffff800000000000 };
	assert_int_equal(w_enter(true), W_EXITED);
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_MSR_LOAD | BIT(31));
	assert_int_equal(w_read(VMCS_EXIT_QUAL), 2);
	l[1] = (struct list_entry){ 0xc0000101, 0, 0 };		/* GS base */
	assert_int_equal(w_enter(true), W_EXITED);
	l[1] = (struct list_entry){ 0x150, 0, 0 };		/* never */
	assert_int_equal(w_enter(true), W_EXITED);
	l[1] = (struct list_entry){ 0x600, 0, UP_IMAGE_BASE };	/* PEBS into root's memory */
	assert_int_equal(w_enter(true), W_EXITED);
	l[1] = (struct list_entry){ 0xc0000080, 0, 0xd01 };	/* EFER goes into its field */
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(w_vmcs(w_vmcs02(), VMCS_GUEST_EFER), 0xd01);
	assert_int_equal(w_vmcs(w_vmcs02(), VMCS_ENTRY_MSR_LOAD_COUNT), 1);
	l[0].index = 0x79;	/* too late: hardware reads the layer's copy */
	assert_int_equal(*(u32 *)phys(w_vmcs(w_vmcs02(), VMCS_ENTRY_MSR_LOAD_ADDR)), 0xc0000102);
	ev.ept_result = EPT_FILLED;
	vmwrite(VMCS_GUEST_PHYS_ADDR, 0x5000);
	w_exit(EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(w_vmcs(w_vmcs02(), VMCS_ENTRY_MSR_LOAD_COUNT), 0);	/* once */
}

/* Longer than a frame, and no frame is needed for it: the last value counts. */
static void a_list_of_512_entries_is_taken(void **state)
{
	struct list_entry *l = phys(W_MSR_LIST), *copy;

	(void)state;
	in_vm_ready();
	w_pool_limit = w_pool_used;
	w_write(VMCS_ENTRY_MSR_LOAD_ADDR, W_MSR_LIST);
	w_write(VMCS_ENTRY_MSR_LOAD_COUNT, 512);
	for (u32 i = 0; i < 512; i++)
		l[i] = (struct list_entry){ 0xc1 + i % 7, 0, i };
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(w_vmcs(w_vmcs02(), VMCS_ENTRY_MSR_LOAD_COUNT), 7);
	copy = phys(w_vmcs(w_vmcs02(), VMCS_ENTRY_MSR_LOAD_ADDR));
	assert_int_equal((u64)copy % 16, 0);
	for (u32 i = 0; i < 7; i++) {
		assert_int_equal(copy[i].index, 0xc1 + i);
		assert_int_equal(copy[i].value % 7, i);
		assert_true(copy[i].value >= 505);
	}
}

/* All MSRs that may be listed, at once. */
static void the_copy_has_room_for_every_msr(void **state)
{
	struct list_entry *l = phys(W_MSR_LIST);
	u32 n = 0;

	(void)state;
	in_vm_ready();
	for (u64 msr = 0; msr < 0xc0002000; msr += msr == 0x1fff ? 0xbfffe001 : 1) {
		const struct msr_row *r = msr_row((u32)msr);

		if (r && r->list == MSR_LIST_REGISTER) {
			assert_true(n < 512);
			l[n++] = (struct list_entry){ (u32)msr, 0, 0 };
		}
	}
	assert_true(n > 30);
	w_write(VMCS_ENTRY_MSR_LOAD_ADDR, W_MSR_LIST);
	w_write(VMCS_ENTRY_MSR_LOAD_COUNT, n);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(w_vmcs(w_vmcs02(), VMCS_ENTRY_MSR_LOAD_COUNT), n);
}

/* What KVM lists on servers while the NMI watchdog or perf uses PEBS. */
static void the_ds_area_may_be_listed(void **state)
{
	struct list_entry *l = phys(W_MSR_LIST);

	(void)state;
	in_vm_ready();
	w_write(VMCS_ENTRY_MSR_LOAD_ADDR, W_MSR_LIST);
	w_write(VMCS_ENTRY_MSR_LOAD_COUNT, 2);
	l[0] = (struct list_entry){ 0x3f1, 0, 0 };
	l[1] = (struct list_entry){ 0x600, 0, 0xfffffe0000001000 };
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(w_vmcs(w_vmcs02(), VMCS_ENTRY_MSR_LOAD_COUNT), 2);
}

static void exit_lists_are_carried_out_on_exits_to_l1(void **state)
{
	struct list_entry *store = phys(W_MSR_LIST), *load = phys(W_MSR_LIST + 0x800);

	(void)state;
	in_vm_ready();
	store[0] = (struct list_entry){ 0xc0000102, 0, 0 };
	store[1] = (struct list_entry){ 0xc0000080, 0, 0 };
	load[0] = (struct list_entry){ 0xc0000102, 0, 0x99 };
	load[1] = (struct list_entry){ 0xc0000080, 0, 0xd01 };
	load[2] = (struct list_entry){ 0x480, 0, 1 };
	w_write(VMCS_EXIT_MSR_STORE_ADDR, W_MSR_LIST);
	w_write(VMCS_EXIT_MSR_STORE_COUNT, 2);
	w_write(VMCS_EXIT_MSR_LOAD_ADDR, W_MSR_LIST + 0x800);
	w_write(VMCS_EXIT_MSR_LOAD_COUNT, 3);
	assert_int_equal(w_enter(true), W_ENTERED);
	w_msr[0x2102] = 0x77;
	w_msr[0x480] = 0;
	w_exit(EXIT_REASON_CPUID);
	assert_int_equal(store[0].value, 0x77);
	assert_int_equal(store[1].value, 0x500);
	assert_int_equal(w_msr[0x2102], 0x99);
	assert_int_equal(vmread(VMCS_GUEST_EFER), 0xd01);
	assert_int_equal(w_msr[0x480], 0);
}

/* A value that VMCS01 could not be entered with would stop the layer itself. */
static void an_exit_list_cannot_spoil_l1s_own_state(void **state)
{
	static const struct list_entry bad[] = {
		{ 0xc0000080, 0, 1 }, { 0xc0000080, 0, 0xd01 | BIT(30) }, { 0x277, 0, 2 },
		{ 0x175, 0, BIT(60) }, { 0x176, 0, BIT(47) }, { 0x1d9, 0, ~0ULL },
	};
	struct list_entry *l = phys(W_MSR_LIST);

	(void)state;
	in_vm_ready();
	w_write(VMCS_EXIT_MSR_LOAD_ADDR, W_MSR_LIST);
	w_write(VMCS_EXIT_MSR_LOAD_COUNT, 1);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		l[0] = bad[i];
		assert_int_equal(w_enter(!i), W_ENTERED);
		w_exit(EXIT_REASON_CPUID);
		assert_int_equal(vmread(VMCS_GUEST_EFER), 0xd01);
		assert_true(vmread(VMCS_GUEST_PAT) == 0x0007040600070406);
		assert_int_equal(vmread(VMCS_GUEST_SYSENTER_ESP), 0);
		assert_int_equal(vmread(VMCS_GUEST_SYSENTER_EIP), 0);
		assert_int_equal(vmread(VMCS_GUEST_DEBUGCTL), 0);
	}
}

/* A host with 5-level paging: each check of a linear address, at both edges of 57 bits. */
static void with_5_levels_addresses_have_57_bits(void **state)
{
	static const u32 host[] = {
		VMCS_HOST_FS_BASE, VMCS_HOST_GS_BASE, VMCS_HOST_TR_BASE, VMCS_HOST_GDTR_BASE,
		VMCS_HOST_IDTR_BASE, VMCS_HOST_SYSENTER_ESP, VMCS_HOST_SYSENTER_EIP, VMCS_HOST_RIP,
	};
	struct operand op = {
		.info = BIT(27) | BIT(22) | SEG_SS << 15 | 2 << 7, .disp = BIT(56) - 8, .len = 8,
		.la57 = true,
	};
	u32 invvpid = BIT(27) | BIT(22) | 3 << 15 | 2 << 7 | (u32)RDX << 28;
	struct list_entry *l = phys(W_MSR_LIST);
	u64 la, good, *desc = phys(W_OPERAND);

	(void)state;
	vmx_caps.cr4_fixed1 |= CR4_LA57;
	in_vm_ready();
	w_write(VMCS_HOST_CR4, w_read(VMCS_HOST_CR4) | CR4_LA57);
	for (u32 i = 0; i < ARRAY_SIZE(host); i++) {
		good = w_read(host[i]);
		w_write(host[i], BIT(56));
		assert_int_equal(w_enter(true), W_FAIL_VALID);
		assert_int_equal(w_insn_error(), VMERR_ENTRY_HOST_STATE);
		w_write(host[i], ~(BIT(56) - 1) - 1);
		assert_int_equal(w_enter(true), W_FAIL_VALID);
		w_write(host[i], host[i] == VMCS_HOST_RIP ? good : ~(BIT(56) - 1));
	}
	w_write(VMCS_EXIT_MSR_LOAD_ADDR, W_MSR_LIST);
	w_write(VMCS_EXIT_MSR_LOAD_COUNT, 2);
	l[0] = (struct list_entry){ 0x175, 0, BIT(56) - 1 };
	l[1] = (struct list_entry){ 0x176, 0, BIT(56) };
	assert_int_equal(w_enter(true), W_ENTERED);
	w_exit(EXIT_REASON_CPUID);
	assert_int_equal(vmread(VMCS_GUEST_FS_BASE), ~(BIT(56) - 1));
	assert_int_equal(vmread(VMCS_GUEST_SYSENTER_ESP), BIT(56) - 1);
	assert_int_equal(vmread(VMCS_GUEST_SYSENTER_EIP), ~(BIT(56) - 1));

	assert_int_equal(operand_linear(&op, &la), 0);
	assert_int_equal(la, BIT(56) - 8);
	op.disp++;
	assert_int_equal(operand_linear(&op, &la), 12);

	vmwrite(VMCS_GUEST_CR4, vmread(VMCS_GUEST_CR4) & ~CR4_LA57);	/* only its VM has 5 */
	fake_cpu->gpr[RDX] = 0;
	desc[0] = 7;
	desc[1] = BIT(56) - 1;
	assert_int_equal(w_insn(EXIT_REASON_INVVPID, invvpid, W_OPERAND), W_SUCCEED);
	desc[1] = BIT(56);
	assert_int_equal(w_insn(EXIT_REASON_INVVPID, invvpid, W_OPERAND), W_FAIL_VALID);
	vmx_caps.cr4_fixed1 &= ~CR4_LA57;
}

/* Exits */

static void an_exit_puts_l1_where_the_manual_says(void **state)
{
	u64 v01;

	(void)state;
	in_l2();
	v01 = fake_cpu->vmcs01_pa;
	w_set_vmcs(v01, VMCS_GUEST_CR0, 0x80010033 | CR0_CD);
	vmwrite(VMCS_GUEST_RIP, 0x5555);
	vmwrite(VMCS_EXIT_INSN_LEN, 2);
	w_exit(EXIT_REASON_CPUID);
	assert_true(vmread(VMCS_GUEST_RIP) == 0xffffffff82000000);
	assert_true(vmread(VMCS_GUEST_RSP) == 0xffffc90000001000);
	assert_int_equal(vmread(VMCS_GUEST_RFLAGS), 2);
	assert_int_equal(vmread(VMCS_GUEST_CR0), 0x80010033 | CR0_CD);
	assert_int_equal(vmread(VMCS_GUEST_CS_AR), 0xa09b);
	assert_int_equal(vmread(VMCS_GUEST_DS_AR), SEG_AR_UNUSABLE);
	assert_int_equal(vmread(VMCS_GUEST_SS_AR), 0xc093);
	assert_int_equal(vmread(VMCS_GUEST_TR_LIMIT), 0x67);
	assert_int_equal(vmread(VMCS_GUEST_IDTR_LIMIT), 0xffff);
	assert_int_equal(vmread(VMCS_GUEST_DR7), 0x400);
	assert_true(vmread(VMCS_GUEST_GS_BASE) == 0xffff888000001000);
	assert_int_equal(w_read(VMCS_GUEST_RIP), 0x5555);
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_CPUID);
	assert_int_equal(w_read(VMCS_EXIT_INSN_LEN), 2);
}

static void lazy_fields_are_fetched_once_and_writes_win(void **state)
{
	(void)state;
	in_l2();
	vmwrite(VMCS_GUEST_CR3, 0xabc000);
	vmwrite(VMCS_GUEST_FS_BASE, 0x123);
	w_exit(EXIT_REASON_CPUID);
	assert_int_equal(w_read(VMCS_GUEST_CR3), 0xabc000);
	w_set_vmcs(w_vmcs02(), VMCS_GUEST_CR3, 0xdead);
	assert_int_equal(w_read(VMCS_GUEST_CR3), 0xabc000);
	w_write(VMCS_GUEST_FS_BASE, 0x456);
	assert_int_equal(w_read(VMCS_GUEST_FS_BASE), 0x456);
	w_set_vmcs(w_vmcs02(), VMCS_GUEST_CR3, 0xabc000);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(vmread(VMCS_GUEST_FS_BASE), 0x456);
	assert_int_equal(vmread(VMCS_GUEST_CR3), 0xabc000);
}

static void upper_half_written_to_a_stale_field_keeps_the_lower(void **state)
{
	(void)state;
	in_l2();
	vmwrite(VMCS_GUEST_DEBUGCTL, 0x1111111122222222);
	w_exit(EXIT_REASON_CPUID);
	w_write(VMCS_GUEST_DEBUGCTL | 1, 3);
	assert_true(w_read(VMCS_GUEST_DEBUGCTL) == 0x322222222);
}

static void every_exit_reason_is_decided(void **state)
{
	static const u32 closed[] = { 5, 6, 17, 35, 38, 42, 45, 49, 56, 59, 60, 62, 66, 79 };

	(void)state;
	in_l2();
	for (u32 i = 0; i < ARRAY_SIZE(closed); i++) {
		w_exit(closed[i]);
		assert_false(fake_cpu->nested.in_vm);
		assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_TRIPLE_FAULT);
		assert_int_equal(w_enter(false), W_ENTERED);
	}
	w_exit(0xffff);
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_TRIPLE_FAULT);
}

static void ept_violations_follow_the_two_stage_protocol(void **state)
{
	(void)state;
	in_l2();
	vmwrite(VMCS_GUEST_PHYS_ADDR, 0x5000);
	vmwrite(VMCS_EXIT_QUAL, EPT_VIOL_READ);
	ev.ept_result = EPT_FILLED;
	w_exit(EXIT_REASON_EPT_VIOLATION);
	assert_true(fake_cpu->nested.in_vm);
	ev.ept_result = EPT_REFLECT;
	w_exit(EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_EPT_VIOLATION);
	assert_true(w_read(VMCS_EXIT_QUAL) == (EPT_VIOL_READ | BIT(60)));	/* corrected */
	assert_int_equal(w_read(VMCS_GUEST_PHYS_ADDR), 0x5000);
	assert_int_equal(w_enter(false), W_ENTERED);
	ev.ept_result = EPT_REFLECT_MISCONFIG;
	w_exit(EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_EPT_MISCONFIG);
}

static void an_event_interrupted_in_root_is_delivered_again(void **state)
{
	u64 event = 0x20 | INTR_VALID;

	(void)state;
	in_l2();
	vmwrite(VMCS_GUEST_PHYS_ADDR, 0x5000);
	vmwrite(VMCS_IDT_VECTORING_INFO, event);
	ev.ept_result = EPT_FILLED;
	w_exit(EXIT_REASON_EPT_VIOLATION);
	assert_true(vmread(VMCS_ENTRY_INTR_INFO) == event);
	vmwrite(VMCS_IDT_VECTORING_INFO, 0);
	w_exit(EXIT_REASON_CPUID);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(vmread(VMCS_ENTRY_INTR_INFO), 0);	/* not L1's: not again */
}

static void l1s_event_is_injected_once(void **state)
{
	u64 event = 0x30 | INTR_VALID;

	(void)state;
	in_l2();
	w_exit(EXIT_REASON_CPUID);
	for (u32 i = 0; i < 2; i++) {
		w_write(VMCS_ENTRY_INTR_INFO, event);
		assert_int_equal(w_enter(false), W_ENTERED);
		assert_true(vmread(VMCS_ENTRY_INTR_INFO) == event);
		w_exit(EXIT_REASON_CPUID);
		assert_int_equal(w_read(VMCS_ENTRY_INTR_INFO), 0x30);
	}
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_false(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID);
}

static void an_nmi_in_root_exits_to_l1(void **state)
{
	u64 event = 0x30 | INTR_VALID;

	(void)state;
	in_l2();
	w_exit(EXIT_REASON_CPUID);
	w_write(VMCS_ENTRY_INTR_INFO, event);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_true(nested_nmi(fake_cpu));
	assert_false(fake_cpu->nested.in_vm);
	assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), BLOCKED_BY_NMI);
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_EXCEPTION_NMI);
	assert_true(w_read(VMCS_EXIT_INTR_INFO) == (2 | INTR_TYPE_NMI << 8 | INTR_VALID));
	assert_true(w_read(VMCS_IDT_VECTORING_INFO) == event);	/* L1 puts it in again */
	w_write(VMCS_PIN_CTLS, 0x16 | PIN_EXTINT_EXITING);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_false(nested_nmi(fake_cpu));			/* L2's own */
}

static void an_exit_by_nmi_blocks_nmis_in_l1(void **state)
{
	(void)state;
	in_l2();
	vmwrite(VMCS_EXIT_INTR_INFO, 2 | INTR_TYPE_NMI << 8 | INTR_VALID);
	w_exit(EXIT_REASON_EXCEPTION_NMI);
	assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), BLOCKED_BY_NMI);
	assert_int_equal(w_enter(false), W_ENTERED);
	vmwrite(VMCS_EXIT_INTR_INFO, 14 | INTR_TYPE_HARD_EXC << 8 | INTR_VALID);
	w_exit(EXIT_REASON_EXCEPTION_NMI);
	assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), 0);
}

static void the_preemption_timer_runs_through_exits_of_root(void **state)
{
	(void)state;
	in_vm_ready();
	w_write(VMCS_PIN_CTLS, 0x16 | PIN_EXTINT_EXITING | PIN_NMI_EXITING | PIN_PREEMPTION_TIMER);
	w_write(VMCS_PREEMPTION_TIMER, 1000);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_true(vmread(VMCS_EXIT_CTLS) & EXIT_SAVE_PREEMPTION);
	vmwrite(VMCS_PREEMPTION_TIMER, 300);
	vmwrite(VMCS_GUEST_PHYS_ADDR, 0x5000);
	ev.ept_result = EPT_FILLED;
	w_exit(EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(vmread(VMCS_PREEMPTION_TIMER), 300);
	w_exit(EXIT_REASON_CPUID);
	assert_int_equal(w_read(VMCS_PREEMPTION_TIMER), 1000);	/* L1 did not ask to save it */
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(vmread(VMCS_PREEMPTION_TIMER), 1000);
	w_exit(EXIT_REASON_PREEMPTION_TIMER);
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_PREEMPTION_TIMER);
}

static void what_l1_asks_to_save_is_saved(void **state)
{
	(void)state;
	in_vm_ready();
	w_write(VMCS_PIN_CTLS, 0x16 | PIN_EXTINT_EXITING | PIN_NMI_EXITING | PIN_PREEMPTION_TIMER);
	w_write(VMCS_EXIT_CTLS, 0x00036fff | EXIT_SAVE_EFER | EXIT_SAVE_PAT |
				EXIT_SAVE_PREEMPTION);
	assert_int_equal(w_enter(true), W_ENTERED);
	vmwrite(VMCS_GUEST_EFER, 0xd00);
	vmwrite(VMCS_GUEST_PAT, 0x0606060606060600);
	vmwrite(VMCS_PREEMPTION_TIMER, 77);
	vmwrite(VMCS_ENTRY_CTLS, vmread(VMCS_ENTRY_CTLS) & ~ENTRY_IA32E);	/* left long mode */
	w_exit(EXIT_REASON_CPUID);
	assert_int_equal(w_read(VMCS_GUEST_EFER), 0xd00);
	assert_true(w_read(VMCS_GUEST_PAT) == 0x0606060606060600);
	assert_int_equal(w_read(VMCS_PREEMPTION_TIMER), 77);
	assert_false(w_read(VMCS_ENTRY_CTLS) & ENTRY_IA32E);
}

static void an_iret_cut_short_keeps_nmis_blocked(void **state)
{
	(void)state;
	in_l2();
	vmwrite(VMCS_GUEST_PHYS_ADDR, 0x5000);
	vmwrite(VMCS_EXIT_QUAL, EPT_VIOL_READ | EPT_VIOL_NMI_UNBLOCKING);
	ev.ept_result = EPT_FILLED;
	w_exit(EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), BLOCKED_BY_NMI);
	/* Undefined while an event is being delivered: here an external interrupt. */
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmwrite(VMCS_IDT_VECTORING_INFO, INTR_VALID | 0x31);
	vmwrite(VMCS_EXIT_QUAL, EPT_VIOL_READ | EPT_VIOL_NMI_UNBLOCKING);
	w_exit(EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), 0);
}

static void an_nmi_that_waits_for_l2_is_not_lost(void **state)
{
	(void)state;
	in_vm_ready();
	w_write(VMCS_PIN_CTLS, 0x16 | PIN_EXTINT_EXITING);	/* NMIs are L2's own */
	assert_int_equal(w_enter(true), W_ENTERED);
	fake_cpu->nmi_deferred = true;				/* vmx/exit/exit.c: timer set */
	w_exit(EXIT_REASON_PREEMPTION_TIMER);
	assert_true(fake_cpu->nested.in_vm);
	assert_int_equal(fake_cpu->nmi_pending, 1);
	fake_cpu->nmi_pending = 0;
	fake_cpu->nmi_deferred = true;
	vmwrite(VMCS_PIN_CTLS, vmread(VMCS_PIN_CTLS) | PIN_PREEMPTION_TIMER);
	w_exit(EXIT_REASON_CPUID);				/* L1 comes first after all */
	assert_int_equal(fake_cpu->nmi_pending, 1);
	assert_false(fake_cpu->nmi_deferred);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_false(vmread(VMCS_PIN_CTLS) & PIN_PREEMPTION_TIMER);
}

static void a_contents_image_from_the_host_is_cut_to_width(void **state)
{
	u64 *image = phys(W_VMCS12);

	(void)state;
	in_vm_ready();
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, W_VMCS12), W_SUCCEED);
	for (u32 i = 2; i < 2 + NR_VMCS_ROWS; i++)
		image[i] = ~0ULL;
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_SUCCEED);
	assert_int_equal(w_read(VMCS_GUEST_CS_SEL), 0xffff);
	assert_int_equal(w_read(VMCS_PIN_CTLS), 0xffffffff);
	assert_int_equal(w_enter(true), W_FAIL_VALID);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(offered_capabilities_are_a_subset_without_ways_around),
		T(fields_of_features_not_offered_do_not_exist),
		T(nothing_but_vmxon_before_vmxon),
		T(user_mode_gets_gp),
		T(vmxon_checks_its_region),
		T(vmptrld_and_vmclear_name_what_is_wrong),
		T(vmread_and_vmwrite_keep_widths_and_halves),
		T(vmread_reaches_rsp_and_memory),
		T(memory_faults_are_l1s_and_change_nothing),
		T(page_tables_in_foreign_frames_are_not_walked),
		T(operand_addresses_follow_the_manual),
		T(invvpid_reaches_only_the_layers_own_numbers),
		T(contents_survive_vmclear_and_migration),
		T(one_vmcs_on_two_cpus_is_refused),
		T(a_donated_frame_gets_nothing_back),
		T(no_frame_is_lost),
		T(what_cannot_be_loaded_leaves_no_vmcs_current),
		T(five_thousand_vmcss_are_active),
		T(vpids_do_not_run_out),
		T(a_bound_vmcs_stays_the_layers),
		T(of_a_bound_vmcs_only_the_guard_touches_guest_state),
		T(entry_merges_what_l1_wants_with_what_the_layer_needs),
		T(translations_of_a_former_owner_are_flushed),
		T(without_a_vpid_every_entry_flushes),
		T(each_bad_field_is_refused_and_can_be_mended),
		T(addresses_are_asked_at_every_entry),
		T(a_bad_guest_state_is_an_entry_failure),
		T(only_a_64_bit_host_enters),
		T(the_short_way_is_the_long_way),
		T(what_hardware_refuses_l1_learns),
		T(efer_and_pat_follow_the_controls),
		T(l1s_bitmap_can_never_open_the_floor),
		T(a_new_interception_holds_from_the_next_entry),
		T(a_new_permission_is_found_by_the_first_exit),
		T(many_open_words_are_merged_as_a_whole),
		T(ports_of_the_floor_exit),
		T(msr_lists_load_only_what_is_allowed),
		T(a_list_of_512_entries_is_taken),
		T(the_copy_has_room_for_every_msr),
		T(the_ds_area_may_be_listed),
		T(exit_lists_are_carried_out_on_exits_to_l1),
		T(an_exit_list_cannot_spoil_l1s_own_state),
		T(with_5_levels_addresses_have_57_bits),
		T(an_exit_puts_l1_where_the_manual_says),
		T(lazy_fields_are_fetched_once_and_writes_win),
		T(upper_half_written_to_a_stale_field_keeps_the_lower),
		T(every_exit_reason_is_decided),
		T(ept_violations_follow_the_two_stage_protocol),
		T(an_event_interrupted_in_root_is_delivered_again),
		T(l1s_event_is_injected_once),
		T(an_nmi_in_root_exits_to_l1),
		T(an_exit_by_nmi_blocks_nmis_in_l1),
		T(the_preemption_timer_runs_through_exits_of_root),
		T(what_l1_asks_to_save_is_saved),
		T(an_iret_cut_short_keeps_nmis_blocked),
		T(an_nmi_that_waits_for_l2_is_not_lost),
		T(a_contents_image_from_the_host_is_cut_to_width),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
