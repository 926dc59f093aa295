// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/check/check.h"
#include "tests.h"

static uint8_t madt[256];
static size_t madt_len;

static void madt_start(void)
{
	memset(madt, 0, sizeof(madt));
	memcpy(madt, "APIC", 4);
	madt_len = 44;
}

static void madt_add(uint8_t type, uint8_t len, size_t flags_at, uint32_t flags)
{
	madt[madt_len] = type;
	madt[madt_len + 1] = len;
	memcpy(madt + madt_len + flags_at, &flags, sizeof(flags));
	madt_len += len;
}

/* CPUs that are online have the APIC ids 0 to n - 1. */
static void cpus_make(struct check_cpus *cpus, struct check_cpu *cpu, unsigned int n)
{
	unsigned int i, j;

	*cpus = (struct check_cpus) { .n = n, .msrs = true, .cpu = cpu };
	for (i = 0; i < n; i++) {
		cpu[i] = (struct check_cpu) { .number = i, .apic_id = i };
		cpu[i].caps.vmx = 1;
		cpu[i].caps.feature_control = 5;
		for (j = 0; j < ARRAY_SIZE(cpu[i].caps.cap); j++)
			cpu[i].caps.cap[j] = ~0ULL;
	}
}

void test_madt_finds_offline_cpus(void **state)
{
	struct check_report r = { };
	struct check_cpu cpu[2];
	struct check_cpus cpus;

	(void)state;
	cpus_make(&cpus, cpu, 2);
	cpu[1].apic_id = 0x12345678;
	madt_start();
	madt_add(0, 8, 4, 1);
	madt_add(1, 12, 4, 1);		/* an I/O APIC */
	madt[madt_len + 3] = 7;
	madt_add(0, 8, 4, 0);		/* an empty socket */
	madt[madt_len + 3] = 7;
	madt_add(0, 8, 4, 2);		/* could be added later */
	memcpy(madt + madt_len + 4, "\x78\x56\x34\x12", 4);
	madt_add(9, 16, 8, 1);		/* an x2APIC */
	assert_int_equal(check_madt(&r, madt, madt_len, &cpus), CHECK_PASS);
	assert_string_equal(r.found, "all 2 CPUs that firmware enables are online");
	cpus.n = 1;
	assert_int_equal(check_madt(&r, madt, madt_len, &cpus), CHECK_FAIL);
	assert_string_equal(r.found, "the CPU with APIC id 305419896 is enabled by firmware but not online");
	cpus.n = 2;
	madt[madt_len + 3] = 7;
	madt_add(0, 8, 4, 3);
	assert_int_equal(check_madt(&r, madt, madt_len, &cpus), CHECK_FAIL);
	assert_string_equal(r.found, "the CPU with APIC id 7 is enabled by firmware but not online");
}

void test_madt_refuses_malformed(void **state)
{
	struct check_report r = { };
	struct check_cpu cpu[1];
	struct check_cpus cpus;

	(void)state;
	cpus_make(&cpus, cpu, 1);
	madt_start();
	assert_int_equal(check_madt(&r, madt, 43, &cpus), CHECK_FAIL);
	madt_add(0, 8, 4, 1);
	assert_int_equal(check_madt(&r, madt, madt_len, &cpus), CHECK_PASS);
	assert_int_equal(check_madt(&r, madt, madt_len - 1, &cpus), CHECK_FAIL);
	madt[45] = 0;			/* would never end */
	assert_int_equal(check_madt(&r, madt, madt_len, &cpus), CHECK_FAIL);
	assert_string_equal(r.found, BAD_MADT_FOUND);
	madt[45] = 8;
	madt[0] = 'X';
	assert_int_equal(check_madt(&r, madt, madt_len, &cpus), CHECK_FAIL);
}

/* A FADT with PM1a_CNT at port 0x1804, in both ways. */
static void fadt_make(uint8_t *fadt)
{
	memset(fadt, 0, 276);
	memcpy(fadt + FADT_PM1_CNT, "\x04\x18", 2);
	memcpy(fadt + FADT_X_PM1_CNT, "\x01\x10\0\x02\x04\x18", 6);
}

