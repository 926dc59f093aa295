// SPDX-License-Identifier: GPL-2.0
/*
 * The checks of each VMX instruction, a row each, in the order of the manual's pseudo-code
 * (SDM vol. 3, section 31.3); and how an instruction ends that root completes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nested_world.h"
#include "vmx/cpu/event.h"

static int setup(void **state)
{
	(void)state;
	w_init(1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	w_free();
	return 0;
}

/* --- checks --- */

/* How far L1 has come. */
enum stage { OUTSIDE, ROOT, CURRENT, LAUNCHED };

static void nothing(void)
{
}

static void user(void)
{
	vmwrite(VMCS_GUEST_SS_AR, 0xc0f3);
}

static void compat(void)
{
	vmwrite(VMCS_GUEST_CS_AR, 0xc09b);
}

static void legacy(void)
{
	vmwrite(VMCS_GUEST_EFER, 0x801);
}

/* In L1's eyes: hardware's bits stay as VMX operation wants them. */
static void no_vmxe(void)
{
	vmwrite(VMCS_CR4_SHADOW, vmread(VMCS_CR4_SHADOW) & ~CR4_VMXE);
}

static void no_vmxe_user(void)
{
	no_vmxe();
	user();
}

static void no_ne(void)
{
	vmwrite(VMCS_CR0_SHADOW, vmread(VMCS_CR0_SHADOW) & ~CR0_NE);
}

static void bad_cr4(void)
{
	vmwrite(VMCS_GUEST_CR4, vmread(VMCS_GUEST_CR4) | BIT(25));
}

static void mov_ss(void)
{
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, BLOCKED_BY_MOV_SS);
}

static void no_invvpid_address(void)
{
	vmx_caps.ept_vpid &= ~BIT(40);
}

static void no_invvpid_globals(void)
{
	vmx_caps.ept_vpid &= ~BIT(43);
}

#define BAD_ALIGN	(W_VMCS12 + 8)
#define BAD_WIDTH	(1ULL << W_MAXPHYADDR | W_VMCS12)
#define FIELD		VMCS_GUEST_SYSENTER_ESP	/* no shadow VMCS has it */
#define NO_FIELD	0x7ffe

/*
 * operand: in memory, 128 bits; reg: the register operand (a type, or a field).
 * number: vector of the fault, or VM-instruction error.
 */
