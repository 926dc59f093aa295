// SPDX-License-Identifier: GPL-2.0
/*
 * What the root image does to a processor, and in which order: predictors, buffers,
 * caches, MSRs that act by themselves, counters.  No emulator has these.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "root_world.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/bitmap.h"
#include "vmx/exit/exit.h"

#define RIP_HOST	0xffffffff81000000ULL
#define CTR_HOST	0x70000000fULL	/* counters that a host has running */
#define CTR_GUEST	0x3ULL
#define CTR_LIST	0x5ULL
#define CTR_BAD		BIT(40)

static long vm;

static u64 vmcs01(void)
{
	return fake_cpu->vmcs01_pa;
}

/* Four programmable counters and three fixed ones. */
static void launch(u32 edx7, u64 arch, u64 spec_ctrl)
{
	memset(w_msr, 0, sizeof(w_msr));
	memset(w_cpuid7, 0, sizeof(w_cpuid7));
	w_cpuid7[3] = edx7;
	w_cpuid_a[0] = 4 << 8;
	w_cpuid_a[3] = 3;
	w_msr[MSR_ARCH_CAPABILITIES] = arch;
	w_msr[MSR_SPEC_CTRL] = spec_ctrl;
	w_msr[MSR_PERF_GLOBAL_CTRL] = CTR_HOST;
	r_init();
	r_quiet(true);
	vm = r_make_vm();
	assert_true(vm >= 0);
	w_steps_clear();
}

static void run(void)
{
	w_steps_clear();
	assert_int_equal(w_enter(!fake_cpu->nested.current->launched), W_ENTERED);
}

/* An ordinary VM's VMCS, current. */
static void ordinary(void)
{
	w_insn_mem(EXIT_REASON_VMCLEAR, W_VMCS12B);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12B), W_SUCCEED);
	w_fill_valid();
}

static u32 host_wrmsr(u32 msr, u64 val)
{
	u32 fault;

	vmwrite(VMCS_GUEST_RIP, RIP_HOST);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	fake_cpu->gpr[RCX] = msr;
	fake_cpu->gpr[RAX] = (u32)val;
	fake_cpu->gpr[RDX] = val >> 32;
	r_exit(EXIT_REASON_WRMSR, 0);
	fault = (u32)vmread(VMCS_ENTRY_INTR_INFO);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	assert_true(!!fault == (vmread(VMCS_GUEST_RIP) == RIP_HOST));
	return fault;
}

static bool exits(u64 bitmap_pa, u32 msr, bool write)
{
	return bitmap_test(phys(bitmap_pa), (u32)msr_bit(msr, write));
}

/* --- predictors ------------------------------------------------------------------- */

static void a_protected_vm_is_entered_with_fresh_predictors(void **state)
{
	int barrier, stuffing;

	(void)state;
	launch(CPUID7_EDX_IBRS_IBPB, 0, 0);
	run();
	barrier = w_last(W_WRMSR, MSR_PRED_CMD);
	stuffing = w_last(W_RSB, 0);
	assert_true(barrier != W_NEVER && w_step_val(barrier) == PRED_CMD_IBPB);
	/* Nothing of the host's comes behind them. */
	assert_true(barrier > w_last(W_XRSTOR, 0) && stuffing > barrier);
	/* An exit that the host does not see needs none: root does not train. */
	w_steps_clear();
	fake_cpu->gpr[RAX] = 0x40000000;
	r_exit(EXIT_REASON_CPUID, 0);
	assert_true(fake_cpu->nested.in_vm && w_first(W_WRMSR, MSR_PRED_CMD) == W_NEVER);
}

static void a_processor_without_ibpb_gets_the_stack_filled(void **state)
{
	(void)state;
	launch(0, 0, 0);
	run();
	assert_int_equal(w_first(W_WRMSR, MSR_PRED_CMD), W_NEVER);
	assert_int_not_equal(w_first(W_RSB, 0), W_NEVER);
}

