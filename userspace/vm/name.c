// SPDX-License-Identifier: GPL-2.0
/* What people call a VM. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/cli/sysfile.h"
#include "userspace/vm/name.h"
#include "userspace/vm/qemu_args.h"

#define NAME_MAX_SHOWN	128

/* "NAME,..." or "...,guest=NAME,...", where ",," is a comma. */
static char *guest_of(const char *value)
{
	static const char key[] = "guest=";
	const char *at = value;
	char *name = calloc(1, NAME_MAX_SHOWN + 1);
	size_t n;

	if (!name)
		abort();
	while (at && strncmp(at, key, sizeof(key) - 1)) {
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	at = at ? at + sizeof(key) - 1 : value;
	for (n = 0; *at && n < NAME_MAX_SHOWN; at++, n++) {
		if (*at == ',' && *++at != ',')
			break;
		name[n] = *at < ' ' || *at > '~' ? '?' : *at;
	}
	return name;
}

char *vm_name(pid_t pid)
{
	size_t len, i, words = 0;
	char *line = sysfile_read(&len, "/proc/%d/cmdline", pid), **argv, *name = NULL;
	const char *value;

	if (!line)
		return NULL;
	argv = calloc(len + 2, sizeof(*argv));
	if (!argv)
		abort();
	for (i = 0; i < len; i += strlen(line + i) + 1)
		argv[words++] = line + i;
	value = qemu_args_value(argv, "name");
	if (value)
		name = guest_of(value);
	free(argv);
	free(line);
	return name;
}
