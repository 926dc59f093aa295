// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instants that differ. All that a decision asks of an instant is: which periods contain it,
 * how it compares with the instants that conditions name, and local hours and days of it.
 * These change only at edges, which are listed; of edges with the same answers one is kept.
 */
#include <errno.h>

#include "tool/never.h"

#define EDGES_MAX	(4u << 20)
#define ASKED_MAX	(60ull << 20)	/* periods and functions asked, over all edges */
#define LAST_YEAR_END	4102444800ll	/* 2100: zones with daylight saving end there */
#define CALENDAR	(41 * 366 * 86400ll)	/* every date on every day of the week is in it */
#define KEPT_MAX	65536

struct edges {
	const struct pol_image *p;
	const struct never_matter *m;
	struct never_instants *out;
	POL_VEC(int64_t, edge);
	POL_VEC(int64_t, base);		/* instants that are named: edges that do not recur */
	POL_VEC(uint32_t, func);	/* functions of env.now */
	POL_VEC(uint64_t, daily);	/* zone and minute of what recurs, once each */
	POL_VEC(int64_t, seen);		/* answers of the edges kept, @width each */
	uint32_t width;
	uint32_t *slot;			/* of a hash table of these; 0 is free */
	int ret;
};

static void add(struct edges *e, int64_t at)
{
	if (e->ret || at < e->out->from || at >= e->out->until)
		return;
	if (e->n_edge == EDGES_MAX)
		e->ret = -E2BIG;
	else
		e->ret = pol_vec_push(e, edge, at);
}

/* An instant that is named, and its neighbours. */
static void add_base(struct edges *e, int64_t at)
{
	if (at == INT64_MIN || at == INT64_MAX)
		return;
	add(e, at - 1);
	add(e, at);
	add(e, at + 1);
	e->ret = e->ret ? e->ret : pol_vec_push(e, base, at);
}

static void add_func(struct edges *e, uint32_t func)
{
	uint32_t i;

	for (i = 0; i < e->n_func; i++)
		if (e->func[i] == func)
			return;
	e->ret = e->ret ? e->ret : pol_vec_push(e, func, func);
}

static void on_leaf(void *ctx, const struct pol_node *n)
{
	struct edges *e = ctx;
	uint32_t i;

	if (n->left_kind == LEFT_FUNC && !e->p->func[n->left].attr &&
	    (e->p->func[n->left].apply == F_HOUR || e->p->func[n->left].apply == F_WEEKDAY))
		add_func(e, n->left);
	if (n->left_kind == LEFT_ATTR && n->type == T_TIME)
		for (i = 0; i < n->n_right && n->right_kind != RIGHT_ATTR; i++)
			add_base(e, e->p->value[n->right + i]);
}

/* Values of time that users and resources have, with which an instant may be compared. */
static void add_values(struct edges *e)
{
	uint32_t i;

	for (i = 0; i < e->p->n_val; i++)
		if (e->p->attr[e->p->val[i].attr].type == T_TIME)
			add_base(e, e->p->val[i].num);
}

/* Each day's @minute of the local clock of a zone, from @from to @until. */
static void add_daily(struct edges *e, uint32_t zone, int minute, int64_t from, int64_t until)
{
	const struct pol_zone *z = &e->p->zone[zone];
	const struct zone_change *c = e->p->change + z->change;
	int64_t lo, hi, t;
	uint32_t i;

	until = until < z->horizon ? until : z->horizon;
	for (i = 0; i < z->n_change && !e->ret; i++) {
		lo = i ? c[i].at : from;
		hi = i + 1 < z->n_change ? c[i + 1].at : until;
		lo = lo > from ? lo : from;
		hi = hi < until ? hi : until;
		if (lo >= hi)
			continue;
		add(e, lo);
		t = (lo + c[i].offset) / 86400 * 86400 - 86400 + minute * 60 - c[i].offset;
		for (; t < hi && !e->ret; t += 86400)
			if (t >= lo)
				add(e, t);
	}
	add(e, z->horizon - 1);
	add(e, z->horizon);
}

/* What recurs is looked at for long enough, and so it is after each instant that is named. */
static void add_recurring(struct edges *e, uint32_t zone, int minute)
{
	int64_t from = e->out->from, until = from + CALENDAR;
	uint64_t key = (uint64_t)zone << 32 | (uint32_t)minute;
	uint32_t i;

	for (i = 0; i < e->n_daily; i++)
		if (e->daily[i] == key)
			return;
	e->ret = e->ret ? e->ret : pol_vec_push(e, daily, key);
	until = until > LAST_YEAR_END ? until : LAST_YEAR_END;
	add_daily(e, zone, minute, from, until < e->out->until ? until : e->out->until);
	for (i = 0; i < e->n_base; i++)
		if (e->base[i] >= until && e->base[i] < e->out->until)
			add_daily(e, zone, minute, e->base[i],
				  e->base[i] + CALENDAR < e->out->until ?
				  e->base[i] + CALENDAR : e->out->until);
}

