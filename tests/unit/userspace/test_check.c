// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <unistd.h>
#include "check.h"
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

void test_madt_counts_processors(void **state)
{
	struct madt_cpus cpus;

	(void)state;
	madt_start();
	madt_add(0, 8, 4, 1);
	madt_add(1, 12, 4, 1);		/* an I/O APIC */
	madt_add(0, 8, 4, 0);		/* an empty socket */
	madt_add(0, 8, 4, 2);		/* could be added later */
	madt_add(9, 16, 8, 1);		/* an x2APIC */
	assert_int_equal(check_madt(madt, madt_len, &cpus), 0);
	assert_int_equal(cpus.enabled, 2);
	assert_int_equal(cpus.online_capable, 1);
}

void test_madt_refuses_malformed(void **state)
{
	struct madt_cpus cpus;

	(void)state;
	madt_start();
	assert_int_equal(check_madt(madt, 43, &cpus), -1);
	madt_add(0, 8, 4, 1);
	assert_int_equal(check_madt(madt, madt_len - 1, &cpus), -1);
	madt[45] = 0;			/* would never end */
	assert_int_equal(check_madt(madt, madt_len, &cpus), -1);
	madt[0] = 'X';
	assert_int_equal(check_madt(madt, madt_len, &cpus), -1);
}

void test_cpuinfo_flags(void **state)
{
	static const char text[] = "processor\t: 0\nflags\t\t: fpu vmx sse\nvmx flags\t: ept vpid\n"
		"processor\t: 1\nflags\t\t: fpu vmx\nvmx flags\t: ept\n";

	(void)state;
	assert_int_equal(check_flag(text, "flags", "vmx"), 1);
	assert_int_equal(check_flag(text, "flags", "sse"), -1);
	assert_int_equal(check_flag(text, "flags", "vm"), 0);
	assert_int_equal(check_flag(text, "vmx flags", "vpid"), -1);
	assert_int_equal(check_flag(text, "vmx flags", "ept"), 1);
	assert_int_equal(check_flag(text, "bugs", "l1tf"), -2);
	assert_int_equal(check_flag("", "flags", "vmx"), -2);
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
	assert_non_null(strstr(r.cure, "rmmod kvm_intel"));
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

void test_check_cpus_missing(void **state)
{
	long i, online = sysconf(_SC_NPROCESSORS_ONLN);
	struct check_report r = { };

	(void)state;
	tree_make();
	assert_int_equal(check_cpus_online(&r), CHECK_SKIP);
	if (online <= 20) {
		madt_start();
		for (i = 0; i < online; i++)
			madt_add(0, 8, 4, 1);
		tree_file("/sys/firmware/acpi/tables/APIC", madt, madt_len);
		assert_int_equal(check_cpus_online(&r), CHECK_PASS);
		madt_add(0, 8, 4, 1);
		tree_file("/sys/firmware/acpi/tables/APIC", madt, madt_len);
		assert_int_equal(check_cpus_online(&r), CHECK_FAIL);
	}
	tree_text("/sys/firmware/acpi/tables/APIC", "APIC");
	assert_int_equal(check_cpus_online(&r), CHECK_FAIL);
	assert_string_equal(r.found, "the MADT is malformed");
	tree_remove();
}
