// SPDX-License-Identifier: GPL-2.0
/* Device registers that the layer keeps: see device.h. */

#include "ept/device.h"
#include "vmx/abi/errno.h"
#include "vmx/base/asm.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"

/* The user-space build has them elsewhere. */
#ifndef DEVICE_MAP
#define DEVICE_MAP	((u8 *)UP_MMIO_BASE)
#endif

static const struct up_range *list;	/* ascending */
static u32 ndevices;
static struct {
	u64 first;			/* its place in the map, in frames */
	const struct device_ops *ops;
	bool hosts;			/* after all */
} of[UP_MAX_DEVICES];			/* by row of the list */

u32 range_behind(const struct up_range *list, u32 n, u64 pfn)
{
	u32 mid, low = 0;

	while (low < n) {
		mid = low + (n - low) / 2;
		if (list[mid].end_pfn > pfn)
			n = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* PCD and PWT choose the fourth (SDM vol. 3, table 12-11). */
static bool map_is_uncached(void)
{
	return (rdmsr(MSR_PAT) >> 24 & 7) == MEMTYPE_UC;
}

static bool row_is_sound(const struct up_range *r, u64 after, u64 end_pfn, u64 frames)
{
	return r->start_pfn >= after && r->end_pfn > r->start_pfn && r->end_pfn <= end_pfn &&
	       r->end_pfn - r->start_pfn <= UP_DEVICE_FRAMES - frames;
}

int devices_init(const struct up_config *cfg, u64 end_pfn)
{
	u64 end = 0, frames = 0;
	u32 i;

	if (cfg->devices > UP_MAX_DEVICES || (cfg->devices && !map_is_uncached()))
		return -UP_EINVAL;
	for (i = 0; i < cfg->devices; i++) {
		if (!row_is_sound(&cfg->device[i], end, end_pfn, frames))
			return -UP_EINVAL;
		of[i].first = frames;
		of[i].ops = NULL;
		of[i].hosts = false;
		end = cfg->device[i].end_pfn;
		frames += end - cfg->device[i].start_pfn;
	}
	list = cfg->device;
	ndevices = cfg->devices;
	return 0;
}

bool devices_in(u64 pfn, u64 count)
{
	u32 i = range_behind(list, ndevices, pfn);

	for (; i < ndevices && list[i].start_pfn < pfn + count; i++)
		if (!of[i].hosts)
			return true;
	return false;
}

volatile void *device_at(u64 pa, u32 size)
{
	u64 pfn = pa >> PAGE_SHIFT, offset = pa & (PAGE_SIZE - 1);
	u32 i = range_behind(list, ndevices, pfn);

	if (i == ndevices || pfn < list[i].start_pfn || offset + size > PAGE_SIZE)
		return NULL;
	return DEVICE_MAP + (of[i].first + pfn - list[i].start_pfn) * PAGE_SIZE + offset;
}

bool device_take(u64 start_pfn, u64 end_pfn, const struct device_ops *ops)
{
	u32 i = range_behind(list, ndevices, start_pfn);

	if (i == ndevices || list[i].start_pfn != start_pfn || list[i].end_pfn != end_pfn)
		return false;
	of[i].ops = ops;
	return true;
}

void device_release(u64 start_pfn)
{
	u32 i = range_behind(list, ndevices, start_pfn);

	if (i < ndevices && list[i].start_pfn == start_pfn)
		of[i].hosts = true;
}

static const struct device_ops *ops_of(u64 pa)
{
	u32 i = range_behind(list, ndevices, pa >> PAGE_SHIFT);

	if (i < ndevices && of[i].ops)
		return of[i].ops;
	note_denied();
	up_log_seldom("denied: access of the host's to the register at %lx", pa);
	return NULL;
}

u64 device_read(u64 pa, u32 size)
{
	const struct device_ops *ops = ops_of(pa);

	return ops ? ops->read(pa, size) : ~0ULL;
}

bool device_write(u64 pa, u32 size, u64 val)
{
	const struct device_ops *ops = ops_of(pa);

	return !ops || ops->write(pa, size, val);
}
