// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench gen RULES DIR      a policy of RULES rules or a few more (10 of 11 assign a user,
 *                          one permits), and requests, for every engine
 * bench run DIR            load it cold, decide the requests: one row
 * bench count DIR          decide 2,000 requests, for callgrind
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "compile/compile.h"
#include "engine/pdp.h"

#define REQUESTS	20000
#define NOW		1795340000	/* a Sunday; the policy's windows are every day */

static FILE *file(const char *dir, const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

static FILE *sheet(const char *dir, const char *name, const char *root)
{
	FILE *f = file(dir, name);

	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns=\"urn:underpin:policy:1\"%s>\n",
		root, strcmp(root, "roles") ? "" : " cloud=\"bench\"");
	return f;
}

static void end(FILE *f, const char *root)
{
	fprintf(f, "</%s>\n", root);
	fclose(f);
}

/* Roles in groups of ten: nine inherit the tenth; two sets of separated duty a hundred. */
static void gen_roles(const char *dir, int roles)
{
	FILE *f = sheet(dir, "roles.xml", "roles");
	int i;

	for (i = 0; i < roles; i++)
		if (i % 10)
			fprintf(f, "<role name=\"group%d\" period=\"open\"><inherits role=\"group%d\"/>"
				"</role>\n", i, i - i % 10);
		else
			fprintf(f, "<role name=\"group%d\" period=\"open\"/>\n", i);
	end(f, "roles");
	f = sheet(dir, "constraints.xml", "constraints");
	fprintf(f, "<attribute name=\"request.purpose\" type=\"string\"/>\n"
		"<attribute name=\"user.level\" type=\"integer\"/>\n"
		"<condition name=\"purposeful\"><all><in attribute=\"request.purpose\" "
		"values=\"production repair\"/><at-least attribute=\"user.level\" value=\"2\"/>"
		"</all></condition>\n<period name=\"open\" zone=\"Europe/Berlin\">"
		"<window from=\"06:00\" until=\"05:00\"/></period>\n");
	for (i = 0; i + 100 <= roles; i += 100)
		fprintf(f, "<ssd name=\"s%d\" roles=\"group%d group%d\"/>\n"
			"<dsd name=\"d%d\" roles=\"group%d group%d\"/>\n",
			i, i + 11, i + 21, i, i + 12, i + 22);
	end(f, "constraints");
}

static void gen_users(const char *dir, int users)
{
	FILE *u = sheet(dir, "users.xml", "users"), *a = sheet(dir, "assignments.xml", "assignments");
	FILE *csv = file(dir, "assignments.csv");
	int i;

	for (i = 0; i < users; i++) {
		fprintf(u, "<user name=\"user%d\"><attribute name=\"user.level\" value=\"%d\"/></user>\n",
			i, 1 + i % 5);
		fprintf(a, "<assign user=\"user%d\" role=\"group%d\"/>\n", i, i / 10);
		fprintf(csv, "user%d,group%d,%d\n", i, i / 10, 1 + i % 5);
	}
	end(u, "users");
	end(a, "assignments");
	fclose(csv);
}

static void gen_permits(const char *dir, int roles)
{
	FILE *p = sheet(dir, "permissions.xml", "permissions"), *r = sheet(dir, "resources.xml",
									   "resources");
	FILE *csv = file(dir, "permissions.csv");
	int i;

	fprintf(r, "<type name=\"data\" layer=\"application\" actions=\"read write\"/>\n");
	for (i = 0; i < roles; i++) {
		fprintf(p, "<permit role=\"group%d\" action=\"read\" instance=\"data%d\" "
			"condition=\"purposeful\"/>\n", i, i);
		fprintf(r, "<instance name=\"data%d\" type=\"data\"/>\n", i);
		fprintf(csv, "group%d,data%d,read,%s\n", i, i, i % 10 ? "inherits" : "-");
	}
	end(p, "permissions");
	end(r, "resources");
	fclose(csv);
}

