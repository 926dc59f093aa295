/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A decision of the access control module (S2.2): what is asked, what is
 * answered, and why. Everything here is by index into one image.
 */
#ifndef POL_DECIDE_H
#define POL_DECIDE_H

#include "base/image.h"

#define POL_REASONS_MAX		8	/* reported of one decision */
#define POL_HELD_MAX		64	/* roles assigned to one subject */
#define POL_SOD_ROLES_MAX	256	/* of them and their juniors, in SoD sets */
#define POL_CANDIDATES_MAX	1024	/* rules that could permit one request */
#define POL_ATTRS_MAX		64	/* attributes of one request */
#define POL_MEMBERS_MAX		64	/* members of a request's set attribute */

/*
 * Why a request was permitted or refused. The module that says so, the name in
 * traces and audit records, and the text of "explain" are in reason.c's table.
 */
enum pol_code {
	R_PERMIT,
	/* PDP */
	R_UNKNOWN_ACTION, R_UNKNOWN_RESOURCE, R_ACTION_NOT_OF_TYPE, R_BAD_ATTRIBUTE,
	/* credential evaluator */
	R_NO_CREDENTIAL, R_USER_DISABLED, R_USER_NOT_VALID, R_NO_ROLE, R_ASSIGN_PERIOD,
	R_ASSIGN_CONDITION, R_TOO_MANY_ROLES, R_SSD, R_ROLE_NOT_HELD,
	/* semantic evaluator */
	R_NO_PERMISSION, R_TOO_MANY_RULES, R_ROLE_PERIOD, R_RULE_PERIOD, R_RULE_CONDITION, R_DSD,
	R_NO_SESSION, R_MAX_ACTIVE, R_MAX_SECONDS,
	/* policy administration */
	R_BAD_SESSION, R_TOO_MANY_SESSIONS,
	/* SLA module's enforcement point */
	R_NO_SLA, R_SLA_SIDE, R_SLA_PEER, R_SLA_REVOKED, R_SLA_NOT_YET, R_SLA_EXPIRED,
	R_SLA_UNMAPPED, R_SLA_NOT_VISIBLE, R_SLA_NOT_MEDIATED, R_SLA_PERIOD, R_SLA_CONDITION,
	R_SLA_ISOLATION, R_SLA_CHAIN, R_SLA_LOOP, R_SLA_MAPPED,
	R_NCODES
};

struct pol_reason {
	uint32_t code;
	uint32_t rule;		/* a permit, an assign, or an SLA */
	uint32_t assign;	/* how the role was held; POL_NONE for a mapped role; or mediate */
	uint32_t what;		/* role, period, condition, SoD set, map */
	uint32_t node;		/* leaf of a condition that decided, visible of R_SLA_MAPPED */
	uint32_t count;		/* sessions, or seconds, that reached a role's limit */
};

struct pol_decision {
	bool permit;
	uint32_t n;		/* reasons below */
	uint32_t more;		/* reasons not listed */
	uint32_t role;		/* activated by a permit */
	struct pol_reason reason[POL_REASONS_MAX];
};

/* A string that the policy may know by number. */
struct pol_text {
	uint32_t id;
	uint32_t len;
	const char *s;
};

/* A request's value of an attribute. */
struct pol_rval {
	uint32_t attr;
	uint32_t n;			/* texts: 1, or a set's members */
	int64_t num;
	const struct pol_text *text;
};

struct pol_active {
	uint32_t role;
	int64_t since;		/* a tick */
};

/* The roles that a session has activated. */
struct pol_session {
	uint32_t n;
	struct pol_active active[POL_HELD_MAX];
};

struct pol_query {
	bool authenticated;
	uint32_t user;			/* POL_NONE: only claims are known */
	uint32_t mapped;		/* the SLA's role instead, or POL_NONE */
	uint32_t want;			/* the role to act in, or POL_NONE */
	uint32_t action;
	uint32_t type;
	uint32_t inst;			/* POL_NONE: of the type as such */
	int64_t now;			/* seconds since 1970, UTC */
	int64_t tick;			/* seconds that never go back: what sessions last by */
	const struct pol_rval *attr;
	uint32_t n_attr;
	const struct pol_session *session;	/* NULL: a session of its own */
	const uint32_t *n_active;	/* by role: sessions in which it is active; or NULL */
};

/**
 * pep_decide() - decide a request under a policy
 * @p: the policy
 * @q: the request, with every index valid
 * @d: the answer and its reasons, in their defined order
 *
 * Order: the first stage that refuses is the one that answers; within it, one
 * reason a rule, in the sheets' order, each the rule's first constraint that
 * fails. docs/access-control.md has the order whole. A pure function of its
 * arguments; does not allocate. Source: S2.2.
 */
