// SPDX-License-Identifier: GPL-2.0-only
/* What each reason is called, which module gives it, and how it reads. */
#include <stdio.h>
#include <time.h>

#include "engine/decide.h"

#define LEAVES_MAX	4	/* comparisons, each within a function of the one before */

enum about { A_NOTHING, A_PERIOD, A_COND, A_SOD, A_ROLE, A_USER, A_SLA };

static const struct {
	const char *name;
	const char *module;
	enum about about;
	const char *text;
} facts[R_NCODES] = {
	[R_PERMIT] = { "permit", "PEP", A_ROLE, "permitted, acting as role" },
	[R_UNKNOWN_ACTION] = { "unknown-action", "PDP", A_NOTHING, "no such action" },
	[R_UNKNOWN_RESOURCE] = { "unknown-resource", "PDP", A_NOTHING, "no such resource" },
	[R_ACTION_NOT_OF_TYPE] = { "action-not-of-type", "PDP", A_NOTHING,
				   "the resource's type has no such action" },
	[R_BAD_ATTRIBUTE] = { "bad-attribute", "PDP", A_NOTHING,
			      "an attribute is not declared, or its value not of its type" },
	[R_NO_CREDENTIAL] = { "no-credential", "credential-evaluator", A_NOTHING,
			      "no credential that this policy knows" },
	[R_USER_DISABLED] = { "user-disabled", "credential-evaluator", A_USER,
			      "disabled in the user sheet:" },
	[R_USER_NOT_VALID] = { "user-not-valid", "credential-evaluator", A_USER,
			       "outside the user's from and until:" },
	[R_NO_ROLE] = { "no-role", "credential-evaluator", A_NOTHING,
			"no assignment rule, so no role" },
	[R_ASSIGN_PERIOD] = { "assign-period", "credential-evaluator", A_PERIOD,
			      "the assignment holds only in period" },
	[R_ASSIGN_CONDITION] = { "assign-condition", "credential-evaluator", A_COND,
				 "the assignment's condition does not hold:" },
	[R_TOO_MANY_ROLES] = { "too-many-roles", "credential-evaluator", A_NOTHING,
			       "more roles than a decision counts" },
	[R_SSD] = { "ssd", "credential-evaluator", A_SOD, "static separation of duty" },
	[R_ROLE_NOT_HELD] = { "role-not-held", "credential-evaluator", A_ROLE,
			      "the role asked for is not held:" },
	[R_NO_PERMISSION] = { "no-permission", "semantic-evaluator", A_NOTHING,
			      "no held role has this permission" },
	[R_TOO_MANY_RULES] = { "too-many-rules", "semantic-evaluator", A_NOTHING,
			       "more rules apply than a decision weighs" },
	[R_ROLE_PERIOD] = { "role-period", "semantic-evaluator", A_ROLE,
			    "outside the period of role" },
	[R_RULE_PERIOD] = { "rule-period", "semantic-evaluator", A_PERIOD,
			    "the rule holds only in period" },
	[R_RULE_CONDITION] = { "rule-condition", "semantic-evaluator", A_COND,
			       "the rule's condition does not hold:" },
	[R_DSD] = { "dsd", "semantic-evaluator", A_SOD,
		    "dynamic separation of duty in this session" },
	[R_NO_SESSION] = { "session-required", "semantic-evaluator", A_ROLE,
			   "limited in its sessions, and the request names none: role" },
	[R_MAX_ACTIVE] = { "max-active", "semantic-evaluator", A_ROLE,
			   "active in as many sessions as allowed: role" },
	[R_MAX_SECONDS] = { "max-active-seconds", "semantic-evaluator", A_ROLE,
			    "active in this session for as long as allowed: role" },
	[R_BAD_SESSION] = { "bad-session", "policy-administration", A_NOTHING,
			    "a session's name is empty, or too long together with its subject's" },
	[R_TOO_MANY_SESSIONS] = { "too-many-sessions", "policy-administration", A_NOTHING,
				  "no room for another session of this subject, or at all, or for "
				  "another role in it" },
	[R_NO_SLA] = { "no-sla", "sla-pep", A_NOTHING, "no SLA with that cloud" },
	[R_SLA_SIDE] = { "sla-side", "sla-pep", A_SLA, "this side of the SLA does not grant" },
	[R_SLA_PEER] = { "sla-peer", "sla-pep", A_SLA, "the SLA is with another cloud" },
	[R_SLA_REVOKED] = { "sla-revoked", "sla-pep", A_SLA, "the SLA is revoked" },
	[R_SLA_NOT_YET] = { "sla-not-yet", "sla-pep", A_SLA, "the SLA is not yet valid" },
	[R_SLA_EXPIRED] = { "sla-expired", "sla-pep", A_SLA, "the SLA has expired" },
	[R_SLA_UNMAPPED] = { "sla-unmapped", "sla-pep", A_SLA, "the SLA maps no such role" },
	[R_SLA_NOT_VISIBLE] = { "sla-not-visible", "sla-pep", A_SLA,
				"the resource is not in the SLA's virtual view" },
	[R_SLA_NOT_MEDIATED] = { "sla-not-mediated", "sla-pep", A_SLA,
				 "the SLA's mediation policy has no such permission" },
	[R_SLA_PERIOD] = { "sla-period", "sla-pep", A_PERIOD,
			   "the SLA mediates only in period" },
	[R_SLA_CONDITION] = { "sla-condition", "sla-pep", A_COND,
			      "the SLA's condition does not hold:" },
	[R_SLA_ISOLATION] = { "sla-isolation", "sla-pep", A_SLA,
			      "the SLA shares only physically isolated resources" },
	[R_SLA_CHAIN] = { "sla-chain", "sla-pep", A_SLA,
			  "a mapped role may not be mapped again by this SLA" },
	[R_SLA_LOOP] = { "sla-loop", "sla-pep", A_SLA,
			 "the request has been in this cloud before" },
	[R_SLA_MAPPED] = { "mapped", "sla-pep", A_SLA, "the SLA maps, shows and mediates it" },
};

