// SPDX-License-Identifier: GPL-2.0
/* A QEMU command line, and what is added so that its VM can be protected. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/cli/cli.h"
#include "userspace/vm/qemu_args.h"

#define MONITOR_ID	"underpin-monitor"

static bool is_option(const char *arg, const char *name)
{
	if (*arg++ != '-')
		return false;
	if (*arg == '-')
		arg++;
	return !strcmp(arg, name);
}

bool qemu_args_has(char *const argv[], const char *name)
{
	int i;

	for (i = 1; argv[0] && argv[i]; i++)
		if (is_option(argv[i], name))
			return true;
	return false;
}

const char *qemu_args_option(char *const argv[], int i, const char *name)
{
	return is_option(argv[i], name) ? argv[i + 1] : NULL;
}

const char *qemu_args_value(char *const argv[], const char *name)
{
	const char *value = NULL;
	int i;

	for (i = 1; argv[0] && argv[i]; i++)
		if (is_option(argv[i], name) && argv[i + 1])
			value = argv[++i];
	return value;
}

static char *format(const char *fmt, int fd)
{
	char *text;

	if (asprintf(&text, fmt, fd) < 0)
		abort();
	return text;
}

char **qemu_args_stopped(char *const argv[], int fd)
{
	size_t n = 0;
	char **out;

	while (argv[n])
		n++;
	out = calloc(n + 7, sizeof(*out));
	if (!out)
		abort();
	for (n = 0; argv[n]; n++)
		out[n] = strdup(argv[n]);
	out[n++] = strdup("-S");
	out[n++] = strdup("-no-reboot");	/* what was measured is gone by then */
	out[n++] = strdup("-chardev");
	out[n++] = format("socket,id=" MONITOR_ID ",fd=%d", fd);
	out[n++] = strdup("-mon");
	out[n++] = strdup("chardev=" MONITOR_ID ",mode=control");
	return out;
}

void qemu_args_free(char **argv)
{
	size_t i;

	for (i = 0; argv[i]; i++)
		free(argv[i]);
	free(argv);
}
