// SPDX-License-Identifier: GPL-2.0-only
/*
 * Goes through all requests that a decision can tell apart: each subject that may act in the
 * role, each kind of instant, and values of attributes, of which only those are chosen that
 * something still depends on. What is found is put to the engine itself.
 */
#include <errno.h>
#include <stdio.h>

#include "engine/sla.h"
#include "tool/never.h"

#define STEPS_MAX	20000000ull
#define KINDS_MAX	64	/* of spans of validity of users and SLAs */

enum {
	IS_NO = 1 << TRUTH_NO,
	IS_UNKNOWN = 1 << TRUTH_UNKNOWN,
	IS_YES = 1 << TRUTH_YES,
	IS_ANY = IS_NO | IS_UNKNOWN | IS_YES,
};

/* An attribute that a request may give, and what it says now. */
struct given {
	struct never_domain dom;
	bool ready;			/* @dom is filled, for this subject ... */
	int64_t now;			/* ... and this instant */
	bool chosen;
	const struct never_value *value;
};

/* Who asks: a user, somebody whom only an assertion names, another cloud by an SLA. */
struct who {
	uint32_t user;
	uint32_t sla, map;		/* or POL_NONE */
	const char *peer;
};

struct search {
	const struct pol_image *p;
	const struct never_ask *ask;
	struct never_answer *a;

	POL_VEC(uint32_t, rule);	/* permits that name the request */
	struct never_matter m;
	struct given *given;		/* by attribute */
	bool others;			/* what else somebody holds can stand in the way */
	struct never_instants kind[KINDS_MAX];
	uint32_t n_kind;
	struct who who;
	int64_t now;
	struct pol_query q;
	struct pol_rval val[POL_ATTRS_MAX];

	POL_VEC(uint8_t, failed);	/* of this subject: way * n_rule + rule, at any instant */
	bool granted;
	int ret;
};

/* --- what matters --- */

static void matters(struct search *s, uint32_t cond, uint32_t period)
{
	uint32_t i;

	for (i = 0; i < s->m.n_cond && s->m.cond[i] != cond; i++)
		;
	if (cond != POL_NONE && i == s->m.n_cond && !s->ret)
		s->ret = i == NEVER_CONDS_MAX ? -E2BIG : pol_vec_push(&s->m, cond, cond);
	for (i = 0; i < s->m.n_period && s->m.period[i] != period; i++)
		;
	if (period != POL_NONE && i == s->m.n_period && !s->ret)
		s->ret = pol_vec_push(&s->m, period, period);
}

static bool names(const struct search *s, const struct pol_permit *r)
{
	return r->action == s->ask->action &&
	       (r->object == POL_OBJ_TYPE(s->ask->type) ||
		(s->ask->inst != POL_NONE && r->object == POL_OBJ_INST(s->ask->inst)));
}

static bool gives(const struct search *s, uint32_t role)
{
	return pol_inherits(s->p, role, s->ask->role);
}

static void on_leaf(void *ctx, const struct pol_node *n)
{
	struct search *s = ctx;
	const struct pol_func *f = n->left_kind == LEFT_FUNC ? &s->p->func[n->left] : NULL;

	s->m.now |= (n->left_kind == LEFT_ATTR && !n->left) ||
		    (n->right_kind == RIGHT_ATTR && !n->right) ||
		    (f && f->apply != F_EXPR && !f->attr);
}

static void find_rules(struct search *s)
{
	const struct pol_image *p = s->p;
	const struct pol_permit *r;
	uint32_t i;

	for (i = 0; i < p->n_permit && !s->ret; i++) {
		r = &p->permit[i];
		if (!names(s, r) || !pol_inherits(p, s->ask->role, r->role))
			continue;
		s->ret = pol_vec_push(s, rule, i);
		matters(s, r->cond, r->period);
		matters(s, POL_NONE, p->role[r->role].period);
	}
}

