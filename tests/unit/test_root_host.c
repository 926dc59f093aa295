// SPDX-License-Identifier: GPL-2.0
/*
 * Exits of the demoted host on the whole root image: how the instructions end that the
 * layer completes, string I/O, and what the host is not shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "root_world.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/event.h"
#include "vmx/cpu/operand.h"
#include "vmx/intercept/port.h"
#include "ept/table.h"

#define RIP0		0xffffffff81000000ULL
#define LEN		2ULL		/* r_exit() says so */
#define PORT		0x64
#define SECOND_PAGE	(W_OPERAND + PAGE_SIZE)
#define PTE_AT(la)	((u64 *)phys(0x4000) + ((la) >> PAGE_SHIFT))	/* tests/unit/l1.c */

/* --- ports --- */

static u32 ins, outs, last_out, last_size;
static u16 last_port;

u32 port_in(u16 port, u32 size)
{
	last_port = port;
	last_size = size;
	return 0xa0b0c0d0 + ins++;
}

void port_out(u16 port, u32 size, u32 val)
{
	last_port = port;
	last_size = size;
	last_out = val;
	outs++;
}

static int setup(void **state)
{
	(void)state;
	r_init();
	r_quiet(true);
	vmwrite(VMCS_GUEST_RIP, RIP0);
	ins = outs = 0;
	return 0;
}

/* --- how an instruction ends --- */

static void a_step_is_due_behind_what_the_layer_completes(void **state)
{
	static const struct { u32 reason; u64 qual, rax, rcx; } insn[] = {
		{ EXIT_REASON_CPUID, 0, 0, 0 },
		{ EXIT_REASON_RDMSR, 0, 0, MSR_FEATURE_CONTROL },
		{ EXIT_REASON_WRMSR, 0, 0, MSR_UCODE_WRITE },
		{ EXIT_REASON_XSETBV, 0, 7, 0 },
		{ EXIT_REASON_INVD, 0, 0, 0 },
		{ EXIT_REASON_IO, (u64)PORT << 16 | IO_IN, 0, 0 },
		{ EXIT_REASON_IO, (u64)PORT_RESET << 16, 0, 0 },
		{ EXIT_REASON_CR_ACCESS, 4 | RBX << 8, 0, 0 },
		{ EXIT_REASON_VMCALL, 0, UP_CALL_MAGIC | 0xfff, 0 },
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(insn); i++) {
		vmwrite(VMCS_GUEST_RIP, RIP0);
		vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_TF | RFLAGS_RF);
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY, BLOCKED_BY_STI);
		vmwrite(VMCS_GUEST_PENDING_DBG, 0);
		fake_cpu->gpr[RAX] = insn[i].rax;
		fake_cpu->gpr[RBX] = vmread(VMCS_GUEST_CR4);
		fake_cpu->gpr[RCX] = insn[i].rcx;
		fake_cpu->gpr[RDX] = 0;
		r_exit(insn[i].reason, insn[i].qual);
		assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0 + LEN);
		assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), PENDING_DBG_BS);
		assert_int_equal(vmread(VMCS_GUEST_RFLAGS), RFLAGS_FIXED | RFLAGS_TF);
		assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), 0);
	}
}

static u32 fault_vector(void)
{
	u32 info = (u32)vmread(VMCS_ENTRY_INTR_INFO);

	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	return info & INTR_VALID ? INTR_VECTOR(info) : ~0u;
}

static void a_fault_has_rf_and_no_step(void **state)
{
	(void)state;
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_TF);
	fake_cpu->gpr[RCX] = MSR_FEATURE_CONTROL;
	r_exit(EXIT_REASON_WRMSR, 0);
	assert_int_equal(fault_vector(), VEC_GP);
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0);
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), 0);
	assert_int_equal(vmread(VMCS_GUEST_RFLAGS), RFLAGS_FIXED | RFLAGS_TF | RFLAGS_RF);
}

static void what_is_run_again_behind_mov_ss_keeps_its_step(void **state)
{
	(void)state;
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_TF);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, BLOCKED_BY_MOV_SS);
	r_host_touch(r_host_frame(), EPT_VIOL_READ, false);
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), PENDING_DBG_BS);
	assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), BLOCKED_BY_MOV_SS);
}

/* --- string I/O --- */

/* Operand at @la; addresses of 16, 32 or 64 bits. */
static void string_exit(u64 qual, u64 la, u32 address_bits)
{
	u32 size = address_bits == 64 ? 2 : address_bits == 32 ? 1 : 0;

	vmwrite(VMCS_GUEST_RIP, RIP0);
	vmwrite(VMCS_GUEST_LINEAR, la);
	vmwrite(VMCS_EXIT_INSN_INFO, size << 7 | SEG_DS << 15);
	r_exit(EXIT_REASON_IO, (u64)PORT << 16 | IO_STRING | qual);
}

