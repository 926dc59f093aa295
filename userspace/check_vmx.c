// SPDX-License-Identifier: GPL-2.0
/* Requirements on VMX, each of which the module has, too, in the same words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "cli.h"
#include "sysfile.h"

#define CPUID_1_ECX_VMX	(1u << 5)	/* SDM vol. 3, 24.6 */

static bool has_vmx(unsigned int number)
{
	uint32_t regs[4];

	sysfile_cpuid(number, 1, 0, regs);
	return regs[2] & CPUID_1_ECX_VMX;
}

static bool read_msrs(struct check_cpu *cpu)
{
	struct cpu_caps *c = &cpu->caps;
	unsigned int i;
	uint64_t val;

	if (!sysfile_msr(cpu->number, NEED_FEATURE_CONTROL, &val))
		return false;
	c->feature_control = val;
	/* A CPU may lack the last ones. */
	for (i = 0; i < NEED_NR_CAPS; i++) {
		sysfile_msr(cpu->number, NEED_FIRST_CAP + i, &val);
		c->cap[i] = val;
	}
	return true;
}

/* What Linux says of a CPU's VMX, as the MSRs would say it. */
static void parse_vmx_flags(struct cpu_caps *c, const char *flags, size_t len)
{
	static const char * const words[ARRAY_SIZE(vmx_needs)] = {
		"", "ept", "vpid", "unrestricted_guest"
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vmx_needs); i++)
		if (!*words[i] || check_word(flags, len, words[i]))
			c->cap[vmx_needs[i].msr - NEED_FIRST_CAP] |= 1ULL << vmx_needs[i].bit;
}

/* One processor's lines. */
static void parse_cpu(const char *text, struct check_cpu *cpu)
{
	const char *rest = text, *value;
	size_t len;

	*cpu = (struct check_cpu) { };
	value = check_value(&rest, "processor", &len);
	cpu->number = value ? strtoul(value, NULL, 10) : 0;
	rest = text;
	value = check_value(&rest, "apicid", &len);
	cpu->apic_id = value ? strtoul(value, NULL, 10) : 0;
	rest = text;
	value = check_value(&rest, "flags", &len);
	/* Linux hides VMX where IA32_FEATURE_CONTROL leaves it off. */
	if (value && check_word(value, len, "vmx"))
		cpu->caps.feature_control = NEED_LOCKED | NEED_VMX_ON;
	rest = text;
	value = check_value(&rest, "vmx flags", &len);
	if (value)
		parse_vmx_flags(&cpu->caps, value, len);
}

void check_cpus_parse(const char *cpuinfo, struct check_cpus *cpus)
{
	char *text = strdup(cpuinfo), *at = text, *end;

	*cpus = (struct check_cpus) { };
	for (; at && *at; at = end) {
		end = strstr(at, "\n\n");
		if (end) {
			*end = 0;
			end += 2;
		}
		cpus->cpu = reallocarray(cpus->cpu, cpus->n + 1, sizeof(*cpus->cpu));
		if (!cpus->cpu)
			abort();
		parse_cpu(at, &cpus->cpu[cpus->n++]);
	}
	free(text);
}

const struct check_cpus *check_cpus(void)
{
	static struct check_cpus cpus;
	unsigned int i;
	char *text;

	if (cpus.n)
		return &cpus;
	text = sysfile_read(NULL, "/proc/cpuinfo");
	if (!text)
		return &cpus;
	check_cpus_parse(text, &cpus);
	free(text);
	for (i = 0; i < cpus.n; i++)
		cpus.cpu[i].caps.vmx = has_vmx(cpus.cpu[i].number);
	cpus.msrs = sysfile_usable("/dev/cpu/0/msr");
	for (i = 0; i < cpus.n && cpus.msrs; i++)
		cpus.msrs = read_msrs(&cpus.cpu[i]);
	return &cpus;
}

enum check_result check_vmx(struct check_report *r)
{
	const struct check_cpus *cpus = check_cpus();
	unsigned int i;

	if (!cpus->n)
		return check_skip(r, "/proc/cpuinfo cannot be read");
	for (i = 0; i < cpus->n; i++)
		if (!cpus->cpu[i].caps.vmx)
			return check_need(r, NO_VMX, cpus->cpu[i].number);
	return check_pass(r, "every CPU offers VMX");
}

enum check_result judge_lock(struct check_report *r, const struct check_cpus *cpus)
{
	unsigned int i;