/* Between the VM and the host's first instruction. */
static void host_gets_a_barrier(bool wanted)
{
	int barrier, host;

	w_steps_clear();
	r_exit(EXIT_REASON_EXTINT, 0);
	assert_false(fake_cpu->nested.in_vm);
	barrier = w_first(W_WRMSR, MSR_PRED_CMD);
	host = w_first(W_VMPTRLD, vmcs01());
	assert_true((barrier != W_NEVER && barrier < host) == wanted);
}

static void a_host_without_ibrs_needs_no_barrier(void **state)
{
	(void)state;
	launch(CPUID7_EDX_IBRS_IBPB, 0, 0);
	run();
	host_gets_a_barrier(false);
	ordinary();
	run();
	host_gets_a_barrier(false);
}

/* The last test: what the host relied on at a launch is remembered. */
static void a_host_that_relies_on_ibrs_gets_a_barrier(void **state)
{
	(void)state;
	launch(CPUID7_EDX_IBRS_IBPB, 0, SPEC_CTRL_IBRS);
	run();
	host_gets_a_barrier(true);
	ordinary();
	run();
	assert_int_equal(w_first(W_RSB, 0), W_NEVER);
	host_gets_a_barrier(true);
}

static void the_commands_and_spec_ctrl_are_the_guests(void **state)
{
	static const u32 own[] = { MSR_SPEC_CTRL, MSR_PRED_CMD, MSR_FLUSH_CMD };
	u64 bitmap;
	u32 i;

	(void)state;
	launch(CPUID7_EDX_IBRS_IBPB, 0, 0);
	w_msr[MSR_SPEC_CTRL] = 4;
	run();
	bitmap = vmread(VMCS_MSR_BITMAP);
	for (i = 0; i < ARRAY_SIZE(own); i++)
		assert_false(exits(bitmap, own[i], true));
	assert_int_equal(w_msr[MSR_SPEC_CTRL], 0);
	w_msr[MSR_SPEC_CTRL] = 2;
	r_exit(EXIT_REASON_EXTINT, 0);
	assert_int_equal(w_msr[MSR_SPEC_CTRL], 4);
	run();
	assert_int_equal(w_msr[MSR_SPEC_CTRL], 2);
	assert_true(w_first(W_WRMSR, MSR_PRED_CMD) > w_first(W_WRMSR, MSR_SPEC_CTRL));
}

/* --- MSRs that act by themselves --------------------------------------------------- */

static const u32 quiet[] = {
	MSR_TEST_CTRL, MSR_MISC_FEATURES, MSR_PEBS_ENABLE, MSR_BNDCFGS, MSR_XSS, MSR_LBR_CTL,
};

static void what_acts_by_itself_is_off_in_the_vm(void **state)
{
	u32 i;

	(void)state;
	launch(CPUID7_EDX_IBRS_IBPB, 0, 0);
	for (i = 0; i < ARRAY_SIZE(quiet); i++)
		w_msr[quiet[i]] = 0xf0 + i;
	run();
	for (i = 0; i < ARRAY_SIZE(quiet); i++) {
		assert_int_equal(w_msr[quiet[i]], 0);
		assert_true(exits(vmread(VMCS_MSR_BITMAP), quiet[i], true));
	}
	/* It may store for a while: what takes long comes behind. */
	assert_true(w_first(W_WRMSR, MSR_PEBS_ENABLE) < w_first(W_XRSTOR, 0));
	assert_true(w_first(W_WRMSR, MSR_PEBS_ENABLE) < w_first(W_WRMSR, MSR_PRED_CMD));
	r_exit(EXIT_REASON_EXTINT, 0);
	for (i = 0; i < ARRAY_SIZE(quiet); i++)
		assert_int_equal(w_msr[quiet[i]], 0xf0 + i);
	assert_true(w_last(W_WRMSR, MSR_PEBS_ENABLE) > w_last(W_XRSTOR, 0));
}

