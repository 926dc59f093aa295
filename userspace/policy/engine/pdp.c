// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "engine/pdp.h"

static bool no(struct pol_reason *r, uint32_t code)
{
	*r = (struct pol_reason){ code, POL_NONE, POL_NONE, POL_NONE, POL_NONE, 0 };
	return false;
}

static bool number(uint32_t type, const char *s, int64_t *num)
{
	char *end;

	if (type == T_TIME)
		return !pol_time(s, num);
	if (type == T_BOOLEAN) {
		*num = !strcmp(s, "true");
		return *num || !strcmp(s, "false");
	}
	if ((*s < '0' || *s > '9') && *s != '-')
		return false;
	errno = 0;
	*num = strtoll(s, &end, 10);
	return !errno && !*end && end != s;
}

static struct pol_text *add_text(const struct pol_image *p, struct pdp_store *st, uint32_t *used,
				 const char *s, size_t len)
{
	struct pol_text *t = &st->text[*used];

	if (*used == PDP_TEXTS_MAX || len > POL_STR_MAX)
		return NULL;
	*t = (struct pol_text){ pol_string(p, s, len), len, s };
	++*used;
	return t;
}

static bool value(const struct pol_image *p, uint32_t type, const char *s, struct pdp_store *st,
		  uint32_t *used, struct pol_rval *v)
{
	size_t len;

	v->text = &st->text[*used];
	v->n = 1;
	if (type == T_STRING)
		return add_text(p, st, used, s, strlen(s));
	if (type != T_SET) {
		v->text = NULL;
		return number(type, s, &v->num);
	}
	for (v->n = 0; *(s += strspn(s, " ")); s += len, v->n++) {
		len = strcspn(s, " ");
		if (v->n == POL_MEMBERS_MAX || !add_text(p, st, used, s, len))
			return false;
	}
	return true;
}

static bool attributes(const struct pol_image *p, const struct pdp_request *in,
		       struct pdp_store *st, struct pol_query *q)
{
	uint32_t i, k, a, used = 0;

	if (in->n_attr > POL_ATTRS_MAX)
		return false;
	for (i = 0; i < in->n_attr; i++) {
		a = pol_find(p, P_ATTR, in->attr[i].name);
		if (a == POL_NONE)
			continue;
		if (p->attr[a].category != in->attr[i].from || in->attr[i].from == C_USER ||
		    in->attr[i].from == C_RESOURCE || !a)
			return false;
		for (k = 0; k < q->n_attr; k++)
			if (st->val[k].attr == a)
				return false;
		st->val[q->n_attr] = (struct pol_rval){ .attr = a };
		if (!value(p, p->attr[a].type, in->attr[i].value, st, &used,
			   &st->val[q->n_attr]))
			return false;
		q->n_attr++;
	}
	q->attr = st->val;
	return true;
}

static bool resource(const struct pol_image *p, const struct pdp_request *in,
		     const struct pol_sought *inst, struct pol_query *q)
{
	q->type = in->type ? pol_find(p, P_RTYPE, in->type) : POL_NONE;
	q->inst = POL_NONE;
	if (in->instance) {
		q->inst = pol_found(p, P_INST, inst);
		if (q->inst == POL_NONE)
			return false;
		if (!in->type)
			q->type = p->inst[q->inst].type;
		return q->type == p->inst[q->inst].type;
	}
	return q->type != POL_NONE;
}

static bool has_action(const struct pol_image *p, const struct pol_rtype *t, uint32_t action)
{
	uint32_t i;

	for (i = 0; i < t->n_action; i++)
		if (p->actionlist[t->action + i] == action)
			return true;
	return false;
}

bool pdp_extract(const struct pol_image *p, const struct pdp_request *in, struct pdp_store *st,
		 struct pol_query *q, struct pol_reason *r)
{
	/* There are many of these, and they are far: sent for at once, and waited for together. */
	struct pol_sought user = pol_seek(p, P_USER, in->user);
	struct pol_sought inst = pol_seek(p, P_INST, in->instance);

	*q = (struct pol_query){
		.authenticated = in->authenticated, .mapped = in->mapped, .now = in->now,
		.tick = in->tick, .user = pol_found(p, P_USER, &user), .want = POL_NONE,
		.session = in->session, .n_active = in->n_active,
	};
	if (q->user != POL_NONE)
		__builtin_prefetch(&p->user[q->user]);
	q->action = in->action ? pol_find(p, P_ACTION, in->action) : POL_NONE;
	if (q->action == POL_NONE)
		return no(r, R_UNKNOWN_ACTION);
	if (!resource(p, in, &inst, q))
		return no(r, R_UNKNOWN_RESOURCE);
	if (!has_action(p, &p->rtype[q->type], q->action))
		return no(r, R_ACTION_NOT_OF_TYPE);
	if (q->user != POL_NONE)
		__builtin_prefetch(&p->val[p->user[q->user].val]);	/* conditions will ask */
	if (!attributes(p, in, st, q))
		return no(r, R_BAD_ATTRIBUTE);
	if (in->user && q->user == POL_NONE)
		return no(r, R_NO_CREDENTIAL);
	if (in->role) {
		q->want = pol_find(p, P_ROLE, in->role);
		if (q->want == POL_NONE)
			return no(r, R_ROLE_NOT_HELD);
	}
	return true;
}

void pdp_decide(const struct pol_image *p, const struct pdp_request *in, struct pdp_store *st,
		struct pol_query *q, struct pol_decision *d)
{
	struct pol_reason r;

	if (pdp_extract(p, in, st, q, &r)) {
		pep_decide(p, q, d);
		return;
	}
	d->permit = false;
	d->more = 0;
	d->role = POL_NONE;
	d->n = 0;
	pol_refuse(d, r);
}
