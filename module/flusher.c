// SPDX-License-Identifier: GPL-2.0
/*
 * A change of owner that a protected guest asks for (taking a shared page back)
 * completes when every CPU has flushed.  A CPU that idles demoted does not exit
 * by itself, so while protected VMs exist somebody looks and makes it.  The same look
 * gives the layer the frames that it is going to be short of.
 */
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include "ioctl/call.h"
#include "ioctl/ioctl.h"
#include "module.h"

#define LOOK_MS		20	/* while a VM exists */
#define REST_MS		200	/* within it KVM makes fewer VMCSs than the layer's mark allows */

static void look(struct work_struct *work);
static DECLARE_DELAYED_WORK(flusher, look);
static u64 last_epoch;

static void look(struct work_struct *work)
{
	static bool was_busy;
	bool busy = up_vms_present(), grown;
	u64 epoch, wanted;
	long err = up_vmcall(UP_CALL_FLUSH, 0, 0, 0, &epoch, &wanted);

	/* Given frames join the pool when all have flushed. */
	grown = !err && wanted && !up_pool_grow(wanted);
	if (grown || (!err && busy && epoch != last_epoch)) {
		up_flush_all();
		last_epoch = epoch;
	}
	/* What became of a VM is said at once, and the last words when none is left. */
	if (busy || was_busy)
		up_log_flush();
	was_busy = busy;
	schedule_delayed_work(&flusher, msecs_to_jiffies(busy || grown ? LOOK_MS : REST_MS));
}

void up_flusher_start(void)
{
	schedule_delayed_work(&flusher, msecs_to_jiffies(REST_MS));
}

void up_flusher_stop(void)
{
	cancel_delayed_work_sync(&flusher);
}