static void find_what_matters(struct search *s)
{
	const struct pol_image *p = s->p;
	uint32_t i;

	for (i = 0; i < p->n_sod; i++)
		s->others |= p->sod[i].kind == SOD_STATIC;
	for (i = 0; i < p->n_user; i++)
		s->others |= p->user[i].n_assign + p->n_anyassign > POL_HELD_MAX;
	s->others |= p->n_anyassign > POL_HELD_MAX;
	find_rules(s);
	matters(s, POL_NONE, p->role[s->ask->role].period);
	for (i = 0; i < p->n_assign; i++)
		if (s->others || gives(s, p->assign[i].role))
			matters(s, p->assign[i].cond, p->assign[i].period);
	for (i = 0; i < p->n_mediate; i++)
		if (names(s, &p->mediate[i]))
			matters(s, p->mediate[i].cond, p->mediate[i].period);
	for (i = 0; i < s->m.n_cond; i++)
		never_leaves(p, p->cond[s->m.cond[i]].node, on_leaf, s);
}

/* The kinds of instants within a span; each span is gone through once. */
static const struct never_instants *instants(struct search *s, int64_t from, int64_t until)
{
	struct never_instants *k;
	uint32_t i;

	from = from > s->ask->from ? from : s->ask->from;
	for (i = 0; i < s->n_kind; i++)
		if (s->kind[i].from == from && s->kind[i].until == until)
			return &s->kind[i];
	if (s->n_kind == KINDS_MAX)	/* the last one's place is taken by turns */
		never_instants_free(&s->kind[--s->n_kind]);
	k = &s->kind[s->n_kind++];
	*k = (struct never_instants){ .from = from, .until = until };
	s->ret = from < until ? never_instants(s->p, &s->m, k) : 0;
	s->a->instants += k->n_at;
	return k;
}

/* --- what a condition may come to --- */

static bool is_open(const struct search *s, uint32_t attr)
{
	uint32_t c = s->p->attr[attr].category;

	return attr && c != C_USER && c != C_RESOURCE && !s->given[attr].chosen;
}

/* The first attribute that a comparison waits for, or POL_NONE. */
static uint32_t waits_for(const struct search *s, uint32_t i)
{
	const struct pol_node *n = &s->p->node[i];
	const struct pol_func *f;
	uint32_t k, at;

	if (n->op <= OP_NOT) {
		for (k = i + 1; k < n->end; k = s->p->node[k].end) {
			at = waits_for(s, k);
			if (at != POL_NONE)
				return at;
		}
		return POL_NONE;
	}
	if (n->right_kind == RIGHT_ATTR && is_open(s, n->right))
		return n->right;
	if (n->left_kind == LEFT_ATTR)
		return is_open(s, n->left) ? n->left : POL_NONE;
	f = &s->p->func[n->left];
	if (f->apply == F_EXPR)
		return waits_for(s, f->node);
	return is_open(s, f->attr) ? f->attr : POL_NONE;
}

static uint32_t may_be(struct search *s, uint32_t i);

/* Kleene's "all" takes the least of its parts, "any" the greatest. */
static uint32_t several(struct search *s, uint32_t i)
{
	const struct pol_node *n = &s->p->node[i];
	uint32_t out = n->op == OP_ALL ? IS_YES : IS_NO, part, k, a, b, sum;

	for (k = i + 1; k < n->end; k = s->p->node[k].end) {
		part = may_be(s, k);
		sum = 0;
		for (a = TRUTH_NO; a <= TRUTH_YES; a++)
			for (b = TRUTH_NO; b <= TRUTH_YES; b++)
				if (out & 1u << a && part & 1u << b)
					sum |= 1u << ((n->op == OP_ALL) == (a < b) ? a : b);
		out = sum;
	}
	return out;
}

static uint32_t may_be(struct search *s, uint32_t i)
{
	const struct pol_node *n = &s->p->node[i];
	uint32_t m, leaf;

	if (n->op == OP_NOT) {
		m = may_be(s, i + 1);
		return (m & IS_UNKNOWN) | (m & IS_NO ? IS_YES : 0) | (m & IS_YES ? IS_NO : 0);
	}
	if (n->op < OP_NOT)
		return several(s, i);
	if (n->op == OP_HOLDS && n->left_kind == LEFT_FUNC &&
	    s->p->func[n->left].apply == F_EXPR)
		return may_be(s, s->p->func[n->left].node);
	if (waits_for(s, i) != POL_NONE)
		return IS_ANY;
	return 1u << expr_evaluate(s->p, &s->q, i, &leaf);
}