/* One byte changed, and what is found then. */
static enum check_result fadt_with(struct check_report *r, size_t at, uint8_t value)
{
	uint8_t fadt[276];

	fadt_make(fadt);
	fadt[at] = value;
	return check_fadt(r, fadt, sizeof(fadt));
}

void test_fadt_names_what_cannot_be_watched(void **state)
{
	struct check_report r = { };
	uint8_t fadt[276];
	uint32_t port[2];

	(void)state;
	tree_make();
	assert_int_equal(fadt_with(&r, 0, 0), CHECK_PASS);
	assert_int_equal(fadt_with(&r, FADT_FLAGS + 2, 0x10), CHECK_FAIL);
	assert_string_equal(r.found, REDUCED_FOUND);
	assert_int_equal(fadt_with(&r, FADT_X_PM1_CNT, 0), CHECK_FAIL);	/* in memory */
	assert_string_equal(r.found, "ACPI's PM1 control register a is not one I/O port");
	assert_string_equal(r.cure, PM1_CURE);
	assert_int_equal(fadt_with(&r, FADT_X_PM1_CNT + 8, 1), CHECK_FAIL);	/* above 64 Ki */
	assert_int_equal(fadt_with(&r, FADT_PM1_CNT, 8), CHECK_FAIL);	/* another port */
	assert_int_equal(fadt_with(&r, FADT_X_PM1_CNT + 16, 4), CHECK_FAIL);
	assert_string_equal(r.found, "ACPI's PM1 control register b is not one I/O port");
	fadt_make(fadt);
	assert_int_equal(check_fadt(&r, fadt, 115), CHECK_FAIL);
	assert_string_equal(r.found, BAD_FADT_FOUND);
	assert_int_equal(fadt_pm1(fadt, 116, port), FADT_FINE);	/* of ACPI 1.0 */
	assert_int_equal(port[0], 0x1804);
	assert_int_equal(port[1], 0);
	memset(fadt, 0, sizeof(fadt));
	assert_int_equal(check_fadt(&r, fadt, sizeof(fadt)), CHECK_FAIL);	/* nowhere */
	tree_remove();
}

void test_pm_base_is_loose_or_locked(void **state)
{
	struct check_report r = { };
	uint8_t lpc[256] = "\x86\x80\x18\x29";

	(void)state;
	assert_int_equal(pm_base_state(0x29188086, 0x1801, 1 << 17, 0x1804), BASE_LOCKED);
	assert_int_equal(pm_base_state(0x29188086, 0x1801, 1 << 16, 0x1804), BASE_LOOSE);
	assert_int_equal(pm_base_state(0x29188086, 0x1841, 0, 0x1804), BASE_ELSEWHERE);
	assert_int_equal(pm_base_state(0x29181022, 0x1801, 0, 0x1804), BASE_ELSEWHERE);
	assert_int_equal(pm_base_state(PCI_ID_PIIX4, 0xb001, ~0u, 0xb004), BASE_LOOSE);
	tree_make();
	lpc[PM_BASE] = 1;
	lpc[PM_BASE + 1] = 0x18;
	tree_file("/sys/bus/pci/devices/0000:00:1f.0/config", lpc, sizeof(lpc));
	assert_int_equal(fadt_with(&r, 0, 0), CHECK_PASS);
	assert_string_equal(r.found, "I/O ports; insmod locks the ACPI base in PCI device 1f.0");
	lpc[PM_BASE_LOCKS + 2] = 2;
	tree_file("/sys/bus/pci/devices/0000:00:1f.0/config", lpc, sizeof(lpc));
	assert_int_equal(fadt_with(&r, 0, 0), CHECK_PASS);
	assert_string_equal(r.found, "I/O ports");
	tree_remove();
}

