// SPDX-License-Identifier: GPL-2.0-only
/*
 * underpin policy test: a table of expectations, a request a row, tab-separated:
 *
 *   user  action  resource  time  attributes  expected
 *
 * "-" is nothing; "alice as requester" names the role to act in, and "in session" at
 * the end says that the request begins a session; a resource that begins with "type:"
 * is a type, a user that begins with "sla:" a mapped role. As user, "from CLOUD by SLA
 * as ROLE" asks as that cloud does, the SLA module and then the ACM, and "to CLOUD by
 * SLA as ROLE" asks the SLA module as the VRM does, for a role that is held; "mapped"
 * at the end says that an SLA mapped the role before. A permit is "mapped" there.
 * Attributes are name=value with ";" between; expected is "permit" or a reason's
 * name. Empty lines and those with "#" pass.
 */
#include <errno.h>
#include <stdio.h>

#include "compile/compile.h"
#include "tool/cmd.h"

#define TABLE_LINE_MAX	4096

struct table {
	const struct cmd_opts *o;
	const struct pol_image *p;
	uint8_t *permit, *assign, *map, *visible, *mediate;	/* rules that a decision met */
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

static void cover_sla(struct table *t, const struct pol_reason *r)
{
	if (r->code == R_SLA_MAPPED) {
		t->map[r->what] = 1;
		t->visible[r->node] = 1;
	}
	if (r->code >= R_NO_SLA && r->assign != POL_NONE)
		t->mediate[r->assign] = 1;
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

/* "from|to CLOUD by SLA as ROLE [mapped]" */
static bool take_sla(char *text, struct cmd_sla *s)
{
	char *by = strstr(text, " by "), *as = by ? strstr(by, " as ") : NULL, *end;

	s->provider = !strncmp(text, "from ", 5);
	if (!as || (!s->provider && strncmp(text, "to ", 3)))
		return false;
	*by = *as = 0;
	s->peer = text + (s->provider ? 5 : 3);
	s->id = by + 4;
	s->role = as + 4;
	end = strstr(as + 4, " mapped");
	s->chained = end && !end[7];
	if (s->chained)
		*end = 0;
	return true;
}

/* What the modules that the row asks say, and the query for the reason's text, if any. */
static const struct pol_query *ask(struct table *t, char *who, struct pdp_request *in,
				   struct pdp_store *st, struct pol_query *q,
				   struct pol_reason *r)
{
	struct cmd_sla s = { 0 };
	struct cmd_sla_answer a;
	struct pol_decision d;

	if (take_sla(who, &s)) {
		cmd_sla_ask(t->p, &s, in, &a);
		cover_sla(t, &a.sla);
		cover(t, &a.acm);
		*r = *a.last;
		return NULL;
	}
	take_user(t->p, who, in);
	pdp_decide(t->p, in, st, q, &d);
	cover(t, &d);
	*r = d.reason[0];
	return q;
}

static int run_row(struct table *t, char **f, int line)
{
	struct pdp_attr attr[POL_ATTRS_MAX];
	struct pdp_request in = { .mapped = POL_NONE, .attr = attr };
	const struct pol_query *asked;
	struct pdp_store st;
	struct pol_reason r;
	struct pol_query q;
	char why[1400];
	const char *got;

	if (attributes(f[4], attr, &in.n_attr) || cmd_time(strcmp(f[3], "-") ? f[3] : NULL,
							   &in.now))
		return -EINVAL;
	in.action = f[1];
	in.type = !strncmp(f[2], "type:", 5) ? f[2] + 5 : NULL;
	in.instance = in.type ? NULL : f[2];
	asked = ask(t, f[0], &in, &st, &q, &r);
	t->rows++;
	got = reason_name(r.code);
	if (strcmp(got, f[5])) {
		reason_text(t->p, asked, &r, why, sizeof(why));
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

static void never(json_t *list, const char *rule, const char *at)
{
	json_array_append_new(list, json_pack("{s:s,s:s}", "rule", rule, "at", at));
}

static void never_sla(const struct table *t, const struct pol_sla *s, json_t *list)
{
	const struct pol_image *p = t->p;
	char at[700], where[160];
	uint32_t i;

	for (i = s->map; i < s->map + s->n_map; i++) {
		pol_print(at, sizeof(at), "%s: %s, %s", pol_where(p, s->at, where),
			  pol_str(p, p->role[p->map[i].local].name), pol_str(p, p->map[i].remote));
		if (!t->map[i])
			never(list, "map", at);
	}
	for (i = s->visible; i < s->visible + s->n_visible; i++) {
		pol_print(at, sizeof(at), "%s: %s", pol_where(p, s->at, where),
			  pol_object_name(p, p->visible[i]));
		if (!t->visible[i])
			never(list, "view", at);
	}
	for (i = s->mediate; i < s->mediate + s->n_mediate; i++)
		if (!t->mediate[i])
			never(list, "mediation", pol_where(p, p->mediate[i].at, where));
}

static json_t *never_met(const struct table *t)
{
	const struct pol_image *p = t->p;
	json_t *list = json_array();
	char where[160];
	uint32_t i;

	for (i = 0; i < p->n_assign; i++)
		if (!t->assign[i])
			never(list, "assignment", pol_where(p, p->assign[i].at, where));
	for (i = 0; i < p->n_permit; i++)
		if (!t->permit[i])
			never(list, "permission", pol_where(p, p->permit[i].at, where));
	for (i = 0; i < p->n_sla; i++)
		never_sla(t, &p->sla[i], list);
	return list;
}

static int finish(struct table *t)
{
	uint32_t n = t->p->n_assign + t->p->n_permit + t->p->n_map + t->p->n_visible +
		     t->p->n_mediate;
	json_t *missed = never_met(t), *m;
	size_t i;

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
	t.map = calloc(p->n_map + 1, 1);
	t.visible = calloc(p->n_visible + 1, 1);
	t.mediate = calloc(p->n_mediate + 1, 1);
	t.failures = json_array();
	if (!in)
		cmd_error(o, CMD_SYSTEM, "the table cannot be read");
	else if (t.permit && t.assign && t.map && t.visible && t.mediate && t.failures)
		ret = run_table(&t, in) ? CMD_USAGE : finish(&t);
	if (in)
		fclose(in);
	free(t.permit);
	free(t.assign);
	free(t.map);
	free(t.visible);
	free(t.mediate);
	json_decref(t.failures);
	pol_free(p);
	return ret;
}
