// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer: the firmware's reading of a bzImage's header and of the host's memory
 * map.  Whatever is accepted must lie in RAM, apart, and be canonical.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bzimage.h"
#include "memmap.h"

#define PROMISE(x)	do { if (!(x)) abort(); } while (0)
#define E820_BYTES	60

static uint64_t take64(const uint8_t **data, size_t *size)
{
	uint64_t v = 0;
	size_t n = *size < sizeof(v) ? *size : sizeof(v);

	memcpy(&v, *data, n);
	*data += n;
	*size -= n;
	return v;
}

static void check_map(const struct memory *m)
{
	struct e820_entry map[MEMMAP_MAX];
	unsigned int i, n = memory_map(m, m->low & 4096, map);

	PROMISE(n <= MEMMAP_MAX);
	for (i = 0; i < n; i++)
		PROMISE(map[i].size && map[i].addr + map[i].size > map[i].addr);
	for (i = 1; i < n; i++)
		PROMISE(map[i].addr >= map[i - 1].addr + map[i - 1].size);
}

static void check_place(const struct bzimage *b, uint64_t low, uint64_t initrd_len)
{
	struct placement p;
	uint64_t end;

	if (bzimage_place(b, low, initrd_len, &p))
		return;
	end = p.kernel + b->init_size;
	PROMISE(p.kernel >= 0x100000 && p.kernel % 4096 == 0);
	PROMISE(end > p.kernel && end <= low);
	PROMISE(p.entry == p.kernel + 0x200 && b->payload_len <= b->init_size);
	if (!initrd_len)
		return;
	PROMISE(p.initrd % 4096 == 0 && p.initrd >= end);
	PROMISE(p.initrd + initrd_len > p.initrd && p.initrd + initrd_len <= low);
	PROMISE(p.initrd + initrd_len <= b->initrd_addr_max + 1);
}

static void check_setup(const uint8_t *data, size_t size, uint64_t low, uint64_t initrd_len)
{
	struct bzimage b;
	uint8_t *setup = malloc(size ? size : 1);

	if (!setup)
		return;
	memcpy(setup, data, size);
	if (!bzimage_parse(setup, size, &b)) {
		PROMISE(b.setup_len == size && b.hdr_end <= BZIMAGE_HDR_MAX && b.hdr_end <= size);
		check_place(&b, low, initrd_len);
		bzimage_canonical(setup);
		PROMISE(!memcmp(setup + BZ_SETUP_DATA, "\0\0\0\0\0\0\0", 8));
		PROMISE(!bzimage_parse(setup, size, &b));
	}
	free(setup);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t initrd_len = take64(&data, &size);
	size_t n = size < E820_BYTES ? size : E820_BYTES;
	struct memory m;
	const char *why = memory_parse(data, n, &m);

	if (why) {
		m.low = 64 << 20;
		m.high = 0;
	}
	check_map(&m);
	/* a size that the host says has 32 bits; favour those that may fit */
	initrd_len = initrd_len >> 63 ? (uint32_t)initrd_len : initrd_len & 0xffffff;
	check_setup(data + n, size - n, m.low, initrd_len);
	return 0;
}