static uint32_t cond_may_be(struct search *s, uint32_t cond)
{
	return cond == POL_NONE ? IS_YES : may_be(s, s->p->cond[cond].node);
}

/* The first attribute that keeps a condition from being told. */
static uint32_t open_part(struct search *s, uint32_t i)
{
	const struct pol_node *n = &s->p->node[i];
	uint32_t k, at;

	if (n->op > OP_NOT)
		return waits_for(s, i);
	for (k = i + 1; k < n->end; k = s->p->node[k].end) {
		at = may_be(s, k) & (may_be(s, k) - 1) ? open_part(s, k) : POL_NONE;
		if (at != POL_NONE)
			return at;
	}
	return POL_NONE;
}

/* --- the request --- */

/* The attributes that were chosen, as the engine takes them. */
static void set_query(struct search *s)
{
	const struct never_value *x;
	uint32_t i;

	s->q.n_attr = 0;
	for (i = 1; i < s->p->n_attr; i++) {
		x = s->given[i].chosen ? s->given[i].value : NULL;
		if (x && x->text && s->q.n_attr < POL_ATTRS_MAX)
			s->val[s->q.n_attr++] = (struct pol_rval){ i, x->n, x->num, x->member };
	}
	s->q.attr = s->val;
}

/* As a request that arrives, by its texts. */
static bool is_granted(struct search *s, struct pdp_attr *attr, uint32_t n)
{
	static const struct pol_session fresh;
	const struct pol_image *p = s->p;
	const char *role = pol_str(p, p->role[s->ask->role].name);
	struct pdp_request in = {
		.user = s->who.user == POL_NONE ? NULL : pol_str(p, p->user[s->who.user].name),
		.authenticated = true, .mapped = POL_NONE, .role = role, .now = s->now,
		.action = pol_str(p, p->action[s->ask->action]),
		.type = pol_str(p, p->rtype[s->ask->type].name), .attr = attr, .n_attr = n,
		.instance = s->ask->inst == POL_NONE ? NULL :
			    pol_str(p, p->inst[s->ask->inst].name),
		.session = &fresh,
	};
	struct pol_decision d;
	struct pol_reason r;
	struct pdp_store st;
	struct pol_query q;

	if (s->who.sla != POL_NONE &&
	    (!pdp_extract(p, &in, &st, &q, &r) ||
	     !sla_provide(p, &q, s->who.sla, s->who.peer,
			  pol_str(p, p->map[s->who.map].remote), false, &in.mapped, &r)))
		return false;
	pdp_decide(p, &in, &st, &q, &d);
	return d.permit && d.role == s->ask->role;
}

static void tell(struct search *s, const struct pdp_attr *attr, uint32_t n)
{
	struct never_answer *a = s->a;
	uint32_t i;

	a->granted = true;
	a->now = s->now;
	if (s->who.user != POL_NONE)
		a->user = pol_str(s->p, s->p->user[s->who.user].name);
	if (s->who.sla != POL_NONE) {
		a->sla = pol_str(s->p, s->p->sla[s->who.sla].id);
		a->peer = s->who.peer;
		a->sla_role = pol_str(s->p, s->p->map[s->who.map].remote);
	}
	for (i = 0; i < n; i++) {
		a->text[i] = strdup(attr[i].value);
		a->attr[i] = (struct pdp_attr){ attr[i].name, a->text[i], attr[i].from };
	}
	a->n_attr = n;
}

static bool grants(struct search *s)
{
	struct pdp_attr attr[POL_ATTRS_MAX];
	uint32_t i, n = 0;

	for (i = 1; i < s->p->n_attr; i++)
		if (s->given[i].chosen && s->given[i].value->text && n < POL_ATTRS_MAX)
			attr[n++] = (struct pdp_attr){ pol_str(s->p, s->p->attr[i].name),
						       s->given[i].value->text,
						       s->p->attr[i].category };
	if (!is_granted(s, attr, n))
		return false;
	tell(s, attr, n);
	return true;
}

/* --- values --- */

