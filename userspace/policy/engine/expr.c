// SPDX-License-Identifier: GPL-2.0-only
/* Evaluates attribute expressions: an algebra, not a language. */
#include "engine/decide.h"

#define EXPR_STEPS_MAX	(2 * EXPR_COST_MAX)	/* more than an image can ask for */

struct eval {
	const struct pol_image *p;
	const struct pol_query *q;
	uint32_t steps;
};

/* A value with its texts by number: either the request's or the image's. */
struct value {
	bool known;
	uint32_t n;
	int64_t num;
	const struct pol_text *text;	/* of the request, ... */
	const int64_t *id;		/* ... or numbers of the image's strings */
};

static struct value from_val(const struct pol_image *p, const struct pol_val *v)
{
	uint32_t type = p->attr[v->attr].type;

	return (struct value){ .known = true, .n = v->n, .num = v->num,
			       .id = type == T_SET ? p->value + v->num : &v->num };
}

static struct value find_val(const struct pol_image *p, uint32_t first, uint32_t n, uint32_t attr)
{
	uint32_t i;

	for (i = first; i < first + n; i++)
		if (p->val[i].attr == attr)
			return from_val(p, &p->val[i]);
	return (struct value){ 0 };
}

static struct value get_attr(const struct eval *ev, uint32_t attr)
{
	const struct pol_image *p = ev->p;
	const struct pol_query *q = ev->q;
	uint32_t i;

	if (!attr)	/* env.now is the first of every image */
		return (struct value){ .known = true, .n = 1, .num = q->now };
	if (p->attr[attr].category == C_USER) {
		if (q->user == POL_NONE)
			return (struct value){ 0 };
		return find_val(p, p->user[q->user].val, p->user[q->user].n_val, attr);
	}
	if (p->attr[attr].category == C_RESOURCE) {
		if (q->inst == POL_NONE)
			return (struct value){ 0 };
		return find_val(p, p->inst[q->inst].val, p->inst[q->inst].n_val, attr);
	}
	for (i = 0; i < q->n_attr; i++)
		if (q->attr[i].attr == attr)
			return (struct value){ true, q->attr[i].n, q->attr[i].num,
					       q->attr[i].text, NULL };
	return (struct value){ 0 };
}

static struct pol_text text_at(const struct pol_image *p, const struct value *v, uint32_t i)
{
	uint32_t id;

	if (v->text)
		return v->text[i];
	if (!v->id)	/* a number: the compiler and the image's parser rule it out */
		return (struct pol_text){ POL_NONE, 0, "" };
	id = v->id[i];
	return (struct pol_text){ id, p->str[id].len, p->bytes + p->str[id].off };
}

static bool text_equal(struct pol_text a, struct pol_text b)
{
	if (a.id != POL_NONE || b.id != POL_NONE)
		return a.id == b.id;
	return a.len == b.len && !memcmp(a.s, b.s, a.len);
}

static bool has_member(const struct pol_image *p, const struct value *set, struct pol_text t)
{
	uint32_t i;

	for (i = 0; i < set->n; i++)
		if (text_equal(text_at(p, set, i), t))
			return true;
	return false;
}

/* How many of @a are in @b; members may repeat. */
static uint32_t common(const struct pol_image *p, const struct value *a, const struct value *b)
{
	uint32_t i, n = 0;

	for (i = 0; i < a->n; i++)
		n += has_member(p, b, text_at(p, a, i));
	return n;
}

static bool starts_with(struct pol_text a, struct pol_text b)
{
	return a.len >= b.len && !memcmp(a.s, b.s, b.len);
}

static bool same(const struct pol_image *p, uint32_t type, const struct value *a,
		 const struct value *b)
{
	if (type == T_STRING)
		return text_equal(text_at(p, a, 0), text_at(p, b, 0));
	if (type == T_SET)
		return common(p, a, b) == a->n && common(p, b, a) == b->n;
	return a->num == b->num;
}

static bool compare(const struct pol_image *p, const struct pol_node *n, const struct value *a,
		    const struct value *b)
{
	switch (n->op) {
	case OP_EQUALS:
		return same(p, n->type, a, b);
	case OP_DIFFERS:
		return !same(p, n->type, a, b);
	case OP_LESS:
		return a->num < b->num;
	case OP_AT_MOST:
		return a->num <= b->num;
	case OP_MORE:
		return a->num > b->num;
	case OP_AT_LEAST:
		return a->num >= b->num;
	case OP_IN:
		return has_member(p, b, text_at(p, a, 0));
	case OP_CONTAINS:
		return has_member(p, a, text_at(p, b, 0));
	case OP_SUBSET:
		return common(p, a, b) == a->n;
	case OP_INTERSECTS:
		return common(p, a, b) > 0;
	case OP_STARTS_WITH:
		return starts_with(text_at(p, a, 0), text_at(p, b, 0));
	default:
		return a->num != 0;
	}
}

