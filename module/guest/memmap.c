// SPDX-License-Identifier: GPL-2.0
/* What of the host's word on memory the firmware believes, and what it makes of it. */
#include "vmx/base/lib.h"
#include "layout.h"
#include "memmap.h"

#define SZ_4G		0x100000000ULL
#define LOW_MIN		0x2000000ULL	/* 32 MiB: no stock kernel starts in less */
#define LOW_MAX		0xe0000000ULL	/* the PC's PCI hole begins no higher */
#define HIGH_MAX	(1ULL << 40)

#define BASE_END	0x9f000ULL	/* above: where an EBDA would be, VGA, ROMs */
#define SZ_1M		0x100000ULL
#define CHIPS		0xfec00000ULL	/* I/O APIC, local APIC, this firmware */

const char *memory_parse(const void *file, size_t len, struct memory *m)
{
	struct e820_entry e;
	size_t at;

	m->low = 0;
	m->high = 0;
	for (at = 0; at + sizeof(e) <= len; at += sizeof(e)) {
		memcpy(&e, (const char *)file + at, sizeof(e));
		if (e.type != E820_RAM)
			continue;
		if (e.addr == 0)
			m->low = e.size & PAGE_MASK;
		else if (e.addr == SZ_4G)
			m->high = e.size & PAGE_MASK;
		/* RAM anywhere else is no PC's: it stays unused */
	}
	return memory_check(m);
}

const char *memory_check(const struct memory *m)
{
	if (m->low < LOW_MIN)
		return "less than 32 MiB";
	if (m->low > LOW_MAX)
		return "RAM where a PC has devices";
	if (m->high > HIGH_MAX)
		return "more than 1 TiB above 4 GiB";
	return NULL;
}

bool cmdline_wants_ghci(const char *cmdline)
{
	static const char word[] = "acpi=off";
	size_t at = 0, n;

	while (cmdline[at]) {
		for (n = 0; cmdline[at + n] && cmdline[at + n] != ' '; n++)
			;
		if (n == sizeof(word) - 1 && !memcmp(cmdline + at, word, n))
			return false;
		at += n;
		at += cmdline[at] == ' ';
	}
	return true;
}

/*
 * Below 1 MiB.  Linux maps what is called reserved as shared: the mailbox must be NVS, which
 * stays private, and the tables ACPI's data.
 */
static unsigned int low_map(bool ghci, struct e820_entry *map)
{
	static const struct e820_entry plain[] = {
		{ 0, BASE_END, E820_RAM },
		{ BASE_END, SZ_1M - BASE_END, E820_RESERVED },
	}, kept[] = {
		{ 0, FW_STUB, E820_RAM },
		{ FW_STUB, FW_PAGE_TABLES - FW_STUB, E820_RESERVED },
		{ FW_PAGE_TABLES, FW_AP_TABLES - FW_PAGE_TABLES, E820_RAM },
		{ FW_AP_TABLES, FW_ACPI - FW_AP_TABLES, E820_NVS },
		{ FW_ACPI, FW_ACPI_END - FW_ACPI, E820_ACPI },
		{ FW_ACPI_END, SZ_1M - FW_ACPI_END, E820_RESERVED },
	};

	memcpy(map, ghci ? kept : plain, ghci ? sizeof(kept) : sizeof(plain));
	return ghci ? sizeof(kept) / sizeof(kept[0]) : sizeof(plain) / sizeof(plain[0]);
}

unsigned int memory_map(const struct memory *m, bool ghci, struct e820_entry map[MEMMAP_MAX])
{
	unsigned int n = low_map(ghci, map);

	map[n++] = (struct e820_entry){ SZ_1M, m->low - SZ_1M, E820_RAM };
	map[n++] = (struct e820_entry){ CHIPS, SZ_4G - CHIPS, E820_RESERVED };
	if (m->high)
		map[n++] = (struct e820_entry){ SZ_4G, m->high, E820_RAM };
	return n;
}
