// SPDX-License-Identifier: GPL-2.0-only
/* Compiles users, resources, and the two assignment sheets. */
#include <errno.h>

#include "compile/build.h"

static int build_action(struct build *b, struct pol_at at, uint32_t name, uint32_t *out)
{
	*out = build_find(b, P_ACTION, name);
	if (*out != POL_NONE)
		return 0;
	*out = b->n_action;
	if (*out >= POL_ACTIONS_MAX)
		return build_bad(b, at, "more than %u actions", POL_ACTIONS_MAX);
	if (pol_vec_push(b, action, name))
		return build_nomem(b);
	return build_name(b, at, P_ACTION, "action", name, *out);
}

static int build_rtype(struct build *b, uint32_t i)
{
	const struct m_rtype *t = &b->m->rtype[i];
	struct pol_rtype out = { t->name, t->layer, 0, b->n_actionlist, t->n_action };
	uint32_t k, a;
	int ret = build_name(b, t->at, P_RTYPE, "type", t->name, i);

	for (k = 0; !ret && k < t->n_action; k++) {
		ret = build_action(b, t->at, b->m->name[t->action + k], &a);
		if (!ret && pol_vec_push(b, actionlist, a))
			return build_nomem(b);
	}
	if (!ret && pol_vec_push(b, rtype, out))
		return build_nomem(b);
	return ret;
}

int build_resources(struct build *b)
{
	const struct m_inst *m;
	struct pol_inst out;
	uint32_t i;
	int ret = 0;

	if (b->m->n_rtype > POL_OBJECTS_MAX || b->m->n_inst > POL_OBJECTS_MAX)
		return pol_fail(b->e, E2BIG, "more than %u resources", POL_OBJECTS_MAX);
	for (i = 0; !ret && i < b->m->n_rtype; i++)
		ret = build_rtype(b, i);
	for (i = 0; !ret && i < b->m->n_inst; i++) {
		m = &b->m->inst[i];
		out = (struct pol_inst){ m->name, 0, m->isolated, b->n_val, m->n_val };
		ret = build_need(b, m->at, P_RTYPE, "type", m->type, &out.type);
		ret = ret ? ret : build_name(b, m->at, P_INST, "instance", m->name, i);
		ret = ret ? ret : build_values(b, m->at, m->val, m->n_val, C_RESOURCE);
		if (!ret && pol_vec_push(b, inst, out))
			return build_nomem(b);
	}
	return ret;
}

static int build_cred(struct build *b, const struct m_cred *c)
{
	uint64_t key = pol_key_cred(c->method, c->issuer, c->subject);
	struct pol_slot *s = &b->slot[pol_slot_of(b->slot, b->n_slot, key)];

	if (c->subject == POL_NONE)
		return build_bad(b, c->at, "a credential without a subject");
	if ((c->issuer == POL_NONE) != (c->method == M_FINGERPRINT))
		return build_bad(b, c->at, "credential: an issuer is %s",
				 c->method == M_FINGERPRINT ? "not taken with a fingerprint" :
				 "needed: without it any authority could vouch for this user");
	if (s->key)
		return build_bad(b, c->at, "credential '%s' belongs to two users",
				 m_str(b->m, c->subject));
	*s = (struct pol_slot){ key, c->user, 0 };
	return 0;
}

int build_users(struct build *b)
{
	const struct m_user *u;
	struct pol_user out;
	uint32_t i;
	int ret = 0;

	for (i = 0; !ret && i < b->m->n_user; i++) {
		u = &b->m->user[i];
		out = (struct pol_user){ .name = u->name, .enabled = u->enabled, .val = b->n_val,
					 .n_val = u->n_val, .from = u->from, .until = u->until };
		ret = build_name(b, u->at, P_USER, "user", u->name, i);
		ret = ret ? ret : build_values(b, u->at, u->val, u->n_val, C_USER);
		if (!ret && pol_vec_push(b, user, out))
			return build_nomem(b);
	}
	for (i = 0; !ret && i < b->m->n_cred; i++)
		ret = build_cred(b, &b->m->cred[i]);
	return ret;
}

