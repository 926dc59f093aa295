// SPDX-License-Identifier: GPL-2.0
/* What of the host's word on memory the firmware believes, and what it makes of it. */
#include "vmx/base/lib.h"
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

unsigned int memory_map(const struct memory *m, struct e820_entry map[MEMMAP_MAX])
{
	unsigned int n = 0;

	map[n++] = (struct e820_entry){ 0, BASE_END, E820_RAM };
	map[n++] = (struct e820_entry){ BASE_END, SZ_1M - BASE_END, E820_RESERVED };
	map[n++] = (struct e820_entry){ SZ_1M, m->low - SZ_1M, E820_RAM };
	map[n++] = (struct e820_entry){ CHIPS, SZ_4G - CHIPS, E820_RESERVED };
	if (m->high)
		map[n++] = (struct e820_entry){ SZ_4G, m->high, E820_RAM };
	return n;
}
