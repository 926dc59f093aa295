/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a host must offer, and what is said where it does not: one definition for the
 * module, which refuses, and for "underpin check", which says the same in advance.
 *
 * A name X stands for two strings: X_FOUND, with printf conversions, and X_CURE.
 */
#ifndef MODULE_NEEDS_H
#define MODULE_NEEDS_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#define __maybe_unused	__attribute__((__unused__))
#endif

#define NO_VMX_FOUND	"CPU %u offers no VMX"
#define NO_VMX_CURE	"enable Intel VT-x in the firmware setup; in a VM, nested virtualisation on its host"

#define LOCKED_OFF_FOUND	"CPU %u: VMX is locked off (IA32_FEATURE_CONTROL is %#llx)"
#define LOCKED_OFF_CURE	"enable Intel VT-x in the firmware setup, and power the machine off and on"

/* Linux locks it as it starts, if firmware has not (CONFIG_IA32_FEAT_CTL). */
#define NOT_LOCKED_FOUND	"CPU %u: VMX is not enabled yet (IA32_FEATURE_CONTROL is %#llx, not locked)"
#define NOT_LOCKED_CURE	"boot again, with a kernel that has CONFIG_IA32_FEAT_CTL and KVM, without clearcpuid="

#define VMX_USED_FOUND	"CPU %u: VMX is in use (CR4.VMXE)"
#define VMX_USED_CURE	"unload the other hypervisor's module first"

#define LACKS_FOUND	"CPU %u lacks %s"
#define LACKS_CURE	"use a newer Intel processor; in a VM, have its host offer it"

#define DIFFERS_FOUND	"CPU %u: MSR %#x is %#llx, on CPU %u it is %#llx"
#define DIFFERS_CURE	"update the firmware, so that all processors agree"

/* What was armed goes on storing past all page tables, and then its MSRs are refused. */
#define PT_ON_FOUND	"CPU %u: Intel PT traces into memory (IA32_RTIT_CTL is %#llx)"
#define PT_ON_CURE	"end what traces ('perf record -e intel_pt//' or a debugger), then insert underpin.ko"

/* Linux turns it on for good as a CPU comes online (CONFIG_INTEL_HFI_THERMAL). */
#define FEEDBACK_ON_FOUND	"CPU %u: hardware feedback stores into memory (IA32_HW_FEEDBACK_CONFIG is %#llx)"
#define FEEDBACK_ON_CURE	"boot with clearcpuid=hfi"

#define KVM_LOADED_FOUND	"kvm_intel is loaded"
#define KVM_LOADED_CURE	"stop all VMs, 'modprobe -r kvm_intel', insert underpin.ko, 'modprobe kvm_intel' again"

/* With 5 levels only; with 4, Linux keeps the image's place free. */
#define LAYOUT_FOUND	"Linux's memory lies where the layer's image belongs"
#define LAYOUT_CURE	"boot again: the place is random; or boot with nokaslr"

/* CPUID.(7,1):EAX (SDM vol. 3, chapter on FRED) */
#define NEED_NO_FRED		0x20000
#define FRED_FOUND	"the processor delivers events by FRED, which the layer does not support yet"
#define FRED_CURE	"in a VM, have its host hide it; a processor without FRED otherwise"

#define MANY_CPUS_FOUND	"%u CPUs are possible, the layer takes %u"
#define MANY_CPUS_CURE	"disable cores or hyper-threading in the firmware setup; boot with possible_cpus=1024 if sockets are empty"

#define NO_MEMORY_FOUND	"the layer takes %llu MiB, %llu MiB are available"
#define NO_MEMORY_CURE	"stop programs, or boot without hugepages="

#define CPU_OFFLINE_FOUND	"the CPU with APIC id %u is enabled by firmware but not online"
#define CPU_OFFLINE_CURE	"echo 1 > /sys/devices/system/cpu/cpuN/online for it (or boot without nosmt, maxcpus=)"

