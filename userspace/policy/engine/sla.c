// SPDX-License-Identifier: GPL-2.0-only
#include "engine/sla.h"

static bool no(struct pol_reason *r, uint32_t code, uint32_t sla, uint32_t what, uint32_t node)
{
	*r = (struct pol_reason){ code, sla, POL_NONE, what, node, 0 };
	return false;
}

bool sla_standing(const struct pol_image *p, uint32_t sla, const char *peer, int64_t now,
		  struct pol_reason *r)
{
	const struct pol_sla *s;

	if (sla == POL_NONE)
		return no(r, R_NO_SLA, POL_NONE, POL_NONE, POL_NONE);
	s = &p->sla[sla];
	if (strcmp(pol_str(p, s->peer), peer))
		return no(r, R_SLA_PEER, sla, POL_NONE, POL_NONE);
	if (s->revoked)
		return no(r, R_SLA_REVOKED, sla, POL_NONE, POL_NONE);
	if (now < s->from)
		return no(r, R_SLA_NOT_YET, sla, POL_NONE, POL_NONE);
	if (now >= s->until)
		return no(r, R_SLA_EXPIRED, sla, POL_NONE, POL_NONE);
	return true;
}

/* The first part of the virtual view that has the resource, or POL_NONE. */
static uint32_t visible(const struct pol_image *p, const struct pol_sla *s,
			const struct pol_query *q)
{
	uint32_t i, o;

	for (i = s->visible; i < s->visible + s->n_visible; i++) {
		o = p->visible[i];
		if (o == POL_OBJ_TYPE(q->type) ||
		    (q->inst != POL_NONE && o == POL_OBJ_INST(q->inst)))
			return i;
	}
	return POL_NONE;
}

static bool names(const struct pol_permit *m, const struct pol_query *q, uint32_t role)
{
	return m->action == q->action && (m->role == POL_NONE || m->role == role) &&
	       (m->object == POL_OBJ_TYPE(q->type) ||
		(q->inst != POL_NONE && m->object == POL_OBJ_INST(q->inst)));
}

/* Keeps the first refusal. */
static void no_rule(struct pol_reason *r, uint32_t code, uint32_t rule, uint32_t what,
		    uint32_t node)
{
	if (r->code != R_SLA_NOT_MEDIATED)
		return;
	no(r, code, r->rule, what, node);
	r->assign = rule;
}

/* The first mediation rule that permits; else the first that names the request says why not. */
static bool mediated(const struct pol_image *p, const struct pol_query *q, uint32_t sla,
		     uint32_t role, struct pol_reason *r)
{
	const struct pol_sla *s = &p->sla[sla];
	const struct pol_permit *m;
	uint32_t i, leaf;

	no(r, R_SLA_NOT_MEDIATED, sla, POL_NONE, POL_NONE);
	for (i = s->mediate; i < s->mediate + s->n_mediate; i++) {
		m = &p->mediate[i];
		if (!names(m, q, role))
			continue;
		if (!period_contains(p, m->period, q->now)) {
			no_rule(r, R_SLA_PERIOD, i, m->period, POL_NONE);
		} else if (m->cond != POL_NONE &&
			   expr_evaluate(p, q, p->cond[m->cond].node, &leaf) != TRUTH_YES) {
			no_rule(r, R_SLA_CONDITION, i, m->cond, leaf);
		} else {
			r->assign = i;
			return true;
		}
	}
	return false;
}

/* The order of the checks is the order of their reasons. */
static bool agreed(const struct pol_image *p, const struct pol_query *q, uint32_t sla,
		   uint32_t map, bool mapped, struct pol_reason *r)
{
	const struct pol_sla *s = &p->sla[sla];
	uint32_t view = visible(p, s, q);

	if (mapped && !s->chain)
		return no(r, R_SLA_CHAIN, sla, POL_NONE, POL_NONE);
	if (view == POL_NONE)
		return no(r, R_SLA_NOT_VISIBLE, sla, POL_NONE, POL_NONE);
	if (!mediated(p, q, sla, p->map[map].local, r))
		return false;
	if (s->side == SIDE_PROVIDER && s->isolation &&
	    (q->inst == POL_NONE || !p->inst[q->inst].isolated))
		return no(r, R_SLA_ISOLATION, sla, POL_NONE, POL_NONE);
	*r = (struct pol_reason){ R_SLA_MAPPED, sla, r->assign, map, view, 0 };
	return true;
}

bool sla_consume(const struct pol_image *p, const struct pol_query *q, uint32_t sla,
		 const char *peer, uint32_t role, bool mapped, uint32_t *remote,
		 struct pol_reason *r)
{
	const struct pol_sla *s;
	uint32_t i;

	if (!sla_standing(p, sla, peer, q->now, r))
		return false;
	s = &p->sla[sla];
	if (s->side != SIDE_CONSUMER)
		return no(r, R_SLA_SIDE, sla, POL_NONE, POL_NONE);
	for (i = s->map; i < s->map + s->n_map; i++)
		if (pol_inherits(p, role, p->map[i].local)) {
			*remote = p->map[i].remote;
			return agreed(p, q, sla, i, mapped, r);
		}
	return no(r, R_SLA_UNMAPPED, sla, POL_NONE, POL_NONE);
}

bool sla_provide(const struct pol_image *p, const struct pol_query *q, uint32_t sla,
		 const char *peer, const char *remote, bool mapped, uint32_t *role,
		 struct pol_reason *r)
{
	uint32_t name = pol_string(p, remote, strlen(remote)), i;
	const struct pol_sla *s;

	if (!sla_standing(p, sla, peer, q->now, r))
		return false;
	s = &p->sla[sla];
	if (s->side != SIDE_PROVIDER)
		return no(r, R_SLA_SIDE, sla, POL_NONE, POL_NONE);
	for (i = s->map; i < s->map + s->n_map; i++)
		if (name != POL_NONE && p->map[i].remote == name) {
			*role = p->map[i].local;
			return agreed(p, q, sla, i, mapped, r);
		}
	return no(r, R_SLA_UNMAPPED, sla, POL_NONE, POL_NONE);
}
