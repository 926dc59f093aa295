// SPDX-License-Identifier: GPL-2.0
/*
 * VMCS shadowing: what hardware accesses for L1, and that it is a mailbox and no more
 * (vmx/vmcs/shadow_vmcs.h).  Of tests/unit/test_nested.c each test runs with it and without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "nested_world.h"

static const struct { u32 row; bool write; } fields[] = {
#define READ	false
#define WRITE	true
#define SHADOW_FIELD(name, access) { ROW_##name, access },
#include "vmx/vmcs/shadow_fields.h"
};

static int setup(void **state)
{
	(void)state;
	w_init(2);
	w_vmxon();
	w_load(W_VMCS12);
	w_fill_valid();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	w_free();
	return 0;
}

/* How many of all encodings hardware accesses for L1. */
static u32 shadowed(bool write)
{
	u32 n = 0;

	for (u64 enc = 0; enc < BIT(15); enc++)
		n += !!w_shadowed(enc, write);
	return n;
}

static u32 listed(bool write)
{
	u32 n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(fields); i++)
		n += !write || fields[i].write;
	return n;
}

static void hardware_accesses_the_listed_fields_and_no_other(void **state)
{
	(void)state;
	assert_int_equal(shadowed(false), listed(false));
	assert_int_equal(shadowed(true), listed(true));
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct vmcs_field *d = &vmcs_field[fields[i].row];

		assert_non_null(w_shadowed(d->encoding, false));
		assert_true(!!w_shadowed(d->encoding, true) == fields[i].write);
		/* Error 13 is the layer's to say, and a half written would be two truths. */
		assert_false(fields[i].write && VMCS_ENC_WIDTH(d->encoding) == 1);
		/* A write that exits would leave the old value to be read. */
		assert_true(fields[i].write == (d->class != CLASS_EXIT));
	}
	assert_int_equal(w_vmwrite(VMCS_EXIT_REASON, 1), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_FIELD_READ_ONLY);
}

static void without_a_current_vmcs_every_access_exits(void **state)
{
	u64 val;

	(void)state;
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, W_VMCS12), W_SUCCEED);
	assert_int_equal(shadowed(false) + shadowed(true), 0);
	assert_int_equal(w_vmread(VMCS_GUEST_RIP, &val), W_FAIL_INVALID);
	w_load(W_VMCS12);
	assert_true(shadowed(false));
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMFRAME), W_FAIL_INVALID);
	assert_int_equal(shadowed(false) + shadowed(true), 0);
	w_load(W_VMCS12);
	assert_true(shadowed(false));
	assert_int_equal(w_insn(EXIT_REASON_VMXOFF, 0, 0), W_SUCCEED);
	assert_int_equal(shadowed(false) + shadowed(true), 0);
	assert_int_equal(w_vmread(VMCS_GUEST_RIP, &val), W_FAULT);
	assert_int_equal(ev.vector, VEC_UD);
}

static void an_exit_shows_what_vmcs12_has(void **state)
{
	struct vvmcs *vv = fake_cpu->nested.current;

	(void)state;
	assert_int_equal(w_enter(true), W_ENTERED);
	vmwrite(VMCS_GUEST_RSP, 0x5000);
	vmwrite(VMCS_GUEST_RIP, 0x1002);
	vmwrite(VMCS_EXIT_INSN_LEN, 2);
	vmwrite(VMCS_GUEST_PHYS_ADDR, 0x123456789000);
	w_exit(EXIT_REASON_CPUID);
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++)
		assert_true(*w_shadowed(vmcs_field[fields[i].row].encoding, false) ==
			    vv->f[fields[i].row]);
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_CPUID);
	assert_int_equal(w_read(VMCS_GUEST_RSP), 0x5000);
	assert_int_equal(w_read(VMCS_GUEST_PHYS_ADDR | 1), 0x1234);
}

static void each_write_reaches_vmcs02_by_the_next_entry(void **state)
{
	struct vvmcs *vv = fake_cpu->nested.current;
	u64 rsp;

	(void)state;
	assert_int_equal(w_enter(true), W_ENTERED);
	w_exit(EXIT_REASON_HLT);
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!fields[i].write)
			continue;
		w_write(vmcs_field[fields[i].row].encoding, 0x100 + i);
		/* A mailbox: nothing of the layer's has changed yet. */
		assert_true(vv->f[fields[i].row] != 0x100 + i);
		assert_int_equal(w_read(vmcs_field[fields[i].row].encoding), 0x100 + i);
	}
	w_write(VMCS_PIN_CTLS, vv->f[ROW_PIN_CTLS] | PIN_PREEMPTION_TIMER);
	assert_int_equal(w_enter(false), W_ENTERED);
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].write && vmcs_field[fields[i].row].class != CLASS_HOST)
			assert_int_equal(vmread(vmcs_field[fields[i].row].encoding), 0x100 + i);
	/* Host state is L1's at the exit. */
	rsp = vv->f[ROW_HOST_RSP];
	assert_true(rsp >= 0x100 && rsp < 0x100 + ARRAY_SIZE(fields));
	w_exit(EXIT_REASON_HLT);
	assert_int_equal(vmread(VMCS_GUEST_RSP), rsp);
}

