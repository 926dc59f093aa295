// SPDX-License-Identifier: GPL-2.0
/* Requirements on processors. */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "cli.h"
#include "sysfile.h"

#define MSR_FEATURE_CONTROL	0x3a	/* SDM vol. 4, table 2-2 */
#define MSR_VMX_EPT_VPID_CAP	0x48c	/* SDM vol. 3, A.10 */
#define FEATURE_LOCKED		(1u << 0)
#define FEATURE_VMX		(1u << 2)
#define CPUID_1_ECX_VMX		(1u << 5)	/* SDM vol. 3, 24.6 */

/* One bit of IA32_VMX_EPT_VPID_CAP that the layer needs. */
static const struct {
	unsigned int bit;
	const char *name;
} ept_needed[] = {
	{ 6, "4-level walks" }, { 14, "write-back tables" }, { 16, "2 MiB pages" },
	{ 20, "INVEPT" }, { 26, "all-context INVEPT" },
};

static int read_msr(unsigned int msr, uint64_t *value)
{
	char *path = sysfile_path("/dev/cpu/0/msr");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = -1;

	free(path);
	if (fd < 0)
		return -1;
	if (pread(fd, value, sizeof(*value), msr) == sizeof(*value))
		ret = 0;
	close(fd);
	return ret;
}

/* The next line of a field: its value's start and length, or NULL. */
static const char *field_value(const char **text, const char *field, size_t *len)
{
	size_t n = strlen(field);

	while (**text) {
		const char *line = *text, *end = strchrnul(line, '\n'), *p = line + n;

		*text = *end ? end + 1 : end;
		if ((size_t)(end - line) < n || strncmp(line, field, n))
			continue;
		p += strspn(p, " \t");
		if (*p != ':')
			continue;
		p++;
		*len = end - p;
		return p;
	}
	return NULL;
}

static bool has_word(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);
	const char *p = text, *end = text + len;

	while (p < end) {
		size_t w = strcspn(p, " \t\n");

		if (w == n && !strncmp(p, word, n))
			return true;
		p += w + 1;
	}
	return false;
}

int check_flag(const char *cpuinfo, const char *field, const char *flag)
{
	unsigned int with = 0, all = 0;
	const char *value;
	size_t len;

	while ((value = field_value(&cpuinfo, field, &len))) {
		all++;
		with += has_word(value, len, flag);
	}
	if (!all)
		return -2;
	return with == all ? 1 : with ? -1 : 0;
}

bool check_same(const char *cpuinfo, const char *field)
{
	const char *first = NULL, *value;
	size_t first_len = 0, len;

	while ((value = field_value(&cpuinfo, field, &len))) {
		if (first && (len != first_len || memcmp(first, value, len)))
			return false;
		first = value;
		first_len = len;
	}
	return true;
}

static char *cpuinfo(struct check_report *r)
{
	char *text = sysfile_read(NULL, "/proc/cpuinfo");

	if (!text)
		check_skip(r, "/proc/cpuinfo cannot be read: %s", strerror(errno));
	return text;
}

static bool has_vmx(void)
{
	unsigned int a, b, c = 0, d;

	__get_cpuid(1, &a, &b, &c, &d);
	return c & CPUID_1_ECX_VMX;
}

enum check_result check_vmx(struct check_report *r)
{
	static const char cure[] =
		"use an Intel processor with VT-x, or give the virtual machine nested VMX";

	if (has_vmx())
		return check_pass(r, "the processor has VMX");
	return check_fail(r, cure, "the processor has no VMX");
}

enum check_result check_vmx_unlocked(struct check_report *r)
{
	static const char cure[] = "enable VT-x (VMX outside SMX) in the firmware's setup";
	char *text = cpuinfo(r);
	uint64_t value;
	int flag;

	if (!has_vmx()) {
		free(text);
		return check_skip(r, "no VMX");
	}
	if (!text)
		return CHECK_SKIP;
	flag = check_flag(text, "flags", "vmx");
	free(text);
	if (flag == 1)
		return check_pass(r, "firmware leaves VMX usable");
	if (read_msr(MSR_FEATURE_CONTROL, &value))
		return check_fail(r, cure, "Linux does not see VMX");
	if ((value & FEATURE_LOCKED) && !(value & FEATURE_VMX))
		return check_fail(r, cure, "IA32_FEATURE_CONTROL is %#lx: locked with VMX off",
				  (unsigned long)value);
	return check_fail(r, cure, "Linux does not see VMX; IA32_FEATURE_CONTROL is %#lx",
			  (unsigned long)value);
}

enum check_result check_vmx_features(struct check_report *r)
{
	static const char cure[] = "use a processor (or an outer hypervisor) that has it";
	static const char * const needed[] = { "ept", "unrestricted_guest", "vpid" };
	char *text = cpuinfo(r);
	enum check_result ret = CHECK_PASS;
	size_t i;

