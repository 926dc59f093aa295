// SPDX-License-Identifier: GPL-2.0
/* Requirements on VMX, each of which the module has, too, in the same words. */
#include "userspace/check/check.h"
#include "userspace/cli/cli.h"

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

enum check_result judge_stores(struct check_report *r, const struct check_cpus *cpus)
{
	unsigned int i;

	if (!cpus->msrs)
		return check_skip(r, "MSRs cannot be read (modprobe msr, as root); insmod looks itself");
	for (i = 0; i < cpus->n; i++) {
		const struct check_cpu *cpu = &cpus->cpu[i];
		unsigned long long pt = cpu->caps.rtit_ctl, feedback = cpu->caps.feedback;

		if (pt & NEED_STORES_ON)
			return check_need(r, PT_ON, cpu->number, pt);
		if (feedback & NEED_STORES_ON)
			return check_need(r, FEEDBACK_ON, cpu->number, feedback);
	}
	return check_pass(r, "neither Intel PT nor hardware feedback stores into memory");
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

enum check_result check_stores(struct check_report *r)
{
	/* After the launch the layer refuses to arm either. */
	return check_loaded() ? check_pass(r, "the layer keeps both off") : judge(r, judge_stores);
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
