// SPDX-License-Identifier: GPL-2.0
/*
 * May this host be demoted?  All that stands against it is said at once, each with its
 * cure; nothing has been changed yet (docs/host.md).
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/acpi.h>
#include <linux/cpu.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/smp.h>
#include <asm/tlbflush.h>

#include "module.h"
#include "module/needs.h"
#include "module/sleep.h"

#define SLOT_SIZE	BIT_ULL(39)	/* of a PML4 entry */

/* NEED: one of module/needs.h, whose two strings make the message. */
#define refuse(err, need, ...) \
	({ \
		pr_err("refused: " need##_FOUND ": " need##_CURE "\n", ##__VA_ARGS__); \
		(err); \
	})

/* What each CPU answers, by its number; CPUs stay online meanwhile. */
static struct cpu_caps *caps;

static struct up_sleep_regs sleep_regs;

static void read_stores(struct cpu_caps *c)
{
	rdmsrl_safe(NEED_RTIT_CTL, &c->rtit_ctl);
	rdmsrl_safe(NEED_FEEDBACK, &c->feedback);
}

static int refuse_stores(unsigned int cpu, const struct cpu_caps *c)
{
	if (c->rtit_ctl & NEED_STORES_ON)
		return refuse(-EBUSY, PT_ON, cpu, c->rtit_ctl);
	if (c->feedback & NEED_STORES_ON)
		return refuse(-EBUSY, FEEDBACK_ON, cpu, c->feedback);
	return 0;
}

int up_check_stores(void)
{
	struct cpu_caps c = { };

	read_stores(&c);
	return refuse_stores(smp_processor_id(), &c);
}

static void read_caps(void *unused)
{
	struct cpu_caps *c = &caps[smp_processor_id()];
	unsigned int i;

	c->vmx = !!(cpuid_ecx(1) & BIT(5));
	c->vmxe = !!(__read_cr4() & X86_CR4_VMXE);
	rdmsrl_safe(NEED_FEATURE_CONTROL, &c->feature_control);
	read_stores(c);
	if (!c->vmx)
		return;
	for (i = 0; i < NEED_NR_CAPS; i++)
		rdmsrl_safe(NEED_FIRST_CAP + i, &c->cap[i]);
}

static int check_vmx(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (!caps[cpu].vmx)
			return refuse(-ENODEV, NO_VMX, cpu);
	return 0;
}

static int check_lock(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		u64 val = caps[cpu].feature_control;

		if (!caps[cpu].vmx)
			continue;
		if (!(val & NEED_LOCKED))
			return refuse(-ENODEV, NOT_LOCKED, cpu, val);
		if (!(val & NEED_VMX_ON))
			return refuse(-ENODEV, LOCKED_OFF, cpu, val);
	}
	return 0;
}

static int check_features(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		const char *what = cpu_lacks(&caps[cpu], vmx_needs, ARRAY_SIZE(vmx_needs));

		if (what && caps[cpu].vmx)
			return refuse(-ENODEV, LACKS, cpu, what);
	}
	return 0;
}

static int check_ept(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		const char *what = cpu_lacks(&caps[cpu], ept_needs, ARRAY_SIZE(ept_needs));

		/* Without EPT, that has been said. */
		if (what && !cpu_lacks(&caps[cpu], vmx_needs, ARRAY_SIZE(vmx_needs)))
			return refuse(-ENODEV, LACKS, cpu, what);
	}
	return 0;
}

static int check_uniform(void)
{
	unsigned int cpu, first = cpumask_first(cpu_online_mask);

	for_each_online_cpu(cpu) {
		u64 here, there;
		u32 msr = cpu_differs(&caps[first], &caps[cpu], &here, &there);

		if (msr)
			return refuse(-ENODEV, DIFFERS, cpu, msr, there, first, here);
	}
	return 0;
}

static int check_stores(void)
{
	unsigned int cpu;
	int err = 0;

	for_each_online_cpu(cpu)
		err = err ?: refuse_stores(cpu, &caps[cpu]);
	return err;
}

static int check_unused(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (caps[cpu].vmxe)
			return refuse(-EBUSY, VMX_USED, cpu);
	return 0;
}

/* kvm_intel caches the capability MSRs when it loads, and newer ones VMXON then. */
static int check_kvm(void)
{
	struct kobject *kvm = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, "kvm_intel");

	if (!kvm)
		return 0;
	kobject_put(kvm);
	return refuse(-EBUSY, KVM_LOADED);
}

/*
 * The image's half TiB is Linux's guard hole (Documentation/x86/x86_64/mm.rst).  With 5
 * levels it is shadow memory of KASAN, for addresses that nothing has; but then KASLR may
 * put the direct map, vmalloc's part, or struct pages anywhere below CPU_ENTRY_AREA_BASE.
 */
static int check_layout(void)
{
	const struct {
		u64 first, last;
	} parts[] = {
		{ PAGE_OFFSET, (u64)high_memory },
		{ VMALLOC_START, VMALLOC_END },
		{ VMEMMAP_START, (u64)virt_to_page((unsigned long)high_memory) },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].first <= UP_IMAGE_BASE + SLOT_SIZE - 1 &&
		    parts[i].last >= UP_IMAGE_BASE)
			return refuse(-ENODEV, LAYOUT);
	return 0;
}

