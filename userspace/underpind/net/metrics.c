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

const uint32_t metrics_bucket_ms[METRICS_BUCKETS] = {
	1, 2, 5, 10, 25, 50, 100, 500, 1000, 5000,
};

void metrics_took(struct metrics *m, uint64_t ms)
{
	int i = 0;

	while (i < METRICS_BUCKETS && ms > metrics_bucket_ms[i])
		i++;
	m->took[i]++;
	m->took_ms += ms;
}

static void histogram(FILE *f, const struct metrics *m, const char *labels)
{
	static const char name[] = "underpind_answer_seconds";
	uint64_t n = 0;
	int i;

	fprintf(f, "# HELP %s Time that answers took.\n# TYPE %s histogram\n", name, name);
	for (i = 0; i <= METRICS_BUCKETS; i++) {
		n += m->took[i];
		if (i < METRICS_BUCKETS)
			fprintf(f, "%s_bucket{%s,le=\"%g\"} %llu\n", name, labels,
				metrics_bucket_ms[i] / 1000.0, (unsigned long long)n);
	}
	fprintf(f, "%s_bucket{%s,le=\"+Inf\"} %llu\n%s_sum{%s} %llu.%03llu\n%s_count{%s} %llu\n",
		name, labels, (unsigned long long)n, name, labels,
		(unsigned long long)m->took_ms / 1000, (unsigned long long)m->took_ms % 1000, name,
		labels, (unsigned long long)n);
}

static void gauge(FILE *f, const char *name, const char *help, const char *labels, uint32_t v)
{
	fprintf(f, "# HELP underpind_%s %s.\n# TYPE underpind_%s gauge\n"
		"underpind_%s{%s} %u\n", name, help, name, name, labels, v);
}

char *metrics_text(const struct metrics *m, const struct metrics_now *now, const char *cloud,
		   const char *layer)
{
	char *text = NULL, labels[256];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	snprintf(labels, sizeof(labels), "cloud=\"%s\",layer=\"%s\"", cloud, layer);
#define X(member, name, help) one(f, name, help, cloud, layer, &m->member);
	METRICS(X)
#undef X
	histogram(f, m, labels);
	gauge(f, "requests_under_way", "Requests that are being answered", labels, now->works);
	gauge(f, "connections_open", "Connections to this daemon", labels, now->connections);
	fclose(f);
	return text;
}
