// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a launch hang: as soon as module "victim" comes, CPU "cpu" will never leave its
 * function up_capture().  Half a second later somebody presses the reset button.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/smp.h>

static char *victim = "paging";
module_param(victim, charp, 0444);
static unsigned int cpu = 1;
module_param(cpu, uint, 0444);

static int hang(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned int i;

	if (smp_processor_id() != cpu)
		return 0;
	for (i = 0; i < 500; i++)
		udelay(1000);
	for (;;)
		outb(0xfe, 0x64);	/* the keyboard controller's reset line */
}

static struct kprobe probe = { .pre_handler = hang };
static char symbol[64];

static int module_comes(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *mod = data;

	if (state == MODULE_STATE_COMING && !strcmp(mod->name, victim)) {
		snprintf(symbol, sizeof(symbol), "%s:up_capture", victim);
		probe.symbol_name = symbol;
		pr_info("hang: probe: %d\n", register_kprobe(&probe));
	}
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = module_comes, .priority = INT_MIN };

static int __init hang_init(void)
{
	return register_module_notifier(&notifier);
}

module_init(hang_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes a launch hang");
