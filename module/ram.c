// SPDX-License-Identifier: GPL-2.0
/*
 * Which physical memory is RAM.  Each frame of it has an owner in the layer's table; what
 * is not in that table is taken for a device's, and no VM gets it.  So RAM that Linux
 * would begin to use later may not come online while the layer is there.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/notifier.h>
#include <linux/pfn.h>

#include "module.h"

static struct up_range found[UP_MAX_RAM_RANGES];	/* ascending, written before the launch */
static unsigned int nr_found;

static int add_ram(struct resource *r, void *unused)
{
	u64 start = PFN_UP(r->start), end = PFN_DOWN(r->end + 1);

	if (start >= end)
		return 0;
	/* Neighbours, such as blocks that were added one by one, are one range. */
	if (nr_found && found[nr_found - 1].end_pfn == start) {
		found[nr_found - 1].end_pfn = end;
		return 0;
	}
	if (nr_found == UP_MAX_RAM_RANGES - 1) {
		pr_err("more than %d ranges of RAM\n", UP_MAX_RAM_RANGES - 1);
		return -E2BIG;
	}
	found[nr_found].start_pfn = start;
	found[nr_found].end_pfn = end;
	nr_found++;
	return 0;
}

/*
 * "System RAM" wherever it is in the resource tree: below persistent or "soft reserved"
 * memory, where dax/kmem puts it, as well as at the top.  The walk takes a parent first,
 * and then goes on behind it.
 */
int up_ram_find(struct up_config *cfg)
{
	int err;

	nr_found = 0;
	err = walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				  0, -1, NULL, add_ram);
	if (err || !nr_found)
		return err ?: -ENODEV;
	memcpy(cfg->ram, found, sizeof(found));
	cfg->ram_ranges = nr_found;
	cfg->table_frames = found[nr_found - 1].end_pfn;
	return 0;
}

static bool is_known(u64 start_pfn, u64 end_pfn)
{
	unsigned int i;

	for (i = 0; i < nr_found; i++)
		if (start_pfn >= found[i].start_pfn && end_pfn <= found[i].end_pfn)
			return true;
	return false;
}

static int memory_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct memory_notify *memory = data;
	u64 start = memory->start_pfn, end = start + memory->nr_pages;

	if (event != MEM_GOING_ONLINE || !up_running() || is_known(start, end))
		return NOTIFY_OK;
	pr_err("memory at %#llx to %#llx was not there at the launch: it may not come online (rmmod underpin, bring it online, insmod underpin.ko)\n",
	       start << PAGE_SHIFT, end << PAGE_SHIFT);
	return notifier_from_errno(-EPERM);
}

static struct notifier_block nb = { .notifier_call = memory_event };

int up_ram_init(void)
{
	return register_memory_notifier(&nb);
}

void up_ram_exit(void)
{
	unregister_memory_notifier(&nb);
}
