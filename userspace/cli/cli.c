// SPDX-License-Identifier: GPL-2.0
/* Command lines: dispatch, common options, messages. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "userspace/cli/cli.h"

static void print_help(const char *path, const struct cli_command *commands)
{
	const struct cli_command *c;

	printf("usage: %s COMMAND ...\n\n", path);
	for (c = commands; c->name; c++)
		printf("  %-9s %s\n", c->name, c->help);
	printf("\nSee underpin(8).\n");
}

bool cli_is_help(const char *arg)
{
	return !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

static int run(const char *path, const struct cli_command *c, int argc, char **argv)
{
	if (c->own_help || argc < 2 || !cli_is_help(argv[1]))
		return c->run(argc, argv);
	printf("usage: %s %s %s\n\n%s\n\nSee underpin(8).\n", path, c->name, c->args, c->help);
	return CLI_OK;
}

int cli_dispatch(const char *path, const struct cli_command *commands, int argc, char **argv)
{
	const struct cli_command *c;

	if (argc < 2)
		return cli_usage_error("%s: a command is missing", path);
	if (cli_is_help(argv[1]) || !strcmp(argv[1], "help")) {
		print_help(path, commands);
		return CLI_OK;
	}
	for (c = commands; c->name; c++)
		if (!strcmp(c->name, argv[1]))
			return run(path, c, argc - 1, argv + 1);
	return cli_usage_error("%s: there is no command \"%s\"", path, argv[1]);
}

int cli_exec(char *program, char **argv)
{
	argv[0] = program;
	execvp(program, argv);
	cli_error("%s: %s; install it into a directory of PATH", program, strerror(errno));
	return CLI_FAILED;
}

static void message(const char *fmt, va_list args)
{
	fprintf(stderr, "underpin: ");
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void cli_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(fmt, args);
	va_end(args);
}

void cli_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(fmt, args);
	va_end(args);
}

int cli_usage_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(fmt, args);
	va_end(args);
	fprintf(stderr, "Try \"underpin --help\" or underpin(8).\n");
	return CLI_USAGE;
}

int cli_parse_output(const char *arg, bool *json)
{
	*json = !strcmp(arg, "json");
	if (*json || !strcmp(arg, "text"))
		return 0;
	cli_usage_error("-o %s: the formats are text and json", arg);
	return -1;
}

static int parse_output(int argc, char **argv, int operands, bool *json, const char **report)
{
	static const struct option options[] = {
		{ "replay", required_argument, NULL, 'p' },
		{ "output", required_argument, NULL, 'o' },
		{ }
	};
	int opt;

	*json = false;
	optind = 0;
	while ((opt = getopt_long(argc, argv, "o:", options + !report, NULL)) != -1) {
		if (opt == 'p') {
			*report = optarg;
			continue;
		}
		if (opt != 'o') {
			cli_usage_error("%s: see above", argv[0]);
			return -1;
		}
		if (cli_parse_output(optarg, json))
			return -1;
	}
	if (argc - optind == operands)
		return optind;
	if (argc - optind > operands)
		cli_usage_error("%s: \"%s\" is too much", argv[0], argv[optind + operands]);
	else
		cli_usage_error("%s: the ID of a VM is missing", argv[0]);
	return -1;
}

int cli_only_output(int argc, char **argv, int operands, bool *json)
{
	return parse_output(argc, argv, operands, json, NULL);
}

int cli_output_replay(int argc, char **argv, bool *json, const char **report)
{
	*report = NULL;
	return parse_output(argc, argv, 0, json, report) < 0 ? -1 : 0;
}

int cli_number(const char *what, const char *arg, unsigned long min, unsigned long max,
	       unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(arg, &end, 10);
	if (*arg >= '0' && *arg <= '9' && !*end && !errno && *value >= min && *value <= max)
		return 0;
	cli_usage_error("%s: \"%s\" is not a number from %lu to %lu", what, arg, min, max);
	return -1;
}

void cli_hex(char *out, const unsigned char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int cli_unhex(const char *hex, unsigned char *bytes, size_t len)
{
	size_t i;
	int hi, lo;

	if (strlen(hex) != 2 * len)
		return -1;
	for (i = 0; i < len; i++) {
		hi = hex_digit(hex[2 * i]);
		lo = hex_digit(hex[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return -1;
		bytes[i] = hi << 4 | lo;
	}
	return 0;
}
