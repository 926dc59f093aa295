// SPDX-License-Identifier: GPL-2.0
/*
 * What a host can see of its processors, for comparing before and after:
 *
 *	look cpu	every CPUID leaf and the MSRs below, of each online CPU
 *	look clock [TSC TIMER]
 *			the TSC and the ACPI PM timer; with what an earlier run printed: by
 *			how many ticks of the timer the two disagree since then
 *	look ram	reads a byte of every page of RAM; prints how many pages
 *	look out PORT VALUE
 *			writes a byte
 *	look wrmsr MSR VALUE COUNT
 *			writes VALUE, VALUE + 1, ... to an MSR of CPU 0
 *	look cpuid	ticks a CPUID by the host itself: the median of 5 rounds of 1000
 *	look report	ticks a report of the layer's about a VM: the median of 101, and the most
 *
 * look cpu and look wrmsr need the module msr.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <x86intrin.h>
#include "ioctl/underpin.h"

#define PAGE		4096
#define ROUNDS		5
#define OPERATIONS	1000
#define MAX_SEGMENTS	256
#define REPORTS		101

/* Bochs's processor, tests/lib/bochs.py: ips; the PM timer's rate is ACPI's. */
#define TSC_HZ		400000000.0
#define PM_HZ		3579545.0
#define PM_RANGE	(1 << 24)
#define FACP		"/sys/firmware/acpi/tables/FACP"
#define FACP_PM_TMR	76	/* ACPI 6.5, table 5.9: PM_TMR_BLK */

/* MSRs that hold still: SDM vol. 4, tables 2-2 and after. */
static const struct {
	uint32_t first, last;
} msrs[] = {
	{ 0x17, 0x17 },		/* PLATFORM_ID */
	{ 0x1b, 0x1b },		/* APIC_BASE */
	{ 0x3a, 0x3b },		/* FEATURE_CONTROL, TSC_ADJUST */
	{ 0x8b, 0x8b },		/* BIOS_SIGN_ID */
	{ 0xce, 0xce },		/* PLATFORM_INFO */
	{ 0xfe, 0xfe },		/* MTRRCAP */
	{ 0x10a, 0x10a },	/* ARCH_CAPABILITIES */
	{ 0x174, 0x176 },	/* SYSENTER */
	{ 0x179, 0x17a },	/* MCG_CAP, MCG_STATUS */
	{ 0x1a0, 0x1a0 },	/* MISC_ENABLE */
	{ 0x1d9, 0x1d9 },	/* DEBUGCTL */
	{ 0x200, 0x20f },	/* variable MTRRs */
	{ 0x250, 0x250 }, { 0x258, 0x259 }, { 0x268, 0x26f }, { 0x277, 0x277 },
	{ 0x2ff, 0x2ff },	/* PAT, MTRR_DEF_TYPE */
	{ 0x6a2, 0x6a2 },	/* S_CET */
	{ 0xc0000080, 0xc0000084 },	/* EFER, STAR, LSTAR, CSTAR, FMASK */
	{ 0xc0000103, 0xc0000103 },	/* TSC_AUX */
};

static void show_leaf(unsigned int cpu, uint32_t leaf, uint32_t sub)
{
	uint32_t a, b, c, d;

	__cpuid_count(leaf, sub, a, b, c, d);
	printf("cpu %u cpuid %08x.%x %08x %08x %08x %08x\n", cpu, leaf, sub, a, b, c, d);
}

static void show_leaves(unsigned int cpu, uint32_t base)
{
	uint32_t last = __get_cpuid_max(base, NULL);

	for (uint32_t leaf = base; leaf <= last && last; leaf++)
		for (uint32_t sub = 0; sub < (leaf == 0xd ? 64u : 4u); sub++)
			show_leaf(cpu, leaf, sub);
}

static void show_msrs(unsigned int cpu)
{
	char path[64];
	uint64_t value;
	int fd;

	snprintf(path, sizeof(path), "/dev/cpu/%u/msr", cpu);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		err(1, "%s (modprobe msr)", path);
	for (size_t i = 0; i < sizeof(msrs) / sizeof(*msrs); i++) {
		for (uint32_t m = msrs[i].first; m <= msrs[i].last; m++) {
			if (pread(fd, &value, sizeof(value), m) == sizeof(value))
				printf("cpu %u msr %08x %016" PRIx64 "\n", cpu, m, value);
			else
				printf("cpu %u msr %08x #GP\n", cpu, m);
		}
	}
	close(fd);
}

static int look_cpu(void)
{
	long possible = sysconf(_SC_NPROCESSORS_CONF);

	for (unsigned int cpu = 0; cpu < possible; cpu++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			continue;	/* offline */
		show_leaves(cpu, 0);
		show_leaves(cpu, 0x40000000);
		show_leaves(cpu, 0x80000000);
		show_msrs(cpu);
	}
	return 0;
}

static uint16_t pm_port(void)
{
	uint32_t port = 0;
	int fd = open(FACP, O_RDONLY);

	if (fd < 0 || pread(fd, &port, sizeof(port), FACP_PM_TMR) != sizeof(port) || !port)
		err(1, FACP);
	close(fd);
	return port;
}