/* With it events would be injected in another form, and CR4 has a bit of its own. */
static int check_fred(void)
{
	u32 eax = 0, ebx, ecx, edx;

	if (cpuid_eax(0) >= 7 && cpuid_eax(7) >= 1)
		cpuid_count(7, 1, &eax, &ebx, &ecx, &edx);
	return eax & NEED_NO_FRED ? refuse(-ENODEV, FRED) : 0;
}

static int check_count(void)
{
	return nr_cpu_ids > UP_MAX_CPUS ?
	       refuse(-E2BIG, MANY_CPUS, nr_cpu_ids, UP_MAX_CPUS) : 0;
}

static bool apic_online(u32 id)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (per_cpu(x86_cpu_to_apicid, cpu) == id)
			return true;
	return false;
}

/* A CPU that was never demoted could be started later and would own all of RAM. */
static int check_madt(void)
{
	struct acpi_table_header *table;
	u32 id, at = MADT_FIRST;
	int found, err = 0;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_MADT, 0, &table)))
		return num_possible_cpus() == num_online_cpus() ? 0 : refuse(-EBUSY, NO_MADT);
	do {
		found = madt_next_cpu((const u8 *)table, table->length, &at, &id);
		if (found < 0)
			err = refuse(-ENODEV, BAD_MADT);
		else if (found && !apic_online(id))
			err = refuse(-EBUSY, CPU_OFFLINE, id);
	} while (found > 0 && !err);
	acpi_put_table(table);
	return err;
}

static int read_pm1(u32 port[2])
{
	struct acpi_table_header *table;
	enum fadt_result found;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_FADT, 0, &table)))
		return refuse(-ENODEV, NO_FADT);
	found = fadt_pm1((const u8 *)table, table->length, port);
	acpi_put_table(table);
	switch (found) {
	case FADT_FINE:
		return 0;
	case FADT_MALFORMED:
		return refuse(-ENODEV, BAD_FADT);
	case FADT_NO_PM1:
		return refuse(-ENODEV, REDUCED);
	default:
		return refuse(-ENODEV, PM1, found == FADT_PM1A_ODD ? 'a' : 'b');
	}
}

static enum base_state base_state(struct pci_dev *dev, u32 pm1a)
{
	u32 id = 0, base = 0, locks = 0;

	pci_read_config_dword(dev, PCI_VENDOR_ID, &id);
	pci_read_config_dword(dev, PM_BASE, &base);
	pci_read_config_dword(dev, PM_BASE_LOCKS, &locks);
	return pm_base_state(id, base, locks, pm1a);
}

/*
 * Firmware should have locked it.  The lock holds until the next reset, and changes
 * nothing else.  PIIX4 has none: there the layer watches the register itself.
 */
static int lock_base(struct pci_dev *dev, u32 pm1a)
{
	u32 locks;

	if (dev->device == PCI_ID_PIIX4 >> 16) {
		sleep_regs.pm_base = 1u << 31 | dev->bus->number << 16 | dev->devfn << 8 | PM_BASE;
		return 0;
	}
	pci_read_config_dword(dev, PM_BASE_LOCKS, &locks);
	pci_write_config_dword(dev, PM_BASE_LOCKS, locks | PM_BASE_LOCK);
	if (base_state(dev, pm1a) == BASE_LOCKED)
		return 0;
	return refuse(-ENODEV, LOOSE, PCI_SLOT(dev->devfn), PCI_FUNC(dev->devfn));
}

static int check_sleep(void)
{
	struct pci_dev *dev = NULL;
	int err;

	memset(&sleep_regs, 0, sizeof(sleep_regs));
	err = read_pm1(sleep_regs.pm1_cnt);
	if (err)
		return err;
	while (!err && (dev = pci_get_device(PCI_VENDOR_ID_INTEL, PCI_ANY_ID, dev)))
		if (base_state(dev, sleep_regs.pm1_cnt[0]) == BASE_LOOSE)
			err = lock_base(dev, sleep_regs.pm1_cnt[0]);
	pci_dev_put(dev);
	return err;
}

const struct up_sleep_regs *up_sleep_regs(void)
{
	return &sleep_regs;
}

static void ask_cpuid(u32 leaf, u32 *r)
{
	cpuid(leaf, &r[0], &r[1], &r[2], &r[3]);
}

static int check_paravirt(void)
{
	const char *what = paravirt_offered(ask_cpuid);

	return what ? refuse(-ENODEV, PARAVIRT, what) : 0;
}

/* In the order of "underpin check". */
static int (* const checks[])(void) = {
	check_vmx, check_lock, check_features, check_ept, check_uniform, check_stores, check_unused,
	check_kvm, check_layout, check_fred, check_count, check_madt, check_sleep, check_paravirt,
};

int up_check(void)
{
	unsigned int i;
	int err = 0;

	caps = kcalloc(nr_cpu_ids, sizeof(*caps), GFP_KERNEL);
	if (!caps)
		return -ENOMEM;
	cpus_read_lock();
	on_each_cpu(read_caps, NULL, 1);
	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		int this = checks[i]();

		err = err ?: this;
	}
	cpus_read_unlock();
	kfree(caps);
	return err;
}
