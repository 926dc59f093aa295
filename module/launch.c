// SPDX-License-Identifier: GPL-2.0
/*
 * All CPUs at once, all or none: into the layer and out of it (design, section 3).
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <asm/smp.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

#include "module.h"

#define PML4_SLOT	((UP_IMAGE_BASE >> 39) & 511)

typedef long (*enter_fn)(struct up_entry_state *st);

/* One run over all CPUs; they wait for each other in it. */
struct change {
	enter_fn enter;
	u64 root_slot;
	unsigned int cpus;
	atomic_t arrived, failed;
	struct {
		u64 *joint;		/* a page table: Linux and the image */
		long error;
		u64 detail;
	} of[];				/* by CPU number */
};

static bool running;
static unsigned int demoted_cpus;

bool up_running(void)
{
	return READ_ONCE(running);
}

static void wait_for_all(struct change *c)
{
	atomic_inc(&c->arrived);
	while (atomic_read(&c->arrived) < num_online_cpus())
		cpu_relax();
}

static long leave_this_cpu(void)
{
	unsigned long cr3 = __read_cr3();
	long err = up_vmcall(UP_CALL_LEAVE, 0, 0, 0, NULL, NULL);

	/* The way out ends on a page table of the layer's: take our own again. */
	if (!err)
		native_write_cr3(cr3);
	return err;
}

static long enter_this_cpu(struct change *c, unsigned int cpu)
{
	unsigned long cr3 = __read_cr3();
	struct up_entry_state st = { .cpu = cpu, .apic_id = per_cpu(x86_cpu_to_apicid, cpu) };
	u64 *joint = c->of[cpu].joint;
	long err;

	/* Between the check and now a CPU may have gone or come. */
	if (num_online_cpus() != c->cpus || !joint)
		return -EBUSY;
	up_capture(&st.linux_state);
	memcpy(joint, __va(cr3 & CR3_ADDR_MASK), PAGE_SIZE);
	joint[PML4_SLOT] = c->root_slot;
	native_write_cr3(__pa(joint));
	err = c->enter(&st);
	native_write_cr3(cr3);
	c->of[cpu].detail = st.detail;
	return err;
}

static int launch_fn(void *arg)
{
	struct change *c = arg;
	unsigned int cpu = smp_processor_id();

	c->of[cpu].error = enter_this_cpu(c, cpu);
	if (c->of[cpu].error)
		atomic_inc(&c->failed);
	wait_for_all(c);
	if (atomic_read(&c->failed) && !c->of[cpu].error) {
		up_vmcall(UP_CALL_LEAVE_PREPARE, 1, 0, 0, NULL, NULL);
		leave_this_cpu();
	}
	return 0;
}

static struct change *new_change(void)
{
	struct change *c;

	return kvzalloc(struct_size(c, of, nr_cpu_ids), GFP_KERNEL);
}

static void free_change(struct change *c)
{
	unsigned int cpu;

	for (cpu = 0; c && cpu < nr_cpu_ids; cpu++)
		free_page((unsigned long)c->of[cpu].joint);
	kvfree(c);
}

static struct change *prepare_launch(struct up_layer *layer)
{
	struct change *c = new_change();
	unsigned int cpu;

	if (!c)
		return NULL;
	c->enter = (enter_fn)(UP_IMAGE_BASE + layer->header.entry_off);
	c->root_slot = ((u64 *)__va(layer->root_cr3))[PML4_SLOT];
	for_each_online_cpu(cpu) {
		c->of[cpu].joint = (u64 *)get_zeroed_page(GFP_KERNEL);
		if (!c->of[cpu].joint) {
			free_change(c);
			return NULL;
		}
		c->cpus++;
	}
	return c;
}

static int report(struct change *c)
{
	unsigned int cpu;
	int err = 0;

	for_each_online_cpu(cpu) {
		if (!c->of[cpu].error)
			continue;
		pr_err("launch: CPU %u: error %ld, VM-instruction error %llu\n", cpu,
		       c->of[cpu].error, c->of[cpu].detail);
		err = c->of[cpu].error;
	}
	return err;
}

int up_launch(struct up_layer *layer)
{
	struct change *c = prepare_launch(layer);
	int err;

	if (!c)
		return -ENOMEM;
	stop_machine(launch_fn, c, cpu_online_mask);
	err = report(c);
	free_change(c);
	WRITE_ONCE(running, !err);
	demoted_cpus = err ? 0 : num_online_cpus();
	return err;
}

static int leave_fn(void *arg)
{
	struct change *c = arg;

	wait_for_all(c);
	if (num_online_cpus() != demoted_cpus)
		return 0;
	c->of[smp_processor_id()].error = leave_this_cpu();
	return 0;
}

int up_leave(void)
{
	struct change *c = new_change();
	int err;

	if (!c)
		return -ENOMEM;
	err = up_vmcall(UP_CALL_LEAVE_PREPARE, 1, 0, 0, NULL, NULL);
	if (err) {
		pr_err("leaving is refused: a protected VM exists\n");
		free_change(c);
		return err;
	}
	stop_machine(leave_fn, c, cpu_online_mask);
	err = report(c);
	free_change(c);
	/* An offline CPU is still demoted, and needs the layer when it is started again. */
	if (!err && num_online_cpus() != demoted_cpus) {
		pr_err("leaving is refused: a CPU is offline: bring it online first\n");
		up_vmcall(UP_CALL_LEAVE_PREPARE, 0, 0, 0, NULL, NULL);
		err = -EBUSY;
	}
	if (!err)
		WRITE_ONCE(running, false);
	return err;
}
