// SPDX-License-Identifier: GPL-2.0
/* What the online CPUs are: by /proc/cpuinfo, CPUID and, where msr is loaded, their MSRs. */
#include <stdlib.h>
#include <string.h>
#include "userspace/check/check.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/sysfile.h"

#define CPUID_1_ECX_VMX	(1u << 5)	/* SDM vol. 3, 24.6 */

const char *check_value(const char **text, const char *field, size_t *len)
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

bool check_word(const char *text, size_t len, const char *word)
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

bool check_same(const char *cpuinfo, const char *field)
{
	const char *first = NULL, *value;
	size_t first_len = 0, len;

	while ((value = check_value(&cpuinfo, field, &len))) {
		if (first && (len != first_len || memcmp(first, value, len)))
			return false;
		first = value;
		first_len = len;
	}
	return true;
}

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
	/* A CPU may lack these, and the last ones: 0 then. */
	sysfile_msr(cpu->number, NEED_RTIT_CTL, &val);
	c->rtit_ctl = val;
	sysfile_msr(cpu->number, NEED_FEEDBACK, &val);
	c->feedback = val;
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
