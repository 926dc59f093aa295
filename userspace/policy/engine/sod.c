// SPDX-License-Identifier: GPL-2.0-only
/* Separation of duty: counts the members of each set among roles and their juniors. */
#include "engine/decide.h"

struct members {
	uint32_t n;
	uint32_t role[POL_SOD_ROLES_MAX];
};

static bool add(struct members *m, uint32_t role)
{
	uint32_t i;

	for (i = 0; i < m->n; i++)
		if (m->role[i] == role)
			return true;
	if (m->n == POL_SOD_ROLES_MAX)
		return false;
	m->role[m->n++] = role;
	return true;
}

static bool in_set(const struct pol_image *p, uint32_t role, uint32_t sod)
{
	const struct pol_role *r = &p->role[role];
	uint32_t k;

	for (k = 0; k < r->n_sod; k++)
		if (p->sodlist[r->sod + k] == sod)
			return true;
	return false;
}

/* The roles and their juniors, as far as they are in any set; false if they are too many. */
static bool gather(const struct pol_image *p, const uint32_t *roles, uint32_t n,
		   struct members *m)
{
	const struct pol_role *r;
	uint32_t i, k, q;

	m->n = 0;
	for (i = 0; i < n; i++) {
		r = &p->role[roles[i]];
		for (k = 0; r->separated && k < r->n_closure; k++) {
			q = p->rolelist[r->closure + k];
			if (p->role[q].n_sod && !add(m, q))
				return false;
		}
	}
	return true;
}

static uint32_t count(const struct pol_image *p, const struct members *m, uint32_t sod)
{
	uint32_t i, n = 0;

	for (i = 0; i < m->n; i++)
		n += in_set(p, m->role[i], sod);
	return n;
}

uint32_t sod_members(const struct pol_image *p, uint32_t sod, const uint32_t *roles, uint32_t n,
		     uint32_t *member)
{
	uint32_t i, found = 0;
	struct members m;

	gather(p, roles, n, &m);
	for (i = 0; i < m.n; i++)
		if (in_set(p, m.role[i], sod))
			member[found++] = m.role[i];
	return found;
}

uint32_t sod_violated(const struct pol_image *p, enum pol_sod_kind kind, const uint32_t *roles,
		      uint32_t n)
{
	struct members m;
	const struct pol_role *r;
	uint32_t i, k, s, found = POL_NONE;

	if (!gather(p, roles, n, &m))
		return POL_SOD_OVERFLOW;
	for (i = 0; i < m.n; i++) {
		r = &p->role[m.role[i]];
		for (k = 0; k < r->n_sod; k++) {
			s = p->sodlist[r->sod + k];
			if (s < found && p->sod[s].kind == kind &&
			    count(p, &m, s) > p->sod[s].limit)
				found = s;
		}
	}
	return found;
}
