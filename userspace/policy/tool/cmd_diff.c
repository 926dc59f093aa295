// SPDX-License-Identifier: GPL-2.0-only
/*
 * underpin policy diff: tells what each of two policies says and the other does not, and
 * asks them the same requests. What is said is compared whole; the search is
 * bounded, and says so: every user, action, instance and type of either policy,
 * and every role that one of its SLAs maps; now, the edges of intervals and the
 * hours of a week; no attributes and those that satisfy a condition's literals.
 */
#include <stdio.h>
#include <time.h>

#include "compile/compile.h"
#include "tool/cmd.h"
#include "tool/facts.h"

#define DIFF_NAMES_MAX	4096	/* users, or actions, resources, roles of SLAs */
#define DIFF_TIMES_MAX	256
#define DIFF_VECTORS_MAX	64
#define DIFF_LEAVES_MAX	16
#define DIFF_SHOWN_MAX	50
#define HOURS		168
#define DIFF_LIMIT	1000000	/* requests, if nothing else is said */

struct names {
	uint32_t n, left_out;
	const char *name[DIFF_NAMES_MAX];
};

/* Attribute values that make one condition true, or try to. */
struct vector {
	uint32_t n, left_out;
	struct pdp_attr attr[DIFF_LEAVES_MAX];
	char text[DIFF_LEAVES_MAX][32];
};

struct diff {
	const struct cmd_opts *o;
	struct pol_image *p[2];
	struct names user, action, inst, type;
	struct cmd_sla sla[DIFF_NAMES_MAX];
	uint32_t n_sla, sla_left;
	int64_t time[DIFF_TIMES_MAX];
	uint32_t n_time, time_left;
	struct vector vec[DIFF_VECTORS_MAX];
	uint32_t n_vec, vec_left, leaf_left;
	uint64_t tried, differ;
	json_t *found;
	uint64_t n_fact[2];		/* that only this one says */
	json_t *fact[2];
};

static void add_name(struct names *l, const char *name)
{
	uint32_t i;

	for (i = 0; i < l->n; i++)
		if (!strcmp(l->name[i], name))
			return;
	if (l->n < DIFF_NAMES_MAX)
		l->name[l->n++] = name;
	else
		l->left_out++;
}

static void add_time(struct diff *d, int64_t t)
{
	uint32_t i;

	if (t == INT64_MIN || t == INT64_MAX)	/* no edge at all */
		return;
	for (i = 0; i < d->n_time; i++)
		if (d->time[i] == t)
			return;
	if (d->n_time < DIFF_TIMES_MAX)
		d->time[d->n_time++] = t;
	else
		d->time_left++;
}

