/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/underpin, with messages that name the cure. */
#ifndef USERSPACE_DEVICE_H
#define USERSPACE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "ioctl/underpin.h"

/** device_open() - open /dev/underpin.  Return: descriptor, or -1 after a message */
int device_open(void);

/**
 * device_state() - what the kernel says of the layer: running, or lost on some CPU
 * Return: a text to be freed.
 */
char *device_state(void);

/** device_tpm() - what has the launch's events, or why nothing has; a text to be freed, or NULL */
char *device_tpm(void);

/** device_is_weak() - is it the kernel's TPM alone that has the launch? */
bool device_is_weak(void);

/**
 * device_key() - the launch's public key, its ticket authority, ...
 * @name: of sysfs: "launch_key", "ticket_authority", "host_identity"
 * Return: 64 hexadecimal digits, a text to be freed; NULL: there is none.
 */
char *device_key(const char *name);

/**
 * device_iommu() - what the kernel says of VT-d (docs/sysfs.md)
 * @key: "reason", "cure" and so on, or NULL: the state, one word
 * Return: a text to be freed, or NULL.
 */
char *device_iommu(const char *key);

/**
 * device_status() - the layer's counters, and a CPU's
 * @cpu: its number, or UNDERPIN_CPU_NONE for the layer's alone
 * Return: 0, or -1 after a message.
 */
int device_status(int dev, uint32_t cpu, struct underpin_status *st);

/**
 * device_vm_info() - what is known of a VM
 * Return: 0, or -1 after a message.
 */
int device_vm_info(int dev, uint32_t id, struct underpin_vm_info *info);

/**
 * device_vm_ids() - the ids of all protected VMs
 * @ids: room for UNDERPIN_MAX_VMS
 * Return: how many, or -1 after a message.
 */
int device_vm_ids(int dev, uint32_t *ids);

/** device_u64() - the figure at an offset of a structure of ioctl/underpin.h */
static inline uint64_t device_u64(const void *from, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)from + offset, sizeof(value));
	return value;
}

#endif /* USERSPACE_DEVICE_H */
