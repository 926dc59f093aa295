/* SPDX-License-Identifier: GPL-2.0 */
/* Handing over to the kernel: the Linux 64-bit boot protocol. */
#ifndef GUEST_BOOT_H
#define GUEST_BOOT_H

#include "vmx/base/types.h"
#include "bzimage.h"
#include "memmap.h"

struct handover {
	const u8 *setup;		/* canonical */
	struct bzimage image;
	struct placement at;
	u64 initrd_len;
	struct e820_entry map[MEMMAP_MAX];
	unsigned int map_entries;
	u64 acpi;			/* the RSDP; 0: none, and no GHCI */
};

/** boot_kernel() - build the zero page and enter the kernel; the command line is in place */
void __noreturn boot_kernel(const struct handover *h);

#endif /* GUEST_BOOT_H */
