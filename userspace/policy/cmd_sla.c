// SPDX-License-Identifier: GPL-2.0-only
/* Asks a policy as the SLA modules of two clouds do; for diff and test. */
#include "cmd.h"
#include "sla.h"

/* Another cloud's request: the SLA module, then the ACM for the role that it maps to. */
static bool provide(const struct pol_image *p, const struct cmd_sla *s, struct pdp_request *in,
		    struct pdp_store *st, struct pol_query *q, struct pol_reason *r)
{
	struct pol_decision d;

	if (!sla_provide(p, q, pol_find(p, P_SLA, s->id), s->peer, s->role, s->chained,
			 &in->mapped, r))
		return false;
	pdp_decide(p, in, st, q, &d);
	if (!d.permit)
		*r = d.reason[0];
	return d.permit;
}

bool cmd_sla_ask(const struct pol_image *p, const struct cmd_sla *s, const struct pdp_request *rq,
		 const char **role, struct pol_reason *r)
{
	struct pdp_attr attr[POL_ATTRS_MAX];
	struct pdp_request in = *rq;
	uint32_t held, remote;
	struct pdp_store st;
	struct pol_query q;

	if (s->provider && in.n_attr < POL_ATTRS_MAX) {
		memcpy(attr, in.attr, in.n_attr * sizeof(*attr));
		attr[in.n_attr++] = (struct pdp_attr){ "env.peer", s->peer, C_ENV };
		in.attr = attr;
	}
	if (!pdp_extract(p, &in, &st, &q, r))
		return false;
	if (s->provider) {
		if (!provide(p, s, &in, &st, &q, r))
			return false;
		*role = pol_str(p, p->role[in.mapped].name);
		return true;
	}
	held = pol_find(p, P_ROLE, s->role);
	*r = (struct pol_reason){ R_ROLE_NOT_HELD, POL_NONE, POL_NONE, POL_NONE, POL_NONE, 0 };
	if (held == POL_NONE || !sla_consume(p, &q, pol_find(p, P_SLA, s->id), s->peer, held,
					     s->chained, &remote, r))
		return false;
	*role = pol_str(p, remote);
	return true;
}
