// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "userspace/cli/device.h"
#include "userspace/cli/observe.h"
#include "userspace/vm/name.h"
#include "tests.h"

/* What device_status() says on a file that answers no ioctl. */
static char *complaint(uint32_t cpu)
{
	static char text[256];
	struct underpin_status st;
	FILE *said = tmpfile();
	int null = open("/dev/null", O_RDWR), kept = dup(2);

	dup2(fileno(said), 2);
	assert_int_equal(device_status(null, cpu, &st), -1);
	fflush(stderr);
	dup2(kept, 2);
	close(kept);
	close(null);
	rewind(said);
	assert_non_null(fgets(text, sizeof(text), said));
	fclose(said);
	return text;
}

void test_status_errors_name_what_is_meant(void **state)
{
	(void)state;
	assert_non_null(strstr(complaint(3), "status of CPU 3: "));
	assert_non_null(strstr(complaint(UNDERPIN_CPU_NONE), "status of the layer: "));
	assert_null(strstr(complaint(UNDERPIN_CPU_NONE), "4294967295"));
}

void test_iommu_is_what_the_kernel_says(void **state)
{
	static const struct { const char *key, *value; } lines[] = {
		{ NULL, "none" }, { "allow_no_iommu", "1" }, { "reason", "a reason: of words" },
		{ "cure", "a cure" }, { "rea", NULL }, { "other", NULL },
	};
	size_t i;
	char *said;

	(void)state;
	tree_make();
	assert_null(device_iommu(NULL));
	tree_text("/sys/kernel/underpin/iommu",
		  "none\nallow_no_iommu 1\nreason a reason: of words\ncure a cure\n");
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		said = device_iommu(lines[i].key);
		if (lines[i].value)
			assert_string_equal(said, lines[i].value);
		else
			assert_null(said);
		free(said);
	}
	tree_remove();
}

void test_status_is_what_the_kernel_says(void **state)
{
	char *said;

	(void)state;
	tree_make();
	tree_text("/sys/kernel/underpin/state", "lost\n");
	said = device_state();
	tree_remove();
	assert_string_equal(said, "lost");
	free(said);
}

static const char report[] = "/tmp/unit-underpin.device";

static void entry(FILE *out, const char *key, const void *bytes, size_t len)
{
	char *hex = malloc(2 * len + 1);

	assert_non_null(hex);
	cli_hex(hex, bytes, len);
	fprintf(out, ",\"%s\":{\"hex\":\"%s\"}", key, hex);
	free(hex);
}

static void report_of_one_vm(void)
{
	struct underpin_status st = { .cpus = 1, .vms = 1, .ram_frames = 77 };
	struct underpin_vm_info info = { .id = 3, .pid = 711 };
	const uint32_t ids[] = { 3, 4 };
	FILE *out = fopen(report, "w");

	assert_non_null(out);
	fputs("{\"format\":\"underpin-report\",\"version\":1,", out);
	fputs("\"seen\":{\"/x\":{\"text\":\"\"}", out);
	entry(out, "device status", &st, sizeof(st));
	st.counters.apic_id = 9;
	entry(out, "device status 0", &st, sizeof(st));
	entry(out, "device status 1", &st, sizeof(st) - 8);
	entry(out, "device vms", ids, sizeof(ids));
	memset(info.death, 'x', sizeof(info.death));
	entry(out, "device vm 3", &info, sizeof(info));
	fputs("}}", out);
	fclose(out);
}

void test_a_report_answers_for_the_device(void **state)
{
	uint32_t ids[UNDERPIN_MAX_VMS] = { };
	struct underpin_vm_info info;
	struct underpin_status st;
	int dev;

	(void)state;
	report_of_one_vm();
	assert_int_equal(observe_replay(report), 0);
	dev = device_open();
	assert_true(dev >= 0);
	assert_int_equal(device_status(dev, UNDERPIN_CPU_NONE, &st), 0);
	assert_int_equal(st.ram_frames, 77);
	assert_int_equal(st.counters.apic_id, 0);
	assert_int_equal(device_status(dev, 0, &st), 0);
	assert_int_equal(st.counters.apic_id, 9);
	assert_int_equal(device_status(dev, 1, &st), -1);	/* of another size */
	assert_int_equal(device_status(dev, 2, &st), -1);	/* not in it */
	assert_int_equal(device_vm_ids(dev, ids), 2);
	assert_int_equal(ids[0], 3);
	assert_int_equal(ids[1], 4);
	assert_int_equal(device_vm_info(dev, 3, &info), 0);
	assert_int_equal(info.pid, 711);
	assert_int_equal(strlen((char *)info.death), sizeof(info.death) - 1);
	assert_int_equal(device_vm_info(dev, 4, &info), -1);
	close(dev);
	observe_forget();
	unlink(report);
}

void test_a_report_has_what_the_device_refused(void **state)
{
	uint32_t ids[UNDERPIN_MAX_VMS];
	struct underpin_status st;
	int null = open("/dev/null", O_RDWR);

	(void)state;
	observe_record();
	assert_int_equal(device_status(null, 5, &st), -1);
	assert_int_equal(observe_save(report), 0);
	assert_int_equal(observe_replay(report), 0);
	assert_int_equal(device_status(null, 5, &st), -1);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(device_vm_ids(null, ids), -1);
	assert_int_equal(errno, ENODATA);
	observe_forget();
	unlink(report);
	close(null);
}

void test_a_vm_has_the_name_its_command_says(void **state)
{
	static const struct { const char *line, *name; size_t len; } rows[] = {
#define ROW(line, name)	{ line, name, sizeof(line) }
		ROW("qemu\0-name\0web\0-S", "web"), ROW("qemu\0-S", NULL), ROW("qemu\0-name", NULL),
		ROW("qemu\0-name\0guest=tiny,debug-threads=on", "tiny"),
		ROW("qemu\0-name\0debug-threads=on,guest=a,,b,process=x", "a,b"),
		ROW("qemu\0-name\0a\n\x1b[2J\xe2\x80\xae.<b>", "a??[2J???.<b>"),
		ROW("qemu\0-name\0a\0-name\0b", "b"), ROW("", NULL),
#undef ROW
	};
	char *name;
	size_t i;

	(void)state;
	tree_make();
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		tree_file("/proc/7/cmdline", rows[i].line, rows[i].len);
		name = vm_name(7);
		if (rows[i].name)
			assert_string_equal(name, rows[i].name);
		else
			assert_null(name);
		free(name);
	}
	assert_null(vm_name(8));
	tree_remove();
}
