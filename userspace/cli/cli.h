/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands of the underpin program share. */
#ifndef USERSPACE_CLI_H
#define USERSPACE_CLI_H

#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Exit statuses; documented in docs/man/underpin.8. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,		/* the operation failed */
	CLI_USAGE = 2,		/* the command line is wrong */
	CLI_NOT_READY = 3,	/* a requirement is not met, or the layer is not loaded */
	CLI_RUN_FAILED = 125,	/* vm run: the VM could not be protected */
	CLI_RUN_NO_EXEC = 126,	/* vm run: QEMU cannot be executed */
	CLI_RUN_NO_FILE = 127,	/* vm run: there is no such QEMU */
	CLI_RUN_SIGNAL = 128,	/* vm run: plus the signal that ended QEMU */
};

/* One word of the command line: a noun, or a noun's verb. */
struct cli_command {
	const char *name;
	int (*run)(int argc, char **argv);	/* argv[0] is the word itself */
	const char *args;
	const char *help;
	bool own_help;		/* it understands --help itself */
};

/**
 * cli_dispatch() - run the command that argv[1] names
 * @path: how the user got here, for messages: "underpin", "underpin vm"
 * @commands: ended by a row without name
 * @argc: @argv: as main() has them; argv[0] is the last word of @path
 *
 * Return: the command's exit status, or CLI_USAGE.
 */
int cli_dispatch(const char *path, const struct cli_command *commands, int argc, char **argv);

/** cli_is_help() - "--help" or "-h" */
bool cli_is_help(const char *arg);

/** cli_exec() - become another program, from PATH.  Return: CLI_FAILED, after a message */
int cli_exec(char *program, char **argv);

/** cli_error() - "underpin: " and a message that names what was wrong and the cure */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** cli_note() - "underpin: " and good news, on stderr, too */
void cli_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** cli_usage_error() - cli_error(), then where to find help.  Return: CLI_USAGE */
int cli_usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * cli_only_output() - parse a command line that may have -o and nothing else
 * @argc: @argv: of the command
 * @operands: how many operands it takes
 * @json: set if "-o json" was given
 *
 * Return: index of the first operand, or -1 (a usage message was printed).
 */
int cli_only_output(int argc, char **argv, int operands, bool *json);

/**
 * cli_output_replay() - parse a command line that may have -o and --replay and nothing else
 * @json: set if "-o json" was given
 * @report: the file to replay, or NULL
 *
 * Return: 0, or -1 (a usage message was printed).
 */
int cli_output_replay(int argc, char **argv, bool *json, const char **report);

/** cli_parse_output() - the argument of -o.  Return: 0, or -1 after a message */
int cli_parse_output(const char *arg, bool *json);

/**
 * cli_number() - a decimal number within bounds
 * @what: its name, for the message
 * Return: 0, or -1 after a message.
 */
int cli_number(const char *what, const char *arg, unsigned long min, unsigned long max,
	       unsigned long *value);

/** cli_hex() - bytes as lower-case hexadecimal; @out has room for 2 * @len + 1 */
void cli_hex(char *out, const unsigned char *bytes, size_t len);

/** cli_unhex() - exactly @len bytes from hexadecimal.  Return: 0, or -1: malformed */
int cli_unhex(const char *hex, unsigned char *bytes, size_t len);

#endif /* USERSPACE_CLI_H */