void test_cpuinfo_is_parsed(void **state)
{
	static const char text[] = "processor\t: 0\nflags\t\t: fpu vmx sse\napicid\t\t: 0\n"
		"vmx flags\t: ept vpid unrestricted_guest\n\n"
		"processor\t: 3\nflags\t\t: fpu vm\napicid\t\t: 17\n"
		"vmx flags\t: eptx vpid unrestricted_guest\n\n";
	struct check_report r = { };
	struct check_cpus cpus;

	(void)state;
	check_cpus_parse("", &cpus);
	assert_int_equal(cpus.n, 0);
	check_cpus_parse(text, &cpus);
	assert_int_equal(cpus.n, 2);
	assert_false(cpus.msrs);
	assert_int_equal(cpus.cpu[1].number, 3);
	assert_int_equal(cpus.cpu[1].apic_id, 17);
	cpus.cpu[0].caps.vmx = 1;
	cpus.cpu[1].caps.vmx = 1;
	assert_int_equal(judge_lock(&r, &cpus), CHECK_FAIL);
	assert_non_null(strstr(r.found, "CPU 3: Linux sees no VMX"));
	assert_int_equal(judge_features(&r, &cpus), CHECK_FAIL);
	assert_string_equal(r.found, "CPU 3 lacks EPT");
	assert_int_equal(judge_ept(&r, &cpus), CHECK_SKIP);
	assert_int_equal(judge_uniform(&r, &cpus), CHECK_FAIL);
	cpus.n = 1;
	assert_int_equal(judge_lock(&r, &cpus), CHECK_PASS);
	assert_int_equal(judge_features(&r, &cpus), CHECK_PASS);
	assert_int_equal(judge_uniform(&r, &cpus), CHECK_PASS);
	free(cpus.cpu);
}

void test_check_lock_names_the_cpu(void **state)
{
	struct check_report r = { };
	struct check_cpu cpu[2];
	struct check_cpus cpus;

	(void)state;
	cpus_make(&cpus, cpu, 2);
	assert_int_equal(judge_lock(&r, &cpus), CHECK_PASS);
	cpu[1].caps.feature_control = 1;
	assert_int_equal(judge_lock(&r, &cpus), CHECK_FAIL);
	assert_string_equal(r.found, "CPU 1: VMX is locked off (IA32_FEATURE_CONTROL is 0x1)");
	cpu[1].caps.feature_control = 4;
	assert_int_equal(judge_lock(&r, &cpus), CHECK_FAIL);
	assert_non_null(strstr(r.found, "(IA32_FEATURE_CONTROL is 0x4, not locked)"));
	assert_string_equal(r.cure, NOT_LOCKED_CURE);
	cpu[1].caps.vmx = 0;
	assert_int_equal(judge_lock(&r, &cpus), CHECK_PASS);
}

/* Each bit in turn, on the last CPU. */
void test_check_names_each_lack(void **state)
{
	struct check_report r = { };
	struct check_cpu cpu[2];
	struct check_cpus cpus;
	char want[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(vmx_needs); i++) {
		cpus_make(&cpus, cpu, 2);
		assert_int_equal(judge_features(&r, &cpus), CHECK_PASS);
		cpu[1].caps.cap[vmx_needs[i].msr - 0x480] &= ~(1ULL << vmx_needs[i].bit);
		assert_int_equal(judge_features(&r, &cpus), CHECK_FAIL);
		snprintf(want, sizeof(want), "CPU 1 lacks %s", vmx_needs[i].what);
		assert_string_equal(r.found, want);
		assert_int_equal(judge_ept(&r, &cpus), CHECK_PASS);
	}
	for (i = 0; i < ARRAY_SIZE(ept_needs); i++) {
		cpus_make(&cpus, cpu, 2);
		assert_int_equal(judge_ept(&r, &cpus), CHECK_PASS);
		cpu[1].caps.cap[ept_needs[i].msr - 0x480] &= ~(1ULL << ept_needs[i].bit);
		assert_int_equal(judge_ept(&r, &cpus), CHECK_FAIL);
		snprintf(want, sizeof(want), "CPU 1 lacks %s", ept_needs[i].what);
		assert_string_equal(r.found, want);
	}
}

