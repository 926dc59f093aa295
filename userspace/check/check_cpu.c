// SPDX-License-Identifier: GPL-2.0
/* Requirements on processors. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/check/check.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/sysfile.h"
#include "vmx/abi/call.h"

enum check_result check_microcode(struct check_report *r)
{
	char *text = sysfile_read(NULL, "/proc/cpuinfo");
	bool same;

	if (!text)
		return check_skip(r, "/proc/cpuinfo cannot be read: %s", strerror(errno));
	same = check_same(text, "microcode");
	free(text);
	if (same)
		return check_pass(r, "all CPUs run the same");
	return check_fail(r, DIFFERS_CURE, "CPUs run different microcode");
}

enum check_result check_paging(struct check_report *r)
{
	char *text = sysfile_read(NULL, "/proc/cpuinfo");
	const char *rest = text, *flags;
	size_t len;
	bool on;

	if (!text)
		return check_skip(r, "/proc/cpuinfo cannot be read: %s", strerror(errno));
	/* Linux shows la57 only where it is on (arch/x86/kernel/cpu/common.c). */
	flags = check_value(&rest, "flags", &len);
	on = flags && check_word(flags, len, "la57");
	free(text);
	/* The addresses of Linux's parts are no user's to see. */
	return check_pass(r, on ? "5-level paging; insmod looks whether the image's place is free" :
			  "4-level paging");
}

enum check_result judge_fred(struct check_report *r, unsigned int eax_7_1)
{
	if (eax_7_1 & NEED_NO_FRED)
		return check_need(r, FRED);
	return check_pass(r, "events are delivered through the IDT alone");
}

enum check_result check_fred(struct check_report *r)
{
	uint32_t regs[4] = { 0 };

	/* Leaf 0 says which is the last one, subleaf 0 likewise. */
	sysfile_cpuid(0, 0, 0, regs);
	if (regs[0] < 7)
		return judge_fred(r, 0);
	sysfile_cpuid(0, 7, 0, regs);
	if (!regs[0])
		return judge_fred(r, 0);
	sysfile_cpuid(0, 7, 1, regs);
	return judge_fred(r, regs[0]);
}

unsigned int check_cpu_numbers(void)
{
	char *line = sysfile_line("/sys/devices/system/cpu/possible");
	unsigned int n = 0;
	char *last;

	if (line) {
		last = line + strlen(line);
		while (last > line && last[-1] >= '0' && last[-1] <= '9')
			last--;
		n = strtoul(last, NULL, 10) + 1;
	}
	free(line);
	return n;
}

enum check_result check_cpu_count(struct check_report *r)
{
	unsigned int n = check_cpu_numbers();

	if (!n)
		return check_skip(r, "Linux does not tell");
	if (n > UP_MAX_CPUS)
		return check_need(r, MANY_CPUS, n, UP_MAX_CPUS);
	return check_pass(r, "%u CPUs are possible, the layer takes %u", n, UP_MAX_CPUS);
}

static bool apic_online(const struct check_cpus *cpus, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < cpus->n; i++)
		if (cpus->cpu[i].apic_id == id)
			return true;
	return false;
}

enum check_result check_madt(struct check_report *r, const uint8_t *madt, size_t len,
			     const struct check_cpus *cpus)
{
	uint32_t at = MADT_FIRST, id;
	unsigned int enabled = 0;
	int found;

	if (len < MADT_FIRST || memcmp(madt, "APIC", 4))
		return check_need(r, BAD_MADT);
	while ((found = madt_next_cpu(madt, len, &at, &id)) > 0) {
		if (!apic_online(cpus, id))
			return check_need(r, CPU_OFFLINE, id);
		enabled++;
	}
	if (found < 0)
		return check_need(r, BAD_MADT);
	return check_pass(r, "all %u CPUs that firmware enables are online", enabled);
}

enum check_result check_cpus_online(struct check_report *r)
{
	const struct check_cpus *cpus = check_cpus();
	enum check_result ret;
	size_t len;
	char *madt;

	if (!cpus->n)
		return check_skip(r, "/proc/cpuinfo cannot be read");
	madt = sysfile_read(&len, "/sys/firmware/acpi/tables/APIC");
	if (!madt && errno == ENOENT) {
		if (check_cpu_numbers() != cpus->n)
			return check_need(r, NO_MADT);
		return check_pass(r, "all possible CPUs are online");
	}
	if (!madt)
		return check_skip(r, "firmware's list of CPUs (ACPI MADT) cannot be read: %s",
				  strerror(errno));
	ret = check_madt(r, (uint8_t *)madt, len, cpus);
	free(madt);
	return ret;
}

static void ask_cpuid(__u32 leaf, __u32 *r)
{
	sysfile_cpuid(0, leaf, 0, r);
}

enum check_result judge_paravirt(struct check_report *r, void (*ask)(__u32 leaf, __u32 *r))
{
	const char *what = paravirt_offered(ask);
	__u32 regs[4];

	if (what)
		return check_need(r, PARAVIRT, what);
	ask(1, regs);
	return check_pass(r, regs[2] >> 31 ? "a virtual machine, with nothing of its hypervisor's" :
			  "not a virtual machine");
}

enum check_result check_paravirt(struct check_report *r)
{
	return judge_paravirt(r, ask_cpuid);
}

enum check_result check_speculation(struct check_report *r)
{
	static const char * const kinds[] = { "l1tf", "mds", "mmio_stale_data", "itlb_multihit" };
	size_t i, found = 0;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		char *line = sysfile_line("/sys/devices/system/cpu/vulnerabilities/%s", kinds[i]);
		bool bad = line && !strstr(line, "Not affected");

		if (bad)
			check_fail(r, "prefer a processor that is not affected; the layer flushes where it can, and reports the state",
				   "%s: %s", kinds[i], line);
		found += !!line;
		free(line);
		if (bad)
			return CHECK_FAIL;
	}
	if (!found)
		return check_skip(r, "Linux does not tell");
	return check_pass(r, "not affected by L1TF, MDS, MMIO stale data, page-size machine checks");
}

enum check_result check_smt(struct check_report *r)
{
	char *line = sysfile_line("/sys/devices/system/cpu/smt/active");
	enum check_result ret;

	if (!line)
		return check_skip(r, "Linux does not tell");
	if (!strcmp(line, "0"))
		ret = check_pass(r, "no hyper-threads in use");
	else
		ret = check_fail(r, "disable hyper-threading in the firmware's setup",
				 "hyper-threads share caches with protected VMs");
	free(line);
	return ret;
}
