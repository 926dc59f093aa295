// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who asks: a user by a certificate or an assertion, a role that the layer above
 * vouches for, or one that the SLA module maps for another cloud.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/sla.h"
#include "vrm/work.h"

static uint32_t user_by(const struct pol_image *p, uint32_t method, const char *issuer,
			const char *subject)
{
	uint32_t i = issuer ? pol_string(p, issuer, strlen(issuer)) : POL_NONE;
	uint32_t s = pol_string(p, subject, strlen(subject));

	if (s == POL_NONE || (issuer && i == POL_NONE))
		return POL_NONE;
	return pol_lookup(p, pol_key_cred(method, i, s));
}

uint32_t vrm_user(const struct pol_image *p, const struct sender *s)
{
	uint32_t user = user_by(p, M_X509, s->issuer, s->subject);

	return user != POL_NONE ? user : user_by(p, M_FINGERPRINT, NULL, s->fingerprint);
}

static bool add_attr(struct work *w, const char *name, const char *value, enum pol_category from)
{
	if (w->in.n_attr == POL_ATTRS_MAX)
		return false;
	w->attr[w->in.n_attr++] = (struct pdp_attr){ name, value, from };
	return true;
}

/* Those that this policy asks for. */
static bool take_claims(struct work *w)
{
	uint32_t i;

	for (i = 0; i < w->jwt.n_claim; i++)
		if (pol_find(w->p, P_ATTR, w->jwt.name[i]) != POL_NONE &&
		    !add_attr(w, w->jwt.name[i], w->jwt.value[i], C_CLAIM))
			return false;
	return true;
}

static enum next too_many(struct work *w)
{
	return vrm_refuse(w, reason_module(R_BAD_ATTRIBUTE), reason_name(R_BAD_ATTRIBUTE),
			  "more attributes, with the assertion's claims, than a decision weighs");
}

/* An assertion adds claims to the user it is about, or names the user. */
static enum next assertion(struct work *w, uint32_t *user)
{
	const struct conf *c = &w->d->conf;
	struct jwt_rules rules = { c->jwt_issuer, c->jwt_audience, w->in.now, c->skew_s };
	struct pol_err e = { "no assertion issuer is configured here" };
	uint32_t subject;

	if (!w->rq.assertion)
		return NEXT;
	if (!w->d->jwt_keys || jwt_verify(w->rq.assertion, w->d->jwt_keys, &rules, &w->jwt, &e))
		return vrm_refuse(w, "credential-evaluator", "bad-assertion", e.msg);
	subject = user_by(w->p, M_JWT, c->jwt_issuer, w->jwt.subject);
	if (*user != POL_NONE && subject != *user)
		return vrm_refuse(w, "credential-evaluator", "bad-assertion",
				  "assertion: about another user than the certificate");
	*user = subject;
	w->authenticated = true;
	return take_claims(w) ? NEXT : too_many(w);
}

static enum next subject_user(struct work *w)
{
	uint32_t user = POL_NONE;

	if (w->s.kind == SENDER_USER)
		user = vrm_user(w->p, &w->s);
	else if (w->rq.user)
		user = pol_find(w->p, P_USER, w->rq.user);
	w->authenticated = user != POL_NONE;
	if (assertion(w, &user))
		return DECIDED;
	w->user = user == POL_NONE ? NULL : pol_str(w->p, w->p->user[user].name);
	return NEXT;
}

/* The layer above vouches for a role that its SLA module mapped. */
static enum next subject_mapped(struct work *w)
{
	w->mapped = pol_find(w->p, P_ROLE, w->rq.mapped_role);
	if (w->mapped == POL_NONE)
		return vrm_refuse(w, "credential-evaluator", "no-role", "the mapped role is not "
				  "known in this layer's policy");
	w->mapped_by = w->rq.mapped_by;
	w->origin = w->rq.origin;
	w->authenticated = true;
	return NEXT;
}

/* What another cloud may not see and what is not there are the same to it. */
static enum next not_visible(struct work *w, const struct pol_reason *r)
{
	char text[1400];

	reason_text(w->p, &w->q, r, text, sizeof(text));
	return vrm_refuse(w, reason_module(R_SLA_NOT_VISIBLE), reason_name(R_SLA_NOT_VISIBLE),
			  text);
}

/* The SLA module's enforcement point, on the provider's side. */
static enum next subject_remote(struct work *w)
{
	uint32_t sla = pol_find(w->p, P_SLA, w->rq.sla), i;
	const char *peer = w->s.peer->cloud;
	bool chained = w->rq.chained;
	struct pol_reason r;

	for (i = 0; i < w->rq.n_hop; i++)
		chained |= strcmp(w->rq.hop[i].cloud, peer) != 0;
	w->authenticated = w->in.authenticated = true;
	if (!sla_standing(w->p, sla, peer, w->in.now, &r))
		return vrm_refuse_reason(w, &r);
	/* By index, for the SLA module; nothing is decided yet. */
	if (!pdp_extract(w->p, &w->in, &w->store, &w->q, &r))
		return not_visible(w, &r);
	if (!sla_provide(w->p, &w->q, sla, peer, w->rq.sla_role, chained, &w->mapped, &r))
		return vrm_refuse_reason(w, &r);
	w->mapped_by = w->rq.sla;
	w->origin = peer;
	vrm_say(w, "sla-pep", "permit", "mapped", pol_str(w->p, w->p->role[w->mapped].name));
	return NEXT;
}

enum next vrm_subject(struct work *w)
{
	enum next next;
	uint32_t i;

	w->mapped = POL_NONE;
	w->in = (struct pdp_request){ .mapped = POL_NONE, .role = w->rq.role,
				      .action = w->rq.action, .type = w->rq.type,
				      .instance = w->rq.instance, .now = time(NULL),
				      .tick = loop_ms() / 1000,
				      .attr = w->attr };
	add_attr(w, "env.layer", vrm_layer(w), C_ENV);
	if (w->s.kind == SENDER_REMOTE || w->rq.mapped_role)	/* the layer above vouches for it */
		add_attr(w, "env.peer", w->s.kind == SENDER_REMOTE ? w->s.peer->cloud :
			 w->rq.origin, C_ENV);
	for (i = 0; i < w->rq.n_attr; i++)
		if (!add_attr(w, w->rq.attr[i].name, w->rq.attr[i].value, C_REQUEST))
			return too_many(w);
	if (w->s.kind == SENDER_REMOTE)
		next = subject_remote(w);
	else if (w->rq.mapped_role)
		next = subject_mapped(w);
	else
		next = subject_user(w);
	w->in.user = w->user;
	w->in.authenticated = w->authenticated;
	w->in.mapped = w->mapped;
	return next;
}