void test_check_uniform_names_the_msr(void **state)
{
	struct check_report r = { };
	struct check_cpu cpu[3];
	struct check_cpus cpus;

	(void)state;
	cpus_make(&cpus, cpu, 3);
	assert_int_equal(judge_uniform(&r, &cpus), CHECK_PASS);
	cpu[2].caps.cap[17] = 0x11;
	assert_int_equal(judge_uniform(&r, &cpus), CHECK_FAIL);
	assert_string_equal(r.found, "CPU 2: MSR 0x491 is 0x11, on CPU 0 it is 0xffffffffffffffff");
	cpu[1].caps.feature_control = 7;
	assert_int_equal(judge_uniform(&r, &cpus), CHECK_FAIL);
	assert_string_equal(r.found, "CPU 1: MSR 0x3a is 0x7, on CPU 0 it is 0x5");
}

void test_check_stores_are_named(void **state)
{
	struct check_report r = { };
	struct check_cpu cpu[2];
	struct check_cpus cpus;

	(void)state;
	cpus_make(&cpus, cpu, 2);
	assert_int_equal(judge_stores(&r, &cpus), CHECK_PASS);
	cpu[1].caps.feedback = 1;
	assert_int_equal(judge_stores(&r, &cpus), CHECK_FAIL);
	assert_string_equal(r.found, "CPU 1: hardware feedback stores into memory (IA32_HW_FEEDBACK_CONFIG is 0x1)");
	assert_string_equal(r.cure, FEEDBACK_ON_CURE);
	cpu[0].caps.rtit_ctl = 0x2000 | 1;
	assert_int_equal(judge_stores(&r, &cpus), CHECK_FAIL);
	assert_string_equal(r.found, "CPU 0: Intel PT traces into memory (IA32_RTIT_CTL is 0x2001)");
	assert_string_equal(r.cure, PT_ON_CURE);
	cpu[0].caps.rtit_ctl = 0x2000;	/* set up, but not on */
	cpu[1].caps.feedback = 2;
	assert_int_equal(judge_stores(&r, &cpus), CHECK_PASS);
	cpus.msrs = false;
	assert_int_equal(judge_stores(&r, &cpus), CHECK_SKIP);
}

void test_check_paging_and_count(void **state)
{
	struct check_report r = { };

	(void)state;
	tree_make();
	assert_int_equal(check_paging(&r), CHECK_SKIP);
	assert_int_equal(check_cpu_count(&r), CHECK_SKIP);
	tree_text("/proc/cpuinfo", "flags\t\t: fpu la57x\n");
	assert_int_equal(check_paging(&r), CHECK_PASS);
	assert_string_equal(r.found, "4-level paging");
	tree_text("/proc/cpuinfo", "flags\t\t: fpu la57\n");
	assert_int_equal(check_paging(&r), CHECK_PASS);
	assert_non_null(strstr(r.found, "5-level"));
	tree_text("/sys/devices/system/cpu/possible", "0-1023\n");
	assert_int_equal(check_cpu_count(&r), CHECK_PASS);
	tree_text("/sys/devices/system/cpu/possible", "0-1024\n");
	assert_int_equal(check_cpu_count(&r), CHECK_FAIL);
	assert_string_equal(r.found, "1025 CPUs are possible, the layer takes 1024");
	tree_text("/sys/devices/system/cpu/possible", "0\n");
	assert_int_equal(check_cpu_count(&r), CHECK_PASS);
	tree_remove();
}

void test_check_fred_is_refused(void **state)
{
	struct check_report r = { };

	(void)state;
	assert_int_equal(judge_fred(&r, ~(1u << 17)), CHECK_PASS);
	assert_int_equal(judge_fred(&r, 1u << 17), CHECK_FAIL);
	assert_string_equal(r.cure, FRED_CURE);
}

/* The hypervisor at each place where Linux looks, and what it offers. */
static struct {
	__u32 present, at, features;
	char signature[13];
} hypervisor;

