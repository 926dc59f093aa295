// SPDX-License-Identifier: GPL-2.0
/*
 * A protected vCPU on the whole root image: what its host finds after an exit, what of
 * the host's wishes reaches hardware, and when its events are delivered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "root_world.h"
#include "vmx/base/x86.h"
#include "vmx/exit/exit.h"
#include "vmx/intercept/msr.h"
#include "vmx/vm/vcpu.h"

#define SECRET		0x5ec2e7a15ec2e7a1ULL
#define SHOWN_RIP	0xfff0
#define NMI		(INTR_VALID | INTR_TYPE_NMI << 8 | VEC_NMI)
#define INTERRUPT	(INTR_VALID | 0x51)
#define MACHINE_CHECK	(INTR_VALID | INTR_TYPE_HARD_EXC << 8 | VEC_MC)

static u32 invvpids, vm_invvpids;

int fake_invvpid(u64 type, u16 vpid, u64 gla)
{
	(void)gla;
	invvpids += type == INVVPID_SINGLE && vpid == HOST_VPID;
	vm_invvpids += type == INVVPID_SINGLE && fake_cpu->nested.current &&
		       vpid == fake_cpu->nested.current->vpid;
	return 0;
}

/* A measured VM with one vCPU; its VMCS is current. */
static int vm_ready(void **state)
{
	(void)state;
	r_init();
	r_quiet(true);
	assert_true(r_make_vm() >= 0);
	return 0;
}

/* The same, entered. */
static int vm_runs(void **state)
{
	vm_ready(state);
	assert_int_equal(w_enter(true), W_ENTERED);
	return 0;
}

/* As behind the firmware's switch to protected mode: interrupts on, nothing blocks. */
static void in_protected_mode(void)
{
	vmwrite(VMCS_GUEST_CR0, vmread(VMCS_GUEST_CR0) | CR0_PE);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_IF);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
}

static enum w_outcome enter_with(u64 event)
{
	w_write(VMCS_ENTRY_INTR_INFO, event);
	return w_enter(false);
}

/* The column "see" of vmcs_fields.h, row by row, whatever the exit. */
static void the_host_finds_what_the_table_says(u32 reason)
{
	u64 before[NR_VMCS_ROWS], secret[NR_VMCS_ROWS];
	struct vvmcs *vv = fake_cpu->nested.current;
	u32 row;

	for (row = 0; row < NR_VMCS_ROWS; row++) {
		vv->f[row] = before[row] = vv->f[row] ^ (vmcs_field[row].see == SEE_OWN ? 0 : 1);
		secret[row] = (SECRET + row * 0x100000001ULL) & row_mask[row];
		if (vmcs_field[row].class != CLASS_CTRL && vmcs_field[row].class != CLASS_HOST)
			w_set_vmcs(w_vmcs02(), vmcs_field[row].encoding, secret[row]);
	}
	w_set_vmcs(w_vmcs02(), VMCS_EXIT_REASON, reason);
	w_set_vmcs(w_vmcs02(), VMCS_EXIT_INTR_INFO, NMI);
	w_set_vmcs(w_vmcs02(), VMCS_IDT_VECTORING_INFO, 0);
	w_set_vmcs(w_vmcs02(), VMCS_GUEST_RFLAGS, SECRET | RFLAGS_IF);
	w_set_vmcs(w_vmcs02(), VMCS_GUEST_INTERRUPTIBILITY, BLOCKED_BY_STI);
	w_root(reason);
	assert_false(fake_cpu->nested.in_vm);
	for (row = 0; row < NR_VMCS_ROWS; row++) {
		if (row == ROW_ENTRY_INTR_INFO)
			continue;	/* an exit clears its valid bit (SDM vol. 3, 25.8.3) */
		if (vmcs_field[row].see == SEE_OWN)
			assert_true(vv->f[row] == before[row]);
		else if (vmcs_field[row].see == SEE_ZERO)
			assert_true(vv->f[row] == 0);
		else if (row != ROW_EXIT_QUAL && row != ROW_GUEST_PHYS_ADDR &&
			 row != ROW_EXIT_INSN_LEN && row != ROW_PREEMPTION_TIMER)
			assert_true(vv->f[row] != secret[row]);
	}
	assert_true(vv->f[ROW_GUEST_RIP] == SHOWN_RIP);
	assert_true(vv->f[ROW_GUEST_RFLAGS] == (RFLAGS_FIXED | RFLAGS_IF));
}