/* Whom a condition will hold for is not known beforehand, so they cannot be counted. */
static int check_counted(struct build *b, const struct m_assign *a, const struct pol_role *r)
{
	if (!r->cardinality)
		return 0;
	return build_bad(b, a->at, "assignment%s%s gives role '%s', of which there are at most %u "
			 "users, to users who are not named: name one, or remove the cardinality",
			 a->id == POL_NONE ? "" : " ", a->id == POL_NONE ? "" : m_str(b->m, a->id),
			 m_str(b->m, r->name), r->cardinality);
}

static struct pol_given given(uint32_t i, const struct pol_assign *a)
{
	return (struct pol_given){ i, a->role, a->period, a->cond };
}

static int build_assign(struct build *b, uint32_t i)
{
	const struct m_assign *a = &b->m->assign[i];
	struct pol_assign out = { .id = a->id, .at = a->at };
	int ret = build_need(b, a->at, P_ROLE, "role", a->role, &out.role);

	ret = ret ? ret : build_ref(b, a->at, P_USER, "user", a->user, &out.user);
	ret = ret ? ret : build_ref(b, a->at, P_PERIOD, "period", a->period, &out.period);
	ret = ret ? ret : build_ref(b, a->at, P_COND, "condition", a->cond, &out.cond);
	if (ret)
		return ret;
	if (out.user == POL_NONE && out.cond == POL_NONE)
		return build_bad(b, a->at, "an assignment to everybody: name a user or a "
				 "condition");
	if (out.user != POL_NONE) {
		b->user[out.user].n_assign++;
	} else {
		ret = check_counted(b, a, &b->role[out.role]);
		if (ret)
			return ret;
		if (pol_vec_push(b, anyassign, given(i, &out)))
			return build_nomem(b);
	}
	return pol_vec_push(b, assign, out) ? build_nomem(b) : 0;
}

/* Cuts assignlist into a slice a user, in the sheets' order. */
static int list_assigns(struct build *b)
{
	uint32_t i, n = 0;
	struct pol_user *u;

	for (i = 0; i < b->n_user; i++) {
		b->user[i].assign = n;
		n += b->user[i].n_assign;
		b->user[i].n_assign = 0;
	}
	if (pol_vec_reserve(b, assignlist, n + 1))
		return build_nomem(b);
	b->n_assignlist = n;
	for (i = 0; i < b->n_assign; i++) {
		if (b->assign[i].user == POL_NONE)
			continue;
		u = &b->user[b->assign[i].user];
		b->assignlist[u->assign + u->n_assign++] = given(i, &b->assign[i]);
	}
	for (i = 0; i < b->n_user; i++) {
		u = &b->user[i];
		if (u->n_assign == 1)
			u->only = b->assignlist[u->assign];
	}
	return 0;
}

/*
 * A named user's assignments must respect static separation of duty whenever
 * they may hold: periods and conditions do not excuse a conflict.
 */
static int check_user(struct build *b, uint32_t user, uint32_t *seen, uint32_t *count)
{
	const struct pol_user *u = &b->user[user];
	const struct pol_role *r;
	uint32_t i, k, s, q;
	int ret = 0;

	for (i = 0; i < u->n_assign; i++) {
		r = &b->role[b->assignlist[u->assign + i].role];
		for (k = 0; k < r->n_closure; k++) {
			q = b->rolelist[r->closure + k];
			if (seen[q] == user + 1)
				continue;
			seen[q] = user + 1;
			for (s = 0; s < b->role[q].n_sod; s++)
				count[b->sodlist[b->role[q].sod + s]]++;
		}
	}
	for (i = 0; i < u->n_assign; i++) {
		const struct pol_assign *a = &b->assign[b->assignlist[u->assign + i].assign];

		r = &b->role[a->role];
		for (k = 0; k < r->n_closure; k++) {
			q = b->rolelist[r->closure + k];
			for (s = 0; s < b->role[q].n_sod; s++) {
				struct pol_sod *d = &b->sod[b->sodlist[b->role[q].sod + s]];
				uint32_t *n = &count[d - b->sod];

				if (!ret && d->kind == SOD_STATIC && *n > d->limit)
					ret = build_bad(b, a->at, "user '%s' would hold %u roles "
							"of separation of duty '%s', which allows "
							"%u", m_str(b->m, u->name), *n,
							m_str(b->m, d->name), d->limit);
				*n = 0;
			}
		}
	}
	return ret;
}

static int check_ssd(struct build *b)
{
	uint32_t *seen = calloc(b->n_role + 1, 4), *count = calloc(b->n_sod + 1, 4), i;
	int ret = seen && count ? 0 : build_nomem(b);

	for (i = 0; !ret && b->n_sod && i < b->n_user; i++)
		ret = check_user(b, i, seen, count);
	free(seen);
	free(count);
	return ret;
}

