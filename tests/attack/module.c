// SPDX-License-Identifier: GPL-2.0
/* /dev/attack: see abi.h. */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include "module.h"

struct atk_secret secret;
static LIST_HEAD(frames);

void *frame_alloc(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	if (!page)
		return NULL;
	list_add(&page->lru, &frames);
	return page_address(page);
}

static long atk_secret(void __user *arg)
{
	return copy_from_user(&secret, arg, sizeof(secret)) ? -EFAULT : 0;
}

static long atk_page(void __user *arg)
{
	void *page = frame_alloc();
	u64 pfn;

	if (!page)
		return -ENOMEM;
	pfn = virt_to_phys(page) >> PAGE_SHIFT;
	return put_user(pfn, (u64 __user *)arg);
}

static long attack_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	static const struct {
		unsigned int cmd;
		long (*fn)(void __user *arg);
	} rows[] = {
		{ ATK_SECRET, atk_secret }, { ATK_MEM, atk_mem }, { ATK_SCAN, atk_scan },
		{ ATK_ZERO, atk_zero }, { ATK_CALL, atk_call }, { ATK_FUZZ, atk_fuzz },
		{ ATK_VMX, atk_vmx }, { ATK_RUN, atk_run }, { ATK_EPT, atk_ept },
		{ ATK_WALK, atk_walk }, { ATK_MSR, atk_msr }, { ATK_CR, atk_cr },
		{ ATK_PAGE, atk_page }, { ATK_NMIS, atk_nmis },
		{ ATK_HAMMER, atk_hammer }, { ATK_HAMMER_STOP, atk_hammer_stop },
		{ ATK_RACE, atk_race }, { ATK_INIT, atk_init }, { ATK_REG, atk_reg },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].cmd == cmd)
			return rows[i].fn((void __user *)arg);
	return -ENOTTY;
}

/* Any frame into a process, by page tables alone. */
static int attack_mmap(struct file *file, struct vm_area_struct *vma)
{
	return remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = attack_ioctl,
	.mmap = attack_mmap,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "attack",
	.fops = &fops,
	.mode = 0600,
};

static int __init attack_init(void)
{
	return misc_register(&device);
}

static void __exit attack_exit(void)
{
	struct page *page, *next;

	misc_deregister(&device);
	list_for_each_entry_safe(page, next, &frames, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

module_init(attack_init);
module_exit(attack_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A hostile ring 0, for tests");
