// SPDX-License-Identifier: GPL-2.0-only
/* Compiles the SLA sheet (S2.6), and checks what can be checked beforehand. */
#include <errno.h>

#include "compile/build.h"

static bool has_permit(const struct build *b, uint32_t role, uint32_t action, uint32_t object)
{
	return b->slot[pol_slot_of(b->slot, b->n_slot,
				   pol_key_perm(role, action, object))].key;
}

/* Does @role, or one that it inherits, have @m's permission in the ACM's policy? */
static bool enforced(const struct build *b, uint32_t role, const struct pol_permit *m)
{
	const struct pol_role *r = &b->role[role];
	uint32_t k, q, type = m->object;

	if (m->object & 1)
		type = POL_OBJ_TYPE(b->inst[m->object >> 1].type);
	for (k = 0; k < r->n_closure; k++) {
		q = b->rolelist[r->closure + k];
		if (has_permit(b, q, m->action, m->object) || has_permit(b, q, m->action, type))
			return true;
	}
	return false;
}

/* Is there a mapped role to which @m applies, and which has its permission? */
static bool applies(const struct build *b, const struct pol_sla *s, const struct pol_permit *m)
{
	uint32_t k, role;

	for (k = 0; k < s->n_map; k++) {
		role = b->map[s->map + k].local;
		if ((m->role == POL_NONE || m->role == role) && enforced(b, role, m))
			return true;
	}
	return false;
}

/* The mediation policy is a subset of the policies that the ACM enforces. */
static int check_subset(struct build *b, const struct pol_sla *s)
{
	const struct pol_permit *m;
	uint32_t i;

	for (i = 0; i < s->n_mediate; i++) {
		m = &b->mediate[s->mediate + i];
		if (!applies(b, s, m))
			return build_bad(b, m->at, "SLA '%s' mediates what no mapped role may do "
					 "here%s%s: permit it to one, or remove it",
					 m_str(b->m, s->id), m->role == POL_NONE ? "" : " as ",
					 m->role == POL_NONE ? "" :
					 m_str(b->m, b->role[m->role].name));
	}
	return 0;
}

static int build_map(struct build *b, const struct m_sla *m, const struct m_map *map)
{
	struct pol_map out = { .remote = map->remote };
	uint32_t i;
	int ret = build_need(b, m->at, P_ROLE, "role", map->local, &out.local);

	if (ret)
		return ret;
	if (m->side == SIDE_PROVIDER && b->role[out.local].cardinality)
		return build_bad(b, m->at, "SLA '%s' gives role '%s', of which there are at most "
				 "%u users, to users who are not named: map to another role",
				 m_str(b->m, m->id), m_str(b->m, map->local),
				 b->role[out.local].cardinality);
	for (i = 0; m->side == SIDE_PROVIDER && i < m->n_map && &b->m->map[m->map + i] != map; i++)
		if (b->m->map[m->map + i].remote == map->remote)
			return build_bad(b, m->at, "remote role '%s' is mapped twice",
					 m_str(b->m, map->remote));
	return pol_vec_push(b, map, out) ? build_nomem(b) : 0;
}

static int build_visible(struct build *b, const struct m_sla *m, const struct m_visible *v)
{
	uint32_t type, inst, object;
	int ret = build_ref(b, m->at, P_RTYPE, "type", v->type, &type);

	ret = ret ? ret : build_ref(b, m->at, P_INST, "instance", v->instance, &inst);
	if (ret)
		return ret;
	if ((type == POL_NONE) == (inst == POL_NONE))
		return build_bad(b, m->at, "visible: give a type or an instance");
	object = type != POL_NONE ? POL_OBJ_TYPE(type) : POL_OBJ_INST(inst);
	return pol_vec_push(b, visible, object) ? build_nomem(b) : 0;
}

static int build_sla(struct build *b, uint32_t idx)
{
	const struct m_sla *m = &b->m->sla[idx];
	struct pol_sla out = {
		m->id, m->side, m->peer, m->revoked, m->chain, m->isolation, b->n_map, m->n_map,
		b->n_visible, m->n_visible, m->mediate, m->n_mediate, m->from, m->until, m->at,
	};
	uint32_t i;
	int ret = build_name(b, m->at, P_SLA, "SLA", m->id, idx);

	if (!ret)
		ret = build_ticket_name(b, m->at, "SLA", m->id);
	if (!ret && m->from >= m->until)
		ret = build_bad(b, m->at, "SLA '%s' ends before it begins", m_str(b->m, m->id));
	if (!ret && m->peer == b->m->cloud)
		ret = build_bad(b, m->at, "SLA '%s' is with this cloud itself", m_str(b->m, m->id));
	if (!ret && m->side == SIDE_CONSUMER && m->isolation)
		ret = build_bad(b, m->at, "SLA '%s': isolation is for the provider's side to ask "
				"of its own hosts; here it would do nothing: remove it",
				m_str(b->m, m->id));
	for (i = 0; !ret && i < m->n_map; i++)
		ret = build_map(b, m, &b->m->map[m->map + i]);
	for (i = 0; !ret && i < m->n_visible; i++)
		ret = build_visible(b, m, &b->m->visible[m->visible + i]);
	if (!ret && m->side == SIDE_PROVIDER)
		ret = check_subset(b, &out);
	if (!ret && pol_vec_push(b, sla, out))
		return build_nomem(b);
	return ret;
}

int build_slas(struct build *b)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; !ret && i < b->m->n_sla; i++)
		ret = build_sla(b, i);
	return ret;
}
