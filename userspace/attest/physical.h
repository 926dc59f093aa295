/* SPDX-License-Identifier: GPL-2.0 */
/* Physical memory, by /dev/mem or a file that is an image of it. */
#ifndef ATTEST_PHYSICAL_H
#define ATTEST_PHYSICAL_H

#include <stddef.h>
#include <stdint.h>

#define PHYSICAL_MEMORY	"/dev/mem"
#define PHYSICAL_MAX	(16u << 20)	/* at once */

/**
 * physical_read() - a copy of @len bytes at @address, to be freed
 * @path: the image, in which an address is an offset
 *
 * @address and @len are multiples of 8.
 *
 * Return: NULL where they cannot be had; errno says why.
 */
uint8_t *physical_read(const char *path, uint64_t address, size_t len);

/**
 * physical_txt() - an image of TXT's public registers, to be freed, of TXT_PAGE bytes
 *
 * Registers that are not known are not read, and 0 in it.
 *
 * Return: NULL where they cannot be had; errno says why.
 */
uint8_t *physical_txt(const char *path);

#endif /* ATTEST_PHYSICAL_H */