const char *reason_name(uint32_t code)
{
	return code < R_NCODES ? facts[code].name : "?";
}

const char *reason_module(uint32_t code)
{
	return code < R_NCODES ? facts[code].module : "?";
}

/* The rule's id, or where it stands. */
static void rule_name(const struct pol_image *p, const struct pol_reason *r, char *buf, size_t size)
{
	bool assign = r->code == R_ASSIGN_PERIOD || r->code == R_ASSIGN_CONDITION;
	char where[160];
	struct pol_at at;
	uint32_t id;

	*buf = 0;
	if (r->rule == POL_NONE)
		return;
	if (r->code >= R_NO_SLA && r->assign != POL_NONE) {
		at = p->mediate[r->assign].at;
		id = p->mediate[r->assign].id;
	} else if (r->code >= R_NO_SLA) {
		at = p->sla[r->rule].at;
		id = p->sla[r->rule].id;
	} else {
		at = assign ? p->assign[r->rule].at : p->permit[r->rule].at;
		id = assign ? p->assign[r->rule].id : p->permit[r->rule].id;
	}
	pol_print(buf, size, "%s%s(%s) ", pol_str(p, id), id == POL_NONE ? "" : " ",
		  pol_where(p, at, where));
}

static size_t put_time(int64_t t, const char *format, char *buf, size_t size)
{
	time_t when = t;
	struct tm tm;

	if (gmtime_r(&when, &tm) && strftime(buf, size, format, &tm))
		return strlen(buf);
	return pol_print(buf, size, "%lld", (long long)t);
}

static size_t put_number(uint32_t type, int64_t v, char *buf, size_t size)
{
	if (type == T_BOOLEAN)
		return pol_print(buf, size, "%s", v ? "true" : "false");
	if (type == T_TIME && size > 24)
		return put_time(v, "%Y-%m-%dT%H:%M:%SZ", buf, size);
	return pol_print(buf, size, "%lld", (long long)v);
}

static void put_text(const struct pol_image *p, const struct pol_rval *v, char *buf, size_t size)
{
	const struct pol_attr *a = &p->attr[v->attr];
	size_t n = 0;
	uint32_t i;

	if (a->type != T_STRING && a->type != T_SET) {
		put_number(a->type, v->num, buf, size);
		return;
	}
	*buf = 0;
	for (i = 0; i < v->n; i++)
		n += pol_print(buf + n, size - n, "%s%.*s", i ? " " : "", (int)v->text[i].len,
			       v->text[i].s);
}

static void put_val(const struct pol_image *p, const struct pol_val *v, char *buf, size_t size)
{
	const struct pol_attr *a = &p->attr[v->attr];
	size_t n = 0;
	uint32_t i;

	if (a->type == T_STRING) {
		pol_print(buf, size, "%s", pol_str(p, v->num));
	} else if (a->type != T_SET) {
		put_number(a->type, v->num, buf, size);
	} else {
		*buf = 0;
		for (i = 0; i < v->n; i++)
			n += pol_print(buf + n, size - n, "%s%s", i ? " " : "",
				       pol_str(p, p->value[v->num + i]));
	}
}