/* A literal as the request would write it, into @buf unless the policy has the text. */
static const char *literal(const struct pol_image *p, const struct pol_node *n, char *buf,
			   size_t size)
{
	int64_t v = n->n_right ? p->value[n->right] : 0;
	struct tm tm = { 0 };
	time_t t;

	if (n->op == OP_HOLDS || n->type == T_BOOLEAN)
		return n->op == OP_HOLDS || v ? "true" : "false";
	if (n->type != T_INTEGER && n->type != T_TIME)
		return n->n_right ? pol_str(p, v) : "";
	v += (n->op == OP_MORE && v < INT64_MAX) - (n->op == OP_LESS && v > INT64_MIN);
	t = v;
	if (n->type == T_INTEGER)
		snprintf(buf, size, "%lld", (long long)v);
	else if (!gmtime_r(&t, &tm) || !strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		*buf = 0;
	return buf;
}

/* The attribute that a comparison with a literal asks for, if a request can give it. */
static void add_leaf(struct vector *v, const struct pol_image *p, const struct pol_node *n)
{
	const struct pol_attr *a = &p->attr[n->left];
	const char *name = pol_str(p, a->name);
	uint32_t i;

	if (a->category != C_REQUEST && a->category != C_CLAIM)
		return;
	for (i = 0; i < v->n; i++)
		if (!strcmp(v->attr[i].name, name))
			return;
	if (n->right_kind == RIGHT_ATTR || v->n == DIFF_LEAVES_MAX) {
		v->left_out++;
		return;
	}
	v->attr[v->n] = (struct pdp_attr){ name, literal(p, n, v->text[v->n],
							 sizeof(v->text[0])), a->category };
	v->n++;
}

/* The comparisons below @root, those of the functions that it calls included. */
static void add_tree(struct vector *v, const struct pol_image *p, uint32_t root)
{
	const struct pol_node *n;
	uint32_t i;

	for (i = root; i < p->node[root].end; i++) {
		n = &p->node[i];
		if (n->left_kind == LEFT_ATTR)
			add_leaf(v, p, n);
		else if (n->left_kind == LEFT_FUNC && p->func[n->left].apply == F_EXPR)
			add_tree(v, p, p->func[n->left].node);
		else if (n->left_kind == LEFT_FUNC)
			v->left_out++;
	}
}

static void add_vector(struct diff *d, const struct pol_image *p, uint32_t root)
{
	struct vector *v = &d->vec[d->n_vec];

	if (d->n_vec == DIFF_VECTORS_MAX) {
		d->vec_left++;
		return;
	}
	*v = (struct vector){ 0 };
	add_tree(v, p, root);
	d->leaf_left += v->left_out;
	d->n_vec += v->n > 0;
}

/* Every role that an SLA maps, as its side is asked for it. */
static void add_sla(struct diff *d, const struct pol_image *p, const struct pol_sla *s)
{
	struct cmd_sla c = { .id = pol_str(p, s->id), .peer = pol_str(p, s->peer),
			     .provider = s->side == SIDE_PROVIDER };
	uint32_t k, i;

	for (k = s->map; k < s->map + s->n_map; k++) {
		c.role = c.provider ? pol_str(p, p->map[k].remote) :
				      pol_str(p, p->role[p->map[k].local].name);
		for (i = 0; i < d->n_sla; i++)
			if (d->sla[i].provider == c.provider && !strcmp(d->sla[i].id, c.id) &&
			    !strcmp(d->sla[i].peer, c.peer) && !strcmp(d->sla[i].role, c.role))
				break;
		if (i < d->n_sla)
			continue;
		if (d->n_sla < DIFF_NAMES_MAX)
			d->sla[d->n_sla++] = c;
		else
			d->sla_left++;
	}
}

static void collect(struct diff *d, const struct pol_image *p)
{
	uint32_t i;

	for (i = 0; i < p->n_user; i++) {
		add_name(&d->user, pol_str(p, p->user[i].name));
		add_time(d, p->user[i].from);
		add_time(d, p->user[i].until);
	}
	for (i = 0; i < p->n_action; i++)
		add_name(&d->action, pol_str(p, p->action[i]));
	for (i = 0; i < p->n_inst; i++)
		add_name(&d->inst, pol_str(p, p->inst[i].name));
	for (i = 0; i < p->n_rtype; i++)
		add_name(&d->type, pol_str(p, p->rtype[i].name));
	for (i = 0; i < p->n_between; i++) {
		add_time(d, p->between[i].from);
		add_time(d, p->between[i].until);
	}
	for (i = 0; i < p->n_sla; i++) {
		add_sla(d, p, &p->sla[i]);
		add_time(d, p->sla[i].from);
		add_time(d, p->sla[i].until);
	}
	for (i = 0; i < p->n_cond; i++)
		add_vector(d, p, p->cond[i].node);
}

static void show(struct diff *d, const char *who, const struct pdp_request *in,
		 const char *const answer[2])
{
	const char *what = in->instance ? in->instance : in->type;

	d->differ++;
	if (json_array_size(d->found) >= DIFF_SHOWN_MAX)
		return;
	json_array_append_new(d->found, json_pack("{s:s,s:s,s:s,s:I,s:i,s:s,s:s}", "user", who,
		"action", in->action, "resource", what, "time", (json_int_t)in->now,
		"attributes", in->n_attr, "first", answer[0], "second", answer[1]));
	if (!d->o->json)
		printf("%s %s %s%s at %lld with %u attributes: %s, %s\n", who, in->action,
		       in->instance ? "" : "type:", what, (long long)in->now, in->n_attr,
		       answer[0], answer[1]);
}

static void ask(struct diff *d, const struct pdp_request *in)
{
	const char *answer[2];
	struct pol_decision a[2];
	struct pdp_store st;
	struct pol_query q;
	int i;

	for (i = 0; i < 2; i++) {
		pdp_decide(d->p[i], in, &st, &q, &a[i]);
		answer[i] = reason_name(a[i].reason[0].code);
	}
	if (a[0].permit != a[1].permit)
		show(d, in->user, in, answer);
}

static void ask_sla(struct diff *d, const struct cmd_sla *s, const struct pdp_request *in)
{
	struct cmd_sla_answer a[2];
	const char *answer[2];
	char who[700];
	int i;

	for (i = 0; i < 2; i++) {
		cmd_sla_ask(d->p[i], s, in, &a[i]);
		answer[i] = a[i].permit ? a[i].role : reason_name(a[i].last->code);
	}
	if (a[0].permit == a[1].permit && (!a[0].permit || !strcmp(answer[0], answer[1])))
		return;
	pol_print(who, sizeof(who), "%s %s by %s as %s%s", s->provider ? "from" : "to", s->peer,
		  s->id, s->role, s->chained ? " mapped" : "");
	show(d, who, in, answer);
}

/* One request for each resource and action; false when @limit is met. */
static bool each(struct diff *d, struct pdp_request *in, struct cmd_sla *s, uint64_t limit)
{
	uint32_t a, i;

	for (a = 0; a < d->action.n; a++)
		for (i = 0; i < d->inst.n + d->type.n; i++) {
			if (d->tried == limit)
				return false;
			d->tried++;
			in->action = d->action.name[a];
			in->instance = i < d->inst.n ? d->inst.name[i] : NULL;
			in->type = i < d->inst.n ? NULL : d->type.name[i - d->inst.n];
			if (s)
				ask_sla(d, s, in);
			else
				ask(d, in);
		}
	return true;
}

/* Times vary slowest: a bound that is met leaves out times, not users. */
static void search(struct diff *d, bool slas, uint64_t limit)
{
	static const struct pol_session fresh;
	struct pdp_request in = { .authenticated = true, .mapped = POL_NONE, .session = &fresh };
	uint32_t t, v, u, n = slas ? 2 * d->n_sla : d->user.n;
	struct cmd_sla s = { 0 };

	for (t = 0; t < d->n_time; t++)
		for (v = 0; v < d->n_vec; v++)
			for (u = 0; u < n; u++) {
				in.now = d->time[t];
				in.attr = d->vec[v].attr;
				in.n_attr = d->vec[v].n;
				if (slas) {
					s = d->sla[u / 2];
					s.chained = u & 1;
				} else {
					in.user = d->user.name[u];
				}
				if (!each(d, &in, slas ? &s : NULL, limit))
					return;
			}
}

/* --- what they say --- */

static void only(struct diff *d, int which, const char *fact)
{
	d->n_fact[which]++;
	if (json_array_size(d->fact[which]) >= DIFF_SHOWN_MAX)
		return;
	json_array_append_new(d->fact[which], json_string(fact));
	if (!d->o->json)
		printf("%c %s\n", which ? '+' : '-', fact);
}

/* Both are sorted; what is there twice in one must be there twice in the other. */
static int compare_facts(struct diff *d)
{
	struct facts f[2] = { 0 };
	uint32_t i = 0, k = 0;
	int ret = facts_collect(&f[0], d->p[0]), c;

	ret = ret ? ret : facts_collect(&f[1], d->p[1]);
	while (!ret && (i < f[0].n_line || k < f[1].n_line)) {
		c = i == f[0].n_line ? 1 : k == f[1].n_line ? -1 : strcmp(f[0].line[i],
									   f[1].line[k]);
		if (c < 0)
			only(d, 0, f[0].line[i]);
		else if (c > 0)
			only(d, 1, f[1].line[k]);
		i += c <= 0;
		k += c >= 0;
	}
	facts_free(&f[0]);
	facts_free(&f[1]);
	return ret;
}

static int finish(struct diff *d)
{
	uint64_t facts = d->n_fact[0] + d->n_fact[1];
	uint64_t all = (uint64_t)d->n_time * d->n_vec * (d->user.n + 2 * d->n_sla) * d->action.n *
		       (d->inst.n + d->type.n);
	char note[1100];

	snprintf(note, sizeof(note), "tried %llu of %llu requests (%u users, %u roles of SLAs, "
		 "%u actions, %u instances, %u types, %u times, %u sets of attributes); past the "
		 "bounds and not searched: %u users, %u roles of SLAs, %u actions, %u instances, "
		 "%u types, %u times, %u sets of attributes, %u comparisons; never searched: "
		 "acting roles, users known by claims alone, other attribute values, minutes "
		 "within an hour, sessions under way, env.layer, seniors of the roles that an "
		 "SLA maps, users that hold them, the roles in which a permit acts",
		 (unsigned long long)d->tried, (unsigned long long)all, d->user.n, d->n_sla,
		 d->action.n, d->inst.n, d->type.n, d->n_time, d->n_vec, d->user.left_out,
		 d->sla_left, d->action.left_out, d->inst.left_out, d->type.left_out, d->time_left,
		 d->vec_left, d->leaf_left);
	if (d->o->json)
		cmd_print_json(json_pack("{s:I,s:I,s:O,s:I,s:O,s:O,s:s}", "tried",
					 (json_int_t)d->tried, "differ", (json_int_t)d->differ,
					 "shown", d->found, "facts", (json_int_t)facts,
					 "only_first", d->fact[0], "only_second", d->fact[1],
					 "note", note));
	else
		printf("%llu facts of one only; %llu differ; %s\n", (unsigned long long)facts,
		       (unsigned long long)d->differ, note);
	return d->differ || facts ? CMD_NO : CMD_OK;
}

int cmd_diff(const struct cmd_opts *o)
{
	struct diff *d = calloc(1, sizeof(*d));
	uint64_t limit = o->limit ? o->limit : DIFF_LIMIT;
	struct pol_err e = { "out of memory" };
	int i, ret = CMD_BAD;
	int64_t now;

	if (!d || cmd_time(o->at, &now)) {
		free(d);
		return cmd_error(o, CMD_USAGE, "-@ takes an instant like 2026-11-22T09:00:00Z");
	}
	d->o = o;
	d->found = json_array();
	d->fact[0] = json_array();
	d->fact[1] = json_array();
	add_time(d, now - now % 3600);
	d->n_vec = 1;
	for (i = 0; i < 2 && (d->p[i] = pol_load(o->arg[i], &e)); i++)
		collect(d, d->p[i]);
	if (i == 2) {
		for (i = 1; i < HOURS; i++)
			add_time(d, now - now % 3600 + i * 3600);
		ret = compare_facts(d);
		search(d, true, limit / 2);
		search(d, false, limit);
		ret = ret ? cmd_error(o, CMD_SYSTEM, "out of memory") : finish(d);
	} else {
		cmd_error(o, CMD_BAD, e.msg);
	}
	pol_free(d->p[0]);
	pol_free(d->p[1]);
	json_decref(d->found);
	json_decref(d->fact[0]);
	json_decref(d->fact[1]);
	free(d);
	return ret;
}
