// SPDX-License-Identifier: GPL-2.0
/*
 * Registers that the layer keeps, on the whole root image: which lists of them it takes,
 * that no table of the host's has them, and what each of the host's accesses ends as.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "root_world.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/event.h"
#include "vmx/cpu/mov.h"
#include "ept/device.h"
#include "ept/owner.h"
#include "ept/table.h"

#define RIP0		W_OPERAND	/* two pages, which do not follow each other */
#define SECOND_PAGE	(W_OPERAND + PAGE_SIZE)
#define REGISTER	(DEVICE << PAGE_SHIFT | 0x80)
#define FAR_REGISTER	(FAR_DEVICE << PAGE_SHIFT | 0x18)

/* --- a device's stand-in --- */

static u64 last_pa, last_val;
static u32 last_size, reads, writes;
static bool twice;	/* the first write is to come again */

static u64 stand_in_read(u64 pa, u32 size)
{
	last_pa = pa;
	last_size = size;
	reads++;
	return 0x8877665544332211;
}

static bool stand_in_write(u64 pa, u32 size, u64 val)
{
	last_pa = pa;
	last_size = size;
	last_val = val;
	return writes++ || !twice;
}

static const struct device_ops stand_in = { stand_in_read, stand_in_write };

static int setup(void **state)
{
	(void)state;
	r_init();
	assert_true(device_take(DEVICE, DEVICE_END, &stand_in));
	reads = writes = 0;
	twice = false;
	return 0;
}

/* --- the list --- */

static int init_with(const struct up_range *list, u32 n)
{
	struct up_config cfg = { .devices = n, .device = list };

	return frames_init_devices(&cfg);
}

static void only_a_sound_list_is_taken(void **state)
{
	static const struct up_range bad[][2] = {
		{ { 1100, 1100 } }, { { 1101, 1100 } },		/* none */
		{ { 1100, 1102 }, { 1101, 1103 } },		/* shared */
		{ { 1100, 1102 }, { 1098, 1100 } },		/* not ascending */
		{ { RAM_END - 1, RAM_END + 1 } }, { { 0, 1 } },	/* RAM */
		{ { LAYER_START, LAYER_START + 1 } },
		{ { 1100, 1101 + UP_DEVICE_FRAMES } },		/* too much */
		{ { 1100, 1101 }, { 1200, 1200 + UP_DEVICE_FRAMES } },
		{ { 1100, 1101 }, { 2000, BIT(60) } },
		{ { BIT(W_MAXPHYADDR - PAGE_SHIFT), BIT(W_MAXPHYADDR - PAGE_SHIFT) + 1 } },
	};
	static struct up_range many[UP_MAX_DEVICES + 1];
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(init_with(bad[i], bad[i][1].end_pfn ? 2 : 1), -UP_EINVAL);
	for (i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct up_range){ 2000 + 2 * i, 2001 + 2 * i };
	assert_int_equal(init_with(many, UP_MAX_DEVICES + 1), -UP_EINVAL);
	assert_int_equal(init_with(many, UP_MAX_DEVICES), 0);
	assert_int_equal(init_with(&(struct up_range){ RAM_END, RAM_END + 1 }, 1), 0);
	w_msr[MSR_PAT] = 0x0007040601070406;	/* the fourth entry: write-combining */
	assert_int_equal(init_with(many, 1), -UP_EINVAL);
	assert_int_equal(init_with(NULL, 0), 0);
}

static void each_has_a_place_in_the_map(void **state)
{
	(void)state;
	assert_ptr_equal(device_at(DEVICE << PAGE_SHIFT, 4), fake_devices);
	assert_ptr_equal(device_at(REGISTER + PAGE_SIZE, 8), fake_devices + PAGE_SIZE + 0x80);
	assert_ptr_equal(device_at(FAR_REGISTER, 4),
			 fake_devices + (DEVICE_END - DEVICE + R_TPM_FRAMES) * PAGE_SIZE + 0x18);
	assert_null(device_at((DEVICE << PAGE_SHIFT) + PAGE_SIZE - 4, 8));
	assert_null(device_at((DEVICE << PAGE_SHIFT) - 4, 4));
	assert_null(device_at(DEVICE_END << PAGE_SHIFT, 4));
	assert_null(device_at((FAR_DEVICE + 1) << PAGE_SHIFT, 4));
	assert_null(device_at(0, 4));
	assert_false(device_take(DEVICE, DEVICE_END - 1, &stand_in));
	assert_false(device_take(DEVICE + 1, DEVICE_END, &stand_in));
	assert_false(device_take(1100, 1101, &stand_in));
}

