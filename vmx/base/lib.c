// SPDX-License-Identifier: GPL-2.0
#include "vmx/base/lib.h"

void *memcpy(void *dst, const void *src, size_t len)
{
	u8 *d = dst;
	const u8 *s = src;

	/* Words first: most copies are of whole tables or frames. */
	for (; len >= 8; len -= 8, d += 8, s += 8)
		__builtin_memcpy(d, s, 8);
	while (len--)
		*d++ = *s++;
	return dst;
}

void *memset(void *dst, int byte, size_t len)
{
	u8 *d = dst;
	u64 word = 0x0101010101010101ULL * (u8)byte;

	for (; len >= 8; len -= 8, d += 8)
		__builtin_memcpy(d, &word, 8);
	while (len--)
		*d++ = (u8)byte;
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const u8 *x = a, *y = b;

	for (; len && *x == *y; len--, x++, y++)
		;
	return len ? *x - *y : 0;
}

void zero_page(void *page)
{
	u64 *p = page;
	u32 i;

	for (i = 0; i < PAGE_SIZE / 8; i += 8) {
		p[i] = p[i + 1] = p[i + 2] = p[i + 3] = 0;
		p[i + 4] = p[i + 5] = p[i + 6] = p[i + 7] = 0;
	}
}

bool page_is_zero(const void *page)
{
	const u64 *p = page;
	u32 i;

	for (i = 0; i < PAGE_SIZE / 8; i += 8)
		if (p[i] | p[i + 1] | p[i + 2] | p[i + 3] |
		    p[i + 4] | p[i + 5] | p[i + 6] | p[i + 7])
			return false;
	return true;
}