/* Distinct users by name; a user named twice for one role counts once. */
static int check_cardinality(struct build *b)
{
	uint32_t *n = calloc(b->n_role + 1, 4), *last = calloc(b->n_role + 1, 4), i, k;
	const struct pol_assign *a;
	int ret = n && last ? 0 : build_nomem(b);

	for (i = 0; !ret && i < b->n_user; i++)
		for (k = 0; !ret && k < b->user[i].n_assign; k++) {
			a = &b->assign[b->assignlist[b->user[i].assign + k].assign];
			if (last[a->role] == i + 1)
				continue;
			last[a->role] = i + 1;
			if (++n[a->role] > b->role[a->role].cardinality &&
			    b->role[a->role].cardinality)
				ret = build_bad(b, a->at, "role '%s' would have more users than "
						"its cardinality %u",
						m_str(b->m, b->role[a->role].name),
						b->role[a->role].cardinality);
		}
	free(n);
	free(last);
	return ret;
}

/* Compiles a permission; its role may be absent if @optional. */
static int permission(struct build *b, const struct m_permit *p, bool optional,
		      struct pol_permit *out)
{
	uint32_t type, inst, i;
	int ret;

	*out = (struct pol_permit){ .id = p->id, .next = POL_NONE, .at = p->at };
	ret = (optional ? build_ref : build_need)(b, p->at, P_ROLE, "role", p->role, &out->role);
	ret = ret ? ret : build_need(b, p->at, P_ACTION, "action", p->action, &out->action);
	ret = ret ? ret : build_ref(b, p->at, P_RTYPE, "type", p->type, &type);
	ret = ret ? ret : build_ref(b, p->at, P_INST, "instance", p->instance, &inst);
	ret = ret ? ret : build_ref(b, p->at, P_PERIOD, "period", p->period, &out->period);
	ret = ret ? ret : build_ref(b, p->at, P_COND, "condition", p->cond, &out->cond);
	if (ret)
		return ret;
	if ((type == POL_NONE) == (inst == POL_NONE))
		return build_bad(b, p->at, "a permission is on a type or on an instance: give one");
	out->object = type != POL_NONE ? POL_OBJ_TYPE(type) : POL_OBJ_INST(inst);
	if (type == POL_NONE)
		type = b->inst[inst].type;
	for (i = 0; i < b->rtype[type].n_action; i++)
		if (b->actionlist[b->rtype[type].action + i] == out->action)
			return 0;
	return build_bad(b, p->at, "type '%s' has no action '%s'",
			 m_str(b->m, b->rtype[type].name), m_str(b->m, p->action));
}

/* Chains the rules of one (role, action, object), the last first: each then heads its chain. */
static void chain_permits(struct build *b)
{
	struct pol_permit *m;
	struct pol_slot *s;
	uint32_t i;
	uint64_t key;

	for (i = b->n_permit; i--;) {
		m = &b->permit[i];
		key = pol_key_perm(m->role, m->action, m->object);
		s = &b->slot[pol_slot_of(b->slot, b->n_slot, key)];
		m->next = s->key ? s->idx : POL_NONE;
		*s = (struct pol_slot){ key, i, 0 };
		if (!(m->object & 1))
			b->rtype[m->object >> 1].ruled = 1;
	}
}

int build_rules(struct build *b)
{
	struct pol_permit p;
	uint32_t i;
	int ret = 0;

	for (i = 0; !ret && i < b->m->n_assign; i++)
		ret = build_assign(b, i);
	ret = ret ? ret : list_assigns(b);
	ret = ret ? ret : check_ssd(b);
	ret = ret ? ret : check_cardinality(b);
	for (i = 0; !ret && i < b->m->n_permit; i++) {
		ret = permission(b, &b->m->permit[i], false, &p);
		if (!ret && pol_vec_push(b, permit, p))
			ret = build_nomem(b);
	}
	for (i = 0; !ret && i < b->m->n_mediate; i++) {
		ret = permission(b, &b->m->mediate[i], true, &p);
		if (!ret && pol_vec_push(b, mediate, p))
			ret = build_nomem(b);
	}
	if (!ret)
		chain_permits(b);
	return ret;
}
