// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "base/vec.h"

int pol_vec_grow(void **data, uint32_t *cap, uint32_t n, uint32_t extra, size_t size)
{
	uint64_t want = (uint64_t)n + extra, room = *cap ? *cap : 16;
	void *p;

	if (want <= *cap)
		return 0;
	while (room < want)
		room *= 2;
	if (room > UINT32_MAX || room * size > SIZE_MAX / 2)
		return -ENOMEM;
	p = realloc(*data, room * size);
	if (!p)
		return -ENOMEM;
	*data = p;
	*cap = room;
	return 0;
}
