// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load on a daemon over kept connections:
 *
 *   load URL CERT KEY CA THREADS SECONDS RESOURCE-PREFIX
 *
 * Each thread provisions and releases RESOURCE-PREFIX<thread>, over and over.
 * Prints: grants, requests a second, p50 and p99 of a provision in microseconds.
 */
#include <openssl/rand.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/http.h"

#define SAMPLES_MAX	200000

static char **arg;
static int64_t until;
static struct tls_files *files;

struct thread {
	pthread_t id;
	int number, n, bad;
	int64_t *sample;
};

static int64_t ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int ask(const struct thread *t, const char *action)
{
	struct http_tls tls = { files, "application" };
	struct http_answer a;
	char body[400], id[33];
	struct timespec now;
	struct pol_err e;
	uint8_t raw[16];
	int i, ok;

	RAND_bytes(raw, sizeof(raw));
	for (i = 0; i < 16; i++)
		sprintf(id + 2 * i, "%02x", raw[i]);
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(body, sizeof(body), "{\"v\":1,\"id\":\"%s\",\"issued\":%lld,\"deadline_ms\":5000,"
		 "\"action\":\"%s\",\"resource\":\"%s%d\"}", id, now.tv_sec * 1000ll +
		 now.tv_nsec / 1000000, action, arg[7], t->number);
	if (http_post(arg[1], &tls, body, 10000, &a, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		return 0;
	}
	ok = !!strstr(a.body, "\"verdict\":\"permit\"");
	if (!ok)
		fprintf(stderr, "%s\n", a.body);
	free(a.body);
	return ok;
}

static void *run(void *p)
{
	struct thread *t = p;
	int64_t begin;

	while (ns() < until && t->n < SAMPLES_MAX && t->bad < 10) {
		begin = ns();
		if (!ask(t, "provision")) {
			t->bad++;
			continue;
		}
		t->sample[t->n++] = ns() - begin;
		t->bad += !ask(t, "release");
	}
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int n = argc == 8 ? atoi(argv[5]) : 0, i, all = 0, bad = 0;
	struct thread *t = calloc(n + 1, sizeof(*t));
	int64_t *s = calloc(SAMPLES_MAX * (n + 1), sizeof(*s)), begin = ns();
	struct pol_err e;
	double seconds;

	if (!n)
		return 2;
	arg = argv;
	files = tls_load(arg[2], arg[3], arg[4], NULL, &e);
	if (!files) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	until = begin + atoll(argv[6]) * 1000000000;
	for (i = 0; i < n; i++) {
		t[i].number = i + 1;
		t[i].sample = s + i * SAMPLES_MAX;
		pthread_create(&t[i].id, NULL, run, &t[i]);
	}
	for (i = 0; i < n; i++) {
		pthread_join(t[i].id, NULL);
		memmove(s + all, t[i].sample, t[i].n * sizeof(*s));
		all += t[i].n;
		bad += t[i].bad;
	}
	seconds = (ns() - begin) / 1e9;
	qsort(s, all, sizeof(*s), by_value);
	if (!all)
		return 1;
	printf("%d %.0f %.0f %.0f\n", all, 2 * all / seconds, s[all / 2] / 1e3,
	       s[all * 99 / 100] / 1e3);
	return bad != 0;
}
