// SPDX-License-Identifier: GPL-2.0-only
/*
 * underpin policy diff: asks two policies the same requests. The search is
 * bounded, and says so: every user, action and instance of either policy, the
 * hours of a week and the edges of intervals, no attributes and those that
 * satisfy a condition's literals.
 */
#include <stdio.h>

#include "cmd.h"

#define DIFF_NAMES_MAX	4096	/* users, or instances, that are tried */
#define DIFF_TIMES_MAX	256
#define DIFF_VECTORS_MAX	64
#define DIFF_SHOWN_MAX	50

struct names {
	uint32_t n, left_out;
	const char *name[DIFF_NAMES_MAX];
};

/* Attribute values that make one condition true, or try to. */
struct vector {
	uint32_t n;
	struct pdp_attr attr[16];
	char text[16][64];
};

struct diff {
	const struct cmd_opts *o;
	struct pol_image *p[2];
	struct names user, action, inst;
	int64_t time[DIFF_TIMES_MAX];
	uint32_t n_time;
	struct vector vec[DIFF_VECTORS_MAX];
	uint32_t n_vec;
	uint64_t tried, differ;
	json_t *found;
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
	if (d->n_time < DIFF_TIMES_MAX)
		d->time[d->n_time++] = t;
}

/* A literal as the request would write it. */
static void literal(const struct pol_image *p, const struct pol_node *n, char *buf, size_t size)
{
	int64_t v = n->n_right ? p->value[n->right] : 0;

	if (n->op == OP_HOLDS || n->type == T_BOOLEAN)
		snprintf(buf, size, "%s", n->op == OP_HOLDS || v ? "true" : "false");
	else if (n->type == T_INTEGER)
		snprintf(buf, size, "%lld", (long long)(v + (n->op == OP_MORE && v < INT64_MAX) -
							(n->op == OP_LESS && v > INT64_MIN)));
	else
		snprintf(buf, size, "%s", pol_str(p, v));
}

/* The attribute that a comparison with a literal asks for, if a request can give it. */
static void add_leaf(struct vector *v, const struct pol_image *p, const struct pol_node *n)
{
	const struct pol_attr *a = &p->attr[n->left];
	const char *name = pol_str(p, a->name);
	uint32_t i;

	if (n->type == T_TIME || n->right_kind == RIGHT_ATTR || v->n == 16 ||
	    (a->category != C_REQUEST && a->category != C_CLAIM))
		return;
	for (i = 0; i < v->n; i++)
		if (!strcmp(v->attr[i].name, name))
			return;
	literal(p, n, v->text[v->n], sizeof(v->text[0]));
	v->attr[v->n] = (struct pdp_attr){ name, v->text[v->n], a->category };
	v->n++;
}

/* The comparisons below @root, those of the functions that it calls included. */
static void add_tree(struct vector *v, const struct pol_image *p, uint32_t root)
{
	const struct pol_node *n;
	uint32_t i;

	for (i = root; i < p->node[root].end && v->n < 16; i++) {
		n = &p->node[i];
		if (n->left_kind == LEFT_ATTR)
			add_leaf(v, p, n);
		else if (n->left_kind == LEFT_FUNC && p->func[n->left].apply == F_EXPR)
			add_tree(v, p, p->func[n->left].node);
	}
}

static void add_vector(struct diff *d, const struct pol_image *p, uint32_t root)
{
	if (d->n_vec == DIFF_VECTORS_MAX)
		return;
	add_tree(&d->vec[d->n_vec], p, root);
	d->n_vec += d->vec[d->n_vec].n > 0;
}

static void collect(struct diff *d, const struct pol_image *p)
{
	uint32_t i;

	for (i = 0; i < p->n_user; i++)
		add_name(&d->user, pol_str(p, p->user[i].name));
	for (i = 0; i < p->n_action; i++)
		add_name(&d->action, pol_str(p, p->action[i]));
	for (i = 0; i < p->n_inst; i++)
		add_name(&d->inst, pol_str(p, p->inst[i].name));
	for (i = 0; i < p->n_between; i++) {
		add_time(d, p->between[i].from);
		add_time(d, p->between[i].until);
	}
	for (i = 0; i < p->n_cond; i++)
		add_vector(d, p, p->cond[i].node);
}