/* What hardware took back for itself is not written again by an old copy. */
static void what_l1_did_not_write_stays_l2s(void **state)
{
	(void)state;
	assert_int_equal(w_enter(true), W_ENTERED);
	w_exit(EXIT_REASON_HLT);
	w_write(VMCS_GUEST_RIP, 0x2000);
	assert_int_equal(w_enter(false), W_ENTERED);
	vmwrite(VMCS_GUEST_RIP, 0x3000);
	vmwrite(VMCS_GUEST_RFLAGS, 0x202);
	w_exit(EXIT_REASON_HLT);
	assert_int_equal(w_read(VMCS_GUEST_RIP), 0x3000);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(vmread(VMCS_GUEST_RIP), 0x3000);
	assert_int_equal(vmread(VMCS_GUEST_RFLAGS), 0x202);
}

static void a_refused_entry_keeps_what_l1_wrote(void **state)
{
	(void)state;
	w_write(VMCS_GUEST_RIP, 0x2000);
	w_write(VMCS_EPTP, 0);
	assert_int_equal(w_enter(true), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_ENTRY_CONTROLS);
	assert_int_equal(w_read(VMCS_GUEST_RIP), 0x2000);
	w_write(VMCS_GUEST_RIP, 0x2002);
	w_write(VMCS_EPTP, W_EPTP);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(vmread(VMCS_GUEST_RIP), 0x2002);
}

static void two_vmcss_have_a_mailbox_each(void **state)
{
	(void)state;
	w_write(VMCS_GUEST_RIP, 0x1111);
	w_load(W_VMCS12B);
	w_write(VMCS_GUEST_RIP, 0x2222);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_SUCCEED);
	assert_int_equal(w_read(VMCS_GUEST_RIP), 0x1111);
	/* One is cleared while the other is current: its last writes are in its frame. */
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, W_VMCS12B), W_SUCCEED);
	assert_int_equal(w_read(VMCS_GUEST_RIP), 0x1111);
	w_use_cpu(1);
	w_vmxon();
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12B), W_SUCCEED);
	assert_int_equal(w_read(VMCS_GUEST_RIP), 0x2222);
}

/* Bound or not, it moves to another CPU only when hardware of the first has let go of it. */
static void a_bound_one_moves_with_what_l1_wrote(void **state)
{
	struct vvmcs *vv = fake_cpu->nested.current;
	struct vcpu *vcpu = (struct vcpu *)&vv;
	u64 shadow = vv->shadow_pa;

	(void)state;
	w_write(VMCS_GUEST_RFLAGS, 0x202);
	assert_int_equal(vvmcs_bind(fake_cpu, vv, vcpu), 0);
	assert_int_equal(vv->f[ROW_GUEST_RFLAGS], 0x202);
	w_write(VMCS_GUEST_RIP, 0x1234);
	assert_true(w_vmcs_active(shadow));
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, W_VMCS12), W_SUCCEED);
	assert_false(w_vmcs_active(shadow));
	w_use_cpu(1);
	w_vmxon();
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_SUCCEED);
	assert_int_equal(w_read(VMCS_GUEST_RIP), 0x1234);
	assert_int_equal(w_enter(true), W_FAIL_VALID);	/* protect_entry() says no */
	assert_int_equal(vv->f[ROW_GUEST_RIP], 0x1234);
	assert_int_equal(vvmcs_unbind(fake_cpu, vv), 0);
	assert_int_equal(shadowed(false), 0);
}

static void without_a_frame_for_it_every_access_exits(void **state)
{
	(void)state;
	w_pool_limit = w_pool_used + 3;
	w_load(W_VMCS12B);
	assert_int_equal(w_pool_used, w_pool_limit);
	assert_int_equal(shadowed(false) + shadowed(true), 0);
	w_fill_valid();
	w_write(VMCS_GUEST_RIP, 0x1234);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(vmread(VMCS_GUEST_RIP), 0x1234);
	w_exit(EXIT_REASON_HLT);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_SUCCEED);
	assert_true(shadowed(false));
}

static void a_host_that_does_not_want_it_has_none(void **state)
{
	(void)state;
	w_free();
	w_init(1);
	up_config.vmcs_shadowing = 0;
	vvmcs_init();
	w_vmxon();
	w_load(W_VMCS12);
	assert_int_equal(shadowed(false) + shadowed(true), 0);
	assert_int_equal(vmread(VMCS_CPU2_CTLS) & CPU2_SHADOW_VMCS, 0);
}

static void vmcs02_has_none(void **state)
{
	(void)state;
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(vmread(VMCS_CPU2_CTLS) & CPU2_SHADOW_VMCS, 0);
	assert_true(vmread(VMCS_VMCS_LINK) == ~0ULL);
	w_exit(EXIT_REASON_HLT);
	w_write(VMCS_CPU2_CTLS, CPU2_EPT | CPU2_VPID | CPU2_SHADOW_VMCS);
	assert_int_equal(w_enter(false), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_ENTRY_CONTROLS);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(hardware_accesses_the_listed_fields_and_no_other),
		T(without_a_current_vmcs_every_access_exits),
		T(an_exit_shows_what_vmcs12_has),
		T(each_write_reaches_vmcs02_by_the_next_entry),
		T(what_l1_did_not_write_stays_l2s),
		T(a_refused_entry_keeps_what_l1_wrote),
		T(two_vmcss_have_a_mailbox_each),
		T(a_bound_one_moves_with_what_l1_wrote),
		T(without_a_frame_for_it_every_access_exits),
		T(a_host_that_does_not_want_it_has_none),
		T(vmcs02_has_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