static void mitigations_cannot_be_turned_off(void **state)
{
	(void)state;
	launch(0, 0, 0);
	assert_true(exits(w_vmcs(vmcs01(), VMCS_MSR_BITMAP), MSR_MCU_OPT_CTRL, true));
	assert_int_equal(host_wrmsr(MSR_MCU_OPT_CTRL, BIT(1)), 0);
	assert_int_equal(w_msr[MSR_MCU_OPT_CTRL], BIT(1));
	assert_int_equal(host_wrmsr(MSR_MCU_OPT_CTRL, BIT(1) | BIT(0)), 0);
	assert_int_equal(host_wrmsr(MSR_MCU_OPT_CTRL, BIT(1) | BIT(3)), 0);
	assert_int_equal(host_wrmsr(MSR_MCU_OPT_CTRL, BIT(1) | BIT(4)), 0);
	assert_int_equal(w_msr[MSR_MCU_OPT_CTRL], BIT(1));
	/* One that was set when the layer came stays, and can be cleared. */
	w_msr[MSR_MCU_OPT_CTRL] = BIT(0);
	assert_int_equal(host_wrmsr(MSR_MCU_OPT_CTRL, BIT(0) | BIT(1)), 0);
	assert_int_equal(w_msr[MSR_MCU_OPT_CTRL], BIT(0) | BIT(1));
	assert_int_not_equal(host_wrmsr(MSR_NO_EVICT_MODE, 1), 0);
	assert_int_equal(w_msr[MSR_NO_EVICT_MODE], 0);
}

/* --- what the host finds behind a VM ----------------------------------------------- */

/* Behind the last touch of the VM's registers, and before the host's first instruction. */
static void scrubbed(enum w_what what, u64 arg)
{
	int buffers = w_first(W_VERW, 0), lines = w_first(what, arg);
	int host = w_first(W_VMPTRLD, vmcs01());

	assert_false(fake_cpu->nested.in_vm);
	assert_true(w_last(W_XRSTOR, 0) != W_NEVER);
	assert_true(lines > w_last(W_XRSTOR, 0) && lines < host);
	assert_true(buffers > lines && buffers < host);
}

static void each_way_to_the_host_scrubs(void **state)
{
	(void)state;
	launch(CPUID7_EDX_MD_CLEAR | CPUID7_EDX_L1D_FLUSH, 0, 0);
	run();
	w_steps_clear();
	r_exit(EXIT_REASON_EXTINT, 0);
	scrubbed(W_WRMSR, MSR_FLUSH_CMD);
	run();
	w_steps_clear();
	fake_cpu->nmi_pending = 1;
	vm_nmi(fake_cpu);
	scrubbed(W_WRMSR, MSR_FLUSH_CMD);
}

static void a_refused_entry_scrubs(void **state)
{
	(void)state;
	launch(CPUID7_EDX_MD_CLEAR | CPUID7_EDX_L1D_FLUSH, 0, 0);
	run();
	w_steps_clear();
	w_root(EXIT_REASON_GUEST_STATE | (u32)EXIT_ENTRY_FAILURE);
	scrubbed(W_WRMSR, MSR_FLUSH_CMD);
}

static void an_entry_that_fails_scrubs(void **state)
{
	(void)state;
	launch(CPUID7_EDX_MD_CLEAR | CPUID7_EDX_L1D_FLUSH, 0, 0);
	run();
	w_steps_clear();
	vmwrite(VMCS_INSN_ERROR, VMERR_ENTRY_CONTROLS);
	vm_entry_failed(fake_cpu);
	scrubbed(W_WRMSR, MSR_FLUSH_CMD);
}

/* A frame that VMCS02 uses goes to another owner while the VM runs. */
static void a_vm_whose_frames_go_scrubs(void **state)
{
	(void)state;
	launch(CPUID7_EDX_MD_CLEAR | CPUID7_EDX_L1D_FLUSH, 0, 0);
	run();
	w_steps_clear();
	w_use_cpu(1);
	*(u64 *)phys(R_LISTS << PAGE_SHIFT) = W_VAPIC >> PAGE_SHIFT;
	assert_int_equal(r_call(UP_CALL_POOL_DONATE, R_LISTS, 1, 0), 0);
	w_use_cpu(0);
	fake_cpu->gpr[RAX] = 0x40000000;
	w_steps_clear();
	r_exit(EXIT_REASON_CPUID, 0);
	scrubbed(W_WRMSR, MSR_FLUSH_CMD);
}