static void each_exit_shows_what_the_table_says(void **state)
{
	static const u32 reasons[] = {
		EXIT_REASON_EXCEPTION_NMI, EXIT_REASON_EXTINT, EXIT_REASON_HLT, EXIT_REASON_IO,
		EXIT_REASON_MWAIT, EXIT_REASON_PAUSE, EXIT_REASON_WBINVD,
		EXIT_REASON_EPT_MISCONFIG, EXIT_REASON_TPR_BELOW, EXIT_REASON_PREEMPTION_TIMER,
	};

	for (u32 i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (i)
			vm_runs(state);
		the_host_finds_what_the_table_says(reasons[i]);
		if (i + 1 < ARRAY_SIZE(reasons))
			r_forget(state);
	}
}

/* FILTER and NO: VMCS02 never takes the host's bits as they are unless the row says so. */
static void what_is_filtered_is_written(void **state)
{
	struct vvmcs *vv = fake_cpu->nested.current;
	u32 row;

	(void)state;
	r_exit(EXIT_REASON_EXTINT, 0);
	for (row = 0; row < NR_VMCS_ROWS; row++)
		if (vmcs_field[row].class == CLASS_CTRL && vmcs_field[row].set == SET_FILTER &&
		    row != ROW_VIRTUAL_APIC_ADDR && row != ROW_APIC_ACCESS_ADDR)
			w_set_vmcs(w_vmcs02(), vmcs_field[row].encoding, SECRET & row_mask[row]);
	for (row = 0; row < VMCS_ROW_WORDS; row++)
		vv->dirty[row] = ~0ULL;
	assert_int_equal(w_enter(false), W_ENTERED);
	for (row = 0; row < NR_VMCS_ROWS; row++)
		if (vmcs_field[row].class == CLASS_CTRL && vmcs_field[row].set == SET_FILTER &&
		    row != ROW_ENTRY_INTR_ERROR && row != ROW_ENTRY_INSN_LEN)
			assert_true(w_vmcs(w_vmcs02(), vmcs_field[row].encoding) !=
				    (SECRET & row_mask[row]));
}

/* Offset as it was when the VM began, and no scale: the host cannot turn time back. */
static void the_tsc_is_the_vms(void **state)
{
	u64 offset = w_vmcs(w_vmcs02(), VMCS_TSC_OFFSET);

	(void)state;
	r_exit(EXIT_REASON_EXTINT, 0);
	w_write(VMCS_CPU_CTLS, w_read(VMCS_CPU_CTLS) & ~CPU_TSC_OFFSETTING);
	w_write(VMCS_CPU2_CTLS, w_read(VMCS_CPU2_CTLS) | CPU2_TSC_SCALING);
	w_write(VMCS_TSC_MULTIPLIER, 1ULL << 47);
	w_write(VMCS_TSC_OFFSET, offset - 12345);
	w_set_vmcs(w_vmcs02(), VMCS_XSS_EXIT_BITMAP, SECRET);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_true(w_vmcs(w_vmcs02(), VMCS_TSC_OFFSET) == offset);
	assert_true(w_vmcs(w_vmcs02(), VMCS_CPU_CTLS) & CPU_TSC_OFFSETTING);
	assert_false(w_vmcs(w_vmcs02(), VMCS_CPU2_CTLS) & CPU2_TSC_SCALING);
	assert_true(w_vmcs(w_vmcs02(), VMCS_XSS_EXIT_BITMAP) == 0);
	fake_cpu->gpr[RCX] = MSR_TSC;
	r_exit(EXIT_REASON_WRMSR, 0);
	assert_true(fake_cpu->nested.in_vm && INTR_VECTOR(vmread(VMCS_ENTRY_INTR_INFO)) == VEC_GP);
}

static void nothing_is_delivered_in_real_mode(void **state)
{
	(void)state;
	w_write(VMCS_ENTRY_INTR_INFO, NMI);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_false(vmread(VMCS_GUEST_CR0) & CR0_PE);
	assert_false(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID);
	assert_int_equal(vmread(VMCS_GUEST_IDTR_LIMIT), 0);
	r_exit(EXIT_REASON_EXTINT, 0);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_IF);
	assert_int_equal(enter_with(INTERRUPT), W_ENTERED);
	assert_false(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID);
	/* Held, not lost: the first window in protected mode delivers it. */
	in_protected_mode();
	r_exit(EXIT_REASON_EXTINT, 0);
	assert_int_equal(enter_with(0), W_ENTERED);
	assert_true(vmread(VMCS_ENTRY_INTR_INFO) == NMI);
}