/* --- tables --- */

/* What is mapped in one piece around it is not, and r_init()'s promises look. */
static void no_table_of_the_hosts_has_them(void **state)
{
	u64 pfn;

	(void)state;
	ept_caps |= EPT_CAP_1G;
	assert_int_equal(frames_region(FAR_DEVICE & ~511ULL), REGION_MIXED);
	assert_int_equal(frames_region((FAR_DEVICE & ~511ULL) + 512), REGION_NO_RAM);
	assert_true(devices_in(FAR_DEVICE & ~0x3ffffULL, 0x40000));
	for (pfn = FAR_DEVICE - 2; pfn < FAR_DEVICE + 3; pfn++)
		r_host_touch(pfn, EPT_VIOL_READ, false);
	for (pfn = DEVICE - 2; pfn < DEVICE_END + 2; pfn++)
		r_host_touch(pfn, EPT_VIOL_WRITE, false);
	r_host_touch(BIT(18) * 5, EPT_VIOL_READ, false);	/* 1 GiB without */
	assert_true(frame_is_hosts(FAR_DEVICE - 1) && frame_is_hosts(FAR_DEVICE + 1));
	assert_false(frame_is_hosts(FAR_DEVICE) || frame_is_hosts(DEVICE));
	assert_null(host_page(DEVICE));
	device_release(FAR_DEVICE);		/* the host's after all */
	assert_true(frame_is_hosts(FAR_DEVICE));
	assert_false(devices_in(FAR_DEVICE & ~15ULL, 16));
	assert_false(frame_is_hosts(DEVICE) || frame_is_hosts(DEVICE + 1));
}

static void nor_has_a_vm_them(void **state)
{
	long id = r_make_vm();

	(void)state;
	assert_true(id >= 0);
	r_kvm_map(20, DEVICE);
	r_kvm_map(21, FAR_DEVICE);
	w_enter(true);
	r_vm_touch(20, EPT_VIOL_READ);
	r_vm_touch(21, EPT_VIOL_WRITE);
	r_end_vms();
}

/* --- accesses --- */

static u32 fault_vector(void)
{
	u32 info = (u32)vmread(VMCS_ENTRY_INTR_INFO);

	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	return info & INTR_VALID ? INTR_VECTOR(info) : ~0u;
}

#define ACCESS		(EPT_VIOL_GLA_VALID | EPT_VIOL_GLA_TRANSLATED)

/* The instruction of @n bytes at @rip has touched @pa. */
static void touch(u64 rip, const u8 *insn, u32 n, u64 pa, u64 qual)
{
	u32 i;

	for (i = 0; i < n; i++)
		*(u8 *)phys(rip + i < SECOND_PAGE ? rip + i : W_SCRATCH + rip + i - SECOND_PAGE) =
			insn[i];
	vmwrite(VMCS_GUEST_RIP, rip);
	vmwrite(VMCS_GUEST_PHYS_ADDR, pa);
	vmwrite(VMCS_GUEST_LINEAR, 0xffffc90000000000 | (pa & (PAGE_SIZE - 1)));
	r_exit(EXIT_REASON_EPT_VIOLATION, qual);
}

#define TOUCH(pa, qual, ...) \
	do { \
		static const u8 insn_[] = { __VA_ARGS__ }; \
		touch(RIP0, insn_, sizeof(insn_), pa, (qual) | ACCESS); \
	} while (0)

