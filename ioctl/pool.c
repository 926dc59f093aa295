// SPDX-License-Identifier: GPL-2.0
/*
 * Growing the layer's pool: VMCSs and the tables of VMs take memory that was not set
 * aside at launch.  module/flusher.c does it before the layer is short, a call that
 * failed for want of frames when it is.  What was given stays the layer's until it leaves.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/string.h>
#include "call.h"
#include "ioctl.h"

#define LIST_FRAMES	(PAGE_SIZE / sizeof(u64))

static DEFINE_MUTEX(pool_lock);
static LIST_HEAD(pool_pages);	/* by page->lru; under pool_lock */

/* Pages are taken one by one: the layer needs no contiguous ones. */
static unsigned int fill_list(u64 *list, unsigned int frames, struct list_head *pages)
{
	unsigned int n;
	struct page *page;

	for (n = 0; n < frames; n++) {
		page = alloc_page(GFP_KERNEL | __GFP_ZERO | __GFP_NORETRY | __GFP_NOWARN);
		if (!page)
			break;
		list[n] = page_to_pfn(page);
		list_add_tail(&page->lru, pages);
	}
	return n;
}

static void free_pages_list(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

/* The layer takes the list from its start, in pieces, and says how many it took. */
static int donate_list(u64 *list, unsigned int frames)
{
	struct up_retry retry = { .what = "growing the pool" };
	u64 taken;
	long ret;
	int err;

	for (;;) {
		ret = up_vmcall(UP_CALL_POOL_DONATE, up_page_pfn(list), frames, 0, &taken, NULL);
		if (!ret)
			return 0;
		if (ret != -EAGAIN)
			return ret;
		if (taken > frames)
			return -EIO;
		err = up_retry(&retry, ret, taken);
		if (err)
			return err;
		frames -= taken;
		memmove(list, list + taken, frames * sizeof(*list));
	}
}

static int donate(u64 *list, unsigned int frames)
{
	LIST_HEAD(pages);
	unsigned int n = fill_list(list, frames, &pages);
	int ret;

	if (!n)
		return -ENOMEM;
	ret = donate_list(list, n);
	if (ret)
		pr_err_ratelimited("growing the pool by %u frames: error %d\n", n, ret);
	/* The layer may have taken some before it failed: keep them all. */
	list_splice_tail(&pages, &pool_pages);
	return ret;
}

int up_pool_grow(unsigned int frames)
{
	u64 *list = (u64 *)__get_free_page(GFP_KERNEL);
	int ret;

	if (!list)
		return -ENOMEM;
	mutex_lock(&pool_lock);
	ret = donate(list, min_t(unsigned int, frames, LIST_FRAMES));
	mutex_unlock(&pool_lock);
	free_page((unsigned long)list);
	return ret;
}

void up_pool_release(void)
{
	mutex_lock(&pool_lock);
	free_pages_list(&pool_pages);
	mutex_unlock(&pool_lock);
}
