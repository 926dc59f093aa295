// SPDX-License-Identifier: GPL-2.0
/* Ring 0 of the host, by /dev/attack: memory. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "attack.h"

int mem_read(uint64_t pa, void *buf, uint32_t len, uint32_t way)
{
	struct atk_mem m = { .pa = pa, .buf = (uintptr_t)buf, .len = len, .way = way };

	return ioctl(attack_fd, ATK_MEM, &m);
}

int mem_write(uint64_t pa, const void *buf, uint32_t len, uint32_t way)
{
	struct atk_mem m = {
		.pa = pa, .buf = (uintptr_t)buf, .len = len, .way = way, .write = 1,
	};

	return ioctl(attack_fd, ATK_MEM, &m);
}

struct atk_call layer_call(uint64_t op, uint64_t a, uint64_t b, uint64_t c)
{
	struct atk_call call = { .rax = op, .rbx = a, .rcx = b, .rdx = c };

	if (ioctl(attack_fd, ATK_CALL, &call))
		err(1, "ATK_CALL");
	return call;
}

uint64_t module_page(void)
{
	uint64_t pfn;

	if (ioctl(attack_fd, ATK_PAGE, &pfn))
		err(1, "ATK_PAGE");
	return pfn;
}

uint16_t pm1_cnt(void)
{
	uint32_t port = 0;
	int fd = open("/sys/firmware/acpi/tables/FACP", O_RDONLY);

	if (fd < 0 || pread(fd, &port, 4, 64) != 4)
		err(1, "FACP");
	close(fd);
	return (uint16_t)port;
}

static bool reads(struct victim *v, uint32_t way)
{
	uint8_t page[PAGE] = { 0 };

	mem_read(pfn_of(v, SECRET_GPA) * PAGE, page, PAGE, way);
	return has_secret(v, page, PAGE);
}

/* Changes a word of the secret's page for a while. */
static bool writes(struct victim *v, uint32_t way)
{
	uint64_t pa = pfn_of(v, SECRET_GPA) * PAGE, old = 0, evil = 0x4141414141414141;
	bool hurt;

	mem_read(pa, &old, 8, way);
	mem_write(pa, &evil, 8, way);
	hurt = disturbed(v);
	mem_write(pa, &old, 8, way);
	return hurt;
}

#define WAY(name, way) \
	static bool name##_read(struct victim *v) { return reads(v, way); } \
	static bool name##_write(struct victim *v) { return writes(v, way); }
WAY(direct, ATK_DIRECT)
WAY(vmap, ATK_VMAP)
WAY(uncached, ATK_UNCACHED)
WAY(kmap, ATK_KMAP)
WAY(memremap, ATK_MEMREMAP)

static sigjmp_buf out_of_it;

static void on_fault(int sig)
{
	siglongjmp(out_of_it, sig);
}

/* A page table of our own making leads to the frame: an address in user space. */
static bool user_mapping(struct victim *v)
{
	struct sigaction sa = { .sa_handler = on_fault }, old[2];
	uint8_t page[PAGE] = { 0 };
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, attack_fd,
			(off_t)(pfn_of(v, SECRET_GPA) * PAGE));

	if (at == MAP_FAILED) {
		note("mmap of the frame: %s", strerror(errno));
		return false;
	}
	sigaction(SIGSEGV, &sa, &old[0]);
	sigaction(SIGBUS, &sa, &old[1]);
	if (!sigsetjmp(out_of_it, 1))
		memcpy(page, at, PAGE);
	sigaction(SIGSEGV, &old[0], NULL);
	sigaction(SIGBUS, &old[1], NULL);
	munmap(at, PAGE);
	return has_secret(v, page, PAGE);
}

/* The kernel's view of memory as a core file: what crash tools read. */
static bool kcore(struct victim *v)
{
	uint8_t page[PAGE] = { 0 }, head[PAGE];
	uint64_t pa = pfn_of(v, SECRET_GPA) * PAGE, *ph;
	int fd = open("/proc/kcore", O_RDONLY), i;

	if (fd < 0 || pread(fd, head, PAGE, 0) != PAGE)
		err(1, "/proc/kcore");
	for (i = 0; i < head[56]; i++) {
		/* p_type, p_flags; offset, vaddr, paddr, filesz */
		ph = (uint64_t *)(head + 64 + 56 * i);
		if ((uint32_t)ph[0] == 1 && ph[3] != ~0ULL && pa >= ph[3] && pa < ph[3] + ph[4] &&
		    ph[2] < 0xffffff0000000000 &&
		    pread(fd, page, PAGE, (off_t)(ph[1] + pa - ph[3])) < 0)
			note("/proc/kcore: %s", strerror(errno));
	}
	close(fd);
	return has_secret(v, page, PAGE);
}

const struct attack host_attacks[] = {
	{ 30, "read by the direct map", direct_read, 0 },
	{ 31, "write by the direct map", direct_write, 0 },
	{ 32, "read by a fresh kernel mapping", vmap_read, 0 },
	{ 33, "write by a fresh kernel mapping", vmap_write, 0 },
	{ 34, "read by a mapping of another memory type", uncached_read, 0 },
	{ 35, "write by a mapping of another memory type", uncached_write, 0 },
	{ 36, "read by kmap", kmap_read, 0 },
	{ 37, "write by kmap", kmap_write, 0 },
	{ 38, "read by memremap", memremap_read, 0 },
	{ 39, "write by memremap", memremap_write, 0 },
	{ 40, "page table entry for the frame in user space", user_mapping, 0 },
	{ 41, "crash-dump style read of /proc/kcore", kcore, 0 },
	{ 0 }
};