static const struct row {
	const char *name;
	enum stage stage;
	void (*but)(void);
	u32 reason;
	u64 reg, operand[2];
	enum w_outcome outcome;
	u32 number;
} rows[] = {
#define R(name, stage, but, insn, reg, a, b, outcome, number) \
	{ #insn ": " name, stage, but, EXIT_REASON_##insn, reg, { a, b }, outcome, number }
	R("not 64-bit code", OUTSIDE, compat, VMXON, 0, W_VMXON, 0, W_FAULT, VEC_UD),
	R("not IA-32e mode", OUTSIDE, legacy, VMXON, 0, W_VMXON, 0, W_FAULT, VEC_UD),
	R("CR4.VMXE clear", OUTSIDE, no_vmxe, VMXON, 0, W_VMXON, 0, W_FAULT, VEC_UD),
	R("CR4.VMXE clear, CPL 3", OUTSIDE, no_vmxe_user, VMXON, 0, W_VMXON, 0, W_FAULT, VEC_UD),
	R("CPL 3", OUTSIDE, user, VMXON, 0, W_VMXON, 0, W_FAULT, VEC_GP),
	R("CR0.NE clear", OUTSIDE, no_ne, VMXON, 0, W_VMXON, 0, W_FAULT, VEC_GP),
	R("a bit of CR4 that may not be", OUTSIDE, bad_cr4, VMXON, 0, W_VMXON, 0, W_FAULT, VEC_GP),
	R("alignment", OUTSIDE, nothing, VMXON, 0, W_VMXON + 8, 0, W_FAIL_INVALID, 0),
	R("width", OUTSIDE, nothing, VMXON, 0, BAD_WIDTH, 0, W_FAIL_INVALID, 0),
	R("revision", OUTSIDE, nothing, VMXON, 0, W_SCRATCH, 0, W_FAIL_INVALID, 0),
	R("good", OUTSIDE, nothing, VMXON, 0, W_VMXON, 0, W_SUCCEED, 0),
	R("again", ROOT, nothing, VMXON, 0, W_VMXON, 0, W_FAIL_INVALID, 0),
	R("again, CPL 3", ROOT, user, VMXON, 0, W_VMXON, 0, W_FAULT, VEC_GP),
	R("again, VMCS current", CURRENT, nothing, VMXON, 0, W_VMXON, 0, W_FAIL_VALID, 15),

	R("outside VMX operation", OUTSIDE, nothing, VMXOFF, 0, 0, 0, W_FAULT, VEC_UD),
	R("CPL 3", ROOT, user, VMXOFF, 0, 0, 0, W_FAULT, VEC_GP),
	R("good", ROOT, nothing, VMXOFF, 0, 0, 0, W_SUCCEED, 0),

	R("outside VMX operation", OUTSIDE, nothing, VMCALL, 0, 0, 0, W_FAULT, VEC_UD),
	R("not 64-bit code", ROOT, compat, VMCALL, 0, 0, 0, W_FAULT, VEC_UD),
	R("CPL 3", ROOT, user, VMCALL, 0, 0, 0, W_FAULT, VEC_GP),
	R("in root", ROOT, nothing, VMCALL, 0, 0, 0, W_FAIL_INVALID, 0),
	R("in root, VMCS current", CURRENT, nothing, VMCALL, 0, 0, 0, W_FAIL_VALID, 1),

	R("outside VMX operation", OUTSIDE, nothing, VMCLEAR, 0, W_VMCS12, 0, W_FAULT, VEC_UD),
	R("CPL 3", CURRENT, user, VMCLEAR, 0, W_VMCS12, 0, W_FAULT, VEC_GP),
	R("alignment", CURRENT, nothing, VMCLEAR, 0, BAD_ALIGN, 0, W_FAIL_VALID, 2),
	R("width", CURRENT, nothing, VMCLEAR, 0, BAD_WIDTH, 0, W_FAIL_VALID, 2),
	R("VMXON pointer", CURRENT, nothing, VMCLEAR, 0, W_VMXON, 0, W_FAIL_VALID, 3),
	R("good", CURRENT, nothing, VMCLEAR, 0, W_VMCS12, 0, W_SUCCEED, 0),

	R("outside VMX operation", OUTSIDE, nothing, VMPTRLD, 0, W_VMCS12, 0, W_FAULT, VEC_UD),
	R("CPL 3", CURRENT, user, VMPTRLD, 0, W_VMCS12, 0, W_FAULT, VEC_GP),
	R("alignment", CURRENT, nothing, VMPTRLD, 0, BAD_ALIGN, 0, W_FAIL_VALID, 9),
	R("width", CURRENT, nothing, VMPTRLD, 0, BAD_WIDTH, 0, W_FAIL_VALID, 9),
	R("VMXON pointer", CURRENT, nothing, VMPTRLD, 0, W_VMXON, 0, W_FAIL_VALID, 10),
	R("revision", CURRENT, nothing, VMPTRLD, 0, W_SCRATCH, 0, W_FAIL_VALID, 11),
	R("good", ROOT, nothing, VMPTRLD, 0, W_VMCS12, 0, W_SUCCEED, 0),

	R("outside VMX operation", OUTSIDE, nothing, VMPTRST, 0, 0, 0, W_FAULT, VEC_UD),
	R("CPL 3", ROOT, user, VMPTRST, 0, 0, 0, W_FAULT, VEC_GP),
	R("no VMCS", ROOT, nothing, VMPTRST, 0, 0, 0, W_SUCCEED, 0),

	R("outside VMX operation", OUTSIDE, nothing, VMREAD, FIELD, 0, 0, W_FAULT, VEC_UD),
	R("CPL 3", CURRENT, user, VMREAD, FIELD, 0, 0, W_FAULT, VEC_GP),
	R("no VMCS", ROOT, nothing, VMREAD, FIELD, 0, 0, W_FAIL_INVALID, 0),
	R("no field", CURRENT, nothing, VMREAD, NO_FIELD, 0, 0, W_FAIL_VALID, 12),
	R("no field, above 32 bits", CURRENT, nothing, VMREAD, BIT(32) | FIELD, 0, 0,
	  W_FAIL_VALID, 12),
	R("good", CURRENT, nothing, VMREAD, FIELD, 0, 0, W_SUCCEED, 0),

	R("outside VMX operation", OUTSIDE, nothing, VMWRITE, FIELD, 0, 0, W_FAULT, VEC_UD),
	R("CPL 3", CURRENT, user, VMWRITE, FIELD, 0, 0, W_FAULT, VEC_GP),
	R("no VMCS", ROOT, nothing, VMWRITE, FIELD, 0, 0, W_FAIL_INVALID, 0),
	R("no field", CURRENT, nothing, VMWRITE, NO_FIELD, 0, 0, W_FAIL_VALID, 12),
	R("exit information", CURRENT, nothing, VMWRITE, VMCS_EXIT_QUAL, 0, 0, W_FAIL_VALID, 13),
	R("good", CURRENT, nothing, VMWRITE, FIELD, 0, 0, W_SUCCEED, 0),

	R("outside VMX operation", OUTSIDE, nothing, VMLAUNCH, 0, 0, 0, W_FAULT, VEC_UD),
	R("CPL 3", CURRENT, user, VMLAUNCH, 0, 0, 0, W_FAULT, VEC_GP),
	R("no VMCS", ROOT, nothing, VMLAUNCH, 0, 0, 0, W_FAIL_INVALID, 0),
	R("behind MOV SS", CURRENT, mov_ss, VMLAUNCH, 0, 0, 0, W_FAIL_VALID, 26),
	R("launched already", LAUNCHED, nothing, VMLAUNCH, 0, 0, 0, W_FAIL_VALID, 4),
	R("launched already, behind MOV SS", LAUNCHED, mov_ss, VMLAUNCH, 0, 0, 0, W_FAIL_VALID, 26),
	R("good", CURRENT, nothing, VMLAUNCH, 0, 0, 0, W_ENTERED, 0),

	R("outside VMX operation", OUTSIDE, nothing, VMRESUME, 0, 0, 0, W_FAULT, VEC_UD),
	R("CPL 3", LAUNCHED, user, VMRESUME, 0, 0, 0, W_FAULT, VEC_GP),
	R("no VMCS", ROOT, nothing, VMRESUME, 0, 0, 0, W_FAIL_INVALID, 0),
	R("behind MOV SS", LAUNCHED, mov_ss, VMRESUME, 0, 0, 0, W_FAIL_VALID, 26),
	R("never launched", CURRENT, nothing, VMRESUME, 0, 0, 0, W_FAIL_VALID, 5),
	R("good", LAUNCHED, nothing, VMRESUME, 0, 0, 0, W_ENTERED, 0),

	R("outside VMX operation", OUTSIDE, nothing, INVEPT, 2, 0, 0, W_FAULT, VEC_UD),
	R("CPL 3", CURRENT, user, INVEPT, 2, 0, 0, W_FAULT, VEC_GP),
	R("type 0", CURRENT, nothing, INVEPT, 0, W_EPTP, 0, W_FAIL_VALID, 28),
	R("type 3", CURRENT, nothing, INVEPT, 3, W_EPTP, 0, W_FAIL_VALID, 28),
	R("type above 32 bits", CURRENT, nothing, INVEPT, BIT(32) | 1, W_EPTP, 0, W_FAIL_VALID, 28),
	R("one: memory type", CURRENT, nothing, INVEPT, 1, W_EPTP ^ 1, 0, W_FAIL_VALID, 28),
	R("one: levels", CURRENT, nothing, INVEPT, 1, W_EPTP ^ 1 << 3, 0, W_FAIL_VALID, 28),
	R("one: accessed and dirty flags", CURRENT, nothing, INVEPT, 1, W_EPTP | 1 << 6, 0,
	  W_FAIL_VALID, 28),
	R("one: width", CURRENT, nothing, INVEPT, 1, W_EPTP | 1ULL << W_MAXPHYADDR, 0,
	  W_FAIL_VALID, 28),
	R("one", CURRENT, nothing, INVEPT, 1, W_EPTP, 0, W_SUCCEED, 0),
	R("all: any EPTP", CURRENT, nothing, INVEPT, 2, 1, 0, W_SUCCEED, 0),

	R("outside VMX operation", OUTSIDE, nothing, INVVPID, 2, 0, 0, W_FAULT, VEC_UD),
	R("CPL 3", CURRENT, user, INVVPID, 2, 0, 0, W_FAULT, VEC_GP),
	R("type 4", CURRENT, nothing, INVVPID, 4, 7, 0, W_FAIL_VALID, 28),
	R("type 0 not offered", CURRENT, no_invvpid_address, INVVPID, 0, 7, 0, W_FAIL_VALID, 28),
	R("type 3 not offered", CURRENT, no_invvpid_globals, INVVPID, 3, 7, 0, W_FAIL_VALID, 28),
	R("reserved bits", CURRENT, nothing, INVVPID, 2, 0x10007, 0, W_FAIL_VALID, 28),
	R("address: VPID 0", CURRENT, nothing, INVVPID, 0, 0, 0, W_FAIL_VALID, 28),
	R("address: not canonical", CURRENT, nothing, INVVPID, 0, 7, BIT(47), W_FAIL_VALID, 28),
	R("one: VPID 0", CURRENT, nothing, INVVPID, 1, 0, 0, W_FAIL_VALID, 28),
	R("all: VPID 0", CURRENT, nothing, INVVPID, 2, 0, 0, W_SUCCEED, 0),
	R("all but globals: VPID 0", CURRENT, nothing, INVVPID, 3, 0, 0, W_FAIL_VALID, 28),
	R("address", CURRENT, nothing, INVVPID, 0, 7, 0x1000, W_SUCCEED, 0),
#undef R
};

static void come_to(enum stage stage)
{
	if (stage >= ROOT)
		w_vmxon();
	if (stage >= CURRENT) {
		w_load(W_VMCS12);
		w_fill_valid();
	}
	if (stage >= LAUNCHED) {
		assert_int_equal(w_enter(true), W_ENTERED);
		w_exit(EXIT_REASON_HLT);
		vmwrite(VMCS_GUEST_RIP, 0xffffffff81000000);
	}
}

/* [W_OPERAND] in memory, the register operand in rdx; VMREAD and VMWRITE with registers. */
static enum w_outcome execute(const struct row *r)
{
	u32 info = BIT(27) | BIT(22) | 3 << 15 | 2 << 7 | (u32)RDX << 28;

	if (r->reason == EXIT_REASON_VMREAD || r->reason == EXIT_REASON_VMWRITE)
		info = BIT(10) | RBX << 3 | (u32)RDX << 28;
	fake_cpu->gpr[RDX] = r->reg;
	memcpy(phys(W_OPERAND), r->operand, sizeof(r->operand));
	return w_insn(r->reason, info, W_OPERAND);
}

/* Whatever a row changed about L1 ends with it. */
static void one_row(const struct row *r)
{
	enum w_outcome outcome;
	u32 number = 0;

	w_init(1);
	come_to(r->stage);
	r->but();
	outcome = execute(r);
	if (outcome == W_FAULT)
		number = ev.vector;
	else if (outcome == W_FAIL_VALID)
		number = (u32)fake_cpu->nested.current->f[ROW_INSN_ERROR];
	if (outcome != r->outcome || number != r->number)
		fail_msg("%s: outcome %d (%u), not %d (%u)", r->name, outcome, number,
			 r->outcome, r->number);
	if (fake_cpu->nested.in_vm)
		w_exit(EXIT_REASON_HLT);
	w_free();
}

static void every_check_of_the_manual(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		one_row(&rows[i]);
}

/* --- how an instruction ends --- */

static const u64 next_rip = 0xffffffff81000000 + W_INSN_LEN;

static void a_single_step_is_due_behind_every_outcome(void **state)
{
	static const struct { u32 reason; u64 operand; } insn[] = {
		{ EXIT_REASON_VMXON, W_VMXON }, { EXIT_REASON_VMXON, W_VMXON },
		{ EXIT_REASON_VMCLEAR, W_VMCS12 }, { EXIT_REASON_VMPTRLD, W_VMCS12 },
		{ EXIT_REASON_VMPTRLD, W_VMXON }, { EXIT_REASON_VMPTRST, 0 },
		{ EXIT_REASON_VMRESUME, 0 }, { EXIT_REASON_VMXOFF, 0 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(insn); i++) {
		vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_TF);
		vmwrite(VMCS_GUEST_PENDING_DBG, 0);
		w_insn_mem(insn[i].reason, insn[i].operand);
		assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), PENDING_DBG_BS);
	}
}