static void fake_cpuid(__u32 leaf, __u32 *r)
{
	memset(r, 0, 16);
	if (leaf == 1)
		r[2] = hypervisor.present << 31;
	else if (leaf == hypervisor.at)
		memcpy(&r[1], hypervisor.signature, 12);
	else if (leaf == hypervisor.at + 1)
		r[0] = hypervisor.features;
}

void test_check_paravirt_names_the_feature(void **state)
{
	const __u32 harmless = 1 << 1 | 1 << 10 | 1 << 12 | 1 << 15 | 1 << 17 | 1 << 24;
	struct check_report r = { };
	__u32 bit;

	(void)state;
	hypervisor.at = 0x40000100;
	hypervisor.features = 1 << 11;
	memcpy(hypervisor.signature, "KVMKVMKVM\0\0\0", 12);
	assert_int_equal(judge_paravirt(&r, fake_cpuid), CHECK_PASS);	/* no VM */
	hypervisor.present = 1;
	assert_int_equal(judge_paravirt(&r, fake_cpuid), CHECK_FAIL);
	assert_non_null(strstr(r.found, "SEND_IPI"));
	assert_non_null(strstr(r.cure, "kvm=off"));
	for (bit = 0; bit < 32; bit++) {
		hypervisor.features = 1u << bit;
		if (bit <= 17 && bit != 8 && !(harmless >> bit & 1))
			assert_int_equal(judge_paravirt(&r, fake_cpuid), CHECK_FAIL);
	}
	hypervisor.features = harmless;
	assert_int_equal(judge_paravirt(&r, fake_cpuid), CHECK_PASS);
	memcpy(hypervisor.signature, "Microsoft Hv", 12);
	assert_int_equal(judge_paravirt(&r, fake_cpuid), CHECK_FAIL);
	assert_non_null(strstr(r.found, "Hyper-V's"));
	memcpy(hypervisor.signature, "TCGTCGTCGTCG", 12);
	assert_int_equal(judge_paravirt(&r, fake_cpuid), CHECK_PASS);
}

void test_cpuinfo_same(void **state)
{
	(void)state;
	assert_true(check_same("vmx flags: a b\nvmx flags: a b\n", "vmx flags"));
	assert_false(check_same("vmx flags: a b\nvmx flags: a\n", "vmx flags"));
	assert_true(check_same("flags: a\n", "vmx flags"));
}

void test_check_unused_names_the_module(void **state)
{
	struct check_report r = { };

	(void)state;
	tree_make();
	assert_int_equal(check_vmx_unused(&r), CHECK_PASS);
	tree_text("/sys/module/kvm_intel/refcnt", "0\n");
	assert_int_equal(check_vmx_unused(&r), CHECK_FAIL);
	assert_non_null(strstr(r.cure, "'modprobe -r kvm_intel'"));
	tree_text("/sys/module/underpin/initstate", "live\n");
	assert_int_equal(check_vmx_unused(&r), CHECK_PASS);
	tree_remove();
}

