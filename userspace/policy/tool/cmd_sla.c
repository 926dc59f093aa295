// SPDX-License-Identifier: GPL-2.0-only
/* Asks a policy as the VRMs of two clouds do; for diff and test. */
#include "engine/sla.h"
#include "tool/cmd.h"

/* Another cloud's request: the SLA module, then the ACM for the role that it maps to. */
static void provide(const struct pol_image *p, const struct cmd_sla *s, struct pdp_request *in,
		    struct pdp_store *st, struct pol_query *q, struct cmd_sla_answer *a)
{
	if (!sla_provide(p, q, pol_find(p, P_SLA, s->id), s->peer, s->role, s->chained,
			 &in->mapped, &a->sla))
		return;
	pdp_decide(p, in, st, q, &a->acm);
	a->permit = a->acm.permit;
	a->role = pol_str(p, p->role[in->mapped].name);
	if (!a->permit)
		a->last = &a->acm.reason[0];
}

static void consume(const struct pol_image *p, const struct cmd_sla *s, const struct pol_query *q,
		    struct cmd_sla_answer *a)
{
	uint32_t held = pol_find(p, P_ROLE, s->role), remote;

	if (held == POL_NONE) {
		a->sla = (struct pol_reason){ R_ROLE_NOT_HELD, POL_NONE, POL_NONE, POL_NONE,
					      POL_NONE, 0 };
		return;
	}
	a->permit = sla_consume(p, q, pol_find(p, P_SLA, s->id), s->peer, held, s->chained,
				&remote, &a->sla);
	a->role = a->permit ? pol_str(p, remote) : NULL;
}

void cmd_sla_ask(const struct pol_image *p, const struct cmd_sla *s, const struct pdp_request *rq,
		 struct cmd_sla_answer *a)
{
	struct pdp_attr attr[POL_ATTRS_MAX];
	struct pdp_request in = *rq;
	struct pdp_store st;
	struct pol_query q;

	a->permit = false;
	a->acm.n = 0;
	a->last = &a->sla;
	in.authenticated = true;
	if (s->provider && in.n_attr < POL_ATTRS_MAX) {
		memcpy(attr, in.attr, in.n_attr * sizeof(*attr));
		attr[in.n_attr++] = (struct pdp_attr){ "env.peer", s->peer, C_ENV };
		in.attr = attr;
	}
	if (!pdp_extract(p, &in, &st, &q, &a->sla))
		return;
	if (s->provider)
		provide(p, s, &in, &st, &q, a);
	else
		consume(p, s, &q, a);
}
