// SPDX-License-Identifier: GPL-2.0-only
/*
 * underpin policy test: a table of expectations, a request a row, tab-separated:
 *
 *   user  action  resource  time  attributes  expected
 *
 * "-" is nothing; "alice as requester" names the role to act in, and "in session" at
 * the end says that the request begins a session; a resource that begins with "type:"
 * is a type, a user that begins with "sla:" a mapped role;
 * attributes are name=value with ";" between; expected is "permit" or a reason's
 * name. Empty lines and those with "#" pass.
 */
#include <errno.h>
#include <stdio.h>

#include "cmd.h"

#define TABLE_LINE_MAX	4096

struct table {
	const struct cmd_opts *o;
	const struct pol_image *p;
	uint8_t *permit, *assign, *mediate;	/* rules that a decision met */
	json_t *failures;
	int rows, failed;
};

static int split(char *line, char **field, int n)
{
	int i;

	for (i = 0; i < n && line; i++)
		field[i] = strsep(&line, "\t");
	return i == n && !line ? 0 : -EINVAL;
}

static int attributes(char *text, struct pdp_attr *a, uint32_t *n)
{
	char *one, *eq;

	*n = 0;
	if (!strcmp(text, "-"))
		return 0;
	while ((one = strsep(&text, ";"))) {
		eq = strchr(one, '=');
		if (!eq || *n == POL_ATTRS_MAX)
			return -EINVAL;
		*eq = 0;
		a[(*n)++] = (struct pdp_attr){ one, eq + 1, strncmp(one, "claim.", 6) ?
					       C_REQUEST : C_CLAIM };
	}
	return 0;
}

static void cover(struct table *t, const struct pol_decision *d)
{
	uint32_t i;

	for (i = 0; i < d->n; i++) {
		if (d->reason[i].assign < t->p->n_assign)
			t->assign[d->reason[i].assign] = 1;
		if (d->reason[i].code != R_ASSIGN_PERIOD &&
		    d->reason[i].code != R_ASSIGN_CONDITION && d->reason[i].rule < t->p->n_permit)
			t->permit[d->reason[i].rule] = 1;
	}
}

static void row_failed(struct table *t, int line, const char *want, const char *got,
		       const char *why)
{
	t->failed++;
	json_array_append_new(t->failures, json_pack("{s:i,s:s,s:s,s:s}", "line", line,
						     "expected", want, "got", got, "why", why));
	if (!t->o->json)
		printf("%s:%d: expected %s, got %s: %s\n", t->o->arg[1], line, want, got, why);
}

/* "USER [as ROLE] [in session]" */
static void take_user(const struct pol_image *p, char *text, struct pdp_request *in)
{
	static const struct pol_session fresh;
	char *end = strstr(text, " in session"), *as;

	if (end && !end[11]) {
		*end = 0;
		in->session = &fresh;
	}
	as = strstr(text, " as ");
	if (as) {
		*as = 0;
		in->role = as + 4;
	}
	if (!strncmp(text, "sla:", 4))
		in->mapped = pol_find(p, P_ROLE, text + 4);
	else if (strcmp(text, "-"))
		in->user = text;
	in->authenticated = in->user || in->mapped != POL_NONE;
}

static int run_row(struct table *t, char **f, int line)
{
	struct pdp_attr attr[POL_ATTRS_MAX];
	struct pdp_request in = { .mapped = POL_NONE, .attr = attr };
	struct pol_decision d;
	struct pdp_store st;
	struct pol_query q;
	char why[1400];
	const char *got;

	if (attributes(f[4], attr, &in.n_attr) || cmd_time(strcmp(f[3], "-") ? f[3] : NULL,
							   &in.now))
		return -EINVAL;
	in.action = f[1];
	in.type = !strncmp(f[2], "type:", 5) ? f[2] + 5 : NULL;
	in.instance = in.type ? NULL : f[2];
	take_user(t->p, f[0], &in);
	pdp_decide(t->p, &in, &st, &q, &d);
	cover(t, &d);
	t->rows++;
	got = reason_name(d.reason[0].code);
	if (strcmp(got, f[5])) {
		reason_text(t->p, &q, &d.reason[0], why, sizeof(why));
		row_failed(t, line, f[5], got, why);
	}
	return 0;
}

static int run_table(struct table *t, FILE *in)
{
	char line[TABLE_LINE_MAX], *f[6];
	int n;

	for (n = 1; fgets(line, sizeof(line), in); n++) {
		if (!strchr(line, '\n') && !feof(in)) {
			fprintf(stderr, "%s:%d: a line has at most %d bytes\n", t->o->arg[1], n,
				TABLE_LINE_MAX);
			return -EINVAL;
		}
		line[strcspn(line, "\r\n")] = 0;
		if (!*line || *line == '#' || !strncmp(line, "user\t", 5))
			continue;
		if (split(line, f, 6) || run_row(t, f, n)) {
			fprintf(stderr, "%s:%d: not 'user action resource time attributes "
				"expected' with tabs between\n", t->o->arg[1], n);
			return -EINVAL;
		}
	}
	return 0;
}

static json_t *never(const struct pol_image *p, const uint8_t *seen, const char *kind,
		     json_t *list)
{
	bool assign = !strcmp(kind, "assignment");
	uint32_t n = assign ? p->n_assign : p->n_permit, i;
	char where[160];

	for (i = 0; i < n; i++)
		if (!seen[i])
			json_array_append_new(list, json_pack("{s:s,s:s}", "rule", kind, "at",
				pol_where(p, assign ? p->assign[i].at : p->permit[i].at, where)));
	return list;
}

static int finish(struct table *t)
{
	json_t *missed = json_array(), *m;
	uint32_t n = t->p->n_assign + t->p->n_permit;
	size_t i;

	never(t->p, t->assign, "assignment", missed);
	never(t->p, t->permit, "permission", missed);
	if (t->o->json) {
		cmd_print_json(json_pack("{s:i,s:i,s:O,s:i,s:i,s:O}", "rows", t->rows, "failed",
					 t->failed, "failures", t->failures, "rules", n, "covered",
					 n - (int)json_array_size(missed), "never", missed));
	} else {
		json_array_foreach(missed, i, m)
			printf("never met: %s at %s\n",
			       json_string_value(json_object_get(m, "rule")),
			       json_string_value(json_object_get(m, "at")));
		printf("%d rows, %d failed; %u of %u rules met\n", t->rows, t->failed,
		       n - (uint32_t)json_array_size(missed), n);
	}
	json_decref(missed);
	return t->failed ? CMD_NO : CMD_OK;
}

int cmd_test(const struct cmd_opts *o)
{
	struct table t = { .o = o };
	struct pol_image *p;
	struct pol_err e;
	int ret = CMD_SYSTEM;
	FILE *in;

	p = pol_load(o->arg[0], &e);
	if (!p)
		return cmd_error(o, CMD_BAD, e.msg);
	in = fopen(o->arg[1], "re");
	t.p = p;
	t.permit = calloc(p->n_permit + 1, 1);
	t.assign = calloc(p->n_assign + 1, 1);
	t.failures = json_array();
	if (!in)
		cmd_error(o, CMD_SYSTEM, "the table cannot be read");
	else if (t.permit && t.assign && t.failures)
		ret = run_table(&t, in) ? CMD_USAGE : finish(&t);
	if (in)
		fclose(in);
	free(t.permit);
	free(t.assign);
	json_decref(t.failures);
	pol_free(p);
	return ret;
}
