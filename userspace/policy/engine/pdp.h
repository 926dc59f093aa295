/* SPDX-License-Identifier: GPL-2.0-only */
/* The policy decision point (S2.2): extracts what a request says, asks the PEP. */
#ifndef POL_PDP_H
#define POL_PDP_H

#include "engine/decide.h"

#define PDP_TEXTS_MAX	256	/* texts of all attributes of a request */

/* An attribute as text; a set's members are separated by spaces. */
struct pdp_attr {
	const char *name;
	const char *value;
	enum pol_category from;		/* who says so: the name must begin with it */
};

/* A request as text. Absent strings are NULL. */
struct pdp_request {
	const char *user;		/* name in the user sheet, proved by a credential */
	bool authenticated;		/* a credential was proved, be its user known or not */
	uint32_t mapped;		/* local role that the SLA module mapped, or POL_NONE */
	const char *role;		/* role to act in */
	const char *action;
	const char *type;		/* of the resource; may be left out with an instance */
	const char *instance;
	int64_t now, tick;		/* as of struct pol_query */
	const struct pdp_attr *attr;
	uint32_t n_attr;
	const struct pol_session *session;
	const uint32_t *n_active;
};

/* What an extracted request points into. */
struct pdp_store {
	struct pol_rval val[POL_ATTRS_MAX];
	struct pol_text text[PDP_TEXTS_MAX];
	struct pol_session session;	/* of a refusal, for its text */
};

/**
 * pdp_extract() - credential and semantic information of a request, by index
 * @p: the policy
 * @in: the request; its strings must outlive @q
 * @st: where @q's attributes live
 * @q: the request by index
 * @r: the reason if it is refused
 *
 * Attributes that the policy does not declare are left out: no rule can ask
 * for them. One that is declared must have a value of its type.
 *
 * Return: whether the policy knows the action and the resource.
 */
bool pdp_extract(const struct pol_image *p, const struct pdp_request *in, struct pdp_store *st,
		 struct pol_query *q, struct pol_reason *r);

/**
 * pdp_decide() - the whole decision of one access control module
 * @q: filled for reason_text(); valid while @in and @st are
 */
void pdp_decide(const struct pol_image *p, const struct pdp_request *in, struct pdp_store *st,
		struct pol_query *q, struct pol_decision *d);

#endif
