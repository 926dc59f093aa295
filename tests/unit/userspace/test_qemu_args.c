// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "userspace/vm/qemu_args.h"
#include "tests.h"

#define QEMU	"qemu-system-x86_64"

void test_qemu_gets_stopped_and_a_monitor(void **state)
{
	char *argv[] = { QEMU, "-accel", "kvm", "-m", "64", NULL };
	static const char * const added[] = { "-S", "-chardev",
		"socket,id=underpin-monitor,fd=7", "-mon",
		"chardev=underpin-monitor,mode=control" };
	char **out = qemu_args_stopped(argv, 7);
	size_t i;

	(void)state;
	for (i = 0; argv[i]; i++)
		assert_string_equal(out[i], argv[i]);
	for (i = 0; i < ARRAY_SIZE(added); i++)
		assert_string_equal(out[5 + i], added[i]);
	assert_null(out[5 + i]);
	qemu_args_free(out);
}

void test_qemu_needs_kvm(void **state)
{
	static const struct {
		char *argv[5];
		int result;
	} cases[] = {
		{ { QEMU, "-enable-kvm" }, 0 },
		{ { QEMU, "--enable-kvm" }, 0 },
		{ { QEMU, "-accel", "kvm,dirty-ring-size=0" }, 0 },
		{ { QEMU, "-machine", "pc,accel=kvm:tcg" }, 0 },
		{ { QEMU, "-M", "microvm,accel=kvm" }, 0 },
		{ { QEMU, "-accel", "tcg" }, -1 },
		{ { QEMU, "-machine", "pc" }, -1 },
		{ { QEMU, "-name", "accel=kvm" }, -1 },
		{ { QEMU, "-accel" }, -1 },
		{ { QEMU }, -1 },
	};
	char why[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(qemu_args_check(cases[i].argv, why, sizeof(why)), cases[i].result);
}

void test_qemu_options_that_cannot_be_protected(void **state)
{
	static char * const options[] = { "-daemonize", "--daemonize", "-incoming", "-loadvm" };
	char why[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		char *argv[] = { QEMU, "-enable-kvm", options[i], "x", NULL };

		assert_int_equal(qemu_args_check(argv, why, sizeof(why)), -1);
		assert_non_null(strstr(why, strrchr(options[i], '-') + 1));
	}
}

void test_qemu_own_stop_is_seen(void **state)
{
	char *stopped[] = { QEMU, "-S", NULL }, *running[] = { QEMU, "-s", NULL };

	(void)state;
	assert_true(qemu_args_has(stopped, "S"));
	assert_false(qemu_args_has(running, "S"));
}

/* QEMU takes the last one; an option that has no argument has no value. */
void test_qemu_option_value(void **state)
{
	char *argv[] = { QEMU, "-uuid", "a", "-S", "--uuid", "b", "-name", NULL };

	(void)state;
	assert_string_equal(qemu_args_value(argv, "uuid"), "b");
	assert_null(qemu_args_value(argv, "name"));
	assert_null(qemu_args_value(argv, "m"));
}