static int look_clock(char **earlier)
{
	uint16_t port = pm_port();
	uint64_t tsc, tsc0;
	uint32_t timer, timer0;
	int64_t expected, error;

	if (iopl(3))
		err(1, "iopl");
	timer = inl(port) % PM_RANGE;
	tsc = __rdtsc();
	if (!earlier[0] || !earlier[1]) {
		printf("%" PRIu64 " %u\n", tsc, timer);
		return 0;
	}
	tsc0 = strtoull(earlier[0], NULL, 10);
	timer0 = strtoul(earlier[1], NULL, 10);
	expected = (int64_t)((double)(int64_t)(tsc - tsc0) * PM_HZ / TSC_HZ);
	error = (expected - (int64_t)(timer - timer0)) % PM_RANGE;
	if (error < 0)
		error += PM_RANGE;
	printf("%" PRId64 "\n", error > PM_RANGE / 2 ? PM_RANGE - error : error);
	return 0;
}

static uint64_t read_segment(int fd, const Elf64_Phdr *p)
{
	uint64_t pages = 0;
	char byte;

	for (uint64_t at = 0; at < p->p_filesz; at += PAGE)
		pages += pread(fd, &byte, 1, (off_t)(p->p_offset + at)) == 1;
	return pages;
}

/* The segments of /proc/kcore that have a physical address are RAM. */
static int look_ram(void)
{
	static Elf64_Phdr ph[MAX_SEGMENTS];
	Elf64_Ehdr eh;
	uint64_t pages = 0;
	int fd = open("/proc/kcore", O_RDONLY);

	if (fd < 0 || pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) || eh.e_phnum > MAX_SEGMENTS)
		err(1, "/proc/kcore");
	if (pread(fd, ph, eh.e_phnum * sizeof(*ph), (off_t)eh.e_phoff) < 0)
		err(1, "/proc/kcore");
	for (unsigned int i = 0; i < eh.e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_paddr != UINT64_MAX &&
		    ph[i].p_vaddr >= 0xffff800000000000 && ph[i].p_vaddr < 0xffffff0000000000)
			pages += read_segment(fd, &ph[i]);
	printf("%" PRIu64 "\n", pages);
	return pages ? 0 : 1;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int look_cpuid(void)
{
	uint64_t ticks[ROUNDS], start;
	uint32_t a, b, c, d;

	for (int i = 0; i < ROUNDS; i++) {
		start = __rdtsc();
		for (int n = 0; n < OPERATIONS; n++) {
			__cpuid_count(0, 0, a, b, c, d);
			__asm__ volatile("" : : "r"(a), "r"(b), "r"(c), "r"(d));
		}
		ticks[i] = (__rdtsc() - start) / OPERATIONS;
	}
	qsort(ticks, ROUNDS, sizeof(*ticks), compare);
	printf("host_cpuid %" PRIu64 "\n", ticks[ROUNDS / 2]);
	return 0;
}

/* A VM that is being made: it has no memory yet, and its report is as long as any. */
static uint32_t make_vm(int underpin)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm = ioctl(kvm, KVM_CREATE_VM, 0);
	__s32 vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	struct underpin_vm_create create = {
		.kvm_fd = vm, .vcpu_fds = (uintptr_t)&vcpu, .vcpus = 1,
	};

	if (vcpu < 0)
		err(1, "/dev/kvm");
	if (ioctl(underpin, UNDERPIN_VM_CREATE, &create))
		err(1, "a VM for %s", UNDERPIN_DEVICE);
	return create.id;
}

static int look_report(void)
{
	struct underpin_vm_report report = { };
	int underpin = open(UNDERPIN_DEVICE, O_RDWR | O_CLOEXEC);
	uint64_t ticks[REPORTS], start;

	if (underpin < 0)
		err(1, "%s", UNDERPIN_DEVICE);
	report.id = make_vm(underpin);
	for (int i = 0; i < REPORTS; i++) {
		report.data[0] = (uint8_t)i;	/* each another one */
		start = __rdtsc();
		if (ioctl(underpin, UNDERPIN_VM_REPORT, &report))
			err(1, "a report");
		ticks[i] = __rdtsc() - start;
	}
	qsort(ticks, REPORTS, sizeof(*ticks), compare);
	printf("report %" PRIu64 " %" PRIu64 "\n", ticks[REPORTS / 2], ticks[REPORTS - 1]);
	return 0;
}

static int look_out(char **args)
{
	if (!args[0] || !args[1])
		errx(2, "usage: look out PORT VALUE");
	if (iopl(3))
		err(1, "iopl");
	outb((uint8_t)strtoul(args[1], NULL, 0), (uint16_t)strtoul(args[0], NULL, 0));
	return 0;
}

static int look_wrmsr(char **args)
{
	int fd = open("/dev/cpu/0/msr", O_WRONLY);
	uint64_t value, end;
	off_t msr;

	if (!args[0] || !args[1] || !args[2])
		errx(2, "usage: look wrmsr MSR VALUE COUNT");
	msr = strtol(args[0], NULL, 0);
	value = strtoull(args[1], NULL, 0);
	end = value + strtoull(args[2], NULL, 0);
	for (; value < end; value++)
		if (pwrite(fd, &value, sizeof(value), msr) != sizeof(value))
			err(1, "/dev/cpu/0/msr: %#lx (modprobe msr)", msr);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "cpu"))
		return look_cpu();
	if (!strcmp(what, "clock"))
		return look_clock(argv + 2);
	if (!strcmp(what, "ram"))
		return look_ram();
	if (!strcmp(what, "cpuid"))
		return look_cpuid();
	if (!strcmp(what, "report"))
		return look_report();
	if (!strcmp(what, "out"))
		return look_out(argv + 2);
	if (!strcmp(what, "wrmsr"))
		return look_wrmsr(argv + 2);
	errx(2, "usage: look cpu|clock [TSC TIMER]|ram|cpuid|report|out PORT VALUE|"
		"wrmsr MSR VALUE COUNT");
}
