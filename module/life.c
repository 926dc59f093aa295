// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of the layer when the host kernel's life changes (the table in
 * docs/host.md).  Suspend and hibernation would resume outside the layer: vetoed.
 * Reboot, power-off and kexec: protected VMs end, their frames are zeroed piece by piece,
 * then every CPU leaves, and the next kernel finds nothing but RAM.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/syscore_ops.h>
#include <asm/tlbflush.h>

#include "ioctl/ioctl.h"
#include "module.h"

static bool kexec;	/* the next kernel comes without a reset */

static int sleep_event(struct notifier_block *nb, unsigned long event, void *unused)
{
	if (event != PM_SUSPEND_PREPARE && event != PM_HIBERNATION_PREPARE &&
	    event != PM_RESTORE_PREPARE)
		return NOTIFY_DONE;
	pr_err("%s is refused: this host would resume outside the layer: rmmod underpin first\n",
	       event == PM_SUSPEND_PREPARE ? "suspend" : "hibernation");
	return notifier_from_errno(-EBUSY);
}

/* Before KVM's own notifier: its VMs can still be taken apart in order. */
static int end_vms(struct notifier_block *nb, unsigned long event, void *command)
{
	int err;

	/* kernel_kexec()'s word; whoever gives it to reboot(2) gets the stricter way. */
	kexec = command && !strcmp(command, "kexec reboot");
	err = up_hotplug_all_online();
	if (err)
		pr_err("going down: a CPU stays offline: error %d\n", err);
	err = up_vms_end_all();
	if (err)
		pr_err("going down: a protected VM could not be ended: error %d\n", err);
	return NOTIFY_DONE;
}

static void count_vmxe(void *count)
{
	if (__read_cr4() & X86_CR4_VMXE)
		atomic_inc(count);
}

static bool kvm_uses_vmx(void)
{
	atomic_t count = ATOMIC_INIT(0);

	on_each_cpu(count_vmxe, &count, 1);
	return atomic_read(&count);
}

/*
 * The layer's memory holds what its VMs' registers were.  Where the layer cannot be left,
 * a reset still goes past it; but a kernel that is started by kexec would take its frames
 * for RAM and die of that later, in the middle of something.
 */
static void leave(void)
{
	if (!up_leave()) {
		up_pool_release();
		up_image_free();
		pr_info("every CPU has left the layer\n");
	} else if (kexec) {
		panic("underpin: the layer cannot be left: no other kernel may start by kexec");
	}
}

/* Behind KVM's notifier, where it has one (until Linux 6.3). */
static int leave_early(struct notifier_block *nb, unsigned long event, void *command)
{
	if (up_running() && !kvm_uses_vmx())
		leave();
	return NOTIFY_DONE;
}

/* Newer KVMs leave VMX operation here; what was registered last comes first. */
#ifdef UP_SYSCORE_DATA
static void leave_late(void *unused)
#else
static void leave_late(void)
#endif
{
	if (up_running())
		leave();
}

static struct notifier_block sleep_nb = { .notifier_call = sleep_event };
static struct notifier_block end_nb = { .notifier_call = end_vms, .priority = INT_MAX };
static struct notifier_block leave_nb = { .notifier_call = leave_early, .priority = INT_MIN };

#ifdef UP_SYSCORE_DATA
static const struct syscore_ops late_ops = { .shutdown = leave_late };
static struct syscore late = { .ops = &late_ops };
#else
#define register_syscore	register_syscore_ops
#define unregister_syscore	unregister_syscore_ops
static struct syscore_ops late = { .shutdown = leave_late };
#endif

int up_life_init(void)
{
	int err = register_pm_notifier(&sleep_nb);

	if (err)
		return err;
	register_reboot_notifier(&end_nb);	/* these cannot fail */
	register_reboot_notifier(&leave_nb);
	register_syscore(&late);
	return 0;
}

void up_life_exit(void)
{
	unregister_syscore(&late);
	unregister_reboot_notifier(&leave_nb);
	unregister_reboot_notifier(&end_nb);
	unregister_pm_notifier(&sleep_nb);
}
