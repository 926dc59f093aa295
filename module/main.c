// SPDX-License-Identifier: GPL-2.0
/*
 * underpin.ko: slides the root image beneath the running kernel, and takes it
 * out again.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/init.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "ioctl/ioctl.h"
#include "module.h"

/*
 * One page of the layer's log, from @pos on.  Return: where the next one begins, or
 * @pos: there is no more
 */
static u64 flush_page(char *page, u64 pos)
{
	char *line, *rest = page;
	u64 len = 0, next = pos;

	if (up_vmcall(UP_CALL_LOG, virt_to_phys(page) >> PAGE_SHIFT, pos, 0, &len, &next) || !len)
		return pos;
	/* What is behind the last newline is nothing, or a line that the page has cut. */
	page[min_t(u64, len, PAGE_SIZE - 1)] = 0;
	while ((line = strsep(&rest, "\n")) && rest)
		if (*line)
			pr_info("root: %s\n", line + (strncmp(line, "underpin: ", 10) ? 0 : 10));
	return line == page ? pos : next - (page + len - line);
}

void up_log_flush(void)
{
	static DEFINE_MUTEX(lock);	/* pos, and the order of the lines */
	static u64 pos;
	char *page = (char *)__get_free_page(GFP_KERNEL);
	u64 before;

	if (!page)
		return;
	mutex_lock(&lock);
	do {
		before = pos;
		pos = flush_page(page, pos);
	} while (pos != before);
	mutex_unlock(&lock);
	free_page((unsigned long)page);
}

static int __init load(void)
{
	struct up_layer layer = { };
	int err = up_check();

	if (!err)
		err = up_tickets_read();
	if (err)
		return err;
	err = up_iommu_find();
	if (!err)
		err = up_tpm_keep();
	if (!err)
		err = up_image_load(&layer);
	if (err)
		goto ignore;
	err = up_launch(&layer);
	if (err)
		goto free;
	up_tpm_extend(false);
	up_log_flush();
	up_iommu_launched();
	err = up_ram_init();
	if (err)
		goto leave;
	err = up_hotplug_init();
	if (err)
		goto forget;
	err = up_life_init();
	if (err)
		goto unwatch;
	err = up_kvm_hold_init();
	if (err)
		goto die;
	err = up_sysfs_init();
	if (err)
		goto unhold;
	err = up_ioctl_init();
	if (err)
		goto unlist;
	up_flusher_start();
	pr_info("%u CPUs run on the layer now\n", num_online_cpus());
	return 0;

unlist:
	up_sysfs_exit();
unhold:
	up_kvm_hold_exit();
die:
	up_life_exit();
unwatch:
	up_hotplug_exit();
forget:
	up_ram_exit();
leave:
	if (up_leave())
		return err;	/* cannot happen without VMs; never free what is in use */
free:
	up_image_free();
ignore:
	up_iommu_forget();
	return err;
}

static int __init underpin_init(void)
{
	int err = load();

	up_words_end();
	return err;
}

static void __exit underpin_exit(void)
{
	up_flusher_stop();
	up_ioctl_exit();
	up_sysfs_exit();
	up_kvm_hold_exit();
	up_life_exit();
	up_hotplug_exit();
	up_ram_exit();
	if (up_leave()) {
		/* rmmod -f with a protected VM: the layer stays, and so does its memory. */
		pr_err("the layer stays beneath this kernel until the next boot\n");
		return;
	}
	up_pool_release();
	up_image_free();
	up_iommu_forget();
	pr_info("every CPU has left the layer\n");
}

module_init(underpin_init);
module_exit(underpin_exit);
MODULE_DESCRIPTION("Slides a measured layer beneath a running Linux/KVM host");
MODULE_LICENSE("GPL");
