// SPDX-License-Identifier: GPL-2.0
/* Calls of the layer that take more than one VMCALL. */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include "call.h"

#define IDLE_BEFORE_SLEEP	8
#define IDLE_LOG_SECONDS	30
#define GROW_FRAMES		256
#define GROW_LIMIT		4096	/* times, in one series of calls */

static void flush_this_cpu(void *unused)
{
	long ret = up_vmcall(UP_CALL_FLUSH, 0, 0, 0, NULL, NULL);

	if (ret)
		pr_err_ratelimited("CPU %d: flush: error %ld\n", smp_processor_id(), ret);
}

void up_flush_all(void)
{
	on_each_cpu(flush_this_cpu, NULL, 1);
}

static void wait_idle(struct up_retry *r)
{
	if (!r->idle++)
		r->since = jiffies;
	up_flush_all();
	if (r->idle > IDLE_BEFORE_SLEEP)
		usleep_range(100, 500);
	if (time_after(jiffies, r->since + IDLE_LOG_SECONDS * HZ)) {
		pr_warn("%s: no progress for %d s\n", r->what, IDLE_LOG_SECONDS);
		r->since = jiffies;
	}
}

int up_retry(struct up_retry *r, long ret, bool progress)
{
	if (ret == -ENOMEM && r->grown++ < GROW_LIMIT)
		return up_pool_grow(GROW_FRAMES);
	if (ret != -EAGAIN)
		return ret ? (int)ret : -EIO;
	if (r->stop && READ_ONCE(*r->stop))
		return -ESTALE;
	if (r->killable && fatal_signal_pending(current))
		return -EINTR;
	if (progress)
		r->idle = 0;
	else
		wait_idle(r);
	cond_resched();
	return 0;
}
