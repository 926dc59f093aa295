// SPDX-License-Identifier: GPL-2.0-only
/* The credential evaluator (S2.2): from credentials to local roles. */
#include "engine/decide.h"

static struct pol_reason assign_reason(uint32_t code, uint32_t rule, uint32_t what, uint32_t node)
{
	return (struct pol_reason){ code, rule, rule, what, node, 0 };
}

/* Takes a role once, by the first rule that gives it. */
static bool hold(struct pol_held *held, uint32_t role, uint32_t assign)
{
	uint32_t i;

	for (i = 0; i < held->n; i++)
		if (held->r[i].role == role)
			return true;
	if (held->n == POL_HELD_MAX)
		return false;
	held->r[held->n].role = role;
	held->r[held->n++].assign = assign;
	return true;
}

static bool try_rule(const struct pol_image *p, const struct pol_query *q,
		     const struct pol_given *a, struct pol_held *held, struct pol_decision *d)
{
	uint32_t leaf = POL_NONE;

	if (!period_contains(p, a->period, q->now))
		pol_refuse(d, assign_reason(R_ASSIGN_PERIOD, a->assign, a->period, POL_NONE));
	else if (a->cond != POL_NONE &&
		 expr_evaluate(p, q, p->cond[a->cond].node, &leaf) != TRUTH_YES)
		pol_refuse(d, assign_reason(R_ASSIGN_CONDITION, a->assign, a->cond, leaf));
	else
		return hold(held, a->role, a->assign);
	return true;
}

/* The user's own rules and those for everybody, merged in the sheets' order. */
static bool try_rules(const struct pol_image *p, const struct pol_query *q,
		      struct pol_held *held, struct pol_decision *d)
{
	const struct pol_user *u = q->user == POL_NONE ? NULL : &p->user[q->user];
	const struct pol_given *own = NULL, *any = p->anyassign, *rule;
	uint32_t n_own = u ? u->n_assign : 0, n_any = p->n_anyassign;

	if (n_own)
		own = n_own == 1 ? &u->only : p->assignlist + u->assign;
	while (n_own || n_any) {
		if (n_own && (!n_any || own->assign < any->assign)) {
			rule = own++;
			n_own--;
		} else {
			rule = any++;
			n_any--;
		}
		if (!try_rule(p, q, rule, held, d))
			return false;
	}
	return true;
}

/* False if they are too many. */
static bool assigned(const struct pol_image *p, const struct pol_query *q, struct pol_held *held,
		     struct pol_decision *d)
{
	held->n = 0;
	if (q->mapped != POL_NONE)
		return hold(held, q->mapped, POL_NONE);
	return try_rules(p, q, held, d);
}

void credential_roles(const struct pol_image *p, const struct pol_query *q, struct pol_held *held)
{
	struct pol_decision d = { .n = 0 };

	assigned(p, q, held, &d);
}

static bool refuse(struct pol_decision *d, uint32_t code, uint32_t what)
{
	d->n = d->more = 0;
	pol_refuse(d, (struct pol_reason){ code, POL_NONE, POL_NONE, what, POL_NONE, 0 });
	return false;
}

static bool check_sets(const struct pol_image *p, const struct pol_held *held,
		       struct pol_decision *d)
{
	uint32_t roles[POL_HELD_MAX], i, sod;

	for (i = 0; i < held->n; i++)
		roles[i] = held->r[i].role;
	sod = sod_violated(p, SOD_STATIC, roles, held->n);
	if (sod == POL_NONE)
		return true;
	return sod == POL_SOD_OVERFLOW ? refuse(d, R_TOO_MANY_ROLES, POL_NONE) :
					 refuse(d, R_SSD, sod);
}

static bool check_ssd(const struct pol_image *p, const struct pol_held *held,
		      struct pol_decision *d)
{
	uint32_t i;

	for (i = 0; i < held->n; i++)
		if (p->role[held->r[i].role].separated)
			return check_sets(p, held, d);
	return true;
}

/* A request may name the role to act in: that one alone is then held. */
static bool narrow(const struct pol_image *p, const struct pol_query *q, struct pol_held *held,
		   struct pol_decision *d)
{
	uint32_t i;

	if (q->want == POL_NONE)
		return true;
	for (i = 0; i < held->n; i++)
		if (pol_inherits(p, held->r[i].role, q->want)) {
			held->r[0].role = q->want;
			held->r[0].assign = held->r[i].assign;
			held->n = 1;
			return true;
		}
	return refuse(d, R_ROLE_NOT_HELD, q->want);
}

bool credential_stands(const struct pol_image *p, const struct pol_query *q, struct pol_reason *r)
{
	const struct pol_user *u;

	*r = (struct pol_reason){ R_PERMIT, POL_NONE, POL_NONE, POL_NONE, POL_NONE, 0 };
	if (!q->authenticated)
		r->code = R_NO_CREDENTIAL;
	if (!q->authenticated || q->user == POL_NONE)
		return q->authenticated;
	r->what = q->user;
	u = &p->user[q->user];
	if (!u->enabled)
		r->code = R_USER_DISABLED;
	else if (q->now < u->from || q->now >= u->until)
		r->code = R_USER_NOT_VALID;
	return r->code == R_PERMIT;
}

bool credential_evaluate(const struct pol_image *p, const struct pol_query *q,
			 struct pol_held *held, struct pol_decision *d)
{
	struct pol_reason r;

	held->n = 0;
	if (!credential_stands(p, q, &r))
		return refuse(d, r.code, r.what);
	if (!assigned(p, q, held, d))
		return refuse(d, R_TOO_MANY_ROLES, POL_NONE);
	if (!held->n)
		return d->n ? false : refuse(d, R_NO_ROLE, POL_NONE);
	if (!check_ssd(p, held, d) || !narrow(p, q, held, d))
		return false;
	d->n = d->more = 0;
	return true;
}
