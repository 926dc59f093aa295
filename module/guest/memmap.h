/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory map that the firmware gives to the kernel.  Shared with
 * `underpin vm expected`, which must come to the same map: its digest is report
 * GUEST_REPORT_MEMMAP, so that a host cannot pass off MMIO as RAM unseen.
 */
#ifndef GUEST_MEMMAP_H
#define GUEST_MEMMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which digest is reported at which index of UP_GUEST_REPORT. */
enum guest_report {
	GUEST_REPORT_KERNEL,
	GUEST_REPORT_INITRD,
	GUEST_REPORT_CMDLINE,
	GUEST_REPORT_MEMMAP,
	GUEST_REPORT_VCPUS,	/* of a guest of the GHCI alone */
	GUEST_REPORTS,
};

#define E820_RAM	1
#define E820_RESERVED	2
#define E820_ACPI	3
#define E820_NVS	4
#define MEMMAP_MAX	9

/* As in the kernel's zero page, and in QEMU's fw_cfg file etc/e820. */
struct e820_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

/* RAM is [0, low) but for the hole below 1 MiB, and [4 GiB, 4 GiB + high). */
struct memory {
	uint64_t low;
	uint64_t high;
};

/**
 * memory_parse() - RAM as the host tells it in etc/e820
 * @file: the file, hostile
 * Return: NULL, or the reason why it was refused
 */
const char *memory_parse(const void *file, size_t len, struct memory *m);

/** memory_check() - NULL, or the reason why the firmware would refuse this much RAM */
const char *memory_check(const struct memory *m);

/**
 * cmdline_wants_ghci() - true unless the kernel is told to do without ACPI
 * With ACPI it finds devices, and the other processors; a guest needs the GHCI for both.
 */
bool cmdline_wants_ghci(const char *cmdline);

/**
 * memory_map() - the kernel's map of this RAM
 * @ghci: with what stays of the firmware's (layout.h)
 * Return: the number of entries
 */
unsigned int memory_map(const struct memory *m, bool ghci, struct e820_entry map[MEMMAP_MAX]);

#endif /* GUEST_MEMMAP_H */
