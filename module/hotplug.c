// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs that go offline stay demoted, and need the layer when they are started
 * again: the module cannot be removed while one is offline.  A CPU that was
 * never demoted does not come online at all: it would own all of RAM.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <asm/apic.h>
#include <asm/smp.h>

#include "module.h"

static enum cpuhp_state gone_state, online_state;
static struct cpumask offline;	/* CPUs that hold a reference of the module */

static int cpu_comes(unsigned int cpu)
{
	if (!up_running())
		return 0;	/* the layer was left, by a reboot */
	if (up_vmcall(UP_CALL_FLUSH, 0, 0, 0, NULL, NULL)) {
		pr_err("CPU %u is not demoted: it may not come online\n", cpu);
		return -EPERM;
	}
	up_log_flush();
	if (cpumask_test_and_clear_cpu(cpu, &offline))
		module_put(THIS_MODULE);
	return 0;
}

static int cpu_goes(unsigned int cpu)
{
	if (!try_module_get(THIS_MODULE))
		return -EBUSY;	/* just being removed */
	cpumask_set_cpu(cpu, &offline);
	pr_info("CPU %u goes offline and stays demoted: rmmod is refused until it is online again (echo 1 > /sys/devices/system/cpu/cpu%u/online)\n",
		cpu, cpu);
	return 0;
}

/*
 * It halts demoted, with stale translations: no change of owner could complete.
 * INIT takes it out to the layer, which lets it wait for SIPI and counts it as
 * flushed.  Linux sends INIT again when it brings the CPU back (SDM vol. 3, 9.4.4).
 */
static int cpu_is_gone(unsigned int cpu)
{
	u32 id = per_cpu(x86_cpu_to_apicid, cpu);
	unsigned long flags;

	local_irq_save(flags);
	apic->icr_write(APIC_INT_LEVELTRIG | APIC_INT_ASSERT | APIC_DM_INIT, id);
	local_irq_restore(flags);
	udelay(200);
	local_irq_save(flags);
	apic->icr_write(APIC_INT_LEVELTRIG | APIC_DM_INIT, id);
	local_irq_restore(flags);
	return 0;
}

int up_hotplug_init(void)
{
	int ret = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "underpin:gone", NULL,
					    cpu_is_gone);

	if (ret < 0)
		return ret;
	gone_state = ret;
	ret = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "underpin:online", cpu_comes,
					cpu_goes);
	if (ret < 0) {
		cpuhp_remove_state_nocalls(gone_state);
		return ret;
	}
	online_state = ret;
	return 0;
}

int up_hotplug_all_online(void)
{
	unsigned int cpu;
	int err = 0;

	for_each_cpu(cpu, &offline)
		err = err ?: add_cpu(cpu);
	return err;
}

void up_hotplug_exit(void)
{
	cpuhp_remove_state_nocalls(online_state);
	cpuhp_remove_state_nocalls(gone_state);
}