static void a_load_gets_what_the_stand_in_says(void **state)
{
	(void)state;
	fake_cpu->gpr[RAX] = fake_cpu->gpr[R9] = ~0ULL;
	TOUCH(REGISTER, EPT_VIOL_READ, 0x8b, 0x07);			/* mov (%rdi),%eax */
	assert_int_equal(fault_vector(), ~0u);
	assert_int_equal(fake_cpu->gpr[RAX], 0x44332211);
	assert_int_equal(last_pa, REGISTER);
	assert_int_equal(last_size, 4);
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0 + 2);
	TOUCH(REGISTER, EPT_VIOL_READ, 0x4c, 0x8b, 0x4c, 0x24, 8);	/* mov 8(%rsp),%r9 */
	assert_int_equal(fake_cpu->gpr[R9], 0x8877665544332211);
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0 + 5);
	fake_cpu->gpr[RDX] = ~0ULL;
	TOUCH(REGISTER, EPT_VIOL_READ, 0x66, 0x8b, 0x97, 0, 1, 0, 0);	/* mov 256(%rdi),%dx */
	assert_int_equal(fake_cpu->gpr[RDX], 0xffffffffffff2211);
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0 + 7);
	fake_cpu->gpr[RSI] = ~0ULL;
	TOUCH(REGISTER + 1, EPT_VIOL_READ, 0x40, 0x8a, 0x37);		/* mov (%rdi),%sil */
	assert_int_equal(fake_cpu->gpr[RSI], 0xffffffffffffff11);
	assert_int_equal(last_size, 1);
	TOUCH(REGISTER, EPT_VIOL_READ, 0x48, 0x8b, 0x27);		/* mov (%rdi),%rsp */
	assert_int_equal(vmread(VMCS_GUEST_RSP), 0x8877665544332211);
	assert_int_equal(reads, 5);
	assert_int_equal(writes, 0);
}

static void a_store_reaches_the_stand_in(void **state)
{
	u64 next = REGISTER + PAGE_SIZE;

	(void)state;
	fake_cpu->gpr[RCX] = 0x0123456789abcdef;
	TOUCH(next, EPT_VIOL_WRITE, 0x48, 0x89, 0x0d, 0, 0, 0, 0);	/* mov %rcx,0(%rip) */
	assert_int_equal(last_val, 0x0123456789abcdef);
	assert_int_equal(last_pa, next);
	assert_int_equal(last_size, 8);
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0 + 7);
	TOUCH(next, EPT_VIOL_WRITE, 0x88, 0x0c, 0x25, 0, 0, 0, 0);	/* mov %cl,0 */
	assert_int_equal(last_val, 0xef);
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0 + 7);
	assert_int_equal(writes, 2);
	assert_int_equal(reads, 0);
}

static void a_long_store_is_run_again(void **state)
{
	(void)state;
	twice = true;
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_TF);
	TOUCH(REGISTER, EPT_VIOL_WRITE, 0x89, 0x07);
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0);
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), 0);
	assert_int_equal(fault_vector(), ~0u);
	TOUCH(REGISTER, EPT_VIOL_WRITE, 0x89, 0x07);
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0 + 2);
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), PENDING_DBG_BS);
	assert_int_equal(writes, 2);
}

static void it_ends_as_any_instruction(void **state)
{
	(void)state;
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_TF | RFLAGS_RF);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, BLOCKED_BY_STI);
	TOUCH(REGISTER, EPT_VIOL_WRITE, 0x89, 0x07);
	assert_int_equal(vmread(VMCS_GUEST_PENDING_DBG), PENDING_DBG_BS);
	assert_int_equal(vmread(VMCS_GUEST_RFLAGS), RFLAGS_FIXED | RFLAGS_TF);
	assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), 0);
}

static void what_nobody_takes_is_all_ones(void **state)
{
	u64 before = denied_count();

	(void)state;
	fake_cpu->gpr[RAX] = 0;
	TOUCH(FAR_REGISTER, EPT_VIOL_READ, 0x8b, 0x07);
	assert_int_equal(fake_cpu->gpr[RAX], 0xffffffff);
	TOUCH(FAR_REGISTER, EPT_VIOL_WRITE, 0x89, 0x07);
	assert_int_equal(fault_vector(), ~0u);
	assert_int_equal(reads + writes, 0);
	assert_int_equal(denied_count(), before + 2);
	assert_int_equal(*(u32 *)device_at(FAR_REGISTER, 4), 0);
}

