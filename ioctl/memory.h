/* SPDX-License-Identifier: GPL-2.0 */
/* The memory of a protected VM: pinned, donated, taken back. */
#ifndef IOCTL_MEMORY_H
#define IOCTL_MEMORY_H

#include <linux/list.h>
#include <linux/types.h>
#include "layout.h"
#include "vmx/abi/call.h"

struct up_vm;
struct up_where;

/* Pages for a run of guest frames; pages[i] is for guest frame gfn + i. */
struct up_region {
	struct list_head node;
	struct up_run run;
	u64 filled;		/* pages[] that are set, from the start */
	u64 donated;		/* of these, those that the layer took */
	struct page **pages;
};

#define UP_LIST_ENTRIES	(PAGE_SIZE / sizeof(struct up_donation))

/**
 * up_list_fill() - list the next frames of a region that are to be donated
 * @list: UP_LIST_ENTRIES entries
 * @region: pinned
 *
 * Return: how many were listed; 0: all are donated.
 */
unsigned int up_list_fill(struct up_donation *list, const struct up_region *region);

/**
 * up_memory_pin() - pin the VM's memory in a window of guest frames
 * @vm: locked
 * @gfn: @count: the window
 * @regions: the new regions are added here in ascending guest address
 * @at: says where it failed
 *
 * What was pinned before a failure is in @regions, too.
 * Return: 0; -ENOENT: no memory there; -EFAULT, -ENOMEM, -EINTR, -ESTALE.
 */
int up_memory_pin(struct up_vm *vm, u64 gfn, u64 count, struct list_head *regions,
		  struct up_where *at);

/**
 * up_memory_donate() - give regions to the layer
 * @vm: locked
 * @regions: as pinned
 * @at: says where it failed
 *
 * Each region counts what the layer took, which stays taken after a failure.
 * Return: 0, -EINTR, -ESTALE, or the layer's error.
 */
int up_memory_donate(struct up_vm *vm, struct list_head *regions, struct up_where *at);

/**
 * up_memory_reclaim() - take back all frames from the layer, zeroed
 * @vm: locked, killed
 * Return: 0, or the layer's error: then no page may be released.
 */
int up_memory_reclaim(struct up_vm *vm);

/**
 * up_memory_release() - unpin and free regions
 * @vm: locked
 * @regions: nothing of them is the layer's; emptied
 */
void up_memory_release(struct up_vm *vm, struct list_head *regions);

/**
 * up_memory_trim() - release what a failed up_memory_donate() left undonated
 * @vm: locked
 * @regions: those that keep anything are moved to the VM's
 */
void up_memory_trim(struct up_vm *vm, struct list_head *regions);

#endif /* IOCTL_MEMORY_H */
