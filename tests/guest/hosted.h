/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest firmware's C in user space, with a test in the place of its host and
 * of the layer.  Its memory below 4 GiB is mapped at the very same addresses.
 */
#ifndef TESTS_HOSTED_H
#define TESTS_HOSTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOSTED_LOW	(64u << 20)	/* the most RAM that a test may offer */

/* A file that the host offers, and what it claims about it. */
struct hosted_file {
	const uint8_t *data;
	size_t len;		/* what DMA delivers; zeros behind */
	uint32_t size;		/* what the host says */
};

/* How the host, and the layer, behave. */
struct hosted {
	bool layer;		/* is there one? */
	bool other_layer;	/* something answers, but with another ABI */
	struct hosted_file setup, kernel, initrd, cmdline, e820, dir;
	bool no_fwcfg;		/* the signature is wrong */
	bool no_dma;
	uint32_t dma_error_at;	/* DMA number that fails; 0: none */
	uint32_t dma_hangs_at;	/* DMA number that never ends */
	uint32_t busy;		/* times that a page's (un)sharing must wait */
	bool refuse_share, refuse_report, refuse_ghci;
	uint32_t vcpus;		/* that the layer knows */
	bool rewrite;		/* a page of kernel, initrd, command line differs when read again */

	/* what happened */
	bool entered;
	bool ghci;		/* the firmware asked for it */
	char text[4096];	/* the console */
	size_t text_len;
	const char *broken;	/* a promise that the firmware broke, or NULL */
	uint32_t dmas;
	uint32_t rewritten;	/* so often were other bytes there */
	uint32_t reports;	/* bit n: report n was made */
	uint8_t report[8][32];
	uint64_t kernel_at, initrd_at;
};

/** hosted_file_dir() - an fw_cfg directory that names etc/e820 of this size, for h->dir */
void hosted_file_dir(struct hosted *h, uint8_t dir[68], uint32_t e820_size);

/** hosted_run() - the firmware from fw_main() to the kernel's entry or to its failure */
void hosted_run(struct hosted *h);

#endif /* TESTS_HOSTED_H */