#define BAD_MADT_FOUND	"firmware's list of CPUs (ACPI MADT) is malformed"
#define BAD_MADT_CURE	"update the firmware"

#define NO_MADT_FOUND	"no ACPI MADT, and not every possible CPU is online"
#define NO_MADT_CURE	"boot without acpi=off, maxcpus="

#define PARAVIRT_FOUND	"this machine is a VM, and its hypervisor offers Linux %s"
#define PARAVIRT_CURE	"start it with the hypervisor hidden (qemu: -cpu host,kvm=off)"

/* SDM vol. 3, 24.7: IA32_FEATURE_CONTROL */
#define NEED_FEATURE_CONTROL	0x3a
#define NEED_LOCKED		0x1
#define NEED_VMX_ON		0x4	/* outside SMX */

/* SDM vol. 3, appendix A: IA32_VMX_BASIC to IA32_VMX_VMFUNC */
#define NEED_FIRST_CAP		0x480
#define NEED_PROCBASED		0x482
#define NEED_PROCBASED2		0x48b
#define NEED_EPT_VPID		0x48c
#define NEED_NR_CAPS		18

/* SDM vol. 4: IA32_RTIT_CTL.TraceEn, IA32_HW_FEEDBACK_CONFIG.enable */
#define NEED_RTIT_CTL		0x570
#define NEED_FEEDBACK		0x17d1
#define NEED_STORES_ON		0x1	/* in either */

/* What one CPU answers; an MSR that it lacks is 0. */
struct cpu_caps {
	__u64 feature_control;
	__u64 rtit_ctl, feedback;
	__u64 cap[NEED_NR_CAPS];
	__u32 vmx;		/* CPUID.1:ECX.VMX */
	__u32 vmxe;		/* CR4.VMXE */
};

/* A bit of a capability MSR, and what a CPU without it lacks. */
struct cpu_need {
	__u32 msr, bit;
	const char *what;
};

/* SDM vol. 3, A.3.2 and A.3.3 (the upper half: may be 1), A.10. */
static const struct cpu_need vmx_needs[] __maybe_unused = {
	{ NEED_PROCBASED, 63, "secondary controls of VMX" },
	{ NEED_PROCBASED2, 32 + 1, "EPT" },
	{ NEED_PROCBASED2, 32 + 5, "VPID" },
	{ NEED_PROCBASED2, 32 + 7, "unrestricted guest" },
};

static const struct cpu_need ept_needs[] __maybe_unused = {
	{ NEED_EPT_VPID, 6, "EPT with 4 levels" },
	{ NEED_EPT_VPID, 14, "EPT in write-back memory" },
	{ NEED_EPT_VPID, 16, "EPT with 2 MiB pages" },
	{ NEED_EPT_VPID, 20, "INVEPT" },
	{ NEED_EPT_VPID, 26, "INVEPT of all contexts" },
};

/* cpu_lacks() - the first of @n needs that a CPU does not meet, or NULL */
static inline const char *cpu_lacks(const struct cpu_caps *c, const struct cpu_need *needs,
				    unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!(c->cap[needs[i].msr - NEED_FIRST_CAP] >> needs[i].bit & 1))
			return needs[i].what;
	return NULL;
}

/* cpu_differs() - the first MSR in which two CPUs differ (with both values), or 0 */
static inline __u32 cpu_differs(const struct cpu_caps *a, const struct cpu_caps *b,
				__u64 *in_a, __u64 *in_b)
{
	unsigned int i;

	*in_a = a->feature_control;
	*in_b = b->feature_control;
	if (*in_a != *in_b)
		return NEED_FEATURE_CONTROL;
	for (i = 0; i < NEED_NR_CAPS; i++) {
		*in_a = a->cap[i];
		*in_b = b->cap[i];
		if (*in_a != *in_b)
			return NEED_FIRST_CAP + i;
	}
	return 0;
}

