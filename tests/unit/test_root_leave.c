// SPDX-License-Identifier: GPL-2.0
/* LEAVE is refused while a frame of a VM is not zeroed, whatever the host side says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "root_world.h"

#define FRAME	70ULL

static int start(void **state)
{
	(void)state;
	r_init();
	r_quiet(true);	/* its promises do not hold while the table is bent */
	return 0;
}

/* What no call can bring about: the table has a frame of a VM that does not exist. */
static void bend_table(u64 entry)
{
	spin_lock(&frames_lock);
	frame_set(FRAME, entry);
	spin_unlock(&frames_lock);
}

static void test_leave_is_refused_with_a_vm(void **state)
{
	u64 id;

	(void)state;
	assert_int_equal(r_call(UP_CALL_LEAVE, 0, 0, 0), -UP_EBUSY);	/* not prepared */
	assert_int_equal(r_call(UP_CALL_VM_CREATE, 0, 0, 0), 0);
	id = r_answer(RBX);
	assert_int_equal(r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0), -UP_EBUSY);
	assert_int_equal(r_call(UP_CALL_LEAVE, 0, 0, 0), -UP_EBUSY);
	assert_false(r_left(0));
	assert_int_equal(r_call(UP_CALL_VM_KILL, id, 0, 0), 0);
	assert_int_equal(r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0), -UP_EBUSY);
	assert_int_equal(r_call(UP_CALL_VM_DESTROY, id, 0, 0), 0);
}

static void test_leave_is_refused_with_one_frame_left(void **state)
{
	(void)state;
	bend_table(FRAME_ENTRY(OWNER_VM0, FRAME_OWNED, 0));
	assert_int_equal(r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0), -UP_EBUSY);
	bend_table(FRAME_ENTRY(OWNER_HOST, FRAME_OWNED, 0));
	assert_int_equal(r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0), 0);
	bend_table(FRAME_ENTRY(OWNER_VM0, FRAME_SHARED, 0));	/* the host sees it already */
	assert_int_equal(r_call(UP_CALL_LEAVE, 0, 0, 0), -UP_EBUSY);
	assert_false(r_left(0));
	bend_table(FRAME_ENTRY(OWNER_HOST, FRAME_OWNED, 0));
	assert_int_equal(r_call(UP_CALL_LEAVE_PREPARE, 0, 0, 0), 0);
}

static void test_leave_is_granted_when_all_is_back(void **state)
{
	(void)state;
	assert_int_equal(r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0), 0);
	assert_int_equal(r_call(UP_CALL_VM_CREATE, 0, 0, 0), -UP_EPERM);
	assert_int_equal(r_call(UP_CALL_LEAVE, 0, 0, 0), -UP_EAGAIN);	/* NMIs are blocked now */
	r_call(UP_CALL_LEAVE, 0, 0, 0);
	assert_true(r_left(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leave_is_refused_with_a_vm),
		cmocka_unit_test(test_leave_is_refused_with_one_frame_left),
		cmocka_unit_test(test_leave_is_granted_when_all_is_back),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, NULL);
}
