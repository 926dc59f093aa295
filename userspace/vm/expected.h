/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a protected VM's measurements must be, computed away from any host from
 * the files that it is made of.
 */
#ifndef USERSPACE_EXPECTED_H
#define USERSPACE_EXPECTED_H

#include <stddef.h>
#include <stdint.h>

#include "module/guest/memmap.h"

/* The memory that QEMU gives a VM at its start: zero but for the firmware. */
struct vm_shape {
	uint64_t low;		/* bytes of RAM below 4 GiB */
	uint64_t high;		/* and above */
};

/* A whole file in memory. */
struct blob {
	uint8_t *data;
	size_t len;
};

/**
 * vm_shape_init() - where QEMU puts a machine's RAM
 * @machine: "pc" or "microvm", with or without ",options"
 * @mib: as given to -m
 * Return: NULL, or the reason why there is no such machine
 */
const char *vm_shape_init(struct vm_shape *shape, const char *machine, uint64_t mib);

/**
 * expected_measurement() - the launch measurement (vmx/abi/call.h) of a VM
 *
 * Every frame of RAM counts as zero, those below 1 MiB where QEMU shows a second
 * view of the firmware included: the host side gives these fresh frames.
 *
 * @fw: the file given to -bios; it ends at 4 GiB
 * Return: 0, or -1 when the firmware is no multiple of 4 KiB or out of memory
 */
int expected_measurement(const struct vm_shape *shape, const struct blob *fw, uint8_t m[32]);

/**
 * expected_reports() - the digests that the guest firmware reports
 * @initrd: of length 0 if there is none
 * @append: the command line
 * @cpus: vCPUs
 * @what: set to the part that a returned reason is about
 * Return: NULL, or the reason why the firmware would refuse to boot this
 */
const char *expected_reports(const struct vm_shape *shape, const struct blob *kernel,
			     const struct blob *initrd, const char *append, uint32_t cpus,
			     uint8_t report[GUEST_REPORTS][32], const char **what);

#endif /* USERSPACE_EXPECTED_H */
