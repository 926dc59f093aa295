// SPDX-License-Identifier: GPL-2.0
/* Two processors at once: one hammers at a frame, or both call the layer. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <asm/apic.h>
#include "module.h"

static struct task_struct *hammer;
static struct atk_hammer work;
static bool stop;

/* Nothing in here makes the processor exit: what it has cached stays. */
static void hit(volatile u64 *at)
{
	u64 n = 0;

	while (!READ_ONCE(stop) && n < work.limit) {
		*at = n & 1 ? work.a : work.b;
		work.strange += work.a == work.b && *at != work.a;
		n++;
	}
	work.count = n;
}

static int hammer_thread(void *arg)
{
	unsigned long flags;

	local_irq_save(flags);
	WRITE_ONCE(work.running, 1);
	hit(__va(work.pa));
	WRITE_ONCE(work.running, 0);
	local_irq_restore(flags);
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

long atk_hammer(void __user *arg)
{
	if (hammer || copy_from_user(&work, arg, sizeof(work)))
		return -EFAULT;
	stop = false;
	work.running = work.count = work.strange = 0;
	hammer = kthread_create(hammer_thread, NULL, "hammer");
	if (IS_ERR(hammer)) {
		hammer = NULL;
		return -ENOMEM;
	}
	kthread_bind(hammer, work.cpu);
	wake_up_process(hammer);
	while (!READ_ONCE(work.running) && !READ_ONCE(work.count))
		cpu_relax();
	return 0;
}

long atk_hammer_stop(void __user *arg)
{
	if (!hammer)
		return -ENOENT;
	WRITE_ONCE(stop, true);
	kthread_stop(hammer);
	hammer = NULL;
	return copy_to_user(arg, &work, sizeof(work)) ? -EFAULT : 0;
}

static struct atk_race race;
static atomic_t ready, ended;

static void one_side(struct atk_call *c)
{
	atomic_inc(&ready);
	while (atomic_read(&ready) < 2)
		cpu_relax();
	vmcall(c);
	atomic_inc(&ended);
}

static void other_side(void *arg)
{
	one_side(&race.call[1]);
}

long atk_race(void __user *arg)
{
	unsigned long flags;

	if (copy_from_user(&race, arg, sizeof(race)))
		return -EFAULT;
	atomic_set(&ready, 0);
	atomic_set(&ended, 0);
	preempt_disable();
	smp_call_function_single(race.cpu, other_side, NULL, 0);
	local_irq_save(flags);
	one_side(&race.call[0]);
	local_irq_restore(flags);
	while (atomic_read(&ended) < 2)
		cpu_relax();
	preempt_enable();
	return copy_to_user(arg, &race, sizeof(race)) ? -EFAULT : 0;
}

/* To a processor that Linux has given up already. */
long atk_init(void __user *arg)
{
	struct atk_init i;

	if (copy_from_user(&i, arg, sizeof(i)))
		return -EFAULT;
	apic->icr_write(APIC_INT_LEVELTRIG | APIC_INT_ASSERT | APIC_DM_INIT, i.apic_id);
	mdelay(10);
	apic->icr_write(APIC_INT_LEVELTRIG | APIC_DM_INIT, i.apic_id);
	mdelay(10);
	if (i.vector) {
		apic->icr_write(APIC_DM_STARTUP | i.vector, i.apic_id);
		mdelay(10);
	}
	return 0;
}
