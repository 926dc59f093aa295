/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers of devices that the layer keeps: the launch configuration lists them, root has
 * them mapped uncached, the host's EPT and its VMs' tables never (ept/device.c).  What the
 * host's driver does with them comes to root as accesses (vmx/host/device.c).
 */
#ifndef EPT_DEVICE_H
#define EPT_DEVICE_H

#include "vmx/base/types.h"
#include "vmx/abi/image.h"

/**
 * struct device_ops - what stands in the host's sight for a range of registers
 * @read, @write: at @pa, of @size 1, 2, 4 or 8 bytes, which @pa is a multiple of.  A write
 *		  that has much to do returns false after a while: it will be called again, for
 *		  the instruction is run again
 *
 * Exit context, any CPU of the host's, no lock held.
 */
struct device_ops {
	u64 (*read)(u64 pa, u32 size);
	bool (*write)(u64 pa, u32 size, u64 val);
};

/**
 * range_behind() - the first of @n ascending ranges that ends behind @pfn, or @n
 * A frame at or behind @pfn that is in none of the ranges before it may be in this one.
 */
u32 range_behind(const struct up_range *list, u32 n, u64 pfn);

/**
 * devices_init() - check the list of the launch configuration, and use it from now on
 * @end_pfn: of the addresses that the processor has
 *
 * Root context, first CPU; by frames_init_devices().
 * Return: 0, or -UP_EINVAL: too many, not ascending, no such address, or a PAT whose entry
 * for PCD and PWT is not uncached.
 */
int devices_init(const struct up_config *cfg, u64 end_pfn);

/** devices_in() - true if a register that the layer keeps lies in [@pfn, @pfn + @count) */
bool devices_in(u64 pfn, u64 count);

/** device_at() - where root has the register at @pa, whose @size bytes are of one page; or NULL */
volatile void *device_at(u64 pa, u32 size);

/**
 * device_take() - the host sees by @ops what [@start_pfn, @end_pfn) has
 *
 * Before any guest runs.  What nobody takes reads as all ones, and ignores writes.
 * Return: false when the list has no such range.
 */
bool device_take(u64 start_pfn, u64 end_pfn, const struct device_ops *ops);

/** device_release() - the range that begins at @start_pfn is the host's after all; before any
 * guest runs
 */
void device_release(u64 start_pfn);

/** device_read(), device_write() - the host's access; devices_in() is true for its frame */
u64 device_read(u64 pa, u32 size);
bool device_write(u64 pa, u32 size, u64 val);

#endif /* EPT_DEVICE_H */