static void l1d_is_read_full_where_no_command_flushes_it(void **state)
{
	(void)state;
	launch(CPUID7_EDX_MD_CLEAR, 0, 0);
	run();
	w_steps_clear();
	r_exit(EXIT_REASON_EXTINT, 0);
	scrubbed(W_L1D, 0);
	assert_int_equal(w_first(W_WRMSR, MSR_FLUSH_CMD), W_NEVER);
}

static void a_processor_without_l1tf_flushes_nothing(void **state)
{
	(void)state;
	launch(CPUID7_EDX_MD_CLEAR | CPUID7_EDX_L1D_FLUSH | CPUID7_EDX_ARCH_CAPS, ARCH_RDCL_NO, 0);
	run();
	w_steps_clear();
	r_exit(EXIT_REASON_EXTINT, 0);
	assert_int_equal(w_first(W_WRMSR, MSR_FLUSH_CMD), W_NEVER);
	assert_int_equal(w_first(W_L1D, 0), W_NEVER);
	assert_int_not_equal(w_first(W_VERW, 0), W_NEVER);
}

static void an_ordinary_vm_is_not_scrubbed(void **state)
{
	(void)state;
	launch(CPUID7_EDX_MD_CLEAR | CPUID7_EDX_L1D_FLUSH, 0, 0);
	ordinary();
	run();
	w_steps_clear();
	r_exit(EXIT_REASON_EXTINT, 0);
	assert_int_equal(w_first(W_VERW, 0), W_NEVER);
	assert_int_equal(w_first(W_WRMSR, MSR_FLUSH_CMD), W_NEVER);
}

/* --- lines ------------------------------------------------------------------------- */

static void frames_are_flushed_before_they_are_measured(void **state)
{
	int flushed;
	u64 i;

	(void)state;
	launch(0, 0, 0);
	r_forget(state);
	/* Once more, watched; what is written is there before the VM gets the frame. */
	r_init();
	r_quiet(true);
	memset(phys(R_VM_PFN << PAGE_SHIFT), 0x5e, PAGE_SIZE);
	w_steps_clear();
	assert_true(r_make_vm() >= 0);
	for (i = 0; i < R_VM_FRAMES; i++) {
		flushed = w_first(W_LINES, R_VM_PFN + i);
		assert_int_not_equal(flushed, W_NEVER);
		assert_int_equal(w_step_val(flushed), i ? 1 : 0);
	}
}

static void returned_frames_are_flushed_as_zeroes(void **state)
{
	long err;
	u64 i;

	(void)state;
	launch(0, 0, 0);
	for (i = 0; i < R_VM_FRAMES; i++)
		memset(phys((R_VM_PFN + i) << PAGE_SHIFT), 0x5e, PAGE_SIZE);
	assert_int_equal(r_call(UP_CALL_VM_KILL, (u64)vm, 0, 0), 0);
	w_steps_clear();
	do {
		r_flush_all();
		err = r_call(UP_CALL_VM_RECLAIM, (u64)vm, R_LISTS, 8);
	} while (err == -UP_EAGAIN);
	assert_int_equal(err, 0);
	for (i = 0; i < R_VM_FRAMES; i++) {
		int flushed = w_first(W_LINES, R_VM_PFN + i);

		/* Zero already, and not the host's yet. */
		assert_int_not_equal(flushed, W_NEVER);
		assert_int_equal(w_step_val(flushed), 1);
	}
}

static void shared_frames_are_flushed_as_zeroes(void **state)
{
	int flushed;

	(void)state;
	launch(0, 0, 0);
	memset(phys((R_VM_PFN + 1) << PAGE_SHIFT), 0x5e, PAGE_SIZE);
	run();
	assert_int_equal(r_call(UP_GUEST_SHARE, 1, 1, 0), 0);
	flushed = w_first(W_LINES, R_VM_PFN + 1);
	assert_int_not_equal(flushed, W_NEVER);
	assert_int_equal(w_step_val(flushed), 1);
}