/* KVM gives up on IDT-vectoring information with any exit but a few (suberror 3). */
static void an_event_held_is_not_shown_as_vectoring(void **state)
{
	(void)state;
	in_protected_mode();
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);	/* the guest masks interrupts meanwhile */
	r_exit(EXIT_REASON_HLT, 0);
	assert_int_equal(enter_with(INTERRUPT), W_ENTERED);
	assert_false(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID);
	assert_true(vmread(VMCS_CPU_CTLS) & CPU_INTR_WINDOW);
	r_exit(EXIT_REASON_HLT, 0);
	assert_false(fake_cpu->nested.in_vm);
	assert_int_equal(w_read(VMCS_IDT_VECTORING_INFO), 0);
	/* And KVM does not bring another one on top of it. */
	assert_true(w_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_BY_STI);
	assert_int_equal(enter_with(0), W_ENTERED);
	in_protected_mode();
	r_exit(EXIT_REASON_INTR_WINDOW, 0);
	assert_true(fake_cpu->nested.in_vm);
	assert_true(vmread(VMCS_ENTRY_INTR_INFO) == INTERRUPT);
	assert_false(vmread(VMCS_CPU_CTLS) & CPU_INTR_WINDOW);
	r_exit(EXIT_REASON_EXTINT, 0);
	assert_false(w_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_BY_STI);
}

static void a_machine_check_is_the_hosts(void **state)
{
	(void)state;
	in_protected_mode();
	assert_true(vmread(VMCS_EXCEPTION_BITMAP) & BIT(VEC_MC));
	vmwrite(VMCS_EXIT_INTR_INFO, MACHINE_CHECK);
	r_exit(EXIT_REASON_EXCEPTION_NMI, 0);
	assert_false(fake_cpu->nested.in_vm);
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_EXCEPTION_NMI);
	assert_true(w_read(VMCS_EXIT_INTR_INFO) == MACHINE_CHECK);
	assert_int_equal(enter_with(0), W_ENTERED);
	assert_false(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID);
}

/* CR4 as the guest's MOV leaves it: it exits where a kept bit differs from its shadow. */
static u64 guest_sets_cr4(u64 val)
{
	u64 mask = vmread(VMCS_CR4_MASK);

	if ((val ^ vmread(VMCS_CR4_SHADOW)) & mask) {
		fake_cpu->gpr[RAX] = val;
		r_exit(EXIT_REASON_CR_ACCESS, 4 | CR_TYPE_TO << 4 | RAX << 8);
	}
	if (!((val ^ vmread(VMCS_CR4_SHADOW)) & mask))
		vmwrite(VMCS_GUEST_CR4, (vmread(VMCS_GUEST_CR4) & mask) | (val & ~mask));
	return (vmread(VMCS_GUEST_CR4) & ~mask) | (vmread(VMCS_CR4_SHADOW) & mask);
}

/* Where CR4.MCE is clear, a machine check is a shutdown in place of an exit. */
static void no_guest_turns_machine_checks_off(void **state)
{
	static const u64 vals[] = { CR4_PAE, CR4_PAE | CR4_MCE, CR4_PAE | CR4_PGE, 0 };

	(void)state;
	in_protected_mode();
	assert_true(vmread(VMCS_GUEST_CR4) & CR4_MCE);
	for (u32 i = 0; i < ARRAY_SIZE(vals); i++) {
		assert_true(guest_sets_cr4(vals[i]) == vals[i]);
		assert_int_equal(vmread(VMCS_GUEST_CR4), vals[i] | CR4_MCE | CR4_VMXE);
	}
}