static void put_slice(const struct pol_image *p, uint32_t first, uint32_t n, uint32_t attr,
		      char *buf, size_t size)
{
	uint32_t i;

	for (i = first; i < first + n; i++)
		if (p->val[i].attr == attr)
			put_val(p, &p->val[i], buf, size);
}

/* "user.team=ops": an attribute and the value that it has in @q. */
static size_t put_attr(const struct pol_image *p, const struct pol_query *q, uint32_t attr,
		       char *buf, size_t size)
{
	char value[200] = "(no value)";
	uint32_t i;

	if (q && !attr)
		put_number(T_TIME, q->now, value, sizeof(value));
	for (i = 0; q && i < q->n_attr; i++)
		if (q->attr[i].attr == attr)
			put_text(p, &q->attr[i], value, sizeof(value));
	if (q && p->attr[attr].category == C_USER && q->user != POL_NONE)
		put_slice(p, p->user[q->user].val, p->user[q->user].n_val, attr, value,
			  sizeof(value));
	if (q && p->attr[attr].category == C_RESOURCE && q->inst != POL_NONE)
		put_slice(p, p->inst[q->inst].val, p->inst[q->inst].n_val, attr, value,
			  sizeof(value));
	return pol_print(buf, size, "%s=%s", pol_str(p, p->attr[attr].name), value);
}

/* "function teams=4 of user.teams=a b c d" */
static size_t put_function(const struct pol_image *p, const struct pol_query *q, uint32_t func,
			   char *buf, size_t size)
{
	const struct pol_func *f = &p->func[func];
	char value[32] = "(no value)";
	int64_t num;
	size_t n;

	if (q && expr_function(p, q, func, &num))
		put_number(f->type, num, value, sizeof(value));
	n = pol_print(buf, size, "function %s=%s", pol_str(p, f->name), value);
	if (f->apply == F_EXPR)
		return n;
	n += pol_print(buf + n, size - n, " of ");
	return n + put_attr(p, q, f->attr, buf + n, size - n);
}

static size_t put_right(const struct pol_image *p, const struct pol_query *q,
			const struct pol_node *n, char *buf, size_t size)
{
	bool text = n->type == T_STRING || n->type == T_SET;
	size_t used = 0;
	uint32_t i;

	if (n->right_kind == RIGHT_ATTR) {
		used = pol_print(buf, size, " ");
		return used + put_attr(p, q, n->right, buf + used, size - used);
	}
	for (i = 0; n->right_kind != RIGHT_NONE && i < n->n_right; i++) {
		used += pol_print(buf + used, size - used, " ");
		if (text)
			used += pol_print(buf + used, size - used, "%s",
					  pol_str(p, p->value[n->right + i]));
		else
			used += put_number(n->type, p->value[n->right + i], buf + used,
					   size - used);
	}
	return used;
}

/* "equals user.team=ops dev (constraints.xml:7)" */
static size_t put_node(const struct pol_image *p, const struct pol_query *q,
		       const struct pol_node *n, char *buf, size_t size)
{
	char where[160];
	size_t used = pol_print(buf, size, "%s ", pol_op_name[n->op]);

	if (n->left_kind == LEFT_ATTR)
		used += put_attr(p, q, n->left, buf + used, size - used);
	else if (n->left_kind == LEFT_FUNC)
		used += put_function(p, q, n->left, buf + used, size - used);
	used += put_right(p, q, n, buf + used, size - used);
	return used + pol_print(buf + used, size - used, " (%s)", pol_where(p, n->at, where));
}

/* The comparison that decided, and the ones that decided the functions in it. */
static void put_leaf(const struct pol_image *p, const struct pol_query *q,
		     const struct pol_reason *r, char *buf, size_t size)
{
	size_t n = pol_print(buf, size, "%s", pol_str(p, p->cond[r->what].name));
	const struct pol_node *leaf;
	uint32_t at = r->node;
	int depth;

	for (depth = 0; at < p->n_node && depth < LEAVES_MAX; depth++) {
		leaf = &p->node[at];
		n += pol_print(buf + n, size - n, ": ");
		n += put_node(p, q, leaf, buf + n, size - n);
		if (!q || leaf->left_kind != LEFT_FUNC || p->func[leaf->left].apply != F_EXPR)
			return;
		expr_evaluate(p, q, p->func[leaf->left].node, &at);
	}
}

