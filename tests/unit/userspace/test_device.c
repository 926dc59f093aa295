// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "userspace/cli/device.h"
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
