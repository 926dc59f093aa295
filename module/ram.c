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
#include <linux/slab.h>

#include "module.h"

static struct up_range *found;		/* ascending, written before the launch */
static unsigned int nr_found, room;

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
	if (nr_found == room)
		return -ENOSPC;
	found[nr_found].start_pfn = start;
	found[nr_found].end_pfn = end;
	nr_found++;
	return 0;
}

static int count_ram(struct resource *r, void *n)
{
	++*(unsigned int *)n;
	return 0;
}

static int walk_ram(void *arg, int (*fn)(struct resource *r, void *arg))
{
	return walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				   0, -1, arg, fn);
}

/*
 * "System RAM" wherever it is in the resource tree: below persistent or "soft reserved"
 * memory, where dax/kmem puts it, as well as at the top.  The walk takes a parent first,
 * and then goes on behind it.
 */
int up_ram_find(const struct up_range **ram, unsigned int *ranges)
{
	int err;

	walk_ram(&room, count_ram);
	found = kvcalloc(room, sizeof(*found), GFP_KERNEL);
	if (!found)
		return -ENOMEM;
	err = walk_ram(NULL, add_ram);
	if (err || !nr_found)
		return err ?: -ENODEV;
	*ram = found;
	*ranges = nr_found;
	return 0;
}

void up_ram_forget(void)
{
	kvfree(found);
	found = NULL;
	nr_found = 0;
	room = 0;
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
