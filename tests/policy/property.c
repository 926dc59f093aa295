// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random policies, each with a random request and a random question to its SLA
 * module: the compiled engine and the reference evaluator must agree, reasons
 * included.
 *
 *   property [CASES [SEED]]
 */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "compile/compile.h"
#include "engine/sla.h"
#include "reference.h"
#include "tool/never.h"

#define NEVER_EACH	10	/* of the requests granted, one in so many is looked for */

static uint64_t state;

static uint32_t rnd(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % n;
}

static uint32_t name(struct m_model *m, const char *fmt, ...)
{
	char buf[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return m_add(m, buf);
}

static const char *const zones[] = {
	"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata",
	"Africa/Casablanca", "America/St_Johns", "Pacific/Apia",
};

/* Attributes of every type and category that a request or a sheet can give. */
static const struct {
	const char *name;
	enum pol_type type;
} attrs[] = {
	{ "user.i", T_INTEGER }, { "user.s", T_STRING }, { "user.g", T_SET },
	{ "resource.s", T_STRING }, { "resource.i", T_INTEGER },
	{ "request.i", T_INTEGER }, { "request.s", T_STRING }, { "request.g", T_SET },
	{ "request.t", T_TIME }, { "request.b", T_BOOLEAN }, { "claim.g", T_SET },
	{ "claim.s", T_STRING }, { "env.now", T_TIME },
};

#define N_ATTRS	(sizeof(attrs) / sizeof(attrs[0]))

/* A value that is often one that the policy knows too. */
static void value(enum pol_type type, char *buf, size_t size)
{
	static const char *const words[] = { "ops", "dev", "ops-eu", "qa", "sales", "x" };
	time_t t = 1780000000 + rnd(40000000);
	int i, n = rnd(4) + 1;
	struct tm tm;

	switch (type) {
	case T_BOOLEAN:
		snprintf(buf, size, "%s", rnd(2) ? "true" : "false");
		break;
	case T_INTEGER:
		snprintf(buf, size, "%d", (int)rnd(7) - 2);
		break;
	case T_TIME:
		strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
		break;
	case T_STRING:
		snprintf(buf, size, "%s", words[rnd(6)]);
		break;
	default:
		for (*buf = 0, i = 0; i < n; i++)
			snprintf(buf + strlen(buf), size - strlen(buf), "%s%s", i ? " " : "",
				 words[rnd(6)]);
	}
}

static int same_type_attr(enum pol_type type)
{
	int i, start = rnd(N_ATTRS);

	for (i = 0; i < (int)N_ATTRS; i++)
		if (attrs[(start + i) % N_ATTRS].type == type)
			return (start + i) % N_ATTRS;
	return 0;
}

/* Operators for each left type, and what the right side is. */
static const struct {
	enum pol_op op;
	unsigned int left;	/* bits of types */
	int right;		/* -1: the left's type */
} ops[] = {
	{ OP_EQUALS, 31, -1 }, { OP_DIFFERS, 31, -1 }, { OP_LESS, 18, -1 }, { OP_AT_MOST, 18, -1 },
	{ OP_MORE, 18, -1 }, { OP_AT_LEAST, 18, -1 }, { OP_IN, 4, T_SET },
	{ OP_CONTAINS, 8, T_STRING }, { OP_SUBSET, 8, T_SET }, { OP_INTERSECTS, 8, T_SET },
	{ OP_STARTS_WITH, 4, T_STRING }, { OP_HOLDS, 1, -1 },
};

static void leaf(struct m_model *m, uint32_t n_func)
{
	struct m_node n = { .attr = POL_NONE, .func = POL_NONE, .value = POL_NONE,
			    .values = POL_NONE, .other = POL_NONE, .end = m->n_node + 1 };
	enum pol_type type, right;
	bool single = true;
	char buf[128];
	int a, o;

	if (n_func && !rnd(4)) {
		a = rnd(n_func);
		n.func = m->func[a].name;
		type = m->func[a].type;
	} else {
		a = rnd(N_ATTRS);
		n.attr = m_add(m, attrs[a].name);
		type = attrs[a].type;
	}
	do {
		o = rnd(sizeof(ops) / sizeof(ops[0]));
	} while (!(ops[o].left >> type & 1));
	n.op = ops[o].op;
	right = ops[o].right < 0 ? type : (enum pol_type)ops[o].right;
	single = n.op != OP_IN && n.op != OP_SUBSET && n.op != OP_INTERSECTS;
	if (n.op != OP_HOLDS && rnd(3) == 0) {
		n.other = m_add(m, attrs[same_type_attr(right)].name);
	} else if (n.op != OP_HOLDS) {
		value(right, buf, sizeof(buf));
		*(single ? &n.value : &n.values) = m_add(m, buf);
	}
	if (pol_vec_push(m, node, n))
		abort();
}

static void tree(struct m_model *m, int depth, uint32_t n_func)
{
	struct m_node n = { .attr = POL_NONE, .func = POL_NONE, .value = POL_NONE,
			    .values = POL_NONE, .other = POL_NONE };
	uint32_t at = m->n_node, i, kids;

	if (!depth || rnd(2)) {
		leaf(m, n_func);
		return;
	}
	n.op = rnd(3);
	kids = n.op == OP_NOT ? 1 : rnd(3) + 1;
	if (pol_vec_push(m, node, n))
		abort();
	for (i = 0; i < kids; i++)
		tree(m, depth - 1, n_func);
	m->node[at].end = m->n_node;
}

#define PUSH(m, what, ...) do { if (pol_vec_push(m, what, __VA_ARGS__)) abort(); } while (0)

static void functions(struct m_model *m)
{
	static const struct {
		enum pol_apply apply;
		const char *to;
	} kinds[] = { { F_COUNT, "user.g" }, { F_COUNT, "request.g" }, { F_LENGTH, "claim.s" },
		      { F_HOUR, "request.t" }, { F_WEEKDAY, "env.now" }, { F_HOUR, "env.now" } };
	uint32_t i, n = rnd(4), k;

	for (i = 0; i < n; i++) {
		struct m_func f = { .name = name(m, "f%u", i), .type = T_INTEGER,
				    .attr = POL_NONE, .zone = POL_NONE, .node = m->n_node };

		if (rnd(2)) {
			f.type = T_BOOLEAN;
			f.apply = F_EXPR;
			tree(m, 2, i);
		} else {
			k = rnd(6);
			f.apply = kinds[k].apply;
			f.attr = m_add(m, kinds[k].to);
			if (f.apply >= F_HOUR)
				f.zone = m_add(m, zones[rnd(8)]);
		}
		PUSH(m, func, f);
	}
}

static void periods(struct m_model *m)
{
	uint32_t i, k, n = rnd(3);

	for (i = 0; i < n; i++) {
		struct m_period p = { .name = name(m, "p%u", i), .zone = m_add(m, zones[rnd(8)]),
				      .window = m->n_window, .n_window = rnd(3),
				      .between = m->n_between };

		p.n_between = p.n_window ? rnd(2) : 1;
		for (k = 0; k < p.n_window; k++) {
			struct pol_window w = { rnd(2) ? UINT32_MAX : rnd(128),
					      rnd(3) ? UINT32_MAX : rnd(1u << 31) << 1,
					      rnd(3) ? UINT32_MAX : rnd(1u << 12) << 1,
					      rnd(1440), rnd(1441) };
			PUSH(m, window, w);
		}
		for (k = 0; k < p.n_between; k++) {
			int64_t from = 1780000000 + rnd(40000000);

			PUSH(m, between, { from, from + 1 + rnd(20000000) });
		}
		PUSH(m, period, p);
	}
}

static uint32_t maybe(struct m_model *m, const char *fmt, uint32_t n)
{
	return n && !rnd(3) ? name(m, fmt, rnd(n)) : POL_NONE;
}

static void roles(struct m_model *m)
{
	uint32_t n = 2 + rnd(7), i, k;

	for (i = 0; i < n; i++) {
		struct m_role r = { .name = name(m, "r%u", i),
				    .period = maybe(m, "p%u", m->n_period),
				    .junior = m->n_name };

		for (k = i + 1; k < n; k++)
			if (!rnd(4)) {
				PUSH(m, name, name(m, "r%u", k));
				r.n_junior++;
			}
		r.cardinality = rnd(6) ? 0 : 1 + rnd(4);
		r.max_active = rnd(4) ? 0 : 1 + rnd(3);
		r.max_seconds = rnd(4) ? 0 : 1 + rnd(1000);
		PUSH(m, role, r);
	}
	for (i = 0; i < 3; i++) {
		struct m_sod s = { .name = name(m, "s%u", i), .kind = rnd(4) == 0 ? SOD_STATIC :
				   SOD_DYNAMIC, .role = m->n_name };

		for (k = 0; k < n; k++)
			if (!rnd(3)) {
				PUSH(m, name, name(m, "r%u", k));
				s.n_role++;
			}
		if (s.n_role < 2)
			continue;
		s.limit = 1 + rnd(s.n_role - 1);
		PUSH(m, sod, s);
	}
}

static void values(struct m_model *m, const char *prefix, uint32_t *n)
{
	char buf[128];
	uint32_t i;

	for (i = 0; i < N_ATTRS; i++) {
		if (strncmp(attrs[i].name, prefix, strlen(prefix)) || !rnd(3))
			continue;
		value(attrs[i].type, buf, sizeof(buf));
		PUSH(m, val, { m_add(m, attrs[i].name), m_add(m, buf) });
		++*n;
	}
}

static void resources(struct m_model *m)
{
	uint32_t i, k;

	for (i = 0; i < 3; i++) {
		struct m_rtype t = { .name = name(m, "t%u", i), .action = m->n_name };

		for (k = 0; k < 3; k++)
			if (k == i || rnd(2)) {
				PUSH(m, name, name(m, "a%u", k));
				t.n_action++;
			}
		PUSH(m, rtype, t);
	}
	for (i = 0; i < 5; i++) {
		struct m_inst in = { .name = name(m, "i%u", i), .type = name(m, "t%u", rnd(3)),
				     .isolated = rnd(2), .val = m->n_val };

		values(m, "resource.", &in.n_val);
		PUSH(m, inst, in);
	}
}

static void rules(struct m_model *m)
{
	uint32_t i, n = 2 + rnd(8);

	for (i = 0; i < 4; i++) {
		struct m_user u = { .name = name(m, "u%u", i), .enabled = rnd(12) > 0,
				    .from = INT64_MIN, .until = INT64_MAX, .val = m->n_val };

		if (!rnd(6))
			u.until = 1780000000 + rnd(40000000);
		values(m, "user.", &u.n_val);
		PUSH(m, user, u);
	}
	for (i = 0; i < n; i++) {
		struct m_assign a = { .id = POL_NONE, .user = name(m, "u%u", rnd(4)),
				      .role = name(m, "r%u", rnd(m->n_role)),
				      .period = maybe(m, "p%u", m->n_period),
				      .cond = maybe(m, "c%u", m->n_cond) };

		if (m->n_cond && !rnd(3)) {
			a.user = POL_NONE;
			a.cond = name(m, "c%u", rnd(m->n_cond));
		}
		PUSH(m, assign, a);
	}
	n = rnd(14);
	for (i = 0; i < n; i++) {
		struct m_permit p = { .id = POL_NONE, .role = name(m, "r%u", rnd(m->n_role)),
				      .type = POL_NONE, .instance = POL_NONE,
				      .period = maybe(m, "p%u", m->n_period),
				      .cond = maybe(m, "c%u", m->n_cond) };
		uint32_t t = rnd(3), k = rnd(5);

		if (rnd(2))
			p.type = m->rtype[t].name;
		else
			p.instance = m->inst[k].name;
		if (p.type == POL_NONE)
			t = m_str(m, m->inst[k].type)[1] - '0';
		p.action = m->name[m->rtype[t].action + rnd(m->rtype[t].n_action)];
		PUSH(m, permit, p);
	}
}

/* What some permission permits, mostly to a role that is mapped for it. */
static void mediation(struct m_model *m, struct m_sla *s, uint32_t k)
{
	struct m_permit p = m->permit[rnd(m->n_permit)];
	uint32_t role = p.role;

	if (rnd(8)) {
		PUSH(m, map, { role, name(m, "m%u", rnd(12) ? k : 0) });
		s->n_map++;
	}
	p.role = rnd(3) ? POL_NONE : rnd(8) ? role : name(m, "r%u", rnd(m->n_role));
	p.period = maybe(m, "p%u", m->n_period);
	p.cond = maybe(m, "c%u", m->n_cond);
	if (rnd(4)) {
		PUSH(m, visible, { p.type, p.instance });
		s->n_visible++;
	}
	PUSH(m, mediate, p);
	s->n_mediate++;
}

static void slas(struct m_model *m)
{
	uint32_t i, k, n = rnd(3);

	for (i = 0; i < n; i++) {
		struct m_sla s = { .id = name(m, "l%u", i), .side = rnd(2), .revoked = !rnd(8),
				   .peer = name(m, rnd(60) ? "w%u" : "random", rnd(2)),
				   .chain = rnd(2), .from = 1770000000, .until = 1830000000,
				   .map = m->n_map, .visible = m->n_visible,
				   .mediate = m->n_mediate };

		s.isolation = s.side == SIDE_PROVIDER ? !rnd(3) : !rnd(40);
		if (!rnd(6))
			s.from = 1780000000 + rnd(40000000);
		if (!rnd(6))
			s.until = 1780000000 + rnd(40000000);
		for (k = rnd(3) + 1; k && m->n_permit; k--)
			mediation(m, &s, k);
		if (!rnd(3)) {
			PUSH(m, visible, { m->rtype[rnd(3)].name, POL_NONE });
			s.n_visible++;
		}
		PUSH(m, sla, s);
	}
}

static void policy(struct m_model *m)
{
	uint32_t i, n;

	if (model_init(m))
		abort();
	m->cloud = m_add(m, "random");
	for (i = 0; i + 1 < N_ATTRS; i++)
		PUSH(m, attr, { .name = m_add(m, attrs[i].name), .type = attrs[i].type });
	functions(m);
	n = rnd(4);
	for (i = 0; i < n; i++) {
		PUSH(m, cond, { .name = name(m, "c%u", i), .node = m->n_node });
		tree(m, 3, m->n_func);
	}
	periods(m);
	roles(m);
	resources(m);
	rules(m);
	slas(m);
}

struct request {
	struct pdp_request in;
	struct pol_session session;
	struct pdp_attr attr[N_ATTRS];
	uint32_t n_active[16];
	char text[16][160];
};

static const char *one_of(char *buf, const char *letter, uint32_t n)
{
	snprintf(buf, 16, "%s%u", letter, rnd(n));
	return buf;
}

static void session(struct m_model *m, struct request *r)
{
	uint32_t i, k;

	for (i = 0; i < m->n_role; i++)
		r->n_active[i] = rnd(4);
	r->in.n_active = rnd(2) ? r->n_active : NULL;
	for (i = 0; i < 2 && rnd(2); i++) {
		struct pol_active a = { rnd(m->n_role), r->in.now - rnd(1200) };

		for (k = 0; k < r->session.n && r->session.active[k].role != a.role; k++)
			;
		if (k == r->session.n)
			r->session.active[r->session.n++] = a;
	}
	r->in.session = rnd(2) ? &r->session : NULL;
}

static void request(struct m_model *m, struct request *r)
{
	uint32_t i, n;

	memset(r, 0, sizeof(*r));
	r->in.authenticated = rnd(30) > 0;
	r->in.user = rnd(8) ? one_of(r->text[0], "u", rnd(20) ? 4 : 5) : NULL;
	r->in.mapped = POL_NONE;
	if (!rnd(8)) {
		r->in.user = NULL;
		r->in.mapped = rnd(m->n_role);
	}
	r->in.role = rnd(6) ? NULL : one_of(r->text[1], "r", m->n_role + 1);
	r->in.action = one_of(r->text[2], "a", 4);
	r->in.instance = rnd(5) ? one_of(r->text[3], "i", 6) : NULL;
	r->in.type = r->in.instance && rnd(5) ? NULL : one_of(r->text[4], "t", 3);
	/* Mostly what some rule is about. */
	if (m->n_permit && rnd(6)) {
		const struct m_permit *p = &m->permit[rnd(m->n_permit)];

		r->in.action = m_str(m, p->action);
		r->in.type = p->type == POL_NONE ? NULL : m_str(m, p->type);
		r->in.instance = p->type == POL_NONE ? m_str(m, p->instance) : NULL;
	}
	r->in.now = r->in.tick = 1780000000 + rnd(40000000);
	for (i = 0, n = 0; i < N_ATTRS; i++) {
		bool claim = !strncmp(attrs[i].name, "claim.", 6);

		if ((!claim && strncmp(attrs[i].name, "request.", 8)) || !rnd(4))
			continue;
		value(attrs[i].type, r->text[5 + n], sizeof(r->text[0]));
		if (!rnd(60))
			strcpy(r->text[5 + n], "12x");
		r->attr[n] = (struct pdp_attr){ attrs[i].name, r->text[5 + n],
						claim ? C_CLAIM : C_REQUEST };
		n++;
	}
	r->in.attr = r->attr;
	r->in.n_attr = n;
	session(m, r);
}

static void show(const char *who, const struct pol_decision *d)
{
	uint32_t i;

	printf("# %s: %s role %d, %u reasons and %u more\n", who, d->permit ? "permit" : "deny",
	       (int)d->role, d->n, d->more);
	for (i = 0; i < d->n; i++)
		printf("#   %s rule %d assign %d what %d node %d\n",
		       reason_name(d->reason[i].code), (int)d->reason[i].rule,
		       (int)d->reason[i].assign, (int)d->reason[i].what, (int)d->reason[i].node);
}

static bool same(const struct pol_decision *a, const struct pol_decision *b)
{
	return a->permit == b->permit && a->n == b->n && a->more == b->more &&
	       a->role == b->role && !memcmp(a->reason, b->reason, a->n * sizeof(a->reason[0]));
}

static uint64_t seen[R_NCODES];

static void ask_sla(struct m_model *m, struct ref_sla *x, char text[3][16])
{
	*x = (struct ref_sla){ one_of(text[0], "l", m->n_sla + 1), one_of(text[1], "w", 2),
			       rnd(2), rnd(2), rnd(m->n_role), one_of(text[2], "m", 4) };
	/* Mostly what some SLA is about. */
	if (m->n_sla && rnd(8)) {
		const struct m_sla *s = &m->sla[rnd(m->n_sla)];

		x->id = m_str(m, s->id);
		x->provider = rnd(12) ? s->side == SIDE_PROVIDER : rnd(2);
		x->peer = rnd(12) ? m_str(m, s->peer) : x->peer;
	}
}

/* A question to the SLA module about a request that the PDP took. */
static int check_sla(struct m_model *m, struct pol_image *p, const struct pdp_request *in,
		     const struct pol_query *q, uint64_t seed)
{
	uint32_t sla, role = POL_NONE, ref_role = POL_NONE, remote = POL_NONE;
	const char *ref_remote = "";
	struct pol_reason fast, slow;
	struct ref_sla x;
	char text[3][16];
	bool a, b, same;

	ask_sla(m, &x, text);
	sla = pol_find(p, P_SLA, x.id);
	if (x.provider)
		a = sla_provide(p, q, sla, x.peer, x.name, x.chained, &role, &fast);
	else
		a = sla_consume(p, q, sla, x.peer, x.held, x.chained, &remote, &fast);
	b = ref_sla(m, in, &x, &ref_role, &ref_remote, &slow);
	seen[fast.code]++;
	same = a == b && !memcmp(&fast, &slow, sizeof(fast));
	if (same && a)
		same = x.provider ? role == ref_role : !strcmp(pol_str(p, remote), ref_remote);
	if (same)
		return 0;
	printf("# seed %llu: SLA %s peer %s, %s: engine %s (%d %d %d %d) role %d %s, reference %s "
	       "(%d %d %d %d) role %d %s\n", (unsigned long long)seed, x.id, x.peer,
	       x.provider ? "provider" : "consumer", reason_name(fast.code), (int)fast.rule,
	       (int)fast.assign, (int)fast.what, (int)fast.node, (int)role, pol_str(p, remote),
	       reason_name(slow.code), (int)slow.rule, (int)slow.assign, (int)slow.what,
	       (int)slow.node, (int)ref_role, ref_remote);
	return 1;
}

static uint64_t never_found, never_unfinished, never_instants_seen;

/* What was granted, and from that instant on: it must not be proved to be never granted. */
static int check_never(const struct pol_image *p, const struct pol_query *q, uint32_t role,
		       uint64_t seed)
{
	const struct never_ask ask = { role, q->action, q->type, q->inst, q->now };
	struct never_answer a;
	int ret = never_search(p, &ask, &a);
	bool granted = a.granted;

	never_instants_seen += a.instants;
	never_free(&a);
	never_unfinished += ret != 0;
	never_found += granted;
	if (ret || granted)
		return 0;
	printf("# seed %llu: granted to role %s at %lld, and proved to be never granted\n",
	       (unsigned long long)seed, pol_str(p, p->role[role].name), (long long)q->now);
	return 1;
}

static int check(struct m_model *m, struct pol_image *p, uint64_t seed)
{
	struct pol_decision fast, slow;
	struct pol_reason no;
	struct pdp_store st;
	struct pol_query q;
	struct request r;
	uint32_t k;

	request(m, &r);
	pdp_decide(p, &r.in, &st, &q, &fast);
	ref_decide(m, &r.in, &slow);
	for (k = 0; k < fast.n; k++)
		seen[fast.reason[k].code]++;
	if (fast.permit && r.in.mapped == POL_NONE && seed % NEVER_EACH == 0 &&
	    check_never(p, &q, fast.role, seed))
		return 1;
	if (same(&fast, &slow))
		return pdp_extract(p, &r.in, &st, &q, &no) ? check_sla(m, p, &r.in, &q, seed) : 0;
	printf("# seed %llu: user %s action %s instance %s type %s role %s\n",
	       (unsigned long long)seed, r.in.user, r.in.action, r.in.instance, r.in.type,
	       r.in.role);
	show("engine", &fast);
	show("reference", &slow);
	return 1;
}

/* A stored image must decide as the one that it was written from. */
static struct pol_image *reparse(struct pol_image *p)
{
	struct pol_err e = { "" };
	struct pol_image *again = pol_image_parse(p->base, p->size, &e);

	if (!again)
		printf("# image refused by its own parser: %s\n", e.msg);
	else
		pol_free(p);
	return again;
}

static int one_policy(uint64_t seed, uint64_t *cases, uint64_t *refused)
{
	struct pol_err e = { "" };
	struct pol_image *p;
	struct m_model m;
	bool valid;
	int bad = 0, i;

	state = seed * 0x9e3779b97f4a7c15ull + 88172645463325252ull;
	for (i = 0; i < 8; i++)
		rnd(2);
	policy(&m);
	valid = ref_valid(&m);
	p = pol_compile(&m, &e);
	if (!!p != valid) {
		printf("# seed %llu: compiler says %s, reference says %s\n",
		       (unsigned long long)seed, p ? "valid" : e.msg, valid ? "valid" : "not");
		bad = 1;
	}
	if (p && seed % 16 == 0)
		p = reparse(p);
	*refused += !p;
	if (p && !bad) {
		bad = check(&m, p, seed);
		++*cases;
	}
	pol_free(p);
	model_free(&m);
	return bad;
}

int main(int argc, char **argv)
{
	uint64_t want = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000, cases = 0, refused = 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	int bad = 0, missing = 0, i;

	while (cases < want && bad < 5)
		bad += one_policy(seed++, &cases, &refused);
	for (i = 0; i < R_NCODES; i++) {
		printf("# %-20s %llu\n", reason_name(i), (unsigned long long)seen[i]);
		/* Bounds that random policies are too small to reach: unit.c; loops: the VRM. */
		if (!seen[i] && i != R_TOO_MANY_ROLES && i != R_TOO_MANY_RULES &&
		    i != R_TOO_MANY_SESSIONS && i != R_BAD_SESSION && i != R_SLA_LOOP)
			missing++;
	}
	printf("# %llu cases, %llu policies refused by both\n", (unsigned long long)cases,
	       (unsigned long long)refused);
	printf("%s 1 - engine and reference agree on %llu random policies, each with a request\n",
	       bad ? "not ok" : "ok", (unsigned long long)cases);
	printf("%s 2 - every reason was met\n", missing ? "not ok" : "ok");
	printf("%s 3 - nothing that was granted is proved to be never granted: %llu found, %llu too "
	       "much to go through, %llu instants\n1..3\n",
	       bad || !never_found ? "not ok" : "ok", (unsigned long long)never_found,
	       (unsigned long long)never_unfinished, (unsigned long long)never_instants_seen);
	return bad || missing || !never_found;
}
