/* SPDX-License-Identifier: GPL-2.0 */
#ifndef USERSPACE_VM_NAME_H
#define USERSPACE_VM_NAME_H

#include <sys/types.h>

/**
 * vm_name() - what the VMM of a VM calls it: QEMU's -name
 * @pid: its process
 *
 * The process says so itself, for people to recognise it by: it may say anything.  Whatever is
 * not printable ASCII is a question mark, since a name is shown on terminals.
 *
 * Return: a text to be freed, or NULL: it has none.
 */
char *vm_name(pid_t pid);

#endif /* USERSPACE_VM_NAME_H */