/* --- counters ---------------------------------------------------------------------- */

static u64 counters(void)
{
	return vmread(VMCS_GUEST_PERF_GLOBAL);
}

static void counters_stand_still_in_root_mode(void **state)
{
	(void)state;
	launch(0, 0, 0);
	assert_true(vmread(VMCS_EXIT_CTLS) & EXIT_LOAD_PERF_GLOBAL);
	assert_true(vmread(VMCS_ENTRY_CTLS) & ENTRY_LOAD_PERF_GLOBAL);
	assert_int_equal(vmread(VMCS_HOST_PERF_GLOBAL), 0);
	assert_true(counters() == CTR_HOST);
	ordinary();
	run();
	assert_true(vmread(VMCS_EXIT_CTLS) & EXIT_LOAD_PERF_GLOBAL);
	assert_true(vmread(VMCS_ENTRY_CTLS) & ENTRY_LOAD_PERF_GLOBAL);
	assert_int_equal(vmread(VMCS_HOST_PERF_GLOBAL), 0);
}

/* A hypervisor may offer the controls and give its guest no counters, as KVM does. */
static void without_counters_none_is_switched(void **state)
{
	(void)state;
	w_msr_missing = MSR_PERF_GLOBAL_CTRL;
	launch(0, 0, 0);
	assert_false(vmread(VMCS_EXIT_CTLS) & EXIT_LOAD_PERF_GLOBAL);
	assert_false(vmread(VMCS_ENTRY_CTLS) & ENTRY_LOAD_PERF_GLOBAL);
	ordinary();
	run();
	assert_false(vmread(VMCS_EXIT_CTLS) & EXIT_LOAD_PERF_GLOBAL);
	assert_false(vmread(VMCS_ENTRY_CTLS) & ENTRY_LOAD_PERF_GLOBAL);
	w_msr_missing = 0;
}

static void the_hosts_write_goes_to_the_field(void **state)
{
	(void)state;
	launch(0, 0, 0);
	assert_true(exits(vmread(VMCS_MSR_BITMAP), MSR_PERF_GLOBAL_CTRL, true));
	assert_false(exits(vmread(VMCS_MSR_BITMAP), MSR_PERF_GLOBAL_CTRL, false));
	w_steps_clear();
	assert_int_equal(host_wrmsr(MSR_PERF_GLOBAL_CTRL, CTR_GUEST), 0);
	assert_true(counters() == CTR_GUEST);
	/* A bit without a counter would be VMCS01's end. */
	assert_int_not_equal(host_wrmsr(MSR_PERF_GLOBAL_CTRL, CTR_BAD), 0);
	assert_int_not_equal(host_wrmsr(MSR_PERF_GLOBAL_CTRL, BIT(4)), 0);
	assert_true(counters() == CTR_GUEST);
	assert_int_equal(w_first(W_WRMSR, MSR_PERF_GLOBAL_CTRL), W_NEVER);
}

static void a_vm_counts_as_l1_says(void **state)
{
	(void)state;
	launch(0, 0, 0);
	ordinary();
	/* Nothing asked: through the VM and back. */
	run();
	assert_true(counters() == CTR_HOST);
	r_exit(EXIT_REASON_EXTINT, 0);
	assert_true(counters() == CTR_HOST);
	/* KVM's load controls */
	w_write(VMCS_ENTRY_CTLS, w_read(VMCS_ENTRY_CTLS) | ENTRY_LOAD_PERF_GLOBAL);
	w_write(VMCS_EXIT_CTLS, w_read(VMCS_EXIT_CTLS) | EXIT_LOAD_PERF_GLOBAL);
	w_write(VMCS_GUEST_PERF_GLOBAL, CTR_GUEST);
	w_write(VMCS_HOST_PERF_GLOBAL, CTR_LIST);
	run();
	assert_true(counters() == CTR_GUEST);
	assert_int_equal(vmread(VMCS_HOST_PERF_GLOBAL), 0);
	r_exit(EXIT_REASON_EXTINT, 0);
	assert_true(counters() == CTR_LIST);
	w_write(VMCS_HOST_PERF_GLOBAL, CTR_BAD);
	assert_int_equal(w_enter(false), W_FAIL_VALID);
	assert_int_equal(w_insn_error(), VMERR_ENTRY_HOST_STATE);
}

