/* SPDX-License-Identifier: GPL-2.0 */
/* A QEMU command line, and what is added so that its VM can be protected. */
#ifndef USERSPACE_QEMU_ARGS_H
#define USERSPACE_QEMU_ARGS_H

#include <stdbool.h>
#include <stddef.h>

/** qemu_args_has() - is there an option of this name, with one dash or two? */
bool qemu_args_has(char *const argv[], const char *name);

/** qemu_args_value() - the argument of the last option of this name, or NULL */
const char *qemu_args_value(char *const argv[], const char *name);

/** qemu_args_option() - the argument of @argv[i], if that is this option; or NULL */
const char *qemu_args_option(char *const argv[], int i, const char *name);

/* What stands in the way of a protected VM: the option, and the cure. */
struct qemu_problems {
	size_t n;
	char text[16][512];
};

/**
 * qemu_needs() - can this command's VM be protected, and used?
 * @argv: NULL-terminated
 * @p: filled; empty: nothing is known to be wrong
 *
 * Only what would fail late or without an obvious reason is looked for; machine and
 * devices only of a VM of the guest firmware, which has a -kernel.
 */
void qemu_needs(char *const argv[], struct qemu_problems *p);

/**
 * qemu_args_stopped() - the command, starting stopped, ending by a reset, with a control monitor
 * @argv: NULL-terminated
 * @fd: the monitor's end of a connected socket, inherited by QEMU
 *
 * Return: a new NULL-terminated array, to be freed by qemu_args_free().
 */
char **qemu_args_stopped(char *const argv[], int fd);

/** qemu_args_free() */
void qemu_args_free(char **argv);

#endif /* USERSPACE_QEMU_ARGS_H */