void test_check_lockdown_wants_signature(void **state)
{
	struct check_report r = { };

	(void)state;
	tree_make();
	assert_int_equal(check_lockdown(&r), CHECK_SKIP);
	tree_text("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	assert_int_equal(check_lockdown(&r), CHECK_FAIL);
	assert_non_null(strstr(r.cure, "sign"));
	tree_text("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	assert_int_equal(check_lockdown(&r), CHECK_PASS);
	tree_remove();
}

/* One unit, of 39 bits; its address and the sum are what a test changes. */
static void tree_dmar(uint32_t base)
{
	uint8_t table[64] = { 'D', 'M', 'A', 'R', sizeof(table), [36] = 38, [50] = 16, [52] = 1 };
	size_t i;

	memcpy(table + 56, &base, sizeof(base));
	for (i = 0; i < sizeof(table); i++)
		if (i != 9)
			table[9] -= table[i];
	tree_file("/sys/firmware/acpi/tables/DMAR", table, sizeof(table));
}

void test_check_iommu_judges_the_table(void **state)
{
	struct check_report r = { };

	(void)state;
	tree_make();
	assert_int_equal(check_iommu(&r), CHECK_FAIL);
	assert_non_null(strstr(r.cure, "firmware's setup"));
	tree_dmar(0xfed90000);
	assert_int_equal(check_iommu(&r), CHECK_PASS);
	assert_string_equal(r.found,
			    "VT-d: 1 units, not used by Linux; state 1: it does not translate");

	tree_text("/sys/class/iommu/dmar0/x", "");
	tree_text("/sys/kernel/iommu_groups/0/type", "identity\n");
	tree_text("/sys/kernel/iommu_groups/1/type", "identity\n");
	tree_text("/proc/cmdline", "root=/dev/sda1 iommu=pt\n");
	tree_text("/sys/class/iommu/dmar0/intel-iommu/ecap", "f0f76\n");
	assert_int_equal(check_iommu(&r), CHECK_PASS);
	assert_non_null(strstr(r.found, "; state 2: "));
	tree_text("/sys/kernel/iommu_groups/1/type", "DMA-FQ\n");
	assert_int_equal(check_iommu(&r), CHECK_PASS);
	assert_non_null(strstr(r.found, "; state 3: "));
	tree_text("/sys/class/iommu/dmar0/intel-iommu/ecap", "800000f0f76\n");
	assert_int_equal(check_iommu(&r), CHECK_FAIL);
	assert_non_null(strstr(r.found, "; state 4: "));
	assert_string_equal(r.cure, "boot with intel_iommu=on,sm_off iommu=pt");
	tree_text("/proc/cmdline", "intel_iommu=on,sm_off iommu=pt\n");
	assert_int_equal(check_iommu(&r), CHECK_PASS);
	assert_non_null(strstr(r.found, "; state 3: "));
	assert_non_null(strstr(r.found, "VT-d: 1 units, 1 used by Linux; "));
	tree_dmar(0);
	assert_int_equal(check_iommu(&r), CHECK_FAIL);
	assert_string_equal(r.found, "DMAR, byte 48: a unit's registers are at address 0");
	assert_non_null(strstr(r.cure, "enable VT-d"));
	tree_text("/sys/firmware/acpi/tables/DMAR", "");
	assert_int_equal(check_iommu(&r), CHECK_FAIL);
	tree_remove();
}

void test_check_kvm_ept_off(void **state)
{
	struct check_report r = { };

	(void)state;
	tree_make();
	assert_int_equal(check_kvm_ept(&r), CHECK_SKIP);
	tree_text("/sys/module/kvm_intel/parameters/ept", "N\n");
	assert_int_equal(check_kvm_ept(&r), CHECK_FAIL);
	tree_text("/sys/module/kvm_intel/parameters/ept", "Y\n");
	assert_int_equal(check_kvm_ept(&r), CHECK_PASS);
	tree_text("/sys/module/kvm_intel/parameters/unrestricted_guest", "N\n");
	assert_int_equal(check_kvm_ept(&r), CHECK_FAIL);
	tree_remove();
}

void test_check_smt_and_speculation(void **state)
{
	struct check_report r = { };

	(void)state;
	tree_make();
	assert_int_equal(check_smt(&r), CHECK_SKIP);
	assert_int_equal(check_speculation(&r), CHECK_SKIP);
	tree_text("/sys/devices/system/cpu/smt/active", "1\n");
	tree_text("/sys/devices/system/cpu/vulnerabilities/l1tf", "Not affected\n");
	assert_int_equal(check_smt(&r), CHECK_FAIL);
	assert_int_equal(check_speculation(&r), CHECK_PASS);
	tree_text("/sys/devices/system/cpu/vulnerabilities/mds", "Vulnerable\n");
	assert_int_equal(check_speculation(&r), CHECK_FAIL);
	assert_string_equal(r.found, "mds: Vulnerable");
	tree_remove();
}
