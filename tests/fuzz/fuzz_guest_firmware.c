// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer: the whole firmware against a host made of the input.  hosted.c checks
 * at the kernel's entry that what runs is what was reported.
 *
 * Input: 32 bytes of sizes and behaviour, 60 of etc/e820, 68 of directory, 100 of
 * command line, then the setup part; kernel and initrd are a pattern.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hosted.h"
#include "memmap.h"

#define PATTERN_LEN	(1 << 20)

struct head {
	uint32_t setup, kernel, initrd, cmdline, e820;
	uint32_t dma_error_at, dma_hangs_at;
	uint8_t flags, busy, pad[2];
	struct e820_entry map[3];
	uint8_t dir[68];
	uint8_t cmdline_text[100];
} __attribute__((packed));

enum { NO_LAYER = 1, OTHER_LAYER = 2, ODD_DIR = 4, REFUSE_SHARE = 8, REFUSE_REPORT = 16 };

static uint8_t *pattern(void)
{
	static uint8_t *p;
	size_t i;

	if (p)
		return p;
	p = malloc(PATTERN_LEN);
	for (i = 0; p && i < PATTERN_LEN; i++)
		p[i] = (uint8_t)(i ^ i >> 8);
	return p;
}

/* Only RAM that the harness has; anything that is refused may be anything. */
static void bound_memory(struct e820_entry map[3])
{
	struct memory m;

	if (!memory_parse(map, 3 * sizeof(map[0]), &m) && m.low > HOSTED_LOW)
		map[0] = (struct e820_entry){ 0, HOSTED_LOW, E820_RAM };
	if (!memory_parse(map, 3 * sizeof(map[0]), &m) && m.low > HOSTED_LOW)
		memset(map, 0, 3 * sizeof(map[0]));
}

/* Small sizes are quick; of large ones only those that must be refused. */
static uint32_t claim(uint32_t size)
{
	return size > HOSTED_LOW ? size : size % PATTERN_LEN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hosted h = { 0 };
	struct head in = { 0 };
	size_t n = size < sizeof(in) ? size : sizeof(in);

	memcpy(&in, data, n);
	data += n;
	size -= n;
	bound_memory(in.map);
	h.layer = !(in.flags & NO_LAYER);
	h.other_layer = in.flags & OTHER_LAYER;
	h.refuse_share = in.flags & REFUSE_SHARE;
	h.refuse_report = in.flags & REFUSE_REPORT;
	h.busy = in.busy % 4;
	h.vcpus = in.busy / 4;
	h.dma_error_at = in.dma_error_at;
	h.dma_hangs_at = in.dma_hangs_at;
	h.setup = (struct hosted_file){ data, size, in.setup ? in.setup : (uint32_t)size };
	h.kernel = (struct hosted_file){ pattern(), PATTERN_LEN, claim(in.kernel) };
	h.initrd = (struct hosted_file){ pattern(), PATTERN_LEN, claim(in.initrd) };
	h.cmdline = (struct hosted_file){ in.cmdline_text, sizeof(in.cmdline_text), in.cmdline };
	h.e820 = (struct hosted_file){ (uint8_t *)in.map, sizeof(in.map), sizeof(in.map) };
	if (in.flags & ODD_DIR)
		h.dir = (struct hosted_file){ in.dir, sizeof(in.dir), sizeof(in.dir) };
	else
		hosted_file_dir(&h, in.dir, in.e820 % 64 ? sizeof(in.map) : in.e820);
	hosted_run(&h);
	if (h.broken)
		abort();
	return 0;
}