static void ins_stores_and_goes_on(void **state)
{
	u64 la = W_OPERAND + 5;

	(void)state;
	fake_cpu->gpr[RDI] = la;
	string_exit(IO_IN, la, 64);
	assert_int_equal(*(u8 *)phys(la), 0xd0);
	assert_int_equal(*(u8 *)phys(la + 1), 0);
	assert_int_equal(fake_cpu->gpr[RDI], la + 1);
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0 + LEN);
	assert_int_equal(last_port, PORT);
	assert_int_equal(last_size, 1);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_DF);
	string_exit(IO_IN | 3, la + 3, 64);
	assert_int_equal(*(u32 *)phys(la + 3), 0xa0b0c0d1);
	assert_int_equal(fake_cpu->gpr[RDI], la + 1 - 4);
}

static void outs_takes_what_is_there(void **state)
{
	u64 la = W_OPERAND + PAGE_SIZE - 2;	/* across two pages: tests/unit/l1.c */

	(void)state;
	*(u16 *)phys(la) = 0x1234;
	*(u16 *)phys(W_SCRATCH) = 0x5678;
	fake_cpu->gpr[RSI] = la;
	string_exit(3, la, 64);
	assert_int_equal(outs, 1);
	assert_int_equal(last_out, 0x56781234);
	assert_int_equal(fake_cpu->gpr[RSI], la + 4);
}

static void rep_is_an_exit_for_each_element(void **state)
{
	u64 la = W_OPERAND;
	u32 i;

	(void)state;
	fake_cpu->gpr[RCX] = 3;
	fake_cpu->gpr[RDI] = la;
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_TF);
	for (i = 0; i < 3; i++) {
		vmwrite(VMCS_GUEST_PENDING_DBG, 0);
		string_exit(IO_IN | IO_REP, la + i, 64);
		assert_int_equal(fake_cpu->gpr[RCX], 2 - i);
		assert_int_equal(fake_cpu->gpr[RDI], la + i + 1);
		assert_int_equal(vmread(VMCS_GUEST_RIP), i < 2 ? RIP0 : RIP0 + LEN);
		assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), PENDING_DBG_BS);
		assert_int_equal(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_RF, i < 2 ? RFLAGS_RF : 0);
	}
	string_exit(IO_IN | IO_REP, la + 3, 64);	/* no more of them */
	assert_int_equal(ins, 3);
	assert_int_equal(fake_cpu->gpr[RCX], 0);
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0 + LEN);
}

static void addresses_have_the_width_of_the_instruction(void **state)
{
	(void)state;
	fake_cpu->gpr[RCX] = 0xffffffff00000002;
	fake_cpu->gpr[RDI] = 0xffffffff00000000 | W_OPERAND;
	string_exit(IO_IN | IO_REP, W_OPERAND, 32);
	assert_int_equal(fake_cpu->gpr[RCX], 1);
	assert_int_equal(fake_cpu->gpr[RDI], W_OPERAND + 1);
}

/* Return: the vector; nothing else has happened, no byte is lost. */
static u32 string_fault(u64 qual, u64 la)
{
	u64 before[NR_GPRS];
	u32 vector;

	memcpy(before, fake_cpu->gpr, sizeof(before));
	ins = outs = 0;
	string_exit(qual, la, 64);
	vector = fault_vector();
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0);
	assert_memory_equal(before, fake_cpu->gpr, sizeof(before));
	assert_int_equal(ins + outs, 0);
	return vector;
}

static void a_page_fault_comes_before_the_port(void **state)
{
	(void)state;
	fake_cpu->gpr[RCX] = 5;
	*PTE_AT(SECOND_PAGE) = 0;
	assert_int_equal(string_fault(IO_IN | IO_REP, SECOND_PAGE), VEC_PF);
	assert_int_equal(read_cr2(), SECOND_PAGE);
	assert_int_equal(vmread(VMCS_ENTRY_INTR_ERROR), PF_WRITE);
	assert_int_equal(string_fault(IO_IN | 3, SECOND_PAGE - 2), VEC_PF);
	assert_int_equal(read_cr2(), SECOND_PAGE);
	assert_int_equal(string_fault(0, SECOND_PAGE + 1), VEC_PF);
	assert_int_equal(vmread(VMCS_ENTRY_INTR_ERROR), 0);
	*PTE_AT(SECOND_PAGE) = W_SCRATCH | 0x61;	/* read-only, the kernel's */
	assert_int_equal(string_fault(IO_IN, SECOND_PAGE), VEC_PF);
	assert_int_equal(vmread(VMCS_ENTRY_INTR_ERROR), PF_WRITE | PF_PRESENT);
	vmwrite(VMCS_GUEST_SS_AR, 0xc0f3);		/* CPL 3 */
	assert_int_equal(string_fault(0, SECOND_PAGE), VEC_PF);
	assert_int_equal(vmread(VMCS_ENTRY_INTR_ERROR), PF_USER | PF_PRESENT);
}

