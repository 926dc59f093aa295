// SPDX-License-Identifier: GPL-2.0
/* Which device registers the layer keeps: a list for the launch configuration. */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "module.h"

static struct up_range list[UP_MAX_DEVICES];	/* ascending; written before the launch */
static unsigned int nr_listed;
static u64 frames;

int up_device_add(u64 start, u64 size)
{
	u64 first = start >> PAGE_SHIFT, count = size >> PAGE_SHIFT;
	unsigned int i = nr_listed;

	if (offset_in_page(start | size) || !count || start + size < start)
		return -EINVAL;
	if (nr_listed == UP_MAX_DEVICES || count > UP_DEVICE_FRAMES - frames)
		return -ENOSPC;
	while (i && list[i - 1].start_pfn > first)
		i--;
	if ((i && list[i - 1].end_pfn > first) ||
	    (i < nr_listed && list[i].start_pfn < first + count))
		return -EINVAL;
	memmove(&list[i + 1], &list[i], (nr_listed - i) * sizeof(*list));
	list[i] = (struct up_range){ first, first + count };
	nr_listed++;
	frames += count;
	return 0;
}

const struct up_range *up_devices(unsigned int *n)
{
	*n = nr_listed;
	return list;
}

void up_devices_forget(void)
{
	nr_listed = 0;
	frames = 0;
}