static void lists_of_msrs_reach_the_fields(void **state)
{
	struct { u32 msr, reserved; u64 val; } *list = phys(W_MSR_LIST);

	(void)state;
	launch(0, 0, 0);
	ordinary();
	list[0].msr = MSR_PERF_GLOBAL_CTRL;
	list[0].val = CTR_GUEST;
	list[1].msr = MSR_PERF_GLOBAL_CTRL;
	list[1].val = CTR_LIST;
	w_write(VMCS_ENTRY_MSR_LOAD_ADDR, W_MSR_LIST);
	w_write(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
	w_write(VMCS_EXIT_MSR_LOAD_ADDR, W_MSR_LIST + sizeof(*list));
	w_write(VMCS_EXIT_MSR_LOAD_COUNT, 1);
	run();
	assert_true(counters() == CTR_GUEST);
	assert_int_equal(vmread(VMCS_ENTRY_MSR_LOAD_COUNT), 0);
	w_steps_clear();
	r_exit(EXIT_REASON_EXTINT, 0);
	assert_true(counters() == CTR_LIST);
	assert_int_equal(w_first(W_WRMSR, MSR_PERF_GLOBAL_CTRL), W_NEVER);
}

static void a_protected_vm_is_not_counted(void **state)
{
	(void)state;
	launch(0, 0, 0);
	w_write(VMCS_ENTRY_CTLS, w_read(VMCS_ENTRY_CTLS) | ENTRY_LOAD_PERF_GLOBAL);
	w_write(VMCS_GUEST_PERF_GLOBAL, CTR_GUEST);
	run();
	assert_true(vmread(VMCS_ENTRY_CTLS) & ENTRY_LOAD_PERF_GLOBAL);
	assert_true(vmread(VMCS_EXIT_CTLS) & EXIT_LOAD_PERF_GLOBAL);
	assert_int_equal(counters(), 0);
	r_exit(EXIT_REASON_EXTINT, 0);
	assert_true(counters() == CTR_HOST);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, r_forget)
	const struct CMUnitTest tests[] = {
		TEST(a_protected_vm_is_entered_with_fresh_predictors),
		TEST(a_processor_without_ibpb_gets_the_stack_filled),
		TEST(a_host_without_ibrs_needs_no_barrier),
		TEST(the_commands_and_spec_ctrl_are_the_guests),
		TEST(what_acts_by_itself_is_off_in_the_vm),
		TEST(mitigations_cannot_be_turned_off),
		TEST(each_way_to_the_host_scrubs),
		TEST(a_refused_entry_scrubs),
		TEST(an_entry_that_fails_scrubs),
		TEST(a_vm_whose_frames_go_scrubs),
		TEST(l1d_is_read_full_where_no_command_flushes_it),
		TEST(a_processor_without_l1tf_flushes_nothing),
		TEST(an_ordinary_vm_is_not_scrubbed),
		TEST(frames_are_flushed_before_they_are_measured),
		TEST(returned_frames_are_flushed_as_zeroes),
		TEST(shared_frames_are_flushed_as_zeroes),
		TEST(counters_stand_still_in_root_mode),
		TEST(without_counters_none_is_switched),
		TEST(the_hosts_write_goes_to_the_field),
		TEST(a_vm_counts_as_l1_says),
		TEST(lists_of_msrs_reach_the_fields),
		TEST(a_protected_vm_is_not_counted),
		TEST(a_host_that_relies_on_ibrs_gets_a_barrier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
