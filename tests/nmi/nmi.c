// SPDX-License-Identifier: GPL-2.0
/*
 * One NMI that CPUs 0 and 1 send each other for ever: each one's handler rests for a while,
 * in which the other CPU gets on with its work, and sends it back.
 * There is never more than one, so that no processor may merge it with another, and it
 * comes at any instruction, also while the other CPU stands in stop_machine().  Is it
 * lost once, "count" stands still.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/nmi.h>
#include <asm/smp.h>

static unsigned long count;
module_param(count, ulong, 0444);

static unsigned int rest = 20;
module_param(rest, uint, 0444);
MODULE_PARM_DESC(rest, "microseconds before a handler sends the NMI back");

static atomic_t at = ATOMIC_INIT(-1);	/* the CPU that it was sent to; -1: none */
static bool stopped;

static void throw(unsigned int cpu)
{
	/* The code that the NMI interrupted may have been about to send something. */
	u32 high = apic_read(APIC_ICR2);

	atomic_set(&at, cpu);
	apic->icr_write(APIC_DM_NMI, per_cpu(x86_cpu_to_apicid, cpu));
	apic_write(APIC_ICR2, high);
}

static int caught(unsigned int type, struct pt_regs *regs)
{
	unsigned int cpu = smp_processor_id();

	if (atomic_cmpxchg(&at, cpu, -1) != cpu)
		return NMI_DONE;
	count++;
	/* At once, and the other CPU would meet it at the IRET of the last one, for ever. */
	udelay(rest);
	if (!READ_ONCE(stopped))
		throw(!cpu);
	return NMI_HANDLED;
}

static int __init nmi_test_init(void)
{
	int err = register_nmi_handler(NMI_LOCAL, caught, 0, "nmi-test");

	if (err)
		return err;
	preempt_disable();
	throw(!smp_processor_id());
	preempt_enable();
	return 0;
}

static void __exit nmi_test_exit(void)
{
	WRITE_ONCE(stopped, true);
	msleep(100);
	unregister_nmi_handler(NMI_LOCAL, "nmi-test");
}

module_init(nmi_test_init);
module_exit(nmi_test_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Keeps one NMI on its way between two CPUs");
