// SPDX-License-Identifier: GPL-2.0
/*
 * What root on the host does to a guest's memory in the ordinary ways:
 *
 *	peek PID MIB	look through QEMU's MIB mebibytes of guest memory for the
 *			secret of `make try`, by each way; change it where it is found
 *
 * Prints a line a way.  Exit status: 0 nothing was found, 1 something was, 2 failed.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mark.h"

static pid_t pid;
static int mem;
static uint8_t mark[MARK_SIZE];

/* One way to reach the process's memory: both return 0 or -1 with errno. */
struct way {
	const char *name;
	int (*peek)(unsigned long addr, void *buf, size_t len);
	int (*poke)(unsigned long addr, const void *buf, size_t len);
};

static int check(ssize_t done, size_t len)
{
	return done == (ssize_t)len ? 0 : -1;
}

static int mem_peek(unsigned long addr, void *buf, size_t len)
{
	return check(pread(mem, buf, len, (off_t)addr), len);
}

static int mem_poke(unsigned long addr, const void *buf, size_t len)
{
	return check(pwrite(mem, buf, len, (off_t)addr), len);
}

static int vm_peek(unsigned long addr, void *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { (void *)addr, len };

	return check(process_vm_readv(pid, &local, 1, &remote, 1, 0), len);
}

static int vm_poke(unsigned long addr, const void *buf, size_t len)
{
	struct iovec local = { (void *)buf, len }, remote = { (void *)addr, len };

	return check(process_vm_writev(pid, &local, 1, &remote, 1, 0), len);
}

static int ptrace_peek(unsigned long addr, void *buf, size_t len)
{
	long word;
	size_t i;

	for (i = 0; i < len; i += sizeof(word)) {
		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, pid, (void *)(addr + i), NULL);
		if (errno)
			return -1;
		memcpy((char *)buf + i, &word, sizeof(word));
	}
	return 0;
}

static int ptrace_poke(unsigned long addr, const void *buf, size_t len)
{
	long word;
	size_t i;

	for (i = 0; i < len; i += sizeof(word)) {
		memcpy(&word, (const char *)buf + i, sizeof(word));
		if (ptrace(PTRACE_POKEDATA, pid, (void *)(addr + i), (void *)word))
			return -1;
	}
	return 0;
}

static const struct way ways[] = {
	{ "/proc/PID/mem", mem_peek, mem_poke },
	{ "process_vm_readv", vm_peek, vm_poke },
	{ "ptrace", ptrace_peek, ptrace_poke },
};

/* The guest's memory: the mapping of exactly this size. */
static unsigned long find_memory(unsigned long size)
{
	unsigned long from, to, found = 0;
	char path[64], line[512];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (!maps)
		err(2, "%s", path);
	while (!found && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && to - from == size)
			found = from;
	fclose(maps);
	if (!found)
		errx(2, "process %d has no mapping of %lu bytes", pid, size);
	return found;
}

/* Every page's first bytes; where the mark is, also an attempt to change it. */
static unsigned long try_way(const struct way *w, unsigned long base, unsigned long size)
{
	unsigned long addr, read = 0, refused = 0, found = 0, changed = 0;
	uint8_t buf[MARK_SIZE], bad[8] = "hostile";

	for (addr = base; addr < base + size; addr += 4096) {
		if (w->peek(addr, buf, sizeof(buf))) {
			refused++;
			continue;
		}
		read++;
		if (memcmp(buf, mark, sizeof(mark)))
			continue;
		found++;
		if (!w->poke(addr + MARK_SIZE, bad, sizeof(bad)))
			changed++;
	}
	printf("  %-18s %6lu pages answered, %6lu refused: secret found %lu times, changed %lu times\n",
	       w->name, read, refused, found, changed);
	return found;
}

int main(int argc, char **argv)
{
	unsigned long size, base, found = 0;
	char path[64];
	size_t i;

	if (argc != 3)
		errx(2, "usage: peek PID MIB");
	pid = atoi(argv[1]);
	size = strtoul(argv[2], NULL, 10) << 20;
	for (i = 0; i < MARK_SIZE; i++)
		mark[i] = mark_half[i] ^ MARK_XOR;
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDWR);
	if (mem < 0)
		err(2, "%s", path);
	base = find_memory(size);
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) || waitpid(pid, NULL, __WALL) < 0)
		err(2, "ptrace");
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		found += try_way(&ways[i], base, size);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return found ? 1 : 0;
}