/* "office: local time Mon 2026-11-23 07:59:59 in Europe/Berlin" */
static void put_period(const struct pol_image *p, const struct pol_query *q, uint32_t period,
		       char *buf, size_t size)
{
	const struct pol_period *t = &p->period[period];
	const char *zone = pol_str(p, p->zone[t->zone].name);
	char time[64] = "past what is known";
	int64_t local;

	if (q) {
		local = zone_local(p, t->zone, q->now);
		if (local != INT64_MIN)
			put_time(local, "%a %Y-%m-%d %H:%M:%S", time, sizeof(time));
		pol_print(buf, size, "%s: local time %s in %s", pol_str(p, t->name), time, zone);
	} else {
		pol_print(buf, size, "%s", pol_str(p, t->name));
	}
}

/* The roles that a separation of duty was asked about. */
static uint32_t counted(const struct pol_image *p, const struct pol_query *q,
			const struct pol_reason *r, uint32_t *role)
{
	struct pol_held held;
	uint32_t i, n = 0;

	if (r->code == R_SSD) {
		credential_roles(p, q, &held);
		for (i = 0; i < held.n; i++)
			role[n++] = held.r[i].role;
		return n;
	}
	for (i = 0; q->session && i < q->session->n; i++)
		role[n++] = q->session->active[i].role;
	if (q->want != POL_NONE)
		role[n++] = q->want;
	else
		role[n++] = r->assign == POL_NONE ? q->mapped : p->assign[r->assign].role;
	return n;
}

/* "request-or-approve: at most 1, and these are 2: requester approver" */
static void put_sod(const struct pol_image *p, const struct pol_query *q,
		    const struct pol_reason *r, char *buf, size_t size)
{
	uint32_t role[POL_HELD_MAX + 1], member[POL_SOD_ROLES_MAX], n, i;
	size_t used = pol_print(buf, size, "%s: at most %u", pol_str(p, p->sod[r->what].name),
				p->sod[r->what].limit);

	if (!q)
		return;
	n = sod_members(p, r->what, role, counted(p, q, r, role), member);
	used += pol_print(buf + used, size - used, ", and these are %u:", n);
	for (i = 0; i < n; i++)
		used += pol_print(buf + used, size - used, " %s",
				  pol_str(p, p->role[member[i]].name));
}

/* A role, and what of it has reached its limit. */
static void put_role(const struct pol_image *p, const struct pol_query *q,
		     const struct pol_reason *r, char *buf, size_t size)
{
	const struct pol_role *role = &p->role[r->what];
	size_t n = pol_print(buf, size, "%s", pol_str(p, role->name));

	buf += n;
	size -= n;
	if (r->code == R_MAX_ACTIVE) {
		pol_print(buf, size, ": at most %u, and it is active in %u", role->max_active,
			  r->count);
	} else if (r->code == R_MAX_SECONDS) {
		pol_print(buf, size, ": at most %u s, and it has been for %u s",
			  role->max_seconds, r->count);
	} else if (r->code == R_ROLE_PERIOD) {
		n = pol_print(buf, size, ", ");
		put_period(p, q, role->period, buf + n, size - n);
	}
}

static void put_what(const struct pol_image *p, const struct pol_query *q,
		     const struct pol_reason *r, char *buf, size_t size)
{
	*buf = 0;
	if (r->what == POL_NONE)
		return;
	switch (facts[r->code].about) {
	case A_PERIOD:
		put_period(p, q, r->what, buf, size);
		break;
	case A_COND:
		put_leaf(p, q, r, buf, size);
		break;
	case A_SOD:
		put_sod(p, q, r, buf, size);
		break;
	case A_ROLE:
		put_role(p, q, r, buf, size);
		break;
	case A_USER:
		pol_print(buf, size, "%s", pol_str(p, p->user[r->what].name));
		break;
	default:
		break;
	}
}

void reason_text(const struct pol_image *p, const struct pol_query *q,
		 const struct pol_reason *r, char *buf, size_t size)
{
	char rule[320], what[1000];

	if (r->code >= R_NCODES) {
		pol_print(buf, size, "?");
		return;
	}
	rule_name(p, r, rule, sizeof(rule));
	put_what(p, q, r, what, sizeof(what));
	pol_print(buf, size, "%s%s%s%s", rule, facts[r->code].text, *what ? " " : "", what);
}
