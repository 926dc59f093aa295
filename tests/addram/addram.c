// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that arrives while a host runs: "size" bytes at "start", which firmware did not
 * tell Linux of (mem=), are there from insmod on, and offline.  As dax/kmem adds memory
 * of a CXL or a persistent device: "System RAM" below a resource of another name.
 */
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/module.h>

static unsigned long start, size;
module_param(start, ulong, 0444);
module_param(size, ulong, 0444);

static int __init addram_init(void)
{
	struct resource *device = request_mem_region(start, size, "underpin test device");
	int err;

	if (!device)
		return -EBUSY;
	device->flags = IORESOURCE_SYSTEM_RAM;	/* not busy: drivers/dax/kmem.c does so, too */
	err = add_memory_driver_managed(0, start, size, "System RAM (underpin)", MHP_NONE);
	if (err)
		release_mem_region(start, size);
	return err;
}

module_init(addram_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Adds memory to a running host");
