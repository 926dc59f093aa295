// SPDX-License-Identifier: GPL-2.0
/*
 * Steps the kernel itself through the code of tests/step/cases.S when it is loaded, with
 * RFLAGS.TF set and interrupts off, and says in its log where each #DB came: a line is
 * name, RAX in the end, and each stop, as bytes from the code's start, with CF and ZF
 * where they are set, and the vector if it is no #DB.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/tlbflush.h>
#include "cases.h"

#define MAX_STOPS	48

static const struct step_case *now;
static unsigned int nr_stops;
static struct {
	long at;
	long vector;
	unsigned long flags;
} stops[MAX_STOPS];

static int on_trap(struct notifier_block *nb, unsigned long event, void *data)
{
	struct die_args *args = data;
	struct pt_regs *regs = args->regs;
	unsigned long at;

	if (!now || user_mode(regs))
		return NOTIFY_DONE;
	at = regs->ip - (unsigned long)now->start;
	if (event != DIE_DEBUG && event != DIE_TRAP && event != DIE_GPF)
		return NOTIFY_DONE;
	if (at <= (unsigned long)(now->end - now->start) && nr_stops < MAX_STOPS) {
		stops[nr_stops].at = (long)at;
		stops[nr_stops].vector = event == DIE_DEBUG ? 1 : args->trapnr;
		stops[nr_stops++].flags = regs->flags & (X86_EFLAGS_CF | X86_EFLAGS_ZF);
	}
	if (event != DIE_DEBUG)
		regs->ip = (unsigned long)now->end;
	return NOTIFY_STOP;
}

static struct notifier_block notifier = { .notifier_call = on_trap, .priority = INT_MAX };

static void show(u64 rax)
{
	static char text[MAX_STOPS * 16 + 64];
	unsigned int i;
	int n;

	n = scnprintf(text, sizeof(text), "kstep: %s rax=%llx", now->name, rax);
	for (i = 0; i < nr_stops; i++) {
		n += scnprintf(text + n, sizeof(text) - n, " +%ld%s%s", stops[i].at,
			       stops[i].flags & X86_EFLAGS_CF ? "c" : "",
			       stops[i].flags & X86_EFLAGS_ZF ? "z" : "");
		if (stops[i].vector != 1)
			n += scnprintf(text + n, sizeof(text) - n, ":%ld", stops[i].vector);
	}
	pr_info("%s\n", text);
}

static void step_all(void)
{
	const struct step_case *c;
	unsigned long flags;
	u64 rax;

	for (c = step_cases; c < step_cases_end; c++) {
		nr_stops = 0;
		local_irq_save(flags);
		now = c;
		rax = step_run(c->start, X86_EFLAGS_TF);
		show(rax);
		now = NULL;
		local_irq_restore(flags);
	}
}

static int __init kstep_init(void)
{
	struct page *pages = alloc_pages(GFP_KERNEL | __GFP_ZERO, 1);
	unsigned int i;
	u64 basic;
	int err;

	if (!pages)
		return -ENOMEM;
	rdmsrl(MSR_IA32_VMX_BASIC, basic);
	for (i = 0; i < STEP_VMX_PAGES; i++) {
		*(u32 *)page_address(pages + i) = (u32)basic & 0x7fffffff;
		step_vmx_pa[i] = page_to_phys(pages + i);
	}
	err = register_die_notifier(&notifier);
	if (!err) {
		/* One CPU, and CR4 as Linux knows it again at the end. */
		preempt_disable();
		step_all();
		preempt_enable();
		unregister_die_notifier(&notifier);
	}
	__free_pages(pages, 1);
	return err;
}

static void __exit kstep_exit(void)
{
}

module_init(kstep_init);
module_exit(kstep_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Single-steps the kernel over instructions that a hypervisor intercepts");
