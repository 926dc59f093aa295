// SPDX-License-Identifier: GPL-2.0
/* The owner table (docs/memory.md). */

#include "ept/owner.h"
#include "ept/device.h"
#include "vmx/abi/errno.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"

/* The user-space build has its table elsewhere. */
#ifndef OWNER_TABLE
#define OWNER_TABLE	((u64 *)UP_TABLE_BASE)
#endif

#define HOST_ENTRY	FRAME_ENTRY(OWNER_HOST, FRAME_OWNED, 0)
#define LAYER_ENTRY	FRAME_ENTRY(OWNER_LAYER, FRAME_OWNED, 0)

struct spinlock frames_lock;

static u64 nframes;		/* entries of the table */
u64 address_mask;
static const struct up_range *ram;	/* ascending */
static u32 nram;
static bool clflushopt;
static struct frame_counters counters;	/* frames_lock */

void frame_counters(struct frame_counters *c)
{
	spin_lock(&frames_lock);
	*c = counters;
	spin_unlock(&frames_lock);
}

static void count_owner(u64 entry, u64 by)
{
	u32 owner = FRAME_OWNER(entry);

	if (owner == OWNER_LAYER)
		counters.layer += by;
	else if (owner >= OWNER_VM0)
		counters.vm += by;
}

void frame_set(u64 pfn, u64 entry)
{
	up_assert(pfn < nframes && OWNER_TABLE[pfn] && entry);
	count_owner(OWNER_TABLE[pfn], -1ULL);
	count_owner(entry, 1);
	WRITE_ONCE(OWNER_TABLE[pfn], entry);
}

u64 frame_entry(u64 pfn)
{
	u64 mask = mask_below(pfn, nframes);

	return READ_ONCE(OWNER_TABLE[pfn & mask]) & mask;
}

bool frame_is_hosts(u64 pfn)
{
	u64 e = frame_entry(pfn);

	if (!e)
		return !(pfn << PAGE_SHIFT & ~address_mask) && !(pfn >> 40) && !devices_in(pfn, 1);
	if (FRAME_OWNER(e) >= OWNER_VM0)
		return FRAME_STATE(e) == FRAME_SHARED;
	return e == HOST_ENTRY;
}

bool frame_host_usable(u64 pfn)
{
	return frame_entry(pfn) == HOST_ENTRY;
}

void frame_flush(u64 pfn)
{
	flush_lines(phys(pfn << PAGE_SHIFT), clflushopt);
}

void *host_pointer(u64 pfn, u64 offset)
{
	u64 mask = mask_below(frame_entry(pfn) ^ HOST_ENTRY, 1);

	return (void *)((u64)phys((pfn << PAGE_SHIFT | offset) & mask) & mask);
}

bool frame_owned_by(u64 pfn, const struct owner *o, u64 gfn)
{
	u64 e = frame_entry(pfn);

	return FRAME_OWNER(e) == OWNER_VM0 + o->id && FRAME_GFN(e) == gfn;
}

void frames_forget_vms(void)
{
	u64 pfn;

	for (pfn = 0; pfn < nframes; pfn++) {
		spin_lock(&frames_lock);
		if (FRAME_OWNER(OWNER_TABLE[pfn]) >= OWNER_VM0)
			zero_page(phys(pfn << PAGE_SHIFT));
		spin_unlock(&frames_lock);
	}
}

enum frame_region frames_region(u64 pfn)
{
	u64 e = frame_entry(pfn);
	u32 i;

	if (e && e != HOST_ENTRY)
		return REGION_MIXED;
	if (pfn < nframes)
		for (i = 1; i < 512; i++)
			if (frame_entry(pfn + i) != e)
				return REGION_MIXED;
	if (!e && devices_in(pfn, 512))
		return REGION_MIXED;
	return e ? REGION_HOST : REGION_NO_RAM;
}

bool frames_have_ram(u64 pfn, u64 count)
{
	u32 i = range_behind(ram, nram, pfn);

	return i < nram && ram[i].start_pfn < pfn + count;
}

/* All frames of @r must have the entry @from: 0 for RAM not seen yet. */
static int claim(const struct up_range *r, u64 from, u64 to)
{
	u64 pfn;

	if (r->start_pfn > r->end_pfn || r->end_pfn > nframes)
		return -UP_EINVAL;
	for (pfn = r->start_pfn; pfn < r->end_pfn; pfn++) {
		if (OWNER_TABLE[pfn] != from)
			return -UP_EINVAL;
		OWNER_TABLE[pfn] = to;
	}
	return 0;
}

int frames_init(const struct up_config *cfg)
{
	u32 i, r[4];
	u64 end = 0;
	int err = 0;

	if (cfg->maxphyaddr < 32 || cfg->maxphyaddr > 52 || cfg->table_frames >> 40)
		return -UP_EINVAL;
	nframes = cfg->table_frames;
	ram = cfg->ram;
	nram = cfg->ram_ranges;
	cpuid(7, 0, r);
	clflushopt = r[1] & CPUID7_EBX_CLFLUSHOPT;
	/* Four levels of EPT translate 48 bits. */
	address_mask = MASK((cfg->maxphyaddr < 48 ? cfg->maxphyaddr : 48) - 1, 12);
	memset(&counters, 0, sizeof(counters));
	counters.table_bytes = nframes * sizeof(u64);

	for (i = 0; i < cfg->ram_ranges && !err; i++) {
		err = ram[i].start_pfn < end ? -UP_EINVAL : claim(&ram[i], 0, HOST_ENTRY);
		end = ram[i].end_pfn;
		counters.ram += ram[i].end_pfn - ram[i].start_pfn;
	}
	for (i = 0; i < cfg->layer_chunks && !err; i++) {
		err = claim(&cfg->layer[i], HOST_ENTRY, LAYER_ENTRY);
		counters.layer += cfg->layer[i].end_pfn - cfg->layer[i].start_pfn;
	}
	/* What pool_init() takes must be the layer's. */
	for (i = 0; i < cfg->pool_chunks && !err; i++)
		err = claim(&cfg->pool[i], LAYER_ENTRY, LAYER_ENTRY);
	return err;
}

int frames_init_devices(const struct up_config *cfg)
{
	int err = devices_init(cfg, (address_mask >> PAGE_SHIFT) + 1);
	u32 i;

	for (i = 0; i < cfg->devices && !err; i++)
		if (frames_have_ram(cfg->device[i].start_pfn,
				    cfg->device[i].end_pfn - cfg->device[i].start_pfn))
			err = -UP_EINVAL;
	return err;
}
