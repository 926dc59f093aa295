// SPDX-License-Identifier: GPL-2.0
/* The few C library functions that the firmware has; the root image has its own. */
#include "vmx/base/lib.h"

void *memcpy(void *dst, const void *src, size_t len)
{
	void *d = dst;
	size_t words = len / 8, rest = len % 8;

	/* words: on an emulator each iteration costs an instruction */
	__asm__ __volatile__("rep movsq\n\tmov %3, %2\n\trep movsb"
			     : "+D" (d), "+S" (src), "+c" (words) : "r" (rest) : "memory");
	return dst;
}

void *memset(void *dst, int byte, size_t len)
{
	void *d = dst;
	u64 fill = 0x0101010101010101ULL * (u8)byte;
	size_t words = len / 8, rest = len % 8;

	__asm__ __volatile__("rep stosq\n\tmov %2, %1\n\trep stosb"
			     : "+D" (d), "+c" (words) : "r" (rest), "a" (fill) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const u8 *x = a, *y = b;
	size_t i;

	for (i = 0; i < len; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}