	for (i = 0; i < cpus->n; i++) {
		const struct check_cpu *cpu = &cpus->cpu[i];
		unsigned long long val = cpu->caps.feature_control;

		if (!cpu->caps.vmx || (val & NEED_LOCKED && val & NEED_VMX_ON))
			continue;
		if (!cpus->msrs)
			return check_fail(r, LOCKED_OFF_CURE, "CPU %u: Linux sees no VMX (after 'modprobe msr' root sees more)",
					  cpu->number);
		if (!(val & NEED_LOCKED))
			return check_need(r, NOT_LOCKED, cpu->number, val);
		return check_need(r, LOCKED_OFF, cpu->number, val);
	}
	return check_pass(r, "firmware leaves VMX usable");
}

enum check_result judge_features(struct check_report *r, const struct check_cpus *cpus)
{
	unsigned int i;

	for (i = 0; i < cpus->n; i++) {
		const struct check_cpu *cpu = &cpus->cpu[i];
		const char *what = cpu_lacks(&cpu->caps, vmx_needs, ARRAY_SIZE(vmx_needs));

		if (!what || !cpu->caps.vmx)
			continue;
		/* Linux lists none of a CPU whose VMX is off. */
		if (!cpus->msrs && !cpu->caps.cap[NEED_PROCBASED - NEED_FIRST_CAP])
			return check_skip(r, "CPU %u: Linux lists no VMX features (after 'modprobe msr' root sees more)",
					  cpu->number);
		return check_need(r, LACKS, cpu->number, what);
	}
	return check_pass(r, "EPT, VPID and unrestricted guest");
}

enum check_result judge_ept(struct check_report *r, const struct check_cpus *cpus)
{
	unsigned int i, with_ept = 0;

	if (!cpus->msrs)
		return check_skip(r, "IA32_VMX_EPT_VPID_CAP cannot be read (modprobe msr, as root); insmod looks itself");
	for (i = 0; i < cpus->n; i++) {
		const struct check_cpu *cpu = &cpus->cpu[i];
		const char *what = cpu_lacks(&cpu->caps, ept_needs, ARRAY_SIZE(ept_needs));

		if (!cpu->caps.vmx || cpu_lacks(&cpu->caps, vmx_needs, ARRAY_SIZE(vmx_needs)))
			continue;
		if (what)
			return check_need(r, LACKS, cpu->number, what);
		with_ept++;
	}
	if (!with_ept)
		return check_skip(r, "no EPT, or not as vmx-features wants it");
	return check_pass(r, "4 levels, write-back memory, 2 MiB pages, INVEPT");
}

enum check_result judge_uniform(struct check_report *r, const struct check_cpus *cpus)
{
	unsigned int i;

	for (i = 1; i < cpus->n; i++) {
		const struct check_cpu *first = &cpus->cpu[0], *cpu = &cpus->cpu[i];
		__u64 here, there;
		__u32 msr = cpu_differs(&first->caps, &cpu->caps, &here, &there);

		if (msr && !cpus->msrs)
			return check_fail(r, DIFFERS_CURE, "CPU %u differs from CPU %u in what Linux says of VMX",
					  cpu->number, first->number);
		if (msr)
			return check_need(r, DIFFERS, cpu->number, msr, there, first->number,
					  here);
	}
	return check_pass(r, "all CPUs are alike%s", cpus->msrs ? "" :
			  ", as far as Linux says (after 'modprobe msr' root sees more)");
}

/* Of processors without VMX, only that is said. */
static enum check_result judge(struct check_report *r,
			       enum check_result (*how)(struct check_report *r,
							const struct check_cpus *cpus))
{
	const struct check_cpus *cpus = check_cpus();
	unsigned int i;

	for (i = 0; i < cpus->n; i++)
		if (cpus->cpu[i].caps.vmx)
			return how(r, cpus);
	return check_skip(r, "no VMX");
}

enum check_result check_vmx_unlocked(struct check_report *r)
{
	return judge(r, judge_lock);
}

enum check_result check_vmx_features(struct check_report *r)
{
	return judge(r, judge_features);
}

enum check_result check_ept_features(struct check_report *r)
{
	return judge(r, judge_ept);
}

enum check_result check_uniform(struct check_report *r)
{
	return judge(r, judge_uniform);
}

enum check_result check_vmx_off(struct check_report *r)
{
	if (check_loaded())
		return check_pass(r, "the layer is the user of VMX");
	return check_skip(r, "only the kernel sees whether VMX is in use (CR4.VMXE); insmod looks itself");
}