/*
 * A hypervisor beneath the layer may write to frames by their physical address, whoever
 * owns them; and VMCALL would reach the layer instead of it.  KVM's features are bits of
 * CPUID 0x40000001's EAX (Documentation/virt/kvm/x86/cpuid.rst).  Not among them are those
 * that do neither: NOP_IO_DELAY, ASYNC_PF_VMEXIT, POLL_CONTROL, MSI_EXT_DEST_ID,
 * MIGRATION_CONTROL, CLOCKSOURCE_STABLE.
 */
static const struct {
	__u32 bit;
	const char *what;
} kvm_features[] = {
	{ 0, "kvmclock, which KVM writes to memory" },
	{ 2, "hypercalls for page tables" },
	{ 3, "kvmclock, which KVM writes to memory" },
	{ 4, "asynchronous page faults, which KVM writes to memory" },
	{ 5, "steal time, which KVM writes to memory" },
	{ 6, "end of interrupt (PV EOI) by memory" },
	{ 7, "the hypercall KICK_CPU" },
	{ 9, "TLB flushes by memory" },
	{ 11, "the hypercall SEND_IPI" },
	{ 13, "the hypercall SCHED_YIELD" },
	{ 14, "asynchronous page faults, which KVM writes to memory" },
	{ 16, "the hypercall MAP_GPA_RANGE" },
};

/* Those that Linux calls with VMCALL whatever they offer; and KVM. */
static const struct {
	char signature[13];
	const char *what;
} hypervisors[] = {
	{ "Microsoft Hv", "Hyper-V's hypercalls" },
	{ "XenVMMXenVMM", "Xen's hypercalls" },
	{ "KVMKVMKVM\0\0", NULL },
};

/* Where Linux looks for one: KVM is behind Hyper-V where it offers both. */
#define HYPERVISOR_FIRST	0x40000000u
#define HYPERVISOR_LAST		0x4000ff00u
#define HYPERVISOR_STEP		0x100u

/*
 * paravirt_offered() - what a hypervisor offers that the layer cannot bear, or NULL
 * @ask: CPUID: EAX to EDX for a leaf
 */
static inline const char *paravirt_offered(void (*ask)(__u32 leaf, __u32 *r))
{
	__u32 leaf, r[4];
	unsigned int i, j;

	ask(1, r);
	if (!(r[2] >> 31))
		return NULL;
	for (leaf = HYPERVISOR_FIRST; leaf <= HYPERVISOR_LAST; leaf += HYPERVISOR_STEP) {
		ask(leaf, r);
		for (i = 0; i < sizeof(hypervisors) / sizeof(*hypervisors); i++) {
			if (memcmp(&r[1], hypervisors[i].signature, 12))
				continue;
			if (hypervisors[i].what)
				return hypervisors[i].what;
			ask(leaf + 1, r);
			for (j = 0; j < sizeof(kvm_features) / sizeof(*kvm_features); j++)
				if (r[0] >> kvm_features[j].bit & 1)
					return kvm_features[j].what;
		}
	}
	return NULL;
}

#define MADT_FIRST	44	/* ACPI 6.5, table 5.19: structures start here */

/*
 * madt_next_cpu() - the next processor that firmware enables (ACPI 6.5, 5.2.12)
 * @at: where to look; MADT_FIRST at first
 * @id: its APIC id
 *
 * Return: 1, 0 at the end, or -1: malformed.
 */
static inline int madt_next_cpu(const __u8 *madt, __u32 len, __u32 *at, __u32 *id)
{
	while (*at + 2 <= len) {
		const __u8 *p = madt + *at;

		if (p[1] < 2 || p[1] > len - *at)
			return -1;
		*at += p[1];
		if (p[0] == 0 && p[1] >= 8 && p[4] & 1) {	/* local APIC */
			*id = p[3];
			return 1;
		}
		if (p[0] == 9 && p[1] >= 16 && p[8] & 1) {	/* local x2APIC */
			*id = p[4] | p[5] << 8 | p[6] << 16 | (__u32)p[7] << 24;
			return 1;
		}
	}
	return 0;
}

#endif /* MODULE_NEEDS_H */
