// SPDX-License-Identifier: GPL-2.0
/*
 * A file of blocks, each of which knows what it has to be, past the page cache.
 * blocks write FILE MIB; blocks read FILE: how many are right, refused (an error of the disk),
 * wrong (something else than was written); blocks scan FILE: of blocks of anything, no wrong ones.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK	4096
#define PIECE	256			/* blocks written by one call */

static uint64_t piece[PIECE][BLOCK / 8] __attribute__((aligned(BLOCK)));

/* xorshift64, begun with the block's number */
static void fill(uint64_t *block, uint64_t n)
{
	uint64_t x = n * 0x9e3779b97f4a7c15ULL + 1;

	for (int i = 0; i < BLOCK / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		block[i] = x;
	}
}

static const char *write_all(int fd, long blocks)
{
	for (long n = 0; n < blocks; n += PIECE) {
		for (int i = 0; i < PIECE; i++)
			fill(piece[i], (uint64_t)(n + i));
		if (write(fd, piece, sizeof(piece)) != sizeof(piece))
			return strerror(errno);
	}
	return fsync(fd) ? strerror(errno) : NULL;
}

struct counts {
	bool known;			/* what they have to be */
	long right, refused, wrong;
};

static void count(struct counts *c, const uint64_t *block, long n)
{
	static uint64_t want[BLOCK / 8];

	fill(want, (uint64_t)n);
	if (c->known && memcmp(want, block, BLOCK))
		c->wrong++;
	else
		c->right++;
}

/* A piece at once, and where that is refused each of its blocks. */
static void read_piece(int fd, long first, long blocks, struct counts *c)
{
	bool whole = pread(fd, piece, (size_t)blocks * BLOCK, first * BLOCK) == blocks * BLOCK;

	for (int i = 0; i < blocks; i++) {
		if (whole || pread(fd, piece[i], BLOCK, (first + i) * BLOCK) == BLOCK)
			count(c, piece[i], first + i);
		else
			c->refused++;
	}
}

static void read_all(int fd, bool known)
{
	long blocks = lseek(fd, 0, SEEK_END) / BLOCK;
	struct counts c = { .known = known };

	for (long n = 0; n < blocks; n += PIECE)
		read_piece(fd, n, blocks - n < PIECE ? blocks - n : PIECE, &c);
	printf("%ld right, %ld refused, %ld wrong\n", c.right, c.refused, c.wrong);
}

int main(int argc, char **argv)
{
	bool writes = argc == 4 && !strcmp(argv[1], "write");
	bool known = argc == 3 && !strcmp(argv[1], "read");
	const char *why;
	long blocks;
	int fd;

	if (!writes && !known && (argc != 3 || strcmp(argv[1], "scan"))) {
		fprintf(stderr, "usage: blocks write FILE MIB | blocks read|scan FILE\n");
		return 2;
	}
	fd = open(argv[2], O_RDWR | O_CREAT | O_DIRECT, 0600);
	if (fd < 0) {
		printf("%s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	if (!writes) {
		read_all(fd, known);
		return 0;
	}
	blocks = atol(argv[3]) * (1 << 20) / BLOCK;
	why = write_all(fd, blocks);
	printf("%ld blocks, %s\n", blocks, why ? why : "all of them");
	return why ? 1 : 0;
}