static const struct never_domain *values_of(struct search *s, uint32_t attr)
{
	struct given *g = &s->given[attr];

	if (g->ready && (g->now == s->now || s->p->attr[attr].type != T_TIME))
		return &g->dom;
	never_domain_free(&g->dom);
	g->dom.attr = attr;
	g->ready = true;
	g->now = s->now;
	s->ret = never_domain(s->p, &s->m, s->who.user, s->ask->inst, s->now, s->who.peer, &g->dom);
	return &g->dom;
}

/* One that nothing in @cond waits for may still matter to what else is held. */
static uint32_t next_open(struct search *s, const uint32_t cond[2])
{
	uint32_t at = POL_NONE, i;

	for (i = 0; i < 2 && at == POL_NONE; i++)
		if (cond[i] != POL_NONE)
			at = open_part(s, s->p->cond[cond[i]].node);
	for (i = 0; i < s->m.n_cond && at == POL_NONE && s->others; i++)
		at = waits_for(s, s->p->cond[s->m.cond[i]].node);
	return at;
}

/* Is there a choice of what is open that makes both hold, and that is granted? */
static bool choose(struct search *s, const uint32_t cond[2])
{
	const struct never_domain *d;
	uint32_t a, b, at, i;
	bool found = false;

	if (s->ret || ++s->a->steps > STEPS_MAX) {
		s->ret = s->ret ? s->ret : -E2BIG;
		return false;
	}
	a = cond_may_be(s, cond[0]);
	b = cond_may_be(s, cond[1]);
	if (!(a & IS_YES) || !(b & IS_YES))
		return false;
	if (a == IS_YES && b == IS_YES && grants(s))
		return true;
	at = next_open(s, cond);
	if (at == POL_NONE)
		return false;
	d = values_of(s, at);
	s->given[at].chosen = true;
	for (i = 0; i < d->n_value && !found && !s->ret; i++) {
		s->given[at].value = &d->value[i];
		set_query(s);
		found = choose(s, cond);
	}
	s->given[at].chosen = false;
	set_query(s);
	return found;
}

/* By one way to the role, at one instant, by each rule. */
static bool by_each_rule(struct search *s, uint32_t way, uint32_t cond)
{
	bool fixed = !s->m.now && !s->others;
	const struct pol_permit *r;
	uint32_t i, both[2] = { cond };
	size_t at;

	for (i = 0; i < s->n_rule && !s->ret; i++) {
		r = &s->p->permit[s->rule[i]];
		at = (size_t)way * s->n_rule + i;
		if (!period_contains(s->p, r->period, s->now) ||
		    !period_contains(s->p, s->p->role[r->role].period, s->now) ||
		    (fixed && s->failed[at]))
			continue;
		both[1] = r->cond;
		if (choose(s, both))
			return true;
		s->failed[at] = 1;
	}
	return false;
}

/* Room for what failed of @ways ways, all forgotten. */
static bool forget(struct search *s, uint32_t ways)
{
	uint32_t i;

	for (i = 1; i < s->p->n_attr; i++)
		s->given[i].ready = false;
	s->n_failed = 0;
	if ((uint64_t)ways * s->n_rule > 1u << 28 ||
	    pol_vec_reserve(s, failed, ways * s->n_rule + 1)) {
		s->ret = -ENOMEM;
		return false;
	}
	memset(s->failed, 0, (size_t)ways * s->n_rule);
	return true;
}

static bool at_instant(struct search *s, int64_t now)
{
	s->now = now;
	s->q = (struct pol_query){ .authenticated = true, .user = s->who.user, .inst = s->ask->inst,
				   .type = s->ask->type, .action = s->ask->action,
				   .mapped = POL_NONE, .want = s->ask->role, .now = now };
	set_query(s);
	return period_contains(s->p, s->p->role[s->ask->role].period, now);
}

/* @list: assignments of this user; those of everybody follow. */
static bool is_open_way(struct search *s, const struct pol_given *a)
{
	return gives(s, a->role) && period_contains(s->p, a->period, s->now);
}

static bool any_way(const struct search *s, const struct pol_given *list, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (gives(s, list[i].role))
			return true;
	return false;
}

