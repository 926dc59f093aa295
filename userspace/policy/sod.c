// SPDX-License-Identifier: GPL-2.0-only
/* Separation of duty: counts the members of each set among roles and their juniors. */
#include "decide.h"

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

static uint32_t count(const struct pol_image *p, const struct members *m, uint32_t sod)
{
	const struct pol_role *r;
	uint32_t i, k, n = 0;

	for (i = 0; i < m->n; i++) {
		r = &p->role[m->role[i]];
		for (k = 0; k < r->n_sod; k++)
			n += p->sodlist[r->sod + k] == sod;
	}
	return n;
}

uint32_t sod_violated(const struct pol_image *p, enum pol_sod_kind kind, const uint32_t *roles,
		      uint32_t n)
{
	struct members m = { .n = 0 };
	const struct pol_role *r;
	uint32_t i, k, q, s, found = POL_NONE;

	if (!p->n_sod)
		return POL_NONE;
	for (i = 0; i < n; i++) {
		r = &p->role[roles[i]];
		for (k = 0; k < r->n_closure; k++) {
			q = p->rolelist[r->closure + k];
			if (p->role[q].n_sod && !add(&m, q))
				return POL_SOD_OVERFLOW;
		}
	}
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
