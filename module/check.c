// SPDX-License-Identifier: GPL-2.0
/*
 * May this host be demoted?  Each failure names itself and its cure; nothing has
 * been changed yet (design, section 3).
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/acpi.h>
#include <linux/cpu.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/smp.h>
#include <asm/tlbflush.h>

#include "module.h"

#define EPT_NEEDED	(BIT(6) | BIT(14) | BIT(16) | BIT(20) | BIT(26)) /* SDM vol. 3, A.10 */
#define CPU2_NEEDED	(BIT(1) | BIT(5) | BIT(7))	/* EPT, VPID, unrestricted guest */

#define refuse(err, fmt, ...) \
	({ \
		pr_err("refused: " fmt "\n", ##__VA_ARGS__); \
		(err); \
	})

/* What must be the same on every CPU: the feature lock and all capability MSRs. */
#define FIRST_CAP	MSR_IA32_VMX_BASIC
#define NR_CAPS		18

struct cpu_caps {
	u64 feature_control;
	u64 cap[NR_CAPS];
	bool vmxe;
};

static struct cpu_caps first, *other;

static void read_caps(void *arg)
{
	struct cpu_caps *c = arg;
	unsigned int i;

	memset(c, 0, sizeof(*c));
	c->vmxe = __read_cr4() & X86_CR4_VMXE;
	rdmsrl_safe(MSR_IA32_FEAT_CTL, &c->feature_control);
	for (i = 0; i < NR_CAPS; i++)
		rdmsrl_safe(FIRST_CAP + i, &c->cap[i]);
}

static int check_features(const struct cpu_caps *c)
{
	if (!(c->feature_control & FEAT_CTL_LOCKED) ||
	    !(c->feature_control & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX))
		return refuse(-ENODEV, "VMX is locked off (IA32_FEATURE_CONTROL %llx): enable Intel VT-x in the firmware setup and power the machine off and on",
			      c->feature_control);
	if (c->vmxe)
		return refuse(-EBUSY, "VMX is in use on this CPU: unload the other hypervisor module first");
	if (!(c->cap[MSR_IA32_VMX_PROCBASED_CTLS - FIRST_CAP] >> 63) ||
	    ~(c->cap[MSR_IA32_VMX_PROCBASED_CTLS2 - FIRST_CAP] >> 32) & CPU2_NEEDED)
		return refuse(-ENODEV, "this processor lacks EPT, VPID or unrestricted guest: a newer Intel processor is needed");
	if (~c->cap[MSR_IA32_VMX_EPT_VPID_CAP - FIRST_CAP] & EPT_NEEDED)
		return refuse(-ENODEV, "this processor's EPT lacks 4-level walks, write-back, 2 MiB pages or INVEPT");
	return 0;
}

static int check_uniform(void)
{
	unsigned int cpu;
	int err = 0;

	for_each_online_cpu(cpu) {
		smp_call_function_single(cpu, read_caps, other, 1);
		if (other->vmxe)
			err = refuse(-EBUSY, "CPU %u: VMX is in use: unload the other hypervisor module first",
				     cpu);
		else if (memcmp(other, &first, sizeof(first)))
			err = refuse(-ENODEV, "CPU %u: its VMX features differ from CPU 0's: update the firmware so that all processors agree",
				     cpu);
		if (err)
			break;
	}
	return err;
}

/* kvm_intel caches the capability MSRs when it loads, and newer ones VMXON then. */
static int check_kvm(void)
{
	struct kobject *kvm = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, "kvm_intel");

	if (!kvm)
		return 0;
	kobject_put(kvm);
	return refuse(-EBUSY, "kvm_intel is loaded: stop all VMs, 'modprobe -r kvm_intel', insert underpin.ko, 'modprobe kvm_intel' again");
}

static bool apic_online(u32 id)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (per_cpu(x86_cpu_to_apicid, cpu) == id)
			return true;
	return false;
}

/* APIC id of an enabled processor's entry, or ~0. */
static u32 madt_enabled_apic(const struct acpi_subtable_header *h)
{
	const struct acpi_madt_local_apic *lapic = (const void *)h;
	const struct acpi_madt_local_x2apic *x2apic = (const void *)h;

	if (h->type == ACPI_MADT_TYPE_LOCAL_APIC && h->length >= sizeof(*lapic) &&
	    (lapic->lapic_flags & ACPI_MADT_ENABLED))
		return lapic->id;
	if (h->type == ACPI_MADT_TYPE_LOCAL_X2APIC && h->length >= sizeof(*x2apic) &&
	    (x2apic->lapic_flags & ACPI_MADT_ENABLED))
		return x2apic->local_apic_id;
	return ~0u;
}

/* A CPU that was never demoted could be started later and would own all of RAM. */
static int check_madt(void)
{
	struct acpi_table_header *table;
	const struct acpi_subtable_header *h;
	const void *end;
	int err = 0;
	u32 id;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_MADT, 0, &table)))
		return num_possible_cpus() == num_online_cpus() ? 0 :
		       refuse(-EBUSY, "no ACPI MADT, and not every possible CPU is online");
	end = (const void *)table + table->length;
	h = (const void *)table + sizeof(struct acpi_table_madt);
	while ((const void *)(h + 1) <= end && h->length >= sizeof(*h) &&
	       (const void *)h + h->length <= end) {
		id = madt_enabled_apic(h);
		if (id != ~0u && !apic_online(id)) {
			err = refuse(-EBUSY, "the CPU with APIC id %u is enabled by firmware but not online: echo 1 > /sys/devices/system/cpu/cpuN/online for it (or boot without nosmt, maxcpus=)",
				     id);
			break;
		}
		h = (const void *)h + h->length;
	}
	acpi_put_table(table);
	return err;
}

int up_check(void)
{
	int err;

	if (!cpu_feature_enabled(X86_FEATURE_VMX) && !(cpuid_ecx(1) & BIT(5)))
		return refuse(-ENODEV, "this processor offers no VMX: enable Intel VT-x in the firmware setup; in a VM, nested virtualisation on its host");
	if (__read_cr4() & X86_CR4_LA57)
		return refuse(-ENODEV, "5-level paging is on, which the layer does not support yet: boot with no5lvl");
	if (nr_cpu_ids > UP_MAX_CPUS)
		return refuse(-E2BIG, "%u CPUs are possible, the layer takes %d", nr_cpu_ids,
			      UP_MAX_CPUS);
	err = check_kvm();
	if (err)
		return err;
	read_caps(&first);
	err = check_features(&first);
	if (err)
		return err;
	other = kmalloc(sizeof(*other), GFP_KERNEL);
	if (!other)
		return -ENOMEM;
	err = check_uniform();
	kfree(other);
	return err ?: check_madt();
}
