// SPDX-License-Identifier: GPL-2.0
/*
 * All CPUs at once, all or none: into the layer and out of it (docs/architecture.md).
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>
#include <asm/apic.h>
#include <asm/processor.h>
#include <asm/smp.h>
#include <asm/special_insns.h>
#include <asm/sync_core.h>
#include <asm/tlbflush.h>

#include "module.h"

#define PML4_SLOT	((UP_IMAGE_BASE >> 39) & 511)

typedef long (*enter_fn)(struct up_entry_state *st);

/* One run over all CPUs; they wait for each other in it. */
struct change {
	enter_fn enter;
	u64 image_slot;
	unsigned int cpus;
	atomic_t arrived, failed;
	struct {
		u64 *joint;		/* two pages: make_joint() */
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

static void count_lost(void *lost)
{
	if (up_vmcall(UP_CALL_FLUSH, 0, 0, 0, NULL, NULL) == -ENODEV)
		atomic_inc(lost);
}

unsigned int up_lost_cpus(void)
{
	atomic_t lost = ATOMIC_INIT(0);

	on_each_cpu(count_lost, &lost, 1);
	return atomic_read(&lost);
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
	unsigned int cpu = smp_processor_id();
	long err;

	up_words_step(cpu, STEP_LEAVE);
	/* The first call blocks NMIs: they wait in the processor until the IRET. */
	do {
		err = up_vmcall(UP_CALL_LEAVE, 0, 0, 0, NULL, NULL);
	} while (err == -EAGAIN);
	/* The way out ends on a page table of the layer's: take our own again. */
	if (!err)
		native_write_cr3(cr3);
	iret_to_self();
	up_words_step(cpu, STEP_LEFT);
	return err;
}

/*
 * Linux's page table with the image's slot: both sides are mapped.  With 5 levels the
 * image lies in the last slot of the top table, with Linux's text: the table below is
 * copied, too.  The slot is one that Linux keeps free (module/check.c).
 *
 * The top table begins at an even page: in an odd one, Linux's NMI handler would see the
 * page table of user space, and change to its neighbour (page-table isolation).
 */
static int make_joint(u64 *joint, u64 cr3, u64 image_slot)
{
	u64 *slot = &joint[(UP_IMAGE_BASE >> 48) & 511], *pml4 = joint;

	copy_page(joint, __va(cr3 & CR3_ADDR_MASK));
	if (pgtable_l5_enabled()) {
		pml4 = joint + PTRS_PER_PGD;
		copy_page(pml4, __va(*slot & PTE_PFN_MASK));
		*slot = __pa(pml4) | (*slot & ~PTE_PFN_MASK);
	}
	if (pml4[PML4_SLOT])
		return -EADDRINUSE;
	pml4[PML4_SLOT] = image_slot;
	return 0;
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
	up_words_step(cpu, STEP_CAPTURE);
	/* And a tracer may have started. */
	err = up_check_stores();
	if (!err)
		err = make_joint(joint, cr3, c->image_slot);
	if (err)
		return err;
	up_capture(&st.linux_state);
	up_words_step(cpu, STEP_ENTER);
	native_write_cr3(__pa(joint));
	err = c->enter(&st);
	up_words_step(cpu, err ? STEP_BACK : STEP_DEMOTED);
	native_write_cr3(cr3);
	/* An NMI that came in root mode is delivered by the first exit, or by us. */
	if (!err)
		cpuid_eax(0);
	else if (st.nmi)
		apic->icr_write(APIC_DM_NMI, per_cpu(x86_cpu_to_apicid, cpu));
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
	up_words_step(cpu, STEP_WAIT);
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
		free_pages((unsigned long)c->of[cpu].joint, 1);
	kvfree(c);
}

static struct change *prepare_launch(struct up_layer *layer)
{
	struct change *c = new_change();
	unsigned int cpu;

	if (!c)
		return NULL;
	c->enter = (enter_fn)(UP_IMAGE_BASE + layer->header.entry_off);
	c->image_slot = layer->image_slot;
	for_each_online_cpu(cpu) {
		c->of[cpu].joint = (u64 *)__get_free_pages(GFP_KERNEL, 1);
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
	up_words_begin(STEP_COMES);
	stop_machine(launch_fn, c, cpu_online_mask);
	if (!atomic_read(&c->failed))
		up_words_all(STEP_SETTLE);
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
	struct change *c;
	int err;

	if (!up_running())
		return 0;
	c = new_change();
	if (!c)
		return -ENOMEM;
	err = up_vmcall(UP_CALL_LEAVE_PREPARE, 1, 0, 0, NULL, NULL);
	if (err) {
		pr_err("leaving is refused: %s\n", err == -EBUSY ? "a protected VM exists" :
		       err == -ENODEV ? "the layer does not answer on this CPU" : "by the layer");
		free_change(c);
		return err;
	}
	/* A launch that cannot end yet is not told to have ended. */
	if (num_online_cpus() == demoted_cpus)
		up_tpm_extend(true);
	up_words_begin(STEP_SETTLE);
	stop_machine(leave_fn, c, cpu_online_mask);
	up_words_end();
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
