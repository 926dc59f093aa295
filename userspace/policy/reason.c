// SPDX-License-Identifier: GPL-2.0-only
/* What each reason is called, which module gives it, and how it reads. */
#include <stdio.h>

#include "decide.h"

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
	struct m_at at;
	uint32_t id;

	*buf = 0;
	if (r->rule == POL_NONE)
		return;
	if (r->code >= R_NO_SLA) {
		at = p->sla[r->rule].at;
		id = p->sla[r->rule].id;
	} else {
		at = assign ? p->assign[r->rule].at : p->permit[r->rule].at;
		id = assign ? p->assign[r->rule].id : p->permit[r->rule].id;
	}
	pol_print(buf, size, "%s%s(%s) ", pol_str(p, id), id == POL_NONE ? "" : " ",
		  pol_where(p, at, where));
}

static void put_text(const struct pol_image *p, const struct pol_rval *v, char *buf, size_t size)
{
	const struct pol_attr *a = &p->attr[v->attr];
	size_t n = 0;
	uint32_t i;

	if (a->type != T_STRING && a->type != T_SET) {
		pol_print(buf, size, "%lld", (long long)v->num);
		return;
	}
	for (i = 0; i < v->n && n < size; i++)
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
		pol_print(buf, size, "%lld", (long long)v->num);
	} else {
		for (i = 0; i < v->n && n < size; i++)
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

/* The value that an attribute has in @q, as text. */
static void attr_value(const struct pol_image *p, const struct pol_query *q, uint32_t attr,
		       char *buf, size_t size)
{
	uint32_t i;

	pol_print(buf, size, "(no value)");
	if (!q)
		return;
	if (!attr)
		pol_print(buf, size, "%lld", (long long)q->now);
	for (i = 0; i < q->n_attr; i++)
		if (q->attr[i].attr == attr)
			put_text(p, &q->attr[i], buf, size);
	if (p->attr[attr].category == C_USER && q->user != POL_NONE)
		put_slice(p, p->user[q->user].val, p->user[q->user].n_val, attr, buf, size);
	if (p->attr[attr].category == C_RESOURCE && q->inst != POL_NONE)
		put_slice(p, p->inst[q->inst].val, p->inst[q->inst].n_val, attr, buf, size);
}

static void put_right(const struct pol_image *p, const struct pol_query *q,
		      const struct pol_node *n, char *buf, size_t size)
{
	bool text = n->type == T_STRING || n->type == T_SET;
	char value[200];
	size_t used = 0;
	uint32_t i;

	*buf = 0;
	if (n->right_kind == RIGHT_ATTR) {
		attr_value(p, q, n->right, value, sizeof(value));
		pol_print(buf, size, " %s=%s", pol_str(p, p->attr[n->right].name), value);
		return;
	}
	for (i = 0; n->right_kind != RIGHT_NONE && i < n->n_right && used < size; i++) {
		if (text)
			used += pol_print(buf + used, size - used, " %s",
					  pol_str(p, p->value[n->right + i]));
		else
			used += pol_print(buf + used, size - used, " %lld",
					  (long long)p->value[n->right + i]);
	}
}

/* "condition c: equals user.team=ops dev (constraints.xml:7)" */
static void put_leaf(const struct pol_image *p, const struct pol_query *q,
		     const struct pol_reason *r, char *buf, size_t size)
{
	const struct pol_node *n;
	char left[300], right[300], where[160], value[200];

	if (r->node >= p->n_node) {
		pol_print(buf, size, "%s", pol_str(p, p->cond[r->what].name));
		return;
	}
	n = &p->node[r->node];
	if (n->left_kind == LEFT_ATTR) {
		attr_value(p, q, n->left, value, sizeof(value));
		pol_print(left, sizeof(left), "%s=%s", pol_str(p, p->attr[n->left].name), value);
	} else if (n->left_kind == LEFT_FUNC) {
		pol_print(left, sizeof(left), "function %s",
			  pol_str(p, p->func[n->left].name));
	} else {
		*left = 0;
	}
	put_right(p, q, n, right, sizeof(right));
	pol_print(buf, size, "%s: %s %s%s (%s)", pol_str(p, p->cond[r->what].name),
		  pol_op_name[n->op], left, right, pol_where(p, n->at, where));
}

void reason_text(const struct pol_image *p, const struct pol_query *q,
		 const struct pol_reason *r, char *buf, size_t size)
{
	char rule[320], what[900] = "";

	if (r->code >= R_NCODES) {
		pol_print(buf, size, "?");
		return;
	}
	rule_name(p, r, rule, sizeof(rule));
	if (r->what != POL_NONE || facts[r->code].about == A_SLA) {
		switch (facts[r->code].about) {
		case A_PERIOD:
			pol_print(what, sizeof(what), " %s", pol_str(p, p->period[r->what].name));
			break;
		case A_COND:
			what[0] = ' ';
			put_leaf(p, q, r, what + 1, sizeof(what) - 1);
			break;
		case A_SOD:
			pol_print(what, sizeof(what), " %s: at most %u",
				  pol_str(p, p->sod[r->what].name), p->sod[r->what].limit);
			break;
		case A_ROLE:
			pol_print(what, sizeof(what), " %s", pol_str(p, p->role[r->what].name));
			break;
		case A_USER:
			pol_print(what, sizeof(what), " %s", pol_str(p, p->user[r->what].name));
			break;
		default:
			break;
		}
	}
	pol_print(buf, size, "%s%s%s", rule, facts[r->code].text, what);
}
