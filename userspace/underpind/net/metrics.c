// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>

#include "net/metrics.h"

static void one(FILE *f, const char *name, const char *help, const char *cloud,
		const char *layer, const uint64_t *value)
{
	fprintf(f, "# HELP underpind_%s %s.\n# TYPE underpind_%s counter\n"
		"underpind_%s{cloud=\"%s\",layer=\"%s\"} %llu\n", name, help, name, name, cloud,
		layer, (unsigned long long)__atomic_load_n(value, __ATOMIC_RELAXED));
}

char *metrics_text(const struct metrics *m, const char *cloud, const char *layer)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
#define X(member, name, help) one(f, name, help, cloud, layer, &m->member);
	METRICS(X)
#undef X
	one(f, "answer_microseconds_sum", "Time that answers took", cloud, layer,
	    &m->answer_us_sum);
	one(f, "answer_microseconds_count", "Answers", cloud, layer, &m->answer_count);
	fclose(f);
	return text;
}