static void add_all(struct edges *e)
{
	const struct pol_period *t;
	uint32_t i, k;

	add(e, e->out->from);
	for (i = 0; i < e->m->n_cond; i++)
		never_leaves(e->p, e->p->cond[e->m->cond[i]].node, on_leaf, e);
	if (e->m->now)
		add_values(e);
	for (i = 0; i < e->m->n_period; i++) {
		t = &e->p->period[e->m->period[i]];
		for (k = t->between; k < t->between + t->n_between; k++) {
			add_base(e, e->p->between[k].from);
			add_base(e, e->p->between[k].until);
		}
	}
	for (i = 0; i < e->m->n_period; i++) {
		t = &e->p->period[e->m->period[i]];
		for (k = t->window; k < t->window + t->n_window; k++) {
			add_recurring(e, t->zone, e->p->window[k].from);
			add_recurring(e, t->zone, e->p->window[k].until);
		}
	}
	for (i = 0; i < e->n_func; i++)
		for (k = 0; k < 24; k++)
			add_recurring(e, e->p->func[e->func[i]].zone, k * 60);
}

/* What a decision can ask of the instant. */
static void answers(const struct edges *e, int64_t at, int64_t *out)
{
	struct pol_query q = { .user = POL_NONE, .inst = POL_NONE, .now = at };
	uint32_t i, w = 0;
	int64_t num;

	for (i = 0; i < e->m->n_period; i++) {
		if (i % 63 == 0)
			out[w++] = 0;
		out[w - 1] |= (int64_t)period_contains(e->p, e->m->period[i], at) << i % 63;
	}
	for (i = 0; i < e->n_func; i++)
		out[w++] = expr_function(e->p, &q, e->func[i], &num) ? num : -1;
	if (!e->m->now)
		return;
	/* Twice how many named instants are before it, and one more if it is one. */
	out[w] = 0;
	for (i = 0; i < e->n_base; i++)
		out[w] += e->base[i] < at ? 2 : e->base[i] == at;
}

static uint64_t hash(const int64_t *a, uint32_t n)
{
	uint64_t h = 1469598103934665603ull;

	while (n--) {
		h = (h ^ (uint64_t)*a++) * 1099511628211ull;
		h ^= h >> 29;
	}
	return h;
}

/* Keeps an instant whose answers were not there yet. */
static int keep(struct edges *e, int64_t at, const int64_t *a)
{
	uint32_t i = hash(a, e->width) & (2 * KEPT_MAX - 1);

	for (; e->slot[i]; i = (i + 1) & (2 * KEPT_MAX - 1))
		if (!memcmp(e->seen + (size_t)(e->slot[i] - 1) * e->width, a,
			    e->width * sizeof(*a)))
			return 0;
	if (e->out->n_at == KEPT_MAX)
		return -E2BIG;
	if (pol_vec_reserve(e, seen, e->width + 1) || pol_vec_push(e->out, at, at))
		return -ENOMEM;
	memcpy(e->seen + e->n_seen, a, e->width * sizeof(*a));
	e->n_seen += e->width;
	e->slot[i] = e->out->n_at;
	return 0;
}

static int sift(struct edges *e)
{
	int64_t *a;
	uint32_t i;
	int ret = 0;

	e->width = (e->m->n_period + 62) / 63 + e->n_func + e->m->now;
	if ((e->m->n_period + e->n_func + e->n_base + 1ull) * e->n_edge > ASKED_MAX)
		return -E2BIG;
	a = calloc(e->width + 1, sizeof(*a));
	e->slot = calloc(2 * KEPT_MAX, sizeof(*e->slot));
	if (!a || !e->slot)
		ret = -ENOMEM;
	for (i = 0; i < e->n_edge && !ret; i++) {
		answers(e, e->edge[i], a);
		ret = keep(e, e->edge[i], a);
	}
	free(a);
	return ret;
}

int never_instants(const struct pol_image *p, const struct never_matter *m,
		   struct never_instants *out)
{
	struct edges e = { .p = p, .m = m, .out = out };

	add_all(&e);
	if (!e.ret)
		e.ret = sift(&e);
	free(e.edge);
	free(e.base);
	free(e.func);
	free(e.daily);
	free(e.seen);
	free(e.slot);
	return e.ret;
}

void never_instants_free(struct never_instants *i)
{
	free(i->at);
	memset(i, 0, sizeof(*i));
}
