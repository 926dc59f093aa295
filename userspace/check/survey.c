// SPDX-License-Identifier: GPL-2.0
/*
 * What "underpin check --report" packs besides what the checks themselves look at.  Not
 * among it: the processor's serial number (CPUID leaf 3), SMBIOS, host name, addresses of
 * network cards.
 */
#include <stdlib.h>
#include <unistd.h>
#include "userspace/check/check.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"
#include "userspace/cli/sysfile.h"

#define CPUID_SERIAL	3

static const char * const files[] = {
	"/proc/version", "/proc/cmdline", "/proc/cpuinfo", "/proc/iomem", "/proc/mtrr",
	"/proc/modules", "/sys/devices/system/cpu/possible", "/sys/devices/system/cpu/online",
	"/sys/firmware/acpi/tables/APIC", "/sys/firmware/acpi/tables/FACP",
	"/sys/firmware/acpi/tables/DMAR", "/sys/power/state", "/sys/power/mem_sleep",
	"/sys/kernel/underpin/state", "/sys/kernel/underpin/iommu", "/sys/kernel/underpin/tpm",
	"/sys/kernel/underpin/launch_key", "/sys/kernel/underpin/ticket_authority",
	"/sys/kernel/underpin/host_identity",
};

/* SDM vol. 4: what decides how the layer runs; a range each. */
static const struct {
	uint32_t first, last;
} msrs[] = {
	{ NEED_FEATURE_CONTROL, NEED_FEATURE_CONTROL },
	{ 0x8b, 0x8b },				/* microcode */
	{ 0xfe, 0xfe },				/* MTRRCAP */
	{ 0x10a, 0x10a },			/* ARCH_CAPABILITIES */
	{ 0x1a0, 0x1a0 },			/* MISC_ENABLE */
	{ 0x200, 0x213 },			/* MTRR_PHYSBASE0 to MTRR_PHYSMASK9 */
	{ 0x250, 0x250 }, { 0x258, 0x259 }, { 0x268, 0x26f },	/* fixed MTRRs */
	{ 0x277, 0x277 }, { 0x2ff, 0x2ff },	/* PAT, MTRR_DEF_TYPE */
	{ NEED_FIRST_CAP, NEED_FIRST_CAP + 0x13 },
};

/* Leaves of one range, whose first one says how far it goes (SDM vol. 2, CPUID). */
static void see_leaves(unsigned int cpu, uint32_t first)
{
	uint32_t regs[4], leaf, last, sub;

	sysfile_cpuid(cpu, first, 0, regs);
	last = regs[0] < first || regs[0] > first + 0x40 ? first : regs[0];
	for (leaf = first; leaf <= last; leaf++)
		/* Few have subleaves, and none that matter here more than 8. */
		for (sub = 0; leaf != CPUID_SERIAL && sub < 8; sub++)
			sysfile_cpuid(cpu, leaf, sub, regs);
}

static void see_cpu(unsigned int cpu)
{
	uint64_t val;
	uint32_t msr;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		for (msr = msrs[i].first; msr <= msrs[i].last; msr++)
			sysfile_msr(cpu, msr, &val);
	see_leaves(cpu, 0);
	see_leaves(cpu, 0x80000000);
}

/* What "status" and "vm list" show.  Not the VMs' names: they are in command lines. */
static void see_layer(void)
{
	uint32_t ids[UNDERPIN_MAX_VMS], cpu;
	struct underpin_vm_info info;
	struct underpin_status st;
	int dev, i, n;

	if (!sysfile_exists("%s", UNDERPIN_DEVICE) || !sysfile_usable(UNDERPIN_DEVICE))
		return;
	dev = device_open();
	if (dev < 0)
		return;
	if (!device_status(dev, UNDERPIN_CPU_NONE, &st))
		for (cpu = 0; cpu < st.cpus && !device_status(dev, cpu, &st); cpu++)
			;
	n = device_vm_ids(dev, ids);
	for (i = 0; i < n; i++)
		device_vm_info(dev, ids[i], &info);
	close(dev);
}

void survey(void)
{
	const struct check_cpus *cpus = check_cpus();
	uint32_t leaf, regs[4];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		free(sysfile_read(NULL, "%s", files[i]));
	for (i = 0; i < cpus->n; i++)
		see_cpu(cpus->cpu[i].number);
	for (leaf = HYPERVISOR_FIRST; leaf < HYPERVISOR_FIRST + 2; leaf++)
		sysfile_cpuid(0, leaf, 0, regs);
	see_layer();
}
