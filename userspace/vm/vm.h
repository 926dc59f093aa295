/* SPDX-License-Identifier: GPL-2.0 */
/* "underpin vm" and its verbs. */
#ifndef USERSPACE_VM_H
#define USERSPACE_VM_H

/** cmd_vm(), cmd_vm_run(), ... - the commands; argv[0] is their word */
int cmd_vm(int argc, char **argv);
int cmd_vm_check(int argc, char **argv);
int cmd_vm_run(int argc, char **argv);
int cmd_vm_serve(int argc, char **argv);
int cmd_vm_protect(int argc, char **argv);
int cmd_vm_expected(int argc, char **argv);

#endif /* USERSPACE_VM_H */