static void show(struct diff *d, const struct pdp_request *in, struct pol_decision *a)
{
	const char *code[2] = { reason_name(a[0].reason[0].code),
				reason_name(a[1].reason[0].code) };

	d->differ++;
	if (json_array_size(d->found) >= DIFF_SHOWN_MAX)
		return;
	json_array_append_new(d->found, json_pack("{s:s,s:s,s:s,s:I,s:i,s:s,s:s}", "user", in->user,
		"action", in->action, "resource", in->instance, "time", (json_int_t)in->now,
		"attributes", in->n_attr, "first", code[0], "second", code[1]));
	if (!d->o->json)
		printf("%s %s %s at %lld with %u attributes: %s, %s\n", in->user, in->action,
		       in->instance, (long long)in->now, in->n_attr, code[0], code[1]);
}

static void ask(struct diff *d, const struct pdp_request *in)
{
	struct pol_decision a[2];
	struct pdp_store st;
	struct pol_query q;
	int i;

	d->tried++;
	for (i = 0; i < 2; i++)
		pdp_decide(d->p[i], in, &st, &q, &a[i]);
	if (a[0].permit != a[1].permit)
		show(d, in, a);
}

/* Times vary slowest: a bound that is met leaves out times, not users. */
static void search(struct diff *d)
{
	static const struct pol_session fresh;
	struct pdp_request in = { .authenticated = true, .mapped = POL_NONE, .session = &fresh };
	uint32_t t, v, u, a, i;

	for (t = 0; t < d->n_time; t++)
	for (v = 0; v < d->n_vec; v++)
	for (u = 0; u < d->user.n; u++)
	for (a = 0; a < d->action.n; a++)
	for (i = 0; i < d->inst.n; i++) {
		if (d->tried == d->o->limit)
			return;
		in.now = d->time[t];
		in.attr = d->vec[v].attr;
		in.n_attr = d->vec[v].n;
		in.user = d->user.name[u];
		in.action = d->action.name[a];
		in.instance = d->inst.name[i];
		ask(d, &in);
	}
}

static int finish(struct diff *d)
{
	uint64_t all = (uint64_t)d->n_time * d->n_vec * d->user.n * d->action.n * d->inst.n;
	char note[400];

	snprintf(note, sizeof(note), "tried %llu of %llu requests (%u users, %u actions, %u "
		 "instances, %u times, %u sets of attributes); not searched: %u users, %u "
		 "instances past the bound, other attribute values, minutes within an hour, "
		 "sessions under way, SLA roles", (unsigned long long)d->tried, (unsigned long long)all,
		 d->user.n, d->action.n, d->inst.n, d->n_time, d->n_vec, d->user.left_out,
		 d->inst.left_out);
	if (d->o->json)
		cmd_print_json(json_pack("{s:I,s:I,s:O,s:s}", "tried", (json_int_t)d->tried,
					 "differ", (json_int_t)d->differ, "shown", d->found,
					 "note", note));
	else
		printf("%llu differ; %s\n", (unsigned long long)d->differ, note);
	return d->differ ? CMD_NO : CMD_OK;
}

int cmd_diff(const struct cmd_opts *o)
{
	struct diff *d = calloc(1, sizeof(*d));
	struct pol_err e = { "out of memory" };
	int i, ret = CMD_BAD;
	int64_t now;

	if (!d || cmd_time(o->at, &now)) {
		free(d);
		return cmd_error(o, CMD_USAGE, "-@ takes an instant like 2026-11-22T09:00:00Z");
	}
	d->o = o;
	d->found = json_array();
	for (i = 0; i < 168; i++)
		add_time(d, now - now % 3600 + i * 3600);
	d->n_vec = 1;
	for (i = 0; i < 2 && (d->p[i] = pol_load(o->arg[i], &e)); i++)
		collect(d, d->p[i]);
	if (i == 2) {
		search(d);
		ret = finish(d);
	} else {
		cmd_error(o, CMD_BAD, e.msg);
	}
	pol_free(d->p[0]);
	pol_free(d->p[1]);
	json_decref(d->found);
	free(d);
	return ret;
}
