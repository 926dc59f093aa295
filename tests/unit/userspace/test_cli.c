// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "userspace/cli/cli.h"
#include "userspace/check/exit_reasons.h"
#include "userspace/vm/protect.h"
#include "tests.h"

#include <errno.h>

void test_cli_hex_round_trip(void **state)
{
	unsigned char in[4] = { 0x00, 0x9f, 0xa5, 0xff }, out[4];
	char hex[9];

	(void)state;
	cli_hex(hex, in, sizeof(in));
	assert_string_equal(hex, "009fa5ff");
	assert_int_equal(cli_unhex(hex, out, sizeof(out)), 0);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(cli_unhex("009FA5Ff", out, sizeof(out)), 0);
	assert_memory_equal(in, out, sizeof(in));
}

void test_cli_unhex_refuses_malformed(void **state)
{
	static const char * const bad[] = { "", "00", "0000000", "000000000", "0000000g",
					    "0x000000", "00 00000", "-0000000" };
	unsigned char out[4];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cli_unhex(bad[i], out, sizeof(out)), -1);
}

void test_cli_number_keeps_bounds(void **state)
{
	static const char * const bad[] = { "", "4", "11", "-5", " 5", "5 ", "0x5", "five",
					    "99999999999999999999999" };
	unsigned long n;
	size_t i;

	(void)state;
	assert_int_equal(cli_number("n", "5", 5, 10, &n), 0);
	assert_int_equal(n, 5);
	assert_int_equal(cli_number("n", "10", 5, 10, &n), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cli_number("n", bad[i], 5, 10, &n), -1);
}

static int seen_argc;

static int verb(int argc, char **argv)
{
	seen_argc = argc;
	return strcmp(argv[0], "verb") ? -1 : 77;
}

void test_cli_dispatch_finds_and_refuses(void **state)
{
	static const struct cli_command commands[] = { { "verb", verb, "", "" }, { } };
	char *good[] = { "p", "verb", "x", NULL }, *bad[] = { "p", "ver", NULL };

	(void)state;
	assert_int_equal(cli_dispatch("p", commands, 3, good), 77);
	assert_int_equal(seen_argc, 2);
	assert_int_equal(cli_dispatch("p", commands, 2, bad), CLI_USAGE);
	assert_int_equal(cli_dispatch("p", commands, 1, bad), CLI_USAGE);
}

void test_cli_output_option(void **state)
{
	char *json[] = { "list", "-o", "json", NULL };
	char *text[] = { "show", "--output=text", "3", NULL };
	char *after[] = { "show", "3", "-o", "json", NULL };
	char *unknown[] = { "list", "-o", "xml", NULL };
	char *extra[] = { "list", "3", NULL };
	bool is_json;

	(void)state;
	assert_int_equal(cli_only_output(3, json, 0, &is_json), 3);
	assert_true(is_json);
	assert_int_equal(cli_only_output(3, text, 1, &is_json), 2);
	assert_false(is_json);
	assert_int_equal(cli_only_output(4, after, 1, &is_json), 3);
	assert_true(is_json);
	assert_string_equal(after[3], "3");
	assert_int_equal(cli_only_output(3, unknown, 0, &is_json), -1);
	assert_int_equal(cli_only_output(2, extra, 0, &is_json), -1);
	assert_int_equal(cli_only_output(1, extra, 1, &is_json), -1);
}

void test_cli_replay_option(void **state)
{
	char *both[] = { "list", "--replay", "file", "-o", "json", NULL };
	char *none[] = { "list", NULL }, *extra[] = { "list", "3", NULL };
	const char *report;
	bool is_json;

	(void)state;
	assert_int_equal(cli_output_replay(5, both, &is_json, &report), 0);
	assert_true(is_json);
	assert_string_equal(report, "file");
	assert_int_equal(cli_output_replay(1, none, &is_json, &report), 0);
	assert_null(report);
	assert_int_equal(cli_output_replay(2, extra, &is_json, &report), -1);
	assert_int_equal(cli_only_output(5, both, 0, &is_json), -1);
}

void test_exit_reasons_have_names(void **state)
{
	(void)state;
	assert_string_equal(exit_reason_name(10), "cpuid");
	assert_string_equal(exit_reason_name(48), "ept-violation");
	assert_string_equal(exit_reason_name(35), "reason-35");
	assert_string_equal(exit_reason_name(12345), "reason-12345");
}

void test_protect_errors_name_the_cure(void **state)
{
	(void)state;
	assert_non_null(strstr(protect_create_error(EBUSY), "-S"));
	assert_non_null(strstr(protect_create_error(EOPNOTSUPP), "modprobe"));
	assert_non_null(strstr(protect_step_error(UNDERPIN_STEP_PIN, ENOMEM), "less"));
	assert_non_null(strstr(protect_step_error(UNDERPIN_STEP_BIND, EBUSY), "-S"));
	assert_string_equal(protect_step_error(UNDERPIN_STEP_MEASURE, EIO), strerror(EIO));
}
