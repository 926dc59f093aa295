// SPDX-License-Identifier: GPL-2.0
/*
 * A launch that goes wrong on hardware hangs, and its reset takes the log with it.  Three
 * bytes stay: which CPU was furthest behind, and at which step (module/last_words.h).
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/acpi.h>
#include <linux/cpumask.h>
#include <linux/mc146818rtc.h>
#include <linux/spinlock.h>

#include "module.h"
#include "last_words.h"

static const u8 registers[3] = { WORDS_STEP, WORDS_CPU_LOW, WORDS_CPU_HIGH };
static u8 before[3], last[3];
static bool writing;
static DEFINE_RAW_SPINLOCK(words_lock);
static u8 reached[UP_MAX_CPUS];

/*
 * Without rtc_lock: in stop_machine() nobody is within it (but on PREEMPT_RT, where one
 * reading of the clock may be wrong), and it must not be waited for.
 */
static void write_words(const u8 bytes[3])
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(registers); i++)
		rtc_cmos_write(bytes[i], registers[i]);
}

static void write_furthest_behind(void)
{
	unsigned int cpu, worst = cpumask_first(cpu_online_mask);
	u8 bytes[3];

	for_each_online_cpu(cpu)
		if (reached[cpu] < reached[worst])
			worst = cpu;
	words_make(worst, reached[worst], bytes);
	if (memcmp(bytes, last, sizeof(bytes)))
		write_words(bytes);
	memcpy(last, bytes, sizeof(bytes));
}

void up_words_step(unsigned int cpu, enum launch_step step)
{
	unsigned long flags;

	if (!writing)
		return;
	raw_spin_lock_irqsave(&words_lock, flags);
	reached[cpu] = step;
	write_furthest_behind();
	raw_spin_unlock_irqrestore(&words_lock, flags);
}

/* Before the words of this attempt go over them. */
static void say_last_words(void)
{
	unsigned int cpu, step;

	if (!words_read(before, &cpu, &step))
		return;
	pr_warn("an earlier launch did not end: CPU %u %s\n", cpu, launch_step_text(step));
	memset(before, WORDS_ANY, sizeof(before));
}

void up_words_begin(enum launch_step step)
{
	unsigned long flags;
	unsigned int i;
	u8 switches;

	if (acpi_gbl_FADT.boot_flags & ACPI_FADT_NO_CMOS_RTC)
		return;
	spin_lock_irqsave(&rtc_lock, flags);
	switches = rtc_cmos_read(WORDS_SWITCHES);
	for (i = 0; i < ARRAY_SIZE(registers); i++)
		before[i] = rtc_cmos_read(registers[i]);
	spin_unlock_irqrestore(&rtc_lock, flags);
	if (switches & WORDS_ALARM_ON) {
		pr_info("the clock's alarm is set: a hang will leave no last words\n");
		return;
	}
	say_last_words();
	memset(reached, step, sizeof(reached));
	memset(last, 0, sizeof(last));
	writing = true;
	up_words_step(cpumask_first(cpu_online_mask), step);
}

void up_words_all(enum launch_step step)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		up_words_step(cpu, step);
}

void up_words_end(void)
{
	unsigned long flags;

	if (!writing)
		return;
	writing = false;
	spin_lock_irqsave(&rtc_lock, flags);
	write_words(before);
	spin_unlock_irqrestore(&rtc_lock, flags);
}