static void no_frame_of_the_layers_is_an_operand(void **state)
{
	(void)state;
	*PTE_AT(SECOND_PAGE) = LAYER_START << PAGE_SHIFT | 0x63;
	assert_int_equal(string_fault(IO_IN, SECOND_PAGE), VEC_GP);
	assert_int_equal(string_fault(0, SECOND_PAGE), VEC_GP);
}

static void what_is_not_canonical_is_no_operand(void **state)
{
	(void)state;
	assert_int_equal(string_fault(IO_IN, BIT(47)), VEC_GP);
	assert_int_equal(string_fault(1, BIT(47) - 1), VEC_GP);
}

static void in_32_bit_code_it_is_refused(void **state)
{
	(void)state;
	vmwrite(VMCS_GUEST_CS_AR, 0xc0fb);
	fake_cpu->gpr[RDI] = fake_cpu->gpr[RSI] = W_OPERAND;
	assert_int_equal(string_fault(IO_IN, W_OPERAND), VEC_GP);
	assert_int_equal(string_fault(0, W_OPERAND), VEC_GP);
}

static void outside_long_mode_it_is_refused(void **state)
{
	(void)state;
	vmwrite(VMCS_GUEST_ES_AR, 0xc093);
	vmwrite(VMCS_GUEST_ES_LIMIT, 0xffffffff);
	vmwrite(VMCS_GUEST_EFER, 0);
	assert_int_equal(string_fault(IO_IN, W_OPERAND), VEC_GP);
}

/* --- CR0 and CR4 --- */

static u32 mov_to_cr(u32 cr, u64 val)
{
	vmwrite(VMCS_GUEST_RIP, RIP0);
	fake_cpu->gpr[RBX] = val;
	r_exit(EXIT_REASON_CR_ACCESS, cr | RBX << 8);
	return fault_vector();
}

static void cet_wants_write_protection(void **state)
{
	u64 cr0 = vmread(VMCS_GUEST_CR0), cr4 = vmread(VMCS_GUEST_CR4);

	(void)state;
	assert_int_equal(mov_to_cr(0, cr0 & ~CR0_WP), ~0u);
	assert_int_equal(mov_to_cr(4, cr4 | CR4_CET), VEC_GP);
	assert_int_equal(vmread(VMCS_GUEST_CR4), cr4);
	assert_int_equal(mov_to_cr(0, cr0 | CR0_WP), ~0u);
	assert_int_equal(mov_to_cr(4, cr4 | CR4_CET), ~0u);
	assert_int_equal(mov_to_cr(0, cr0 & ~CR0_WP), VEC_GP);
	assert_true(vmread(VMCS_GUEST_CR0) & CR0_WP);
}

static void thirty_two_bit_code_moves_32_bits(void **state)
{
	u64 cr0 = vmread(VMCS_GUEST_CR0);

	(void)state;
	assert_int_equal(mov_to_cr(0, BIT(40) | cr0), VEC_GP);
	vmwrite(VMCS_GUEST_CS_AR, 0xc09b);
	assert_int_equal(mov_to_cr(0, BIT(40) | cr0), ~0u);
	assert_int_equal(vmread(VMCS_GUEST_CR0), cr0);
}

/* --- CPUID --- */

static const u64 *leaf(u32 eax, u32 ecx)
{
	fake_cpu->gpr[RAX] = eax;
	fake_cpu->gpr[RCX] = ecx;
	r_exit(EXIT_REASON_CPUID, 0);
	return fake_cpu->gpr;
}

static void what_msrs_refuse_cpuid_does_not_show(void **state)
{
	u32 i;

	(void)state;
	w_cpuid_fill = ~0u;
	assert_int_equal(leaf(6, 0)[RAX], ~(u32)(BIT(19) | BIT(23)));
	assert_int_equal(leaf(7, 0)[RBX], ~(u32)BIT(25));
	assert_int_equal(leaf(7, 1)[RBX], ~0u);
	assert_int_equal(leaf(0xd, 1)[RCX], ~(u32)BIT(8));
	assert_int_equal(leaf(0xd, 0)[RAX], ~0u);
	for (i = RAX; i <= RBX; i++) {
		assert_int_equal(leaf(0xd, 8)[i], 0);
		assert_int_equal(leaf(0x14, 1)[i], 0);
		assert_int_equal(leaf(0x15, 0)[i], ~0u);
	}
	w_cpuid_fill = 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, r_forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_step_is_due_behind_what_the_layer_completes),
		T(a_fault_has_rf_and_no_step),
		T(what_is_run_again_behind_mov_ss_keeps_its_step),
		T(ins_stores_and_goes_on),
		T(outs_takes_what_is_there),
		T(rep_is_an_exit_for_each_element),
		T(addresses_have_the_width_of_the_instruction),
		T(a_page_fault_comes_before_the_port),
		T(no_frame_of_the_layers_is_an_operand),
		T(what_is_not_canonical_is_no_operand),
		T(in_32_bit_code_it_is_refused),
		T(outside_long_mode_it_is_refused),
		T(cet_wants_write_protection),
		T(thirty_two_bit_code_moves_32_bits),
		T(what_msrs_refuse_cpuid_does_not_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