static void an_instruction_across_two_pages(void **state)
{
	static const u8 insn[] = { 0x48, 0x8b, 0x84, 0x24, 0, 0, 0, 0 }; /* mov 0(%rsp), %rax */
	u64 *pte = (u64 *)phys(0x4000) + (SECOND_PAGE >> PAGE_SHIFT), old = *pte;
	u32 first;

	(void)state;
	for (first = 1; first < sizeof(insn); first++) {
		fake_cpu->gpr[RAX] = 0;
		touch(SECOND_PAGE - first, insn, sizeof(insn), REGISTER, EPT_VIOL_READ | ACCESS);
		assert_int_equal(fault_vector(), ~0u);
		assert_int_equal(fake_cpu->gpr[RAX], 0x8877665544332211);
	}
	/* The second page is asked for only if there is more of it. */
	*pte = 0;
	touch(SECOND_PAGE - 2, (const u8 []){ 0x8b, 0x07 }, 2, REGISTER, EPT_VIOL_READ | ACCESS);
	assert_int_equal(fault_vector(), ~0u);
	touch(SECOND_PAGE - 3, insn, 3, REGISTER, EPT_VIOL_READ | ACCESS);
	assert_int_equal(fault_vector(), VEC_PF);
	assert_int_equal(read_cr2(), SECOND_PAGE);
	assert_int_equal(vmread(VMCS_GUEST_RIP), SECOND_PAGE - 3);
	*pte = old;
}

/* #GP, and nobody has been asked. */
static void expect_denied(void)
{
	assert_int_equal(fault_vector(), VEC_GP);
	assert_int_equal(vmread(VMCS_GUEST_RIP), RIP0);
	assert_int_equal(reads + writes, 0);
}

static void anything_else_is_refused(void **state)
{
	(void)state;
	TOUCH(REGISTER, EPT_VIOL_READ, 0xf3, 0xa5);			/* rep movsl */
	expect_denied();
	TOUCH(REGISTER, EPT_VIOL_WRITE, 0xc7, 0x07, 1, 0, 0, 0);	/* movl $1,(%rdi) */
	expect_denied();
	TOUCH(REGISTER, EPT_VIOL_READ, 0x8b, 0xc7);			/* mov %edi,%eax */
	expect_denied();
	TOUCH(REGISTER, EPT_VIOL_READ, 0x8a, 0x27);			/* mov (%rdi),%ah */
	expect_denied();
	TOUCH(REGISTER, EPT_VIOL_READ | EPT_VIOL_WRITE, 0x8b, 0x07);	/* a load that stores */
	expect_denied();
	TOUCH(REGISTER, EPT_VIOL_READ, 0x89, 0x07);			/* a store that loads */
	expect_denied();
	TOUCH(REGISTER + 2, EPT_VIOL_READ, 0x8b, 0x07);			/* not aligned */
	expect_denied();
	TOUCH(REGISTER, EPT_VIOL_EXEC, 0x8b, 0x07);
	expect_denied();
}

static void only_kernel_code_of_64_bits_reaches_them(void **state)
{
	static const u8 insn[] = { 0x8b, 0x07 };

	(void)state;
	touch(RIP0, insn, 2, REGISTER, EPT_VIOL_READ | EPT_VIOL_GLA_VALID);	/* a page walk */
	expect_denied();
	vmwrite(VMCS_GUEST_CS_AR, 0xc09b);
	TOUCH(REGISTER, EPT_VIOL_READ, 0x8b, 0x07);
	expect_denied();
	vmwrite(VMCS_GUEST_CS_AR, 0xa09b);
	vmwrite(VMCS_GUEST_SS_AR, 0xc0f3);
	TOUCH(REGISTER, EPT_VIOL_READ, 0x8b, 0x07);
	expect_denied();
	vmwrite(VMCS_GUEST_SS_AR, 0xc093);
	r_host_touch(DEVICE, EPT_VIOL_READ, true);	/* a program's address */
	assert_int_equal(reads, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, r_forget)
		TEST(only_a_sound_list_is_taken),
		TEST(each_has_a_place_in_the_map),
		TEST(no_table_of_the_hosts_has_them),
		TEST(nor_has_a_vm_them),
		TEST(a_load_gets_what_the_stand_in_says),
		TEST(a_store_reaches_the_stand_in),
		TEST(a_long_store_is_run_again),
		TEST(it_ends_as_any_instruction),
		TEST(what_nobody_takes_is_all_ones),
		TEST(an_instruction_across_two_pages),
		TEST(anything_else_is_refused),
		TEST(only_kernel_code_of_64_bits_reaches_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
