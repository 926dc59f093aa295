// SPDX-License-Identifier: GPL-2.0
/*
 * A kvm_intel that was loaded above the layer keeps its CPUs in VMX operation while
 * it has VMs, and no CPU can leave the layer in it: it holds the module.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>

#include "module.h"

static bool held;

static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;

	if (strcmp(mod->name, "kvm_intel"))
		return NOTIFY_DONE;
	if (event == MODULE_STATE_COMING && !held) {
		held = try_module_get(THIS_MODULE);
		if (!held)
			return notifier_from_errno(-EBUSY);	/* just being removed */
		pr_info("kvm_intel runs above the layer: rmmod is refused until 'modprobe -r kvm_intel'\n");
	} else if (event == MODULE_STATE_GOING && held) {
		held = false;
		module_put(THIS_MODULE);
	}
	return NOTIFY_DONE;
}

static struct notifier_block nb = { .notifier_call = module_event };

int up_kvm_hold_init(void)
{
	return register_module_notifier(&nb);
}

void up_kvm_hold_exit(void)
{
	unregister_module_notifier(&nb);
}
