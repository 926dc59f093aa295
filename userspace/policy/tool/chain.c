// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains of SLAs (S2.6): a role that is mapped from cloud to cloud must never
 * come home as more than it left. The daemons refuse loops when they happen;
 * this finds them beforehand, in the policies of clouds that show them.
 */
#include <stdio.h>

#include "tool/cmd.h"

#define CHAIN_STEPS_MAX	100000	/* maps followed from one role */
#define CHAIN_DEPTH_MAX	16	/* more hops than a message can take */

struct chain {
	struct pol_image **p;
	int n;
	json_t *out;
	int cloud[CHAIN_DEPTH_MAX + 1];
	uint32_t role[CHAIN_DEPTH_MAX + 1];
	uint32_t steps;
	bool escalates, unfinished;
};

static void report(struct chain *c, int depth, const char *kind)
{
	char path[1024];
	size_t n = 0;
	int i;

	*path = 0;
	for (i = 0; i <= depth && n < sizeof(path) - 1; i++)
		n += pol_print(path + n, sizeof(path) - n, "%s%s@%s", i ? " -> " : "",
			       pol_str(c->p[c->cloud[i]], c->p[c->cloud[i]]->role[c->role[i]].name),
			       pol_str(c->p[c->cloud[i]], c->p[c->cloud[i]]->cloud));
	json_array_append_new(c->out, json_pack("{s:s,s:s}", "kind", kind, "path", path));
}

static int cloud_named(const struct chain *c, const char *name)
{
	int i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(pol_str(c->p[i], c->p[i]->cloud), name))
			return i;
	return -1;
}

/* A cloud refuses what was in it before, but for home, where this is about to be known. */
static bool been_in(const struct chain *c, int depth, int cloud)
{
	int i;

	for (i = 1; i <= depth; i++)
		if (c->cloud[i] == cloud)
			return true;
	return false;
}

static void walk(struct chain *c, int depth);

/* Follows one map of a consumer's SLA to where the provider's SLA leads. */
static void follow(struct chain *c, int depth, const struct pol_sla *s, const struct pol_map *m)
{
	const struct pol_image *here = c->p[c->cloud[depth]], *there;
	int to = cloud_named(c, pol_str(here, s->peer));
	const struct pol_sla *t;
	uint32_t id, i;

	if (to < 0 || depth == CHAIN_DEPTH_MAX || been_in(c, depth, to))
		return;
	there = c->p[to];
	id = pol_find(there, P_SLA, pol_str(here, s->id));
	if (id == POL_NONE)
		return;
	t = &there->sla[id];
	if (depth && !t->chain)		/* it takes no role that was mapped before */
		return;
	for (i = 0; i < t->n_map && t->side == SIDE_PROVIDER && !t->revoked; i++) {
		if (strcmp(pol_str(there, there->map[t->map + i].remote),
			   pol_str(here, m->remote)))
			continue;
		if (c->unfinished || c->steps++ == CHAIN_STEPS_MAX) {
			c->unfinished = true;
			return;
		}
		c->cloud[depth + 1] = to;
		c->role[depth + 1] = there->map[t->map + i].local;
		walk(c, depth + 1);
	}
}

static void walk(struct chain *c, int depth)
{
	const struct pol_image *p = c->p[c->cloud[depth]];
	const struct pol_sla *s;
	uint32_t i, k;

	if (depth && c->cloud[depth] == c->cloud[0]) {
		if (pol_inherits(p, c->role[0], c->role[depth])) {
			report(c, depth, "loop");
		} else {
			report(c, depth, "escalation");
			c->escalates = true;
		}
		return;
	}
	for (i = 0; i < p->n_sla; i++) {
		s = &p->sla[i];
		if (s->side != SIDE_CONSUMER || s->revoked || (depth && !s->chain))
			continue;
		for (k = 0; k < s->n_map; k++)
			if (pol_inherits(p, c->role[depth], p->map[s->map + k].local))
				follow(c, depth, s, &p->map[s->map + k]);
	}
}

bool chain_check(struct pol_image **p, int n, json_t *out)
{
	struct chain c = { .p = p, .n = n, .out = out };
	uint32_t r;

	for (c.cloud[0] = 0; c.cloud[0] < n; c.cloud[0]++)
		for (r = 0; r < p[c.cloud[0]]->n_role && !c.unfinished; r++) {
			c.role[0] = r;
			c.steps = 0;
			walk(&c, 0);
			if (c.unfinished)
				report(&c, 0, "unfinished");
		}
	return c.escalates || c.unfinished;
}