/* A user, or POL_NONE: somebody whom only an assertion names. */
static bool try_user(struct search *s, uint32_t user)
{
	const struct pol_image *p = s->p;
	const struct pol_user *u = user == POL_NONE ? NULL : &p->user[user];
	const struct pol_given *own = u ? p->assignlist + u->assign : NULL;
	uint32_t n_own = u ? u->n_assign : 0, i, k;
	const struct never_instants *t;

	if ((u && !u->enabled) ||
	    (!any_way(s, own, n_own) && !any_way(s, p->anyassign, p->n_anyassign)))
		return false;
	s->who = (struct who){ user, POL_NONE, POL_NONE, NULL };
	s->a->subjects++;
	if (!forget(s, n_own + p->n_anyassign))
		return false;
	t = instants(s, u ? u->from : INT64_MIN, u ? u->until : INT64_MAX);
	for (i = 0; i < t->n_at && !s->ret; i++) {
		if (!at_instant(s, t->at[i]))
			continue;
		for (k = 0; k < n_own + p->n_anyassign; k++) {
			const struct pol_given *a = k < n_own ? &own[k] :
								 &p->anyassign[k - n_own];

			if (is_open_way(s, a) && by_each_rule(s, k, a->cond))
				return true;
		}
	}
	return false;
}

/* A role that another cloud's SLA module maps. */
static bool try_map(struct search *s, uint32_t sla, uint32_t map)
{
	const struct pol_image *p = s->p;
	const struct pol_sla *a = &p->sla[sla];
	const struct never_instants *t;
	const struct pol_permit *m;
	uint32_t i, k;

	s->who = (struct who){ POL_NONE, sla, map, pol_str(p, a->peer) };
	s->a->subjects++;
	if (!forget(s, a->n_mediate))
		return false;
	t = instants(s, a->from, a->until);
	for (i = 0; i < t->n_at && !s->ret; i++) {
		if (!at_instant(s, t->at[i]))
			continue;
		for (k = 0; k < a->n_mediate; k++) {
			m = &p->mediate[a->mediate + k];
			if (names(s, m) && period_contains(p, m->period, s->now) &&
			    by_each_rule(s, k, m->cond))
				return true;
		}
	}
	return false;
}

static bool try_all(struct search *s)
{
	const struct pol_image *p = s->p;
	const struct pol_sla *a;
	uint32_t i, k;

	if (!s->n_rule)
		return false;
	for (i = 0; i < p->n_user && !s->ret; i++)
		if (try_user(s, i))
			return true;
	if (try_user(s, POL_NONE))
		return true;
	for (i = 0; i < p->n_sla && !s->ret; i++) {
		a = &p->sla[i];
		if (a->side != SIDE_PROVIDER || a->revoked)
			continue;
		for (k = a->map; k < a->map + a->n_map && !s->ret; k++)
			if (gives(s, p->map[k].local) && try_map(s, i, k))
				return true;
	}
	return false;
}

int never_search(const struct pol_image *p, const struct never_ask *ask, struct never_answer *a)
{
	struct search s = { .p = p, .ask = ask, .a = a };
	uint32_t i;

	*a = (struct never_answer){ .granted = false };
	s.given = calloc(p->n_attr, sizeof(*s.given));
	s.ret = s.given ? 0 : -ENOMEM;
	if (!s.ret)
		find_what_matters(&s);
	if (!s.ret && try_all(&s))
		s.ret = 0;
	if (s.ret)
		snprintf(a->why, sizeof(a->why), s.ret == -ENOMEM ? "out of memory" :
			 "there is more to go through than is affordable: ask of one action or "
			 "resource, or make conditions and periods fewer");
	for (i = 0; i < p->n_attr && s.given; i++)
		never_domain_free(&s.given[i].dom);
	for (i = 0; i < s.n_kind; i++)
		never_instants_free(&s.kind[i]);
	free(s.given);
	free(s.rule);
	free(s.m.cond);
	free(s.m.period);
	free(s.failed);
	return s.ret;
}

void never_free(struct never_answer *a)
{
	uint32_t i;

	for (i = 0; i < a->n_attr; i++)
		free(a->text[i]);
	a->n_attr = 0;
}
