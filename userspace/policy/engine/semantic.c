// SPDX-License-Identifier: GPL-2.0-only
/* The semantic evaluator (S2.2): permissions of the held roles, and their constraints. */
#include "engine/decide.h"

/* A rule that names this request, and the held role through which it applies. */
struct candidate {
	uint32_t rule;
	uint32_t held;
};

struct candidates {
	uint32_t n;
	bool overflow;
	struct candidate c[POL_CANDIDATES_MAX];
};

static void gather_key(const struct pol_image *p, uint64_t key, uint32_t held,
		       struct candidates *c)
{
	uint32_t rule = pol_lookup(p, key);

	for (; rule != POL_NONE; rule = p->permit[rule].next) {
		if (c->n == POL_CANDIDATES_MAX) {
			c->overflow = true;
			return;
		}
		c->c[c->n++] = (struct candidate){ rule, held };
	}
}

static void gather(const struct pol_image *p, const struct pol_query *q,
		   const struct pol_held *held, struct candidates *c)
{
	bool ruled = p->rtype[q->type].ruled;
	const struct pol_role *r;
	uint32_t i, k, role;

	for (i = 0; i < held->n; i++) {
		r = &p->role[held->r[i].role];
		for (k = 0; k < r->n_closure; k++) {
			role = p->rolelist[r->closure + k];
			if (ruled)
				gather_key(p, pol_key_perm(role, q->action,
							   POL_OBJ_TYPE(q->type)), i, c);
			if (q->inst != POL_NONE)
				gather_key(p, pol_key_perm(role, q->action,
							   POL_OBJ_INST(q->inst)), i, c);
		}
	}
}

static int in_order(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return (x->held > y->held) - (x->held < y->held);
}

/* Few almost always; qsort() would cost more than the decision. */
static void sort(struct candidates *c)
{
	struct candidate x;
	uint32_t i, k;

	if (c->n > 16) {
		qsort(c->c, c->n, sizeof(c->c[0]), in_order);
		return;
	}
	for (i = 1; i < c->n; i++) {
		x = c->c[i];
		for (k = i; k && in_order(&c->c[k - 1], &x) > 0; k--)
			c->c[k] = c->c[k - 1];
		c->c[k] = x;
	}
}

static uint32_t dsd_among(const struct pol_image *p, const struct pol_query *q, uint32_t role)
{
	uint32_t roles[POL_HELD_MAX + 1], n = 0;

	while (q->session && n < q->session->n) {
		roles[n] = q->session->active[n].role;
		n++;
	}
	roles[n++] = role;
	return sod_violated(p, SOD_DYNAMIC, roles, n);
}

/* Most roles are in no set, and most sessions have none of the others. */
static uint32_t dsd_violated(const struct pol_image *p, const struct pol_query *q, uint32_t role)
{
	bool separated = p->role[role].separated;
	uint32_t i;

	for (i = 0; q->session && i < q->session->n; i++)
		separated |= p->role[q->session->active[i].role].separated;
	return separated ? dsd_among(p, q, role) : POL_NONE;
}

static const struct pol_active *find_active(const struct pol_query *q, uint32_t role)
{
	uint32_t i;

	for (i = 0; q->session && i < q->session->n; i++)
		if (q->session->active[i].role == role)
			return &q->session->active[i];
	return NULL;
}

/* What becoming or staying active in @role would break. */
static uint32_t activation(const struct pol_image *p, const struct pol_query *q, uint32_t role,
			   uint32_t *what, uint32_t *count)
{
	const struct pol_active *a = find_active(q, role);
	const struct pol_role *r = &p->role[role];
	uint32_t sod = dsd_violated(p, q, role);
	int64_t age;

	*what = role;
	if (sod == POL_SOD_OVERFLOW)
		return R_TOO_MANY_ROLES;
	if (sod != POL_NONE) {
		*what = sod;
		return R_DSD;
	}
	if ((r->max_active || r->max_seconds) && !q->session)
		return R_NO_SESSION;
	*count = q->n_active ? q->n_active[role] : 0;
	if (r->max_active && !a && *count >= r->max_active)
		return R_MAX_ACTIVE;
	age = a ? q->tick - a->since : 0;
	*count = age < 0 ? 0 : age > UINT32_MAX ? UINT32_MAX : age;
	if (r->max_seconds && a && (age < 0 || age >= r->max_seconds))
		return R_MAX_SECONDS;
	*count = 0;
	return R_PERMIT;
}

/* The period asked for last: a role, its juniors and their rules often share one. */
struct last_period {
	uint32_t period;
	bool contains;
};

static bool within(const struct pol_image *p, const struct pol_query *q, uint32_t period,
		   struct last_period *last)
{
	if (period != last->period)
		*last = (struct last_period){ period, period_contains(p, period, q->now) };
	return last->contains;
}

/* The first constraint that fails, or R_PERMIT. */
static uint32_t constrain(const struct pol_image *p, const struct pol_query *q,
			  const struct pol_permit *rule, uint32_t held,
			  struct last_period *last, struct pol_reason *r)
{
	r->what = held;
	if (!within(p, q, p->role[held].period, last))
		return R_ROLE_PERIOD;
	r->what = rule->role;
	if (!within(p, q, p->role[rule->role].period, last))
		return R_ROLE_PERIOD;
	r->what = rule->period;
	if (!within(p, q, rule->period, last))
		return R_RULE_PERIOD;
	r->what = rule->cond;
	if (rule->cond != POL_NONE &&
	    expr_evaluate(p, q, p->cond[rule->cond].node, &r->node) != TRUTH_YES)
		return R_RULE_CONDITION;
	r->node = POL_NONE;
	return activation(p, q, held, &r->what, &r->count);
}

void semantic_evaluate(const struct pol_image *p, const struct pol_query *q,
		       const struct pol_held *held, struct pol_decision *d)
{
	struct last_period last = { POL_NONE, true };
	struct pol_reason r;
	uint32_t i, h;
	struct candidates c;

	c.n = 0;
	c.overflow = false;
	gather(p, q, held, &c);
	if (c.overflow || !c.n) {
		pol_refuse(d, (struct pol_reason){ c.overflow ? R_TOO_MANY_RULES :
				R_NO_PERMISSION, POL_NONE, POL_NONE, POL_NONE, POL_NONE, 0 });
		return;
	}
	sort(&c);
	for (i = 0; i < c.n; i++) {
		h = c.c[i].held;
		r = (struct pol_reason){ .rule = c.c[i].rule, .assign = held->r[h].assign,
					 .node = POL_NONE };
		r.code = constrain(p, q, &p->permit[r.rule], held->r[h].role, &last, &r);
		if (r.code == R_PERMIT) {
			d->permit = true;
			d->role = r.what = held->r[h].role;
			d->n = d->more = 0;
		}
		pol_refuse(d, r);
		if (d->permit)
			return;
	}
}
