// SPDX-License-Identifier: GPL-2.0-only
/* Compiles the role hierarchy and the separation of duty. */
#include <errno.h>

#include "compile/build.h"

struct closure {
	struct build *b;
	uint32_t *mark;		/* by role: the root of the last walk that met it */
	uint32_t *stack;
	uint8_t *state;		/* 0 new, 1 open, 2 done */
};

static uint32_t junior(const struct build *b, uint32_t role, uint32_t k)
{
	return build_find(b, P_ROLE, b->m->name[b->m->role[role].junior + k]);
}

static int name_roles(struct build *b)
{
	const struct m_role *r;
	uint32_t i;
	int ret;

	if (b->m->n_role > POL_ROLES_MAX)
		return pol_fail(b->e, E2BIG, "%u roles: at most %u", b->m->n_role, POL_ROLES_MAX);
	for (i = 0; i < b->m->n_role; i++) {
		struct pol_role out = { .at = b->m->role[i].at };

		r = &b->m->role[i];
		out.name = r->name;
		out.cardinality = r->cardinality;
		out.max_active = r->max_active;
		out.max_seconds = r->max_seconds;
		ret = build_ref(b, r->at, P_PERIOD, "period", r->period, &out.period);
		ret = ret ? ret : build_name(b, r->at, P_ROLE, "role", r->name, i);
		ret = ret ? ret : build_ticket_name(b, r->at, "role", r->name);
		if (ret)
			return ret;
		if (pol_vec_push(b, role, out))
			return build_nomem(b);
	}
	return 0;
}

/* Depth first with a stack of (role, next junior): no recursion to overflow. */
static int check_cycles(struct closure *c, uint32_t root)
{
	struct build *b = c->b;
	uint32_t n = 0, r, j, *k = c->mark;

	if (c->state[root])
		return 0;
	for (c->stack[n++] = root, c->state[root] = 1, k[root] = 0; n;) {
		r = c->stack[n - 1];
		if (k[r] == b->m->role[r].n_junior) {
			c->state[r] = 2;
			n--;
			continue;
		}
		j = junior(b, r, k[r]++);
		if (j == POL_NONE)
			return build_bad(b, b->m->role[r].at, "role '%s' inherits '%s', which is "
					 "not defined", m_str(b->m, b->m->role[r].name),
					 m_str(b->m, b->m->name[b->m->role[r].junior + k[r] - 1]));
		if (c->state[j] == 1)
			return build_bad(b, b->m->role[r].at, "role '%s' inherits itself through "
					 "'%s': break the cycle", m_str(b->m, b->m->role[j].name),
					 m_str(b->m, b->m->role[r].name));
		if (!c->state[j]) {
			c->state[j] = 1;
			k[j] = 0;
			c->stack[n++] = j;
		}
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int close_role(struct closure *c, uint32_t root)
{
	struct build *b = c->b;
	struct pol_role *out = &b->role[root];
	uint32_t n = 0, r, j, k;

	out->closure = b->n_rolelist;
	c->stack[n++] = root;
	c->mark[root] = root;
	while (n) {
		r = c->stack[--n];
		if (b->n_rolelist >= POL_CLOSURE_MAX)
			return build_bad(b, out->at, "the role hierarchy has more than %u "
					 "inheritances: flatten it", POL_CLOSURE_MAX);
		if (pol_vec_push(b, rolelist, r))
			return build_nomem(b);
		for (k = 0; k < b->m->role[r].n_junior; k++) {
			j = junior(b, r, k);
			if (c->mark[j] == root)
				continue;
			c->mark[j] = root;
			c->stack[n++] = j;
		}
	}
	out->n_closure = b->n_rolelist - out->closure;
	qsort(b->rolelist + out->closure, out->n_closure, sizeof(uint32_t), by_number);
	return 0;
}

static int close_roles(struct build *b)
{
	uint32_t n = b->n_role, i;
	struct closure c = { b, calloc(n + 1, 4), calloc(n + 1, 4), calloc(n + 1, 1) };
	int ret = c.mark && c.stack && c.state ? 0 : build_nomem(b);

	for (i = 0; !ret && i < n; i++)
		ret = check_cycles(&c, i);
	for (i = 0; !ret && i < n; i++)
		c.mark[i] = POL_NONE;
	for (i = 0; !ret && i < n; i++)
		ret = close_role(&c, i);
	free(c.mark);
	free(c.stack);
	free(c.state);
	return ret;
}

static int build_sod(struct build *b, const struct m_sod *s)
{
	struct pol_sod out = { s->name, s->kind, s->limit, s->n_role, s->at };
	uint32_t k, r, j;
	int ret;

	if (s->n_role < 2 || s->limit >= s->n_role)
		return build_bad(b, s->at, "separation of duty '%s' forbids nothing: name at least "
				 "two roles, and at-most below their number", m_str(b->m, s->name));
	for (k = 0; k < s->n_role; k++) {
		ret = build_need(b, s->at, P_ROLE, "role", b->m->name[s->role + k], &r);
		if (ret)
			return ret;
		for (j = 0; j < k; j++)
			if (b->m->name[s->role + j] == b->m->name[s->role + k])
				return build_bad(b, s->at, "role '%s' is named twice",
						 m_str(b->m, b->m->name[s->role + k]));
		b->role[r].n_sod++;
	}
	return pol_vec_push(b, sod, out) ? build_nomem(b) : 0;
}

static int build_sods(struct build *b)
{
	uint32_t i, k, n = 0, r;
	int ret = 0;

	for (i = 0; !ret && i < b->m->n_sod; i++)
		ret = build_sod(b, &b->m->sod[i]);
	if (ret)
		return ret;
	for (i = 0; i < b->n_role; i++) {
		b->role[i].sod = n;
		n += b->role[i].n_sod;
		b->role[i].n_sod = 0;
	}
	if (pol_vec_reserve(b, sodlist, n + 1))
		return build_nomem(b);
	b->n_sodlist = n;
	for (i = 0; i < b->m->n_sod; i++)
		for (k = 0; k < b->m->sod[i].n_role; k++) {
			r = build_find(b, P_ROLE, b->m->name[b->m->sod[i].role + k]);
			b->sodlist[b->role[r].sod + b->role[r].n_sod++] = i;
		}
	return 0;
}

static void find_separated(struct build *b)
{
	struct pol_role *r;
	uint32_t i, k;

	for (i = 0; i < b->n_role; i++) {
		r = &b->role[i];
		for (k = 0; k < r->n_closure && !r->separated; k++)
			r->separated = b->role[b->rolelist[r->closure + k]].n_sod != 0;
	}
}

int build_roles(struct build *b)
{
	int ret = name_roles(b);

	ret = ret ? ret : close_roles(b);
	ret = ret ? ret : build_sods(b);
	if (!ret)
		find_separated(b);
	return ret;
}