static void a_step_over_vmread_is_due_on_the_short_way(void **state)
{
	u64 val;

	(void)state;
	come_to(CURRENT);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_TF | RFLAGS_RF | RFLAGS_ZF);
	fake_cpu->gpr[RCX] = FIELD;
	vmwrite(VMCS_EXIT_INSN_INFO, BIT(10) | RBX << 3 | (u32)RCX << 28);
	vmwrite(VMCS_EXIT_INSN_LEN, W_INSN_LEN);
	val = vmread(VMCS_GUEST_RIP);
	assert_true(nested_insn_fast(fake_cpu, EXIT_REASON_VMREAD));
	assert_int_equal(vmread(VMCS_GUEST_RIP), val + W_INSN_LEN);
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), PENDING_DBG_BS);
	assert_int_equal(vmread(VMCS_GUEST_RFLAGS), RFLAGS_FIXED | RFLAGS_TF);
}

static void no_step_is_due_with_btf(void **state)
{
	(void)state;
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_TF);
	vmwrite(VMCS_GUEST_DEBUGCTL, DEBUGCTL_BTF);
	w_vmxon();
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), 0);
}

static void no_step_is_due_without_tf(void **state)
{
	(void)state;
	w_vmxon();
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), 0);
	assert_int_equal(vmread(VMCS_GUEST_RIP), next_rip);
}

