// SPDX-License-Identifier: GPL-2.0
/* The structures of /dev/underpin have no padding and never change their size. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include "ioctl/underpin.h"
#pragma GCC diagnostic pop
#include "tests.h"

void test_uapi_keeps_its_shape(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct underpin_cpu_status), 1312);
	assert_int_equal(sizeof(struct underpin_status), 1456);
	assert_int_equal(sizeof(struct underpin_launch), 72);
	assert_int_equal(sizeof(struct underpin_attest), 256);
	assert_int_equal(sizeof(struct underpin_challenge), 40);
	assert_int_equal(sizeof(struct underpin_vm_report), 760);
	assert_int_equal(sizeof(struct underpin_vm_create), 32);
	assert_int_equal(sizeof(struct underpin_vm_protect), 72);
	assert_int_equal(sizeof(struct underpin_vm_donate), 40);
	assert_int_equal(sizeof(struct underpin_vm_ticket), 424);
	assert_int_equal(sizeof(struct underpin_vm_info), 424);
	assert_int_equal(sizeof(struct underpin_vm_list), 16);
	assert_int_equal(sizeof(struct underpin_vm_release), 8);
	assert_int_equal(UNDERPIN_STATUS, 0xc5b0bc00);
	assert_int_equal(UNDERPIN_LAUNCH, 0xc048bc01);
	assert_int_equal(UNDERPIN_ATTEST, 0xc100bc02);
	assert_int_equal(UNDERPIN_CHALLENGE, 0xc028bc03);
	assert_int_equal(UNDERPIN_VM_REPORT, 0xc2f8bc14);
	assert_int_equal(UNDERPIN_VM_CREATE, 0xc020bc10);
	assert_int_equal(UNDERPIN_VM_PROTECT, 0xc048bc20);
	assert_int_equal(UNDERPIN_VM_TICKET, 0x41a8bc22);
}