/* One that can be gone on from is noted and handed on; any other stops the CPU. */
static void a_machine_check_in_root_mode(void **state)
{
	struct exception_frame f = { .vector = VEC_MC };
	int status;
	pid_t pid;

	(void)state;
	w_msr[MSR_MCG_STATUS] = BIT(0);
	root_exception(&f);
	r_exit(EXIT_REASON_CPUID, 0);
	assert_true(fake_cpu->nested.in_vm || vmread(VMCS_ENTRY_INTR_INFO) == MACHINE_CHECK);
	r_to_host();
	assert_true(vmread(VMCS_ENTRY_INTR_INFO) == MACHINE_CHECK);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	r_exit(EXIT_REASON_CPUID, 0);
	assert_int_equal(vmread(VMCS_ENTRY_INTR_INFO), 0);
	w_msr[MSR_MCG_STATUS] = 0;
	pid = fork();
	if (!pid) {
		root_exception(&f);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
}

/* Where the guest would lose by the host's word, the processor's own counts. */
static void cpuid_is_not_the_hosts_word(void **state)
{
	u64 *gpr = fake_cpu->gpr;

	(void)state;
	in_protected_mode();
	gpr[RAX] = 7;
	gpr[RCX] = 1;
	r_exit(EXIT_REASON_CPUID, 0);
	assert_true(fake_cpu->nested.in_vm);
	gpr[RAX] = 0x80000001;
	r_exit(EXIT_REASON_CPUID, 0);
	assert_true(fake_cpu->nested.in_vm);
	w_msr[MSR_ARCH_CAPABILITIES] = BIT(0) | BIT(7) | BIT(5) | BIT(18);
	gpr[RCX] = MSR_ARCH_CAPABILITIES;
	r_exit(EXIT_REASON_RDMSR, 0);
	assert_true(fake_cpu->nested.in_vm);
	assert_int_equal(gpr[RAX], BIT(0) | BIT(5));	/* TSX_CTRL and FB_CLEAR_CTRL are MSRs */
	/* What the processor can, and none of KVM's leaves. */
	w_cpuid7[1] = BIT(0) | BIT(11);
	gpr[RAX] = 7;
	gpr[RCX] = 0;
	r_exit(EXIT_REASON_CPUID, 0);
	assert_true(fake_cpu->nested.in_vm);
	assert_int_equal(gpr[RBX], BIT(0));
	gpr[RAX] = 0x40000001;
	r_exit(EXIT_REASON_CPUID, 0);
	assert_true(fake_cpu->nested.in_vm);
	assert_int_equal(gpr[RAX], 0);
	memset(w_cpuid7, 0, sizeof(w_cpuid7));
}

static void init_and_paging_drop_the_hosts_translations(void **state)
{
	(void)state;
	r_exit(EXIT_REASON_EXTINT, 0);
	r_exit(EXIT_REASON_CPUID, 0);
	invvpids = 0;
	fake_cpu->gpr[RAX] = vmread(VMCS_GUEST_CR4) & ~CR4_PGE;
	r_exit(EXIT_REASON_CR_ACCESS, 4 | CR_TYPE_TO << 4 | RAX << 8);
	assert_int_equal(invvpids, 1);
	fake_cpu->gpr[RAX] = 0x80010013;	/* NE off: exits */
	r_exit(EXIT_REASON_CR_ACCESS, 0 | CR_TYPE_TO << 4 | RAX << 8);
	assert_int_equal(invvpids, 2);
	r_exit(EXIT_REASON_INIT, 0);
	assert_int_equal(invvpids, 3);
	r_exit(EXIT_REASON_SIPI, 8);
	assert_int_equal(invvpids, 4);
}

/* What this CPU remembers of its last stay may have been changed on another. */
static void a_vcpu_that_moves_starts_with_no_translation(void **state)
{
	(void)state;
	r_exit(EXIT_REASON_EXTINT, 0);
	vm_invvpids = 0;
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(vm_invvpids, 0);
	r_exit(EXIT_REASON_EXTINT, 0);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, W_VMCS12), W_SUCCEED);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, W_VMCS12), W_SUCCEED);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(vm_invvpids, 1);
}

/* The column "guest" of msrs.h: who has its value while the VM runs, and while the host does. */
static void each_msr_is_whose_the_table_says(void **state)
{
	u32 i, msr;

	(void)state;
	r_exit(EXIT_REASON_EXTINT, 0);
#define FOR_EACH_MSR(what) \
	for (i = 0; i < msr_nrows; i++) \
		for (msr = msr_rows[i].first; msr_rows[i].guest == (what) && \
		     msr <= msr_rows[i].last; msr++)
	FOR_EACH_MSR(GUEST_SWITCHED)
		wrmsr(msr, msr);
	FOR_EACH_MSR(GUEST_QUIET)
		wrmsr(msr, msr);
	assert_int_equal(w_enter(false), W_ENTERED);
	FOR_EACH_MSR(GUEST_SWITCHED) {
		assert_int_not_equal(rdmsr(msr), msr);
		wrmsr(msr, SECRET + msr);
	}
	FOR_EACH_MSR(GUEST_QUIET)
		assert_int_equal(rdmsr(msr), 0);
	r_exit(EXIT_REASON_EXTINT, 0);
	FOR_EACH_MSR(GUEST_SWITCHED)
		assert_int_equal(rdmsr(msr), msr);
	FOR_EACH_MSR(GUEST_QUIET)
		assert_int_equal(rdmsr(msr), msr);
	assert_int_equal(w_enter(false), W_ENTERED);
	FOR_EACH_MSR(GUEST_SWITCHED)
		assert_int_equal(rdmsr(msr), SECRET + msr);
}

int main(void)
{
#define RUNS(name) cmocka_unit_test_setup_teardown(name, vm_runs, r_forget)
#define READY(name) cmocka_unit_test_setup_teardown(name, vm_ready, r_forget)
	const struct CMUnitTest tests[] = {
		RUNS(each_exit_shows_what_the_table_says),
		RUNS(each_msr_is_whose_the_table_says),
		RUNS(what_is_filtered_is_written),
		RUNS(the_tsc_is_the_vms),
		READY(nothing_is_delivered_in_real_mode),
		RUNS(an_event_held_is_not_shown_as_vectoring),
		RUNS(a_machine_check_is_the_hosts),
		RUNS(no_guest_turns_machine_checks_off),
		RUNS(a_machine_check_in_root_mode),
		RUNS(cpuid_is_not_the_hosts_word),
		RUNS(a_vcpu_that_moves_starts_with_no_translation),
		RUNS(init_and_paging_drop_the_hosts_translations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
