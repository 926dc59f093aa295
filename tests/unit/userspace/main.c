// SPDX-License-Identifier: GPL-2.0
/* Runs the unit tests of the underpin program; output is TAP. */
#include "tests.h"

#define LIST_TEST(test)	{ .name = #test, .test_func = test_##test },

int main(void)
{
	static const struct CMUnitTest tests[] = { TESTS(LIST_TEST) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