static void what_was_pending_behind_mov_ss_stays(void **state)
{
	(void)state;
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, BLOCKED_BY_MOV_SS | BLOCKED_BY_NMI);
	vmwrite(VMCS_GUEST_PENDING_DBG, BIT(12) | BIT(0));	/* a breakpoint on its operand */
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_TF);
	w_vmxon();
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), BIT(12) | BIT(0) | PENDING_DBG_BS);
	assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), BLOCKED_BY_NMI);
}

static void rf_ends_with_the_instruction(void **state)
{
	(void)state;
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_RF);
	w_vmxon();
	assert_int_equal(vmread(VMCS_GUEST_RFLAGS), RFLAGS_FIXED);
}

/* The real functions of vmx/cpu/event.c, where the world has its own for other tests. */
static void eip_wraps_in_32_bit_code_alone(void **state)
{
	(void)state;
	compat();
	vmwrite(VMCS_GUEST_RIP, 0xfffffffe);
	retire(2, 0, 0);
	assert_int_equal(vmread(VMCS_GUEST_RIP), 0);
	vmwrite(VMCS_GUEST_CS_AR, 0xa09b);
	vmwrite(VMCS_GUEST_RIP, 0xfffffffe);
	retire(2, 0, 0);
	assert_int_equal(vmread(VMCS_GUEST_RIP), 0x100000000);
}