static enum pol_truth evaluate(struct eval *ev, uint32_t i, uint32_t *leaf);

static uint32_t distinct(const struct pol_image *p, const struct value *v)
{
	struct value before = *v;
	uint32_t i, n = 0;

	for (i = 0; i < v->n; i++) {
		before.n = i;
		n += !has_member(p, &before, text_at(p, v, i));
	}
	return n;
}

static struct value call(struct eval *ev, const struct pol_func *f)
{
	struct value v, out = { .known = true, .n = 1 };
	enum pol_truth t;
	int64_t local;
	uint32_t leaf;

	if (f->apply == F_EXPR) {
		t = evaluate(ev, f->node, &leaf);
		return (struct value){ .known = t != TRUTH_UNKNOWN, .n = 1,
				       .num = t == TRUTH_YES };
	}
	v = get_attr(ev, f->attr);
	if (!v.known)
		return v;
	if (f->apply == F_COUNT) {
		out.num = distinct(ev->p, &v);
	} else if (f->apply == F_LENGTH) {
		out.num = text_at(ev->p, &v, 0).len;
	} else {
		local = zone_local(ev->p, f->zone, v.num);
		out.known = local != INT64_MIN;
		local = out.known ? local + (1ll << 42) / 604800 * 604800 : 0;
		out.num = f->apply == F_HOUR ? local / 3600 % 24 : (local / 86400 + 4) % 7;
	}
	return out;
}

static struct value right_value(const struct eval *ev, const struct pol_node *n)
{
	if (n->right_kind == RIGHT_ATTR)
		return get_attr(ev, n->right);
	return (struct value){ .known = true, .n = n->n_right,
			       .num = n->n_right ? ev->p->value[n->right] : 0,
			       .id = ev->p->value + n->right };
}

static enum pol_truth comparison(struct eval *ev, const struct pol_node *n)
{
	struct value a, b = { .known = true };

	a = n->left_kind == LEFT_ATTR ? get_attr(ev, n->left) : call(ev, &ev->p->func[n->left]);
	if (n->op != OP_HOLDS)
		b = right_value(ev, n);
	if (!a.known || !b.known)
		return TRUTH_UNKNOWN;
	return compare(ev->p, n, &a, &b) ? TRUTH_YES : TRUTH_NO;
}

/* "all" is decided by its first no, else by its first unknown; "any" mirrored. */
static enum pol_truth several(struct eval *ev, uint32_t i, uint32_t *leaf)
{
	const struct pol_node *n = &ev->p->node[i];
	enum pol_truth decisive = n->op == OP_ALL ? TRUTH_NO : TRUTH_YES, t, out;
	uint32_t k, at;

	out = n->op == OP_ALL ? TRUTH_YES : TRUTH_NO;
	for (k = i + 1; k < n->end; k = ev->p->node[k].end) {
		t = evaluate(ev, k, &at);
		if (k == i + 1)
			*leaf = at;
		if (t == decisive) {
			*leaf = at;
			return t;
		}
		if (t == TRUTH_UNKNOWN && out != TRUTH_UNKNOWN) {
			*leaf = at;
			out = t;
		}
	}
	return out;
}

static enum pol_truth evaluate(struct eval *ev, uint32_t i, uint32_t *leaf)
{
	const struct pol_node *n = &ev->p->node[i];

	*leaf = i;
	if (++ev->steps > EXPR_STEPS_MAX)
		return TRUTH_UNKNOWN;
	if (n->op > OP_NOT)
		return comparison(ev, n);
	if (n->op == OP_NOT)
		return TRUTH_YES - evaluate(ev, i + 1, leaf);
	return several(ev, i, leaf);
}

bool expr_function(const struct pol_image *p, const struct pol_query *q, uint32_t func,
		   int64_t *num)
{
	struct eval ev = { p, q, 0 };
	struct value v = call(&ev, &p->func[func]);

	*num = v.num;
	return v.known;
}

enum pol_truth expr_evaluate(const struct pol_image *p, const struct pol_query *q, uint32_t root,
			     uint32_t *leaf)
{
	struct eval ev = { p, q, 0 };

	return evaluate(&ev, root, leaf);
}
