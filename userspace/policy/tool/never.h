/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "Is there a request that is granted?", answered for all requests: what a decision can tell
 * apart of instants and attributes' values is finite, and is gone through whole.
 */
#ifndef POL_NEVER_H
#define POL_NEVER_H

#include "base/vec.h"
#include "engine/pdp.h"

#define NEVER_CONDS_MAX		4096	/* conditions that may matter to one question */

/* Conditions and periods that may matter. */
struct never_matter {
	POL_VEC(uint32_t, cond);	/* each once */
	POL_VEC(uint32_t, period);	/* likewise */
	bool now;			/* a condition asks for env.now */
};

/* One instant for each way in which instants differ. */
struct never_instants {
	int64_t from, until;		/* of all these, until exclusive */
	POL_VEC(int64_t, at);
};

/**
 * never_instants() - find them
 * @out: its @from and @until say among which; never_instants_free() it in any case
 * @m: what decides whether two instants differ
 *
 * Return: 0; -E2BIG if there are more to look at than is affordable; -ENOMEM.
 */
int never_instants(const struct pol_image *p, const struct never_matter *m,
		   struct never_instants *out);
void never_instants_free(struct never_instants *i);

/* A value that a request may give an attribute; @text is what it says, NULL: it is left out. */
struct never_value {
	char *text;
	int64_t num;
	uint32_t n;
	struct pol_text *member;	/* of a text or a set */
};

/* One value for each way in which an attribute's values differ. */
struct never_domain {
	uint32_t attr;
	POL_VEC(struct never_value, value);
};

/**
 * never_domain() - find them
 * @d: its @attr is what a request, an assertion or a daemon gives; never_domain_free() it in
 *     any case
 * @m: the conditions that tell values apart
 * @user: whose attributes values are compared with, or POL_NONE
 * @inst: likewise of a resource
 * @now: the instant
 * @peer: the cloud that asks, or NULL
 *
 * Return: 0; -E2BIG if there are too many; -ENOMEM.
 */
int never_domain(const struct pol_image *p, const struct never_matter *m, uint32_t user,
		 uint32_t inst, int64_t now, const char *peer, struct never_domain *d);
void never_domain_free(struct never_domain *d);

/**
 * never_leaves() - call for each comparison of a condition, its functions' included
 * @root: index of its first node
 */
void never_leaves(const struct pol_image *p, uint32_t root,
		  void (*each)(void *ctx, const struct pol_node *n), void *ctx);

/* The question. */
struct never_ask {
	uint32_t role, action, type, inst;
	int64_t from;
};

/* The request that is granted, as it would be sent; or what was gone through. */
struct never_answer {
	bool granted;
	const char *user, *sla, *peer;	/* @sla and @peer of another cloud's; else @user, or NULL */
	const char *sla_role;
	int64_t now;
	struct pdp_attr attr[POL_ATTRS_MAX];
	uint32_t n_attr;
	char *text[POL_ATTRS_MAX];	/* the attributes', to be freed: never_free() */
	uint64_t subjects, instants, steps;
	char why[200];			/* there is no answer */
};

/**
 * never_search() - is anything granted, to whoever may act in a role?
 *
 * A request that it finds was put to the engine, which grants it.
 *
 * Return: 0, or -E2BIG or -ENOMEM with @a->why set: then nothing is proved.
 */
int never_search(const struct pol_image *p, const struct never_ask *ask, struct never_answer *a);
void never_free(struct never_answer *a);

#endif
