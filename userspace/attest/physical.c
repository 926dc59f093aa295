// SPDX-License-Identifier: GPL-2.0
/* See physical.h.  It is mapped: /dev/mem reads no registers otherwise. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "userspace/attest/physical.h"
#include "userspace/txt/txt.h"

/* Beyond the end of a file there is nothing that could be mapped; a device has no end. */
static int within(int fd, uint64_t address, size_t len)
{
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	if (S_ISCHR(st.st_mode) || (address <= (uint64_t)st.st_size &&
				    len <= (uint64_t)st.st_size - address))
		return 0;
	errno = ENXIO;
	return -1;
}

/* The pages that have these bytes.  Return: where the first of them begins, or NULL */
static volatile uint8_t *map(const char *path, uint64_t start, size_t len)
{
	int fd = open(path, O_RDONLY | O_SYNC | O_CLOEXEC);
	void *at = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (!within(fd, start, len))
		at = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)start);
	close(fd);
	return at == MAP_FAILED ? NULL : at;
}

static uint64_t load(volatile uint8_t *at)
{
	return *(volatile uint64_t *)at;
}

uint8_t *physical_read(const char *path, uint64_t address, size_t len)
{
	uint64_t start = address & ~(uint64_t)(TXT_PAGE - 1), *bytes;
	size_t ahead = address - start, i;
	volatile uint8_t *pages;

	if (!len || len > PHYSICAL_MAX || (address | len) % 8) {
		errno = EINVAL;
		return NULL;
	}
	pages = map(path, start, ahead + len);
	bytes = pages ? malloc(len) : NULL;
	for (i = 0; bytes && i < len / 8; i++)
		bytes[i] = load(pages + ahead + 8 * i);
	if (pages)
		munmap((void *)pages, ahead + len);
	return (uint8_t *)bytes;
}

uint8_t *physical_txt(const char *path)
{
	volatile uint8_t *page = map(path, TXT_PUBLIC, TXT_PAGE);
	uint8_t *image = page ? calloc(1, TXT_PAGE) : NULL;
	unsigned int i, at;

	for (i = 0; image && i < TXT_REGISTER_COUNT; i++) {
		at = txt_register_offset(i);
		*(uint64_t *)(image + at) = load(page + at);
	}
	if (page)
		munmap((void *)page, TXT_PAGE);
	return image;
}
