/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the guest firmware keeps what, in guest-physical memory.  All of it lies
 * from 64 KiB to 640 KiB, which the kernel gets back: what it needs of it (zero
 * page, command line, page tables) it copies before it reuses that memory.
 *
 * Assembly, the linker script and C read this file: constants only.
 */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

/*
 * Shared, in a guest of the GHCI: the host's KVM fetches from it for MMIO.  Below 512 KiB:
 * from there to 1 MiB Linux looks for an iBFT, at addresses that are private.
 */
#define FW_STUB		0x10000
#define FW_PAGE_TABLES	0x11000		/* PML4, PDPT, 4 page directories */
#define FW_ZERO_PAGE	0x17000		/* struct boot_params */
#define FW_CMDLINE	0x18000		/* one page, NUL-terminated */
#define FW_STACK_TOP	0x20000		/* down to the page behind the command line */
#define FW_IMAGE	0x20000		/* text, rodata, data, bss */
#define FW_IMAGE_END	0x50000		/* the linker script checks it */
#define FW_WINDOW	0x50000		/* shared with the host while it loads */
#define FW_WINDOW_PAGES	64		/* up to 0x90000 */

/*
 * What stays when the kernel of a guest of the GHCI runs; its memory map keeps it away.
 */
#define FW_AP_TABLES	0x90000		/* page tables of processors that wait: as FW_PAGE_TABLES */
#define FW_MAILBOX	0x96000		/* ACPI's, by which the kernel starts them */
#define FW_ACPI		0x97000		/* the tables */
#define FW_ACPI_END	0x98000

#define FW_ROM		0xffff0000	/* the image as -bios shows it, 64 KiB below 4 GiB */
#define FW_ROM_CODE	0xfffffc00	/* runs in place: from the reset vector to the copy */
#define FW_PATCH	0xffffffb0	/* 64 bytes: zero, but in the test guest */
#define FW_RESET	0xfffffff0

/* Selectors: those that Linux's 64-bit boot protocol asks for, and one to get there. */
#define FW_CS32		0x08
#define FW_CS		0x10
#define FW_DS		0x18

#endif /* GUEST_LAYOUT_H */
