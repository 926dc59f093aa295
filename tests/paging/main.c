// SPDX-License-Identifier: GPL-2.0
/*
 * The host side without its checks, on a processor without VMX: loads the root image,
 * builds its page tables and the joint ones, and enters it on every CPU.  The image
 * runs on its own page table until it misses VMX, and comes back.  Nothing stays loaded:
 * insmod ends with -ENODEV, which is right, or with something else.
 */
#include <linux/module.h>
#include <linux/pgtable.h>

#include "module/module.h"

/* Nobody has looked where this machine sleeps. */
const struct up_sleep_regs *up_sleep_regs(void)
{
	static const struct up_sleep_regs none;

	return &none;
}

/* Nor whether anything stores of its own accord. */
int up_check_stores(void)
{
	return 0;
}

static int __init paging_test_init(void)
{
	struct up_layer layer = { };
	int err = up_image_load(&layer);

	if (err)
		return err;
	err = up_launch(&layer);
	pr_info("paging: %d levels, image entered and left: error %d\n",
		pgtable_l5_enabled() ? 5 : 4, err);
	up_image_free();
	up_words_end();
	return err ?: -EEXIST;
}

module_init(paging_test_init);
MODULE_DESCRIPTION("Enters the root image where there is no VMX");
MODULE_LICENSE("GPL");
