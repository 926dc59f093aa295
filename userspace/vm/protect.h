/* SPDX-License-Identifier: GPL-2.0 */
/* Turning a stopped VM of another process into a protected one. */
#ifndef USERSPACE_PROTECT_H
#define USERSPACE_PROTECT_H

#include <stdint.h>
#include "userspace/vm/procfd.h"

struct protected_vm {
	uint32_t id;
	int fd;			/* keeps the VM, unless it is detached */
	uint64_t frames;
	unsigned char measurement[32];
};

/**
 * protect_vm() - create, bring its ticket, pin, donate, measure
 * @dev: /dev/underpin
 * @fds: copies in this process
 * @flags: UNDERPIN_VM_DETACHED or zero
 * @ticket: UNDERPIN_TICKET bytes for the layer, or NULL
 * @expect: the measurement that it must have, or NULL
 * @vm: filled in
 *
 * All or nothing.  Return: 0, or -1 after a message.
 */
int protect_vm(int dev, const struct kvm_fds *fds, uint32_t flags, const unsigned char *ticket,
	       const unsigned char *expect, struct protected_vm *vm);

/** protect_create_error(), protect_step_error() - what an errno of the ioctl means and the cure */
const char *protect_create_error(int err);
const char *protect_step_error(uint32_t step, int err);

#endif /* USERSPACE_PROTECT_H */