	if (!has_vmx()) {
		free(text);
		return check_skip(r, "no VMX");
	}
	if (!text)
		return CHECK_SKIP;
	check_pass(r, "EPT, unrestricted guest and VPID");
	for (i = 0; i < ARRAY_SIZE(needed) && ret == CHECK_PASS; i++) {
		int flag = check_flag(text, "vmx flags", needed[i]);

		/* Linux before 5.6 has no such line; then VMX off has none either. */
		if (flag == -2)
			ret = check_fail(r, cure, "Linux lists no VMX features");
		else if (flag != 1)
			ret = check_fail(r, cure, "%s: %s", needed[i],
					 flag ? "not on every processor" : "absent");
	}
	free(text);
	return ret;
}

enum check_result check_ept_features(struct check_report *r)
{
	static const char cure[] = "use a processor (or an outer hypervisor) that has it";
	uint64_t cap;
	size_t i;

	if (!has_vmx())
		return check_skip(r, "no VMX");
	if (read_msr(MSR_VMX_EPT_VPID_CAP, &cap))
		return check_skip(r, "IA32_VMX_EPT_VPID_CAP cannot be read (modprobe msr, as root); the module checks it itself");
	for (i = 0; i < ARRAY_SIZE(ept_needed); i++)
		if (!(cap >> ept_needed[i].bit & 1))
			return check_fail(r, cure, "EPT without %s", ept_needed[i].name);
	return check_pass(r, "4-level walks, write-back, 2 MiB pages%s, INVEPT",
			  cap >> 17 & 1 ? ", 1 GiB pages" : "");
}

enum check_result check_uniform(struct check_report *r)
{
	static const char cure[] =
		"update the firmware, so that all processors run the same microcode";
	char *text = cpuinfo(r);
	bool same;

	if (!text)
		return CHECK_SKIP;
	same = check_same(text, "vmx flags") && check_same(text, "microcode");
	free(text);
	if (same)
		return check_pass(r, "all processors are alike");
	return check_fail(r, cure, "VMX features or microcode differ between processors");
}

int check_madt(const uint8_t *madt, size_t len, struct madt_cpus *cpus)
{
	size_t at = 44, n;	/* ACPI 6.5, table 5.19: structures start at byte 44 */

	*cpus = (struct madt_cpus) { };
	if (len < at || memcmp(madt, "APIC", 4))
		return -1;
	for (; at + 2 <= len; at += n) {
		uint32_t flags;

		n = madt[at + 1];
		if (n < 2 || at + n > len)
			return -1;
		if (madt[at] == 0 && n >= 8)		/* local APIC */
			memcpy(&flags, madt + at + 4, 4);
		else if (madt[at] == 9 && n >= 16)	/* local x2APIC */
			memcpy(&flags, madt + at + 8, 4);
		else
			continue;
		cpus->enabled += flags & 1;
		cpus->online_capable += !(flags & 1) && (flags & 2);
	}
	return 0;
}

enum check_result check_cpus_online(struct check_report *r)
{
	static const char cure[] =
		"bring all up (echo 1 > /sys/devices/system/cpu/cpuN/online), boot without "
		"maxcpus= and nosmt, or disable the processor in the firmware's setup";
	size_t len;
	char *madt = sysfile_read(&len, "/sys/firmware/acpi/tables/APIC");
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	struct madt_cpus cpus;
	int bad;

	if (!madt)
		return check_skip(r, "firmware's list of processors (MADT) cannot be read: %s",
				  strerror(errno));
	bad = check_madt((uint8_t *)madt, len, &cpus);
	free(madt);
	if (bad)
		return check_fail(r, "update the firmware", "the MADT is malformed");
	if ((long)cpus.enabled > online)
		return check_fail(r, cure, "%u processors enabled by firmware, %ld online",
				  cpus.enabled, online);
	return check_pass(r, "all %u processors are online", cpus.enabled);
}

enum check_result check_paravirt(struct check_report *r)
{
	static const char cure[] =
		"start the machine with the signature hidden (qemu: -cpu host,kvm=off)";
	unsigned int a, b, c, d;
	char name[13] = "";

	__cpuid(1, a, b, c, d);
	if (!(c >> 31))
		return check_pass(r, "not a virtual machine");
	__cpuid(0x40000000, a, b, c, d);
	memcpy(name, &b, 4);
	memcpy(name + 4, &c, 4);
	memcpy(name + 8, &d, 4);
	if (!memcmp(name, "KVMKVMKVM", 9))
		return check_fail(r, cure, "Linux uses KVM's hypercalls, which the layer would get");
	return check_pass(r, "a virtual machine, but Linux makes no hypercalls");
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
