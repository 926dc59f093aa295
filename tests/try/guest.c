// SPDX-License-Identifier: GPL-2.0
/*
 * The guest of `make try`: init of a stock kernel that keeps a secret in memory
 * and says every second whether it is still what it was.
 *
 * Each page of the secret begins with a mark that is put together here, so that
 * whoever finds the mark has found the guest's memory and not its initrd.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "mark.h"

#define PAGES	64
#define ROUNDS	10

static uint8_t secret[MARK_SIZE + 16];

static void make_secret(uint8_t *pages)
{
	size_t i;

	for (i = 0; i < MARK_SIZE; i++)
		secret[i] = mark_half[i] ^ MARK_XOR;
	if (getrandom(secret + MARK_SIZE, 16, GRND_NONBLOCK) != 16)
		for (i = 0; i < 16; i++)
			secret[MARK_SIZE + i] = (uint8_t)(__builtin_ia32_rdtsc() >> (i & 7));
	for (i = 0; i < PAGES; i++)
		memcpy(pages + i * 4096, secret, sizeof(secret));
}

static int intact(const uint8_t *pages)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		if (memcmp(pages + i * 4096, secret, sizeof(secret)))
			return 0;
	return 1;
}

int main(void)
{
	uint8_t *pages = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int i, ok = 1;

	if (pages == MAP_FAILED)
		return 1;
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_secret(pages);
	printf("guest: user space reached; a random secret is in %d pages\n", PAGES);
	for (i = 0; i < ROUNDS && ok; i++) {
		sleep(1);
		ok = intact(pages);
		printf("guest: secret %s\n", ok ? "intact" : "CHANGED");
	}
	printf("guest: %s\n", ok ? "ends; nobody touched the secret"
				 : "ends; somebody wrote to its memory");
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