static void an_instruction_run_again_keeps_its_step(void **state)
{
	(void)state;
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_TF);
	keep_single_step();
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), 0);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, BLOCKED_BY_MOV_SS);
	keep_single_step();
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), PENDING_DBG_BS);
	vmwrite(VMCS_GUEST_PENDING_DBG, 0);
	vmwrite(VMCS_GUEST_DEBUGCTL, DEBUGCTL_BTF);
	keep_single_step();
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), 0);
}

static void mov_to_cr_takes_32_bits_outside_64_bit_code(void **state)
{
	u64 to_cr0_from_rax = 0;

	(void)state;
	fake_cpu->gpr[RAX] = 0xdead00000033;
	assert_int_equal(cr_operand(fake_cpu, to_cr0_from_rax), 0xdead00000033);
	compat();
	assert_int_equal(cr_operand(fake_cpu, to_cr0_from_rax), 0x33);
	vmwrite(VMCS_GUEST_CS_AR, 0xa09b);
	legacy();		/* CS.L means nothing there */
	assert_int_equal(cr_operand(fake_cpu, to_cr0_from_rax), 0x33);
}

static void another_vpid_starts_with_no_translation(void **state)
{
	(void)state;
	come_to(LAUNCHED);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(ev.invvpids, 0);
	w_exit(EXIT_REASON_HLT);
	w_write(VMCS_VPID, 8);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(ev.invvpids, 1);
	assert_true(ev.last_invvpid == w_vmcs(w_vmcs02(), VMCS_VPID));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_check_of_the_manual),
		T(a_single_step_is_due_behind_every_outcome),
		T(a_step_over_vmread_is_due_on_the_short_way),
		T(no_step_is_due_with_btf),
		T(no_step_is_due_without_tf),
		T(what_was_pending_behind_mov_ss_stays),
		T(rf_ends_with_the_instruction),
		T(eip_wraps_in_32_bit_code_alone),
		T(an_instruction_run_again_keeps_its_step),
		T(mov_to_cr_takes_32_bits_outside_64_bit_code),
		T(another_vpid_starts_with_no_translation),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
