// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "userspace/check/check.h"
#include "userspace/cli/observe.h"
#include "userspace/cli/sysfile.h"
#include "tests.h"

static const char file[] = "/tmp/unit-underpin.report";

static void report_is(const char *text)
{
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* What was seen of a tree is seen without it, bytes and errors included. */
void test_observe_replays_what_was_seen(void **state)
{
	static const char binary[] = "AP\0\xff\n";
	struct check_report before = { }, after = { };
	uint64_t val;
	size_t len;
	char *data;

	(void)state;
	tree_make();
	tree_text("/sys/devices/system/cpu/smt/active", "1\n");
	tree_file("/sys/firmware/acpi/tables/APIC", binary, sizeof(binary));
	tree_text("/sys/class/iommu/dmar0/x", "");
	tree_file("/dev/cpu/3/msr", "\0\0\0\0\0\0\0\0\x88\x77\x66\x55\x44\x33\x22\x11", 16);
	observe_record();
	assert_int_equal(check_smt(&before), CHECK_FAIL);
	free(sysfile_read(&len, "/sys/firmware/acpi/tables/APIC"));
	assert_int_equal(sysfile_entries("/sys/class/iommu"), 1);
	assert_null(sysfile_read(NULL, "/proc/none"));
	assert_true(sysfile_msr(3, 8, &val));
	assert_false(sysfile_msr(3, 4096, &val));
	assert_false(sysfile_usable("/dev/none"));
	assert_int_equal(observe_save(file), 0);
	tree_remove();

	assert_int_equal(observe_replay(file), 0);
	assert_int_equal(check_smt(&after), CHECK_FAIL);
	assert_string_equal(before.found, after.found);
	data = sysfile_read(&len, "/sys/firmware/acpi/tables/APIC");
	assert_int_equal(len, sizeof(binary));
	assert_memory_equal(data, binary, len);
	free(data);
	assert_int_equal(sysfile_entries("/sys/class/iommu"), 1);
	assert_null(sysfile_read(NULL, "/proc/none"));
	assert_int_equal(errno, ENOENT);
	assert_true(sysfile_msr(3, 8, &val));
	assert_true(val == 0x1122334455667788);
	assert_false(sysfile_msr(3, 4096, &val));
	assert_false(sysfile_usable("/dev/none"));
	assert_int_equal(errno, ENOENT);
	assert_null(sysfile_read(NULL, "/proc/version"));	/* it is here, but not there */
	assert_int_equal(errno, ENODATA);
	observe_forget();
	unlink(file);
}

void test_observe_refuses_what_is_no_report(void **state)
{
	static const char * const bad[] = {
		"", "{", "[]", "{}", "{\"format\":\"underpin-report\"}",
		"{\"format\":\"underpin-report\",\"version\":2,\"seen\":{}}",
		"{\"format\":\"x\",\"version\":1,\"seen\":{}}",
		"{\"format\":\"underpin-report\",\"version\":1,\"seen\":[]}",
	};
	uint32_t regs[4] = { 1 };
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		report_is(bad[i]);
		assert_int_equal(observe_replay(file), -1);
	}
	report_is("{\"format\":\"underpin-report\",\"version\":1,\"seen\":{\"/a\":{\"hex\":\"zz\"},"
		  "\"/b\":{\"hex\":\"414\"},\"/c\":7,\"/d\":{\"text\":[1]},\"cpuid 0 0x1 0x0\":{\"text\":\"x\"}}}");
	assert_int_equal(observe_replay(file), 0);
	assert_null(sysfile_read(&len, "/a"));
	assert_null(sysfile_read(&len, "/b"));
	assert_null(sysfile_read(&len, "/c"));
	assert_null(sysfile_read(&len, "/d"));
	assert_int_equal(sysfile_entries("/none"), 0);
	sysfile_cpuid(0, 1, 0, regs);
	assert_int_equal(regs[0], 0);
	observe_forget();
	unlink(file);
}
