// SPDX-License-Identifier: GPL-2.0
/* What the layer will take of this host's memory: module/size.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "userspace/check/check.h"
#include "userspace/cli/sysfile.h"

#define PAGE(n)	((n) / SIZE_PAGE)

struct up_range *check_ram(const char *iomem, unsigned int *ranges)
{
	struct up_range *ram = NULL;
	unsigned long long start, end;
	unsigned int n = 0;
	char what[16];

	/* As module/ram.c: wherever it is in the tree, what lies in it passed over. */
	for (; *iomem; iomem = strchrnul(iomem, '\n'), iomem += *iomem == '\n') {
		if (sscanf(iomem, "%llx-%llx : %15[^\n]", &start, &end, what) != 3 ||
		    strncmp(what, "System RAM", 10))
			continue;
		start = PAGE(start + SIZE_PAGE - 1);
		end = PAGE(end + 1);
		if (start >= end || (n && start < ram[n - 1].end_pfn))
			continue;
		if (n && start == ram[n - 1].end_pfn) {
			ram[n - 1].end_pfn = end;
			continue;
		}
		ram = reallocarray(ram, n + 1, sizeof(*ram));
		if (!ram)
			abort();
		ram[n++] = (struct up_range) { start, end };
	}
	*ranges = n;
	return ram;
}

/* MemAvailable, in MiB. */
static unsigned long long available(void)
{
	char *text = sysfile_read(NULL, "/proc/meminfo");
	const char *rest = text, *value;
	unsigned long long kib = 0;
	size_t len;

	value = text ? check_value(&rest, "MemAvailable", &len) : NULL;
	if (value)
		kib = strtoull(value, NULL, 10);
	free(text);
	return kib / 1024;
}

enum check_result judge_memory(struct check_report *r, const struct size_host *host)
{
	unsigned long long takes = size_layer(host) * SIZE_PAGE >> 20, there = available();

	/* Others than root see ranges of nothing. */
	if (!host->ranges || !host->cpus || !there)
		return check_skip(r, "Linux shows addresses to root only");
	if (check_loaded())
		return check_pass(r, "the layer has taken its memory");
	if (takes > there)
		return check_need(r, NO_MEMORY, takes, there);
	return check_pass(r, "the layer takes %llu MiB, %llu MiB are available", takes, there);
}

enum check_result check_memory(struct check_report *r)
{
	struct size_host host = { .cpus = check_cpus()->n, .cpu_numbers = check_cpu_numbers() };
	char *text = sysfile_read(NULL, "/proc/iomem");
	enum check_result result;
	struct up_range *ram;

	if (!text)
		return check_skip(r, "/proc/iomem cannot be read: %s", strerror(errno));
	ram = check_ram(text, &host.ranges);
	free(text);
	host.ram = ram;
	result = judge_memory(r, &host);
	free(ram);
	return result;
}
