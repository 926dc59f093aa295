/* SPDX-License-Identifier: GPL-2.0 */
/* What the rest of the module needs of /dev/underpin. */
#ifndef IOCTL_IOCTL_H
#define IOCTL_IOCTL_H

#include <linux/types.h>

/**
 * up_ioctl_init() - make /dev/underpin; call when every CPU is demoted
 * Return: 0 or a negative error number; nothing is left behind then.
 */
int up_ioctl_init(void);

/**
 * up_ioctl_exit() - remove /dev/underpin; call before leaving
 *
 * No VM is present then, unless the unload is forced: that waits until the last
 * one has ended and its descriptor is closed.
 */
void up_ioctl_exit(void);

/** up_vms_present() - true while a protected VM, or one being made, exists */
bool up_vms_present(void);

/**
 * up_vms_end_all() - end every VM, and let none be made any more: the host goes down
 *
 * Process context.  Return: 0, every frame is back zeroed, or the first error.
 */
int up_vms_end_all(void);

/**
 * up_pool_release() - free the frames that the layer's pool was grown by
 *
 * Call once no CPU is demoted any more: the layer has zeroed them by then.
 */
void up_pool_release(void);

#endif /* IOCTL_IOCTL_H */