void pep_decide(const struct pol_image *p, const struct pol_query *q, struct pol_decision *d);

/* Roles that a subject holds, and by which assignment rule. */
struct pol_held {
	uint32_t n;
	struct {
		uint32_t role;
		uint32_t assign;
	} r[POL_HELD_MAX];
};

/**
 * credential_evaluate() - assign local roles to a request's credentials
 * @held: the roles
 * @d: refused with reasons if there are none
 *
 * Source: S2.2: no assignment rule, no role, denied.
 *
 * Return: whether any role is held.
 */
bool credential_evaluate(const struct pol_image *p, const struct pol_query *q,
			 struct pol_held *held, struct pol_decision *d);

/**
 * credential_stands() - is whoever asks known, enabled, and within its time?
 * @r: the reason if not
 */
bool credential_stands(const struct pol_image *p, const struct pol_query *q,
		       struct pol_reason *r);

/* The roles assigned to a request's credentials, be they allowed together or not. */
void credential_roles(const struct pol_image *p, const struct pol_query *q,
		      struct pol_held *held);

/**
 * semantic_evaluate() - does a held role have the permission, its constraints kept?
 *
 * Source: S2.2, S2.8, S2.9.
 */
void semantic_evaluate(const struct pol_image *p, const struct pol_query *q,
		       const struct pol_held *held, struct pol_decision *d);

/**
 * sod_violated() - the first separation of duty that a set of roles breaks
 * @roles: activated or assigned roles; their juniors count too
 * @n: how many
 *
 * Return: the set's index, POL_NONE, or POL_NONE - 1 if there are too many roles
 * to count, which refuses.
 */
uint32_t sod_violated(const struct pol_image *p, enum pol_sod_kind kind, const uint32_t *roles,
		      uint32_t n);

#define POL_SOD_OVERFLOW	(POL_NONE - 1)

/**
 * sod_members() - which roles are counted in a separation of duty
 * @member: room for POL_SOD_ROLES_MAX
 *
 * Return: how many.
 */
uint32_t sod_members(const struct pol_image *p, uint32_t sod, const uint32_t *roles, uint32_t n,
		     uint32_t *member);

/* Is @junior @senior itself or one that it inherits, at any depth? */
static inline bool pol_inherits(const struct pol_image *p, uint32_t senior, uint32_t junior)
{
	const struct pol_role *r = &p->role[senior];
	uint32_t k;

	for (k = 0; k < r->n_closure; k++)
		if (p->rolelist[r->closure + k] == junior)
			return true;
	return false;
}

/* Appends a reason; counts those past the bound. */
static inline void pol_refuse(struct pol_decision *d, struct pol_reason r)
{
	if (d->n < POL_REASONS_MAX)
		d->reason[d->n++] = r;
	else
		d->more++;
}

enum pol_truth { TRUTH_NO, TRUTH_UNKNOWN, TRUTH_YES };

/**
 * expr_evaluate() - the truth of an expression
 * @root: index of its first node
 * @leaf: the node that decided, for the reason; see docs/access-control.md
 *
 * An attribute that has no value makes a comparison unknown; only a true
 * condition holds (Kleene's three values).
 */
enum pol_truth expr_evaluate(const struct pol_image *p, const struct pol_query *q, uint32_t root,
			     uint32_t *leaf);

/**
 * expr_function() - the value of a function
 * @num: the number, or the truth
 *
 * Return: whether it has one.
 */
bool expr_function(const struct pol_image *p, const struct pol_query *q, uint32_t func,
		   int64_t *num);

/**
 * period_contains() - is an instant within a period?
 * @period: index, or POL_NONE for always
 *
 * Local time and its changes are the zone's; an instant past what the zone's
 * database knows is in no period.
 */
bool period_contains(const struct pol_image *p, uint32_t period, int64_t now);

/**
 * zone_local() - local time of an instant
 *
 * Return: seconds since 1970 of the local clock, or INT64_MIN past the horizon.
 */
int64_t zone_local(const struct pol_image *p, uint32_t zone, int64_t now);

/* The names of a code and of the module that gives it. */
const char *reason_name(uint32_t code);
const char *reason_module(uint32_t code);

/**
 * reason_text() - a sentence that names the rule, the constraint and the values
 * @q: the request, or NULL
 * @r: a reason
 * @buf: where the sentence goes
 * @size: bytes there
 */
void reason_text(const struct pol_image *p, const struct pol_query *q,
		 const struct pol_reason *r, char *buf, size_t size);

#endif
