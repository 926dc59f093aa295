// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include "reference.h"

/* --- names: every lookup is a search from the beginning --- */

static bool eq(struct m_model *m, uint32_t id, const char *s)
{
	return id != POL_NONE && s && !strcmp(m_str(m, id), s);
}

#define FIND(m, what, s) \
	({ \
		uint32_t i_, f_ = POL_NONE; \
		for (i_ = 0; i_ < (m)->n_##what && f_ == POL_NONE; i_++) \
			if (eq(m, (m)->what[i_].name, s)) \
				f_ = i_; \
		f_; \
	})

static uint32_t role_of(struct m_model *m, uint32_t name)
{
	return FIND(m, role, m_str(m, name));
}

/* Is @junior reached from @senior? Walks the sheets' hierarchy. */
static bool reaches(struct m_model *m, uint32_t senior, uint32_t junior, int depth)
{
	uint32_t i;

	if (senior == junior)
		return true;
	for (i = 0; depth < 64 && i < m->role[senior].n_junior; i++)
		if (reaches(m, role_of(m, m->name[m->role[senior].junior + i]), junior, depth + 1))
			return true;
	return false;
}

/* --- separation of duty --- */

static uint32_t members(struct m_model *m, const struct m_sod *s, const uint32_t *roles, int n)
{
	uint32_t count = 0, k;
	int i;

	for (k = 0; k < s->n_role; k++)
		for (i = 0; i < n; i++)
			if (reaches(m, roles[i], role_of(m, m->name[s->role + k]), 0)) {
				count++;
				break;
			}
	return count;
}

static uint32_t broken(struct m_model *m, uint32_t kind, const uint32_t *roles, int n)
{
	uint32_t i;

	for (i = 0; i < m->n_sod; i++)
		if (m->sod[i].kind == kind && members(m, &m->sod[i], roles, n) > m->sod[i].limit)
			return i;
	return POL_NONE;
}

/* May this role do in the ACM's policy what a mediation rule names? */
static bool may(struct m_model *m, uint32_t role, const struct m_permit *rule)
{
	uint32_t i, type = rule->type;

	if (type == POL_NONE)
		type = m->inst[FIND(m, inst, m_str(m, rule->instance))].type;
	for (i = 0; i < m->n_permit; i++)
		if (m->permit[i].action == rule->action &&
		    (m->permit[i].type == type || (rule->instance != POL_NONE &&
						   m->permit[i].instance == rule->instance)) &&
		    reaches(m, role, role_of(m, m->permit[i].role), 0))
			return true;
	return false;
}

static bool mediates_right(struct m_model *m, const struct m_sla *s, const struct m_permit *rule)
{
	uint32_t i;

	for (i = s->map; i < s->map + s->n_map; i++)
		if ((rule->role == POL_NONE || rule->role == m->map[i].local) &&
		    may(m, role_of(m, m->map[i].local), rule))
			return true;
	return false;
}

static bool sla_valid(struct m_model *m, const struct m_sla *s)
{
	uint32_t i, k;

	if (s->from >= s->until || s->peer == m->cloud)
		return false;
	if (s->side == SIDE_CONSUMER)
		return !s->isolation;
	for (i = s->map; i < s->map + s->n_map; i++) {
		if (m->role[role_of(m, m->map[i].local)].cardinality)
			return false;
		for (k = s->map; k < i; k++)
			if (m->map[k].remote == m->map[i].remote)
				return false;
	}
	for (i = s->mediate; i < s->mediate + s->n_mediate; i++)
		if (!mediates_right(m, s, &m->mediate[i]))
			return false;
	return true;
}

bool ref_valid(struct m_model *m)
{
	uint32_t u, i, k, roles[256], users, last;
	int n;

	for (i = 0; i < m->n_sla; i++)
		if (!sla_valid(m, &m->sla[i]))
			return false;
	for (u = 0; u < m->n_user; u++) {
		for (i = 0, n = 0; i < m->n_assign; i++)
			if (m->assign[i].user == m->user[u].name)
				roles[n++] = role_of(m, m->assign[i].role);
		if (broken(m, SOD_STATIC, roles, n) != POL_NONE)
			return false;
	}
	for (k = 0; k < m->n_role; k++) {
		for (u = 0, users = 0; u < m->n_user; u++) {
			for (i = 0, last = 0; i < m->n_assign; i++)
				last |= m->assign[i].user == m->user[u].name &&
					m->assign[i].role == m->role[k].name;
			users += last;
		}
		if (m->role[k].cardinality && users > m->role[k].cardinality)
			return false;
		for (i = 0; m->role[k].cardinality && i < m->n_assign; i++)
			if (m->assign[i].user == POL_NONE && m->assign[i].role == m->role[k].name)
				return false;
	}
	return true;
}

/* --- time: the C library's own time zones --- */

static void local_time(const char *zone, int64_t now, struct tm *tm)
{
	static char current[128];
	time_t t = now;

	if (strcmp(current, zone)) {
		snprintf(current, sizeof(current), "%s", zone);
		setenv("TZ", zone, 1);
		tzset();
	}
	localtime_r(&t, tm);
}

static bool day_matches(const struct pol_window *w, const struct tm *tm)
{
	return (w->days >> tm->tm_wday & 1) && (w->month_days >> tm->tm_mday & 1) &&
	       (w->months >> (tm->tm_mon + 1) & 1);
}

static bool window_matches(const struct pol_window *w, const struct tm *now)
{
	int minute = now->tm_hour * 60 + now->tm_min;
	struct tm before = *now;

	if (w->from < w->until)
		return minute >= w->from && minute < w->until && day_matches(w, now);
	if (minute >= w->from && day_matches(w, now))
		return true;
	before.tm_mday--;	/* the calendar's day before, by timegm's arithmetic */
	before.tm_hour = 12;
	before.tm_isdst = 0;
	timegm(&before);
	return minute < w->until && day_matches(w, &before);
}

static bool in_period(struct m_model *m, uint32_t name, int64_t now)
{
	const struct m_period *p;
	bool in = false;
	struct tm tm;
	uint32_t i;

	if (name == POL_NONE)
		return true;
	p = &m->period[FIND(m, period, m_str(m, name))];
	for (i = 0; i < p->n_between; i++)
		in |= now >= m->between[p->between + i].from &&
		      now < m->between[p->between + i].until;
	if (p->n_between && !in)
		return false;
	if (!p->n_window)
		return true;
	local_time(m_str(m, p->zone), now, &tm);
	for (i = 0; i < p->n_window; i++)
		if (window_matches(&m->window[p->window + i], &tm))
			return true;
	return false;
}

/* --- expressions: on texts --- */

struct ref {
	struct m_model *m;
	const struct pdp_request *in;
};

static const char *lookup_val(struct m_model *m, uint32_t first, uint32_t n, const char *name)
{
	uint32_t i;

	for (i = first; i < first + n; i++)
		if (eq(m, m->val[i].attr, name))
			return m_str(m, m->val[i].value);
	return NULL;
}

static const char *attr_text(struct ref *r, const char *name, char *now)
{
	struct m_model *m = r->m;
	uint32_t i, k;
	struct tm tm;
	time_t t;

	if (!strcmp(name, "env.now")) {
		t = r->in->now;
		strftime(now, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
		return now;
	}
	if (!strncmp(name, "user.", 5)) {
		k = FIND(m, user, r->in->user);
		return k == POL_NONE ? NULL : lookup_val(m, m->user[k].val, m->user[k].n_val, name);
	}
	if (!strncmp(name, "resource.", 9)) {
		k = FIND(m, inst, r->in->instance);
		return k == POL_NONE ? NULL : lookup_val(m, m->inst[k].val, m->inst[k].n_val, name);
	}
	for (i = 0; i < r->in->n_attr; i++)
		if (!strcmp(r->in->attr[i].name, name))
			return r->in->attr[i].value;
	return NULL;
}

static int64_t as_number(uint32_t type, const char *s)
{
	struct tm tm = { 0 };

	if (type == T_BOOLEAN)
		return *s == 't';
	if (type != T_TIME)
		return atoll(s);
	strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return timegm(&tm);
}

static bool word_in(const char *word, size_t len, const char *list)
{
	size_t n;

	for (; *(list += strspn(list, " ")); list += n) {
		n = strcspn(list, " ");
		if (n == len && !memcmp(list, word, n))
			return true;
	}
	return false;
}

static bool words_in(const char *words, const char *list, bool all)
{
	size_t n;

	for (; *(words += strspn(words, " ")); words += n) {
		n = strcspn(words, " ");
		if (word_in(words, n, list) != all)
			return !all;
	}
	return all;
}

static int truth(struct ref *r, uint32_t at, uint32_t *leaf);

/* The value of a function: -1 unknown. */
static int64_t apply(struct ref *r, const struct m_func *f)
{
	const char *s, *w, *zone;
	uint32_t leaf;
	char now[32];
	int64_t n = 0;
	struct tm tm;
	size_t len;
	int t;

	if (f->apply == F_EXPR) {
		t = truth(r, f->node, &leaf);
		return t == TRUTH_UNKNOWN ? -1 : t == TRUTH_YES;
	}
	s = attr_text(r, m_str(r->m, f->attr), now);
	if (!s)
		return -1;
	if (f->apply == F_LENGTH)
		return strlen(s);
	if (f->apply == F_COUNT) {
		for (w = s; *(w += strspn(w, " ")); w += len) {
			len = strcspn(w, " ");
			/* count a word where it stands last */
			n += !word_in(w, len, w + len);
		}
		return n;
	}
	zone = m_str(r->m, f->zone);
	local_time(zone, as_number(T_TIME, s), &tm);
	return f->apply == F_HOUR ? tm.tm_hour : tm.tm_wday;
}

static int compare_numbers(uint32_t op, int64_t a, int64_t b)
{
	switch (op) {
	case OP_EQUALS: return a == b;
	case OP_DIFFERS: return a != b;
	case OP_LESS: return a < b;
	case OP_AT_MOST: return a <= b;
	case OP_MORE: return a > b;
	case OP_AT_LEAST: return a >= b;
	default: return a != 0;
	}
}

static int compare_texts(uint32_t op, uint32_t type, const char *a, const char *b)
{
	switch (op) {
	case OP_EQUALS:
	case OP_DIFFERS:
		if (type == T_SET)
			return (words_in(a, b, true) && words_in(b, a, true)) == (op == OP_EQUALS);
		return !strcmp(a, b) == (op == OP_EQUALS);
	case OP_IN: return word_in(a, strlen(a), b);
	case OP_CONTAINS: return word_in(b, strlen(b), a);
	case OP_SUBSET: return words_in(a, b, true);
	case OP_INTERSECTS: return words_in(a, b, false);
	default: return !strncmp(a, b, strlen(b));
	}
}

static int compare(struct ref *r, const struct m_node *n)
{
	struct m_model *m = r->m;
	const char *a = NULL, *b = NULL;
	char now[32], now2[32];
	uint32_t type;
	int64_t num;

	if (n->op != OP_HOLDS) {
		b = n->other != POL_NONE ? attr_text(r, m_str(m, n->other), now2) :
			m_str(m, n->value != POL_NONE ? n->value : n->values);
		if (!b)
			return TRUTH_UNKNOWN;
	}
	if (n->func != POL_NONE) {
		const struct m_func *f = &m->func[FIND(m, func, m_str(m, n->func))];

		num = apply(r, f);
		if (num < 0)
			return TRUTH_UNKNOWN;
		return compare_numbers(n->op, num, b ? as_number(f->type, b) : 0) ?
			TRUTH_YES : TRUTH_NO;
	}
	a = attr_text(r, m_str(m, n->attr), now);
	if (!a)
		return TRUTH_UNKNOWN;
	type = m->attr[FIND(m, attr, m_str(m, n->attr))].type;
	if (type == T_STRING || type == T_SET)
		return compare_texts(n->op, type, a, b) ? TRUTH_YES : TRUTH_NO;
	return compare_numbers(n->op, as_number(type, a), b ? as_number(type, b) : 0) ?
		TRUTH_YES : TRUTH_NO;
}

/* All children are evaluated; then the one that decided is picked. */
static int truth(struct ref *r, uint32_t at, uint32_t *leaf)
{
	const struct m_node *n = &r->m->node[at];
	int t[64], k = 0, want = n->op == OP_ALL ? TRUTH_NO : TRUTH_YES, i;
	uint32_t leaves[64] = { 0 }, c;

	*leaf = at;
	if (n->op > OP_NOT)
		return compare(r, n);
	for (c = at + 1; c < n->end; c = r->m->node[c].end, k++)
		t[k] = truth(r, c, &leaves[k]);
	*leaf = leaves[0];
	if (n->op == OP_NOT)
		return t[0] == TRUTH_YES ? TRUTH_NO : t[0] == TRUTH_NO ? TRUTH_YES : TRUTH_UNKNOWN;
	for (i = 0; i < k; i++)
		if (t[i] == want) {
			*leaf = leaves[i];
			return want;
		}
	for (i = 0; i < k; i++)
		if (t[i] == TRUTH_UNKNOWN) {
			*leaf = leaves[i];
			return TRUTH_UNKNOWN;
		}
	return n->op == OP_ALL ? TRUTH_YES : TRUTH_NO;
}

static bool cond_holds(struct ref *r, uint32_t name, uint32_t *idx, uint32_t *leaf)
{
	*idx = *leaf = POL_NONE;
	if (name == POL_NONE)
		return true;
	*idx = FIND(r->m, cond, m_str(r->m, name));
	return truth(r, r->m->cond[*idx].node, leaf) == TRUTH_YES;
}

static uint32_t period_idx(struct m_model *m, uint32_t name)
{
	return name == POL_NONE ? POL_NONE : FIND(m, period, m_str(m, name));
}

/* --- the decision --- */

static void say(struct pol_decision *d, uint32_t code, uint32_t rule, uint32_t assign,
		uint32_t what, uint32_t node, uint32_t count)
{
	if (d->n < POL_REASONS_MAX)
		d->reason[d->n++] = (struct pol_reason){ code, rule, assign, what, node, count };
	else
		d->more++;
}

static void only(struct pol_decision *d, uint32_t code, uint32_t what)
{
	d->n = d->more = 0;
	say(d, code, POL_NONE, POL_NONE, what, POL_NONE, 0);
}

static bool value_ok(uint32_t type, const char *s)
{
	struct tm tm;
	char *end;

	switch (type) {
	case T_BOOLEAN: return !strcmp(s, "true") || !strcmp(s, "false");
	case T_INTEGER:
		return (isdigit((unsigned char)*s) || *s == '-') &&
		       (strtoll(s, &end, 10), end != s && !*end);
	case T_TIME:
		end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);
		return end && !*end;
	default: return true;
	}
}

/* The PDP's stage. */
static bool known(struct m_model *m, const struct pdp_request *in, struct pol_decision *d)
{
	uint32_t t, i, k, a;
	bool action = false, mine = false;

	for (t = 0; t < m->n_rtype; t++)
		for (k = 0; k < m->rtype[t].n_action; k++)
			action |= eq(m, m->name[m->rtype[t].action + k], in->action);
	if (!action)
		return only(d, R_UNKNOWN_ACTION, POL_NONE), false;
	t = in->type ? FIND(m, rtype, in->type) : POL_NONE;
	if (in->instance) {
		i = FIND(m, inst, in->instance);
		if (i == POL_NONE || (in->type && !eq(m, m->inst[i].type, in->type)))
			return only(d, R_UNKNOWN_RESOURCE, POL_NONE), false;
		t = FIND(m, rtype, m_str(m, m->inst[i].type));
	}
	if (t == POL_NONE)
		return only(d, R_UNKNOWN_RESOURCE, POL_NONE), false;
	for (k = 0; k < m->rtype[t].n_action; k++)
		mine |= eq(m, m->name[m->rtype[t].action + k], in->action);
	if (!mine)
		return only(d, R_ACTION_NOT_OF_TYPE, POL_NONE), false;
	for (i = 0; i < in->n_attr; i++) {
		a = FIND(m, attr, in->attr[i].name);
		if (a != POL_NONE && !value_ok(m->attr[a].type, in->attr[i].value))
			return only(d, R_BAD_ATTRIBUTE, POL_NONE), false;
	}
	if (in->user && FIND(m, user, in->user) == POL_NONE)
		return only(d, R_NO_CREDENTIAL, POL_NONE), false;
	if (in->role && FIND(m, role, in->role) == POL_NONE)
		return only(d, R_ROLE_NOT_HELD, POL_NONE), false;
	return true;
}

struct holding {
	uint32_t role[256], assign[256];
	int n;
};

/* The credential evaluator's stage. */
static bool roles(struct ref *r, struct holding *h, struct pol_decision *d)
{
	struct m_model *m = r->m;
	uint32_t u = r->in->user ? FIND(m, user, r->in->user) : POL_NONE, i, cond, leaf, role, sod;
	int k;

	h->n = 0;
	if (!r->in->authenticated)
		return only(d, R_NO_CREDENTIAL, POL_NONE), false;
	if (u != POL_NONE && !m->user[u].enabled)
		return only(d, R_USER_DISABLED, u), false;
	if (u != POL_NONE && (r->in->now < m->user[u].from || r->in->now >= m->user[u].until))
		return only(d, R_USER_NOT_VALID, u), false;
	if (r->in->mapped != POL_NONE) {
		h->role[0] = r->in->mapped;
		h->assign[0] = POL_NONE;
		h->n = 1;
	}
	for (i = 0; r->in->mapped == POL_NONE && i < m->n_assign; i++) {
		const struct m_assign *a = &m->assign[i];

		if (a->user != POL_NONE && !eq(m, a->user, r->in->user))
			continue;
		if (!in_period(m, a->period, r->in->now)) {
			say(d, R_ASSIGN_PERIOD, i, i, period_idx(m, a->period), POL_NONE, 0);
		} else if (!cond_holds(r, a->cond, &cond, &leaf)) {
			say(d, R_ASSIGN_CONDITION, i, i, cond, leaf, 0);
		} else {
			role = role_of(m, a->role);
			for (k = 0; k < h->n && h->role[k] != role; k++)
				;
			h->role[k] = role;
			if (k == h->n)
				h->assign[h->n++] = i;
		}
	}
	if (!h->n) {
		if (!d->n)
			only(d, R_NO_ROLE, POL_NONE);
		return false;
	}
	sod = broken(m, SOD_STATIC, h->role, h->n);
	if (sod != POL_NONE)
		return only(d, R_SSD, sod), false;
	if (r->in->role) {
		role = FIND(m, role, r->in->role);
		for (k = 0; k < h->n && !reaches(m, h->role[k], role, 0); k++)
			;
		if (k == h->n)
			return only(d, R_ROLE_NOT_HELD, role), false;
		h->assign[0] = h->assign[k];
		h->role[0] = role;
		h->n = 1;
	}
	d->n = d->more = 0;
	return true;
}

static bool names(struct ref *r, const struct m_permit *p)
{
	struct m_model *m = r->m;
	const char *type = r->in->type;
	uint32_t i;

	if (r->in->instance) {
		i = FIND(m, inst, r->in->instance);
		type = m_str(m, m->inst[i].type);
	}
	return eq(m, p->action, r->in->action) &&
	       (eq(m, p->type, type) || eq(m, p->instance, r->in->instance));
}

/* What forbids this rule to this held role; R_PERMIT if nothing does. */
static uint32_t forbids(struct ref *r, const struct m_permit *p, uint32_t held, uint32_t *what,
			uint32_t *leaf, uint32_t *count)
{
	struct m_model *m = r->m;
	const struct pol_session *s = r->in->session;
	uint32_t rule_role = role_of(m, p->role), active[256], sod;
	const struct pol_active *mine = NULL;
	int n = 0;

	*leaf = POL_NONE;
	*count = 0;
	*what = held;
	if (!in_period(m, m->role[held].period, r->in->now))
		return R_ROLE_PERIOD;
	*what = rule_role;
	if (!in_period(m, m->role[rule_role].period, r->in->now))
		return R_ROLE_PERIOD;
	*what = period_idx(m, p->period);
	if (!in_period(m, p->period, r->in->now))
		return R_RULE_PERIOD;
	if (!cond_holds(r, p->cond, what, leaf))
		return R_RULE_CONDITION;
	*leaf = POL_NONE;
	for (; s && n < (int)s->n; n++) {
		active[n] = s->active[n].role;
		if (active[n] == held)
			mine = &s->active[n];
	}
	active[n++] = held;
	sod = broken(m, SOD_DYNAMIC, active, n);
	*what = sod;
	if (sod != POL_NONE)
		return R_DSD;
	*what = held;
	if ((m->role[held].max_active || m->role[held].max_seconds) && !s)
		return R_NO_SESSION;
	if (m->role[held].max_active && !mine && r->in->n_active &&
	    r->in->n_active[held] >= m->role[held].max_active) {
		*count = r->in->n_active[held];
		return R_MAX_ACTIVE;
	}
	if (m->role[held].max_seconds && mine && r->in->tick - mine->since >=
	    m->role[held].max_seconds) {
		*count = r->in->tick - mine->since;
		return R_MAX_SECONDS;
	}
	return R_PERMIT;
}

void ref_decide(struct m_model *m, const struct pdp_request *in, struct pol_decision *d)
{
	struct ref r = { m, in };
	uint32_t i, code, what, leaf, count;
	bool any = false;
	struct holding h;
	int k;

	memset(d, 0, sizeof(*d));
	d->role = POL_NONE;
	if (!known(m, in, d) || !roles(&r, &h, d))
		return;
	for (i = 0; i < m->n_permit; i++)
		for (k = 0; k < h.n; k++) {
			if (!names(&r, &m->permit[i]) ||
			    !reaches(m, h.role[k], role_of(m, m->permit[i].role), 0))
				continue;
			any = true;
			code = forbids(&r, &m->permit[i], h.role[k], &what, &leaf, &count);
			if (code == R_PERMIT) {
				d->permit = true;
				d->role = h.role[k];
				d->n = d->more = 0;
				say(d, R_PERMIT, i, h.assign[k], h.role[k], POL_NONE, 0);
				return;
			}
			say(d, code, i, h.assign[k], what, leaf, count);
		}
	if (!any)
		only(d, R_NO_PERMISSION, POL_NONE);
}

/* --- the SLA module --- */

static bool refused(struct pol_reason *r, uint32_t code, uint32_t sla)
{
	*r = (struct pol_reason){ code, sla, POL_NONE, POL_NONE, POL_NONE, 0 };
	return false;
}

static bool standing(struct m_model *m, uint32_t sla, const struct ref_sla *x, int64_t now,
		     struct pol_reason *r)
{
	const struct m_sla *s = &m->sla[sla];

	if (!eq(m, s->peer, x->peer))
		return refused(r, R_SLA_PEER, sla);
	if (s->revoked)
		return refused(r, R_SLA_REVOKED, sla);
	if (now < s->from)
		return refused(r, R_SLA_NOT_YET, sla);
	if (now >= s->until)
		return refused(r, R_SLA_EXPIRED, sla);
	if ((s->side == SIDE_PROVIDER) != x->provider)
		return refused(r, R_SLA_SIDE, sla);
	return true;
}

/* The map, or POL_NONE: a name as it is; a role, or one that it inherits. */
static uint32_t mapped_by(struct m_model *m, const struct m_sla *s, const struct ref_sla *x)
{
	uint32_t i;

	for (i = s->map; i < s->map + s->n_map; i++)
		if (x->provider ? eq(m, m->map[i].remote, x->name) :
				  reaches(m, x->held, role_of(m, m->map[i].local), 0))
			return i;
	return POL_NONE;
}

/* By which rule is it mediated; else what the first that names it says. */
static bool mediation(struct ref *r, uint32_t sla, uint32_t local, struct pol_reason *out)
{
	struct m_model *m = r->m;
	const struct m_sla *s = &m->sla[sla];
	const struct m_permit *p;
	uint32_t i, cond, leaf;
	bool first = true;

	refused(out, R_SLA_NOT_MEDIATED, sla);
	for (i = s->mediate; i < s->mediate + s->n_mediate; i++) {
		p = &m->mediate[i];
		if (!names(r, p) || (p->role != POL_NONE && p->role != local))
			continue;
		if (in_period(m, p->period, r->in->now) && cond_holds(r, p->cond, &cond, &leaf)) {
			out->assign = i;
			return true;
		}
		if (first && !in_period(m, p->period, r->in->now))
			*out = (struct pol_reason){ R_SLA_PERIOD, sla, i, period_idx(m, p->period),
						    POL_NONE, 0 };
		else if (first)
			*out = (struct pol_reason){ R_SLA_CONDITION, sla, i, cond, leaf, 0 };
		first = false;
	}
	return false;
}

bool ref_sla(struct m_model *m, const struct pdp_request *in, const struct ref_sla *x,
	     uint32_t *role, const char **remote, struct pol_reason *r)
{
	struct ref ref = { m, in };
	uint32_t sla, map, inst = FIND(m, inst, in->instance), v;
	const char *type = inst == POL_NONE ? in->type : m_str(m, m->inst[inst].type);
	const struct m_sla *s;

	for (sla = 0; sla < m->n_sla && !eq(m, m->sla[sla].id, x->id); sla++)
		;
	if (sla == m->n_sla)
		return refused(r, R_NO_SLA, POL_NONE);
	s = &m->sla[sla];
	if (!standing(m, sla, x, in->now, r))
		return false;
	map = mapped_by(m, s, x);
	if (map == POL_NONE)
		return refused(r, R_SLA_UNMAPPED, sla);
	*role = role_of(m, m->map[map].local);
	*remote = m_str(m, m->map[map].remote);
	if (x->chained && !s->chain)
		return refused(r, R_SLA_CHAIN, sla);
	for (v = s->visible; v < s->visible + s->n_visible; v++)
		if (eq(m, m->visible[v].type, type) || eq(m, m->visible[v].instance, in->instance))
			break;
	if (v == s->visible + s->n_visible)
		return refused(r, R_SLA_NOT_VISIBLE, sla);
	if (!mediation(&ref, sla, m->map[map].local, r))
		return false;
	if (s->isolation && (inst == POL_NONE || !m->inst[inst].isolated))
		return refused(r, R_SLA_ISOLATION, sla);
	*r = (struct pol_reason){ R_SLA_MAPPED, sla, r->assign, map, v, 0 };
	return true;
}
