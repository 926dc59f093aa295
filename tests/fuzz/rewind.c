// SPDX-License-Identifier: GPL-2.0
/* See rewind.h.  Compiled without it: these variables stay. */
#define _GNU_SOURCE
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define REGIONS	8

void rewind_also(void *mem, unsigned long size);
void rewind_ram(unsigned char *ram, unsigned long size);
void rewind_mark(void);
void rewind_all(void);

extern unsigned long __start_rewind_bss[], __stop_rewind_bss[];
extern unsigned long __start_rewind_data[], __stop_rewind_data[];

static struct region {
	unsigned long *mem, *copy, words;
} regions[REGIONS];
static unsigned int nregions;
static unsigned char *ram;
static unsigned long ram_size;

/* Not memcpy(): AddressSanitizer watches the gaps between variables. */
__attribute__((no_sanitize("address", "undefined")))
static void copy_words(unsigned long *to, const unsigned long *from, unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		to[i] = from[i];
}

void rewind_also(void *mem, unsigned long size)
{
	struct region *r = &regions[nregions++];

	assert(nregions <= REGIONS && size % sizeof(*r->mem) == 0);
	r->mem = mem;
	r->words = size / sizeof(*r->mem);
	r->copy = malloc(size);
}

void rewind_ram(unsigned char *mem, unsigned long size)
{
	ram = mem;
	ram_size = size;
}

/* RAM is a private mapping of what it holds now: only what is touched costs anything. */
static void mark_ram(void)
{
	int fd = memfd_create("ram", 0);
	void *p;

	assert(fd >= 0 && write(fd, ram, ram_size) == (ssize_t)ram_size);
	p = mmap(ram, ram_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);
	assert(p == ram);
	close(fd);
}

void rewind_mark(void)
{
	unsigned int i;

	rewind_also(__start_rewind_bss,
		    (char *)__stop_rewind_bss - (char *)__start_rewind_bss);
	rewind_also(__start_rewind_data,
		    (char *)__stop_rewind_data - (char *)__start_rewind_data);
	for (i = 0; i < nregions; i++)
		copy_words(regions[i].copy, regions[i].mem, regions[i].words);
	mark_ram();
}

void rewind_all(void)
{
	unsigned int i;
	int err = madvise(ram, ram_size, MADV_DONTNEED);

	assert(!err);
	for (i = 0; i < nregions; i++)
		copy_words(regions[i].mem, regions[i].copy, regions[i].words);
}