/* Half of what is asked is permitted to the role or to the one that it inherits. */
static void gen_requests(const char *dir, int users, int roles)
{
	FILE *f = file(dir, "requests.tsv");
	uint32_t x = 12345;
	int i, user, role, data;

	for (i = 0; i < REQUESTS; i++) {
		x = x * 1103515245 + 12345;
		user = (x >> 8) % users;
		role = user / 10;
		data = i % 4 == 0 ? role : i % 4 == 1 ? role - role % 10 : i % 4 == 2 ?
			(role + 7) % roles : role;
		fprintf(f, "user%d\tdata%d\t%s\t%s\n", user, data, i % 8 == 7 ? "write" : "read",
			i % 16 == 3 ? "play" : "production");
	}
	fclose(f);
}

struct asked {
	char user[24], data[24], action[8], purpose[16];
};

static struct asked *load_requests(const char *dir, int *n)
{
	struct asked *a = calloc(REQUESTS, sizeof(*a));
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/requests.tsv", dir);
	f = fopen(path, "re");
	for (*n = 0; f && *n < REQUESTS && fscanf(f, "%23s %23s %7s %15s", a[*n].user, a[*n].data,
						  a[*n].action, a[*n].purpose) == 4; ++*n)
		;
	if (f)
		fclose(f);
	return a;
}

static __attribute__((noinline)) bool decide(const struct pol_image *p, const struct asked *a)
{
	struct pdp_attr attr = { "request.purpose", a->purpose, C_REQUEST };
	struct pdp_request in = { .user = a->user, .authenticated = true, .mapped = POL_NONE,
				  .action = a->action, .instance = a->data, .now = NOW,
				  .attr = &attr, .n_attr = 1 };
	static const struct pol_session fresh;
	struct pol_decision d;
	struct pdp_store st;
	struct pol_query q;

	in.session = &fresh;
	pdp_decide(p, &in, &st, &q, &d);
	return d.permit;
}

static int64_t ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double rss_mib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f || fscanf(f, "%*s %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * 4096.0 / 1048576;
}

/* @policy: the sheets of @dir, or their compiled form elsewhere */
static int run(const char *policy, const char *dir, bool count)
{
	int64_t begin = ns(), load, t, *lat = calloc(REQUESTS, sizeof(*lat));
	struct pol_image *p;
	struct pol_err e;
	struct asked *a;
	int n, i, permits = 0;

	p = pol_load(policy, &e);
	load = ns() - begin;
	if (!p) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	a = load_requests(dir, &n);
	n = count && n > 2000 ? 2000 : n;
	for (i = 0; i < n; i++) {
		t = ns();
		permits += decide(p, &a[i]);
		lat[i] = ns() - t;
	}
	qsort(lat, n, sizeof(*lat), by_value);
	if (!count)
		printf("underpin\t%u\t%.3f\t%.3f\t%.1f\t%.1f\n", p->n_assign + p->n_permit,
		       lat[n / 2] / 1e3, lat[n * 99 / 100] / 1e3, load / 1e6, rss_mib());
	fprintf(stderr, "underpin: %d of %d permitted\n", permits, n);
	pol_free(p);
	free(a);
	free(lat);
	return 0;
}

int main(int argc, char **argv)
{
	int rules;

	if (argc == 4 && !strcmp(argv[1], "gen")) {
		rules = (atoi(argv[2]) + 10) / 11;
		mkdir(argv[3], 0755);
		gen_roles(argv[3], rules);
		gen_users(argv[3], rules * 10);
		gen_permits(argv[3], rules);
		gen_requests(argv[3], rules * 10, rules);
		return 0;
	}
	if (argc == 3 && (!strcmp(argv[1], "run") || !strcmp(argv[1], "count")))
		return run(argv[2], argv[2], argv[1][0] == 'c');
	if (argc == 4 && !strcmp(argv[1], "count"))
		return run(argv[3], argv[2], true);
	fprintf(stderr, "usage: bench gen RULES DIR | run DIR | count DIR [COMPILED]\n");
	return 2;
}
