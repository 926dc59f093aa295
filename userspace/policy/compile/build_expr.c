// SPDX-License-Identifier: GPL-2.0-only
/* Compiles attributes, functions of them, conditions and periods, with their types. */
#include <errno.h>
#include <stdio.h>

#include "base/ops.h"
#include "compile/build.h"

static const char *const category_prefix[C_NCATEGORIES] = {
	"user.", "claim.", "request.", "resource.", "env.",
};

static int category_of(const char *name)
{
	int i;

	for (i = 0; i < C_NCATEGORIES; i++)
		if (!strncmp(name, category_prefix[i], strlen(category_prefix[i])))
			return i;
	return -1;
}

int build_attrs(struct build *b)
{
	const struct m_attr *a;
	uint32_t i;
	int c, ret;

	for (i = 0; i < b->m->n_attr; i++) {
		a = &b->m->attr[i];
		c = category_of(m_str(b->m, a->name));
		if (c < 0)
			return build_bad(b, a->at, "attribute '%s' has no category: begin it with "
					 "user., claim., request., resource. or env.",
					 m_str(b->m, a->name));
		ret = build_name(b, a->at, P_ATTR, "attribute", a->name, i);
		if (ret)
			return ret;
		if (pol_vec_push(b, attr, { a->name, a->type, c }))
			return build_nomem(b);
	}
	return 0;
}

static int build_set(struct build *b, struct pol_at at, const char *text, int64_t *num,
		     uint32_t *n)
{
	uint32_t id;
	size_t len;

	*num = b->n_value;
	for (*n = 0; *(text += strspn(text, " \t\r\n")); text += len, ++*n) {
		len = strcspn(text, " \t\r\n");
		/* The sheet's text is interned whole; its words are added now. */
		id = strtab_add(&b->m->strs, text, len);
		if (id == POL_NONE || pol_vec_push(b, value, id))
			return build_nomem(b);
	}
	if (*n > 256)
		return build_bad(b, at, "a set of %u members: at most 256", *n);
	return 0;
}

int build_literal(struct build *b, struct pol_at at, enum pol_type type, const char *text,
		  int64_t *num, uint32_t *n)
{
	uint32_t id;
	char *end;

	*n = 1;
	switch (type) {
	case T_BOOLEAN:
		*num = !strcmp(text, "true");
		if (*num || !strcmp(text, "false"))
			return 0;
		break;
	case T_INTEGER:
		errno = 0;
		*num = strtoll(text, &end, 10);
		if (!errno && end != text && !*end)
			return 0;
		break;
	case T_TIME:
		if (!pol_time(text, num))
			return 0;
		break;
	case T_STRING:
		id = strtab_add(&b->m->strs, text, strlen(text));
		*num = id;
		return id == POL_NONE ? build_nomem(b) : 0;
	default:
		return build_set(b, at, text, num, n);
	}
	return build_bad(b, at, "'%s' is no value of type %s", text, pol_type_name[type]);
}

int build_values(struct build *b, struct pol_at at, uint32_t first, uint32_t n,
		 enum pol_category category)
{
	const struct m_attrval *v = n ? b->m->val + first : NULL;
	struct pol_val out;
	uint32_t i, a;
	char *text;
	int ret;

	for (i = 0; i < n; i++) {
		ret = build_need(b, at, P_ATTR, "attribute", v[i].attr, &a);
		if (ret)
			return ret;
		if (b->attr[a].category != category)
			return build_bad(b, at, "attribute '%s' cannot be given here: begin it "
					 "with %s", m_str(b->m, v[i].attr),
					 category_prefix[category]);
		text = strdup(m_str(b->m, v[i].value));	/* interning may move the original */
		ret = text ? build_literal(b, at, b->attr[a].type, text, &out.num, &out.n) :
			     build_nomem(b);
		free(text);
		if (ret)
			return ret;
		out.attr = a;
		if (pol_vec_push(b, val, out))
			return build_nomem(b);
	}
	return 0;
}

int build_zone(struct build *b, struct pol_at at, uint32_t name, uint32_t *out)
{
	struct pol_zone pz = { .name = name };
	struct pol_err e;
	struct zone z;
	uint32_t i;
	int ret;

	*out = build_find(b, P_ZONE, name);
	if (*out != POL_NONE)
		return 0;
	ret = zone_load(&z, m_str(b->m, name), &e);
	if (ret) {
		zone_free(&z);
		return build_bad(b, at, "%s", e.msg);
	}
	pz.change = b->n_change;
	pz.n_change = z.n_change;
	pz.horizon = z.horizon;
	for (i = 0; !ret && i < z.n_change; i++)
		ret = pol_vec_push(b, change, z.change[i]);
	zone_free(&z);
	*out = b->n_zone;
	if (ret || pol_vec_push(b, zone, pz) || build_add(b, P_ZONE, name, *out))
		return build_nomem(b);
	return 0;
}

int build_periods(struct build *b)
{
	const struct m_period *p;
	struct pol_period out;
	uint32_t i, k;
	int ret;

	for (i = 0; i < b->m->n_period; i++) {
		p = &b->m->period[i];
		out = (struct pol_period){ p->name, 0, p->window, p->n_window, p->between,
					   p->n_between, p->at };
		if (p->zone == POL_NONE)
			return build_bad(b, p->at, "a period needs a zone, like UTC");
		ret = build_zone(b, p->at, p->zone, &out.zone);
		ret = ret ? ret : build_name(b, p->at, P_PERIOD, "period", p->name, i);
		if (ret)
			return ret;
		for (k = p->between; k < p->between + p->n_between; k++)
			if (b->m->between[k].from >= b->m->between[k].until)
				return build_bad(b, p->at, "a between ends before it begins");
		if (pol_vec_push(b, period, out))
			return build_nomem(b);
	}
	for (i = 0; i < b->m->n_window; i++)
		if (pol_vec_push(b, window, b->m->window[i]))
			return build_nomem(b);
	for (i = 0; i < b->m->n_between; i++)
		if (pol_vec_push(b, between, b->m->between[i]))
			return build_nomem(b);
	return 0;
}

static int left_of(struct build *b, const struct m_node *n, struct pol_node *out,
		   uint32_t n_func)
{
	int ret;

	if ((n->attr == POL_NONE) == (n->func == POL_NONE))
		return build_bad(b, n->at, "%s: give either attribute or function",
				 pol_op_name[n->op]);
	if (n->attr != POL_NONE) {
		out->left_kind = LEFT_ATTR;
		ret = build_need(b, n->at, P_ATTR, "attribute", n->attr, &out->left);
		out->type = ret ? 0 : b->attr[out->left].type;
	} else {
		out->left_kind = LEFT_FUNC;
		ret = build_need(b, n->at, P_FUNC, "function", n->func, &out->left);
		if (!ret && out->left >= n_func)
			return build_bad(b, n->at, "function '%s' is used before its definition: "
					 "move it up", m_str(b->m, n->func));
		out->type = ret ? 0 : b->func[out->left].type;
	}
	if (ret)
		return ret;
	if (!pol_op_takes(n->op, out->type))
		return build_bad(b, n->at, "%s does not take type %s", pol_op_name[n->op],
				 pol_type_name[out->type]);
	return 0;
}

static int right_literal(struct build *b, const struct m_node *n, struct pol_node *out,
			 enum pol_type type)
{
	uint32_t id = n->value == POL_NONE ? n->values : n->value, count;
	char *text = strdup(m_str(b->m, id));
	int64_t num;
	int ret;

	ret = text ? build_literal(b, n->at, type, text, &num, &count) : build_nomem(b);
	free(text);
	if (ret)
		return ret;
	out->right_kind = type == T_SET ? RIGHT_LIST : RIGHT_LITERAL;
	out->right = type == T_SET ? num : b->n_value;
	out->n_right = count;
	if (type != T_SET && pol_vec_push(b, value, num))
		return build_nomem(b);
	return 0;
}

static int right_of(struct build *b, const struct m_node *n, struct pol_node *out)
{
	int given = (n->value != POL_NONE) + (n->values != POL_NONE) + (n->other != POL_NONE);
	enum pol_type type = pol_op_right(n->op, out->type);
	int ret;

	if (n->op == OP_HOLDS)
		return 0;
	if (given != 1 || (n->value != POL_NONE && !pol_op_facts[n->op].single) ||
	    (n->values != POL_NONE && !pol_op_facts[n->op].list))
		return build_bad(b, n->at, "%s: give exactly one of %s and other",
				 pol_op_name[n->op], pol_op_facts[n->op].list ? "values" : "value");
	if (n->other == POL_NONE)
		return right_literal(b, n, out, type);
	out->right_kind = RIGHT_ATTR;
	ret = build_need(b, n->at, P_ATTR, "attribute", n->other, &out->right);
	if (!ret && b->attr[out->right].type != type)
		return build_bad(b, n->at, "%s: '%s' is of type %s, not %s", pol_op_name[n->op],
				 m_str(b->m, n->other), pol_type_name[b->attr[out->right].type],
				 pol_type_name[type]);
	return ret;
}

/* Copies the subtree at @at; functions from @n_func on do not exist yet. */
static int build_tree(struct build *b, uint32_t at, uint32_t n_func, uint32_t *cost)
{
	uint32_t end = b->m->node[at].end, delta = b->n_node - at, i;
	const struct m_node *n;
	struct pol_node out;
	int ret;

	for (i = at; i < end; i++) {
		n = &b->m->node[i];
		out = (struct pol_node){ .op = n->op, .end = n->end + delta, .at = n->at };
		ret = 0;
		if (n->op > OP_NOT) {
			ret = left_of(b, n, &out, n_func);
			ret = ret ? ret : right_of(b, n, &out);
		}
		if (ret)
			return ret;
		*cost += out.left_kind == LEFT_FUNC ? b->func[out.left].cost + 1 : 1;
		if (*cost > EXPR_COST_MAX)
			return build_bad(b, n->at, "this expression takes more than %d steps: "
					 "simplify it or its functions", EXPR_COST_MAX);
		if (pol_vec_push(b, node, out))
			return build_nomem(b);
	}
	return 0;
}

static int build_apply(struct build *b, const struct m_func *f, struct pol_func *out)
{
	int ret = build_need(b, f->at, P_ATTR, "attribute", f->attr, &out->attr);

	if (ret)
		return ret;
	if (!(pol_apply_facts[f->apply].takes & 1u << b->attr[out->attr].type))
		return build_bad(b, f->at, "%s does not take type %s", pol_apply_name[f->apply],
				 pol_type_name[b->attr[out->attr].type]);
	if (pol_apply_facts[f->apply].zone != (f->zone != POL_NONE))
		return build_bad(b, f->at, "%s: a zone is %s", pol_apply_name[f->apply],
				 pol_apply_facts[f->apply].zone ? "needed, like UTC" : "not taken");
	return f->zone == POL_NONE ? 0 : build_zone(b, f->at, f->zone, &out->zone);
}

static int build_func(struct build *b, uint32_t i)
{
	const struct m_func *f = &b->m->func[i];
	struct pol_func out = { f->name, f->type, f->apply, 0, POL_NONE, POL_NONE, b->n_node };
	bool has_body = f->node < b->m->n_node && (i + 1 == b->m->n_func ||
						   f->node < b->m->func[i + 1].node);
	uint32_t cost = 0;
	int ret;

	if (f->apply != F_EXPR)
		ret = build_apply(b, f, &out);
	else if (!has_body || f->attr != POL_NONE || f->zone != POL_NONE)
		ret = build_bad(b, f->at, "function '%s': give either apply and to, or an "
				"expression", m_str(b->m, f->name));
	else
		ret = build_tree(b, f->node, i, &cost);
	out.cost = cost;
	out.node = f->apply == F_EXPR ? out.node : POL_NONE;
	ret = ret ? ret : build_name(b, f->at, P_FUNC, "function", f->name, i);
	if (!ret && pol_vec_push(b, func, out))
		return build_nomem(b);
	return ret;
}

int build_exprs(struct build *b)
{
	const struct m_cond *c;
	uint32_t i, at, cost;
	int ret = 0;

	for (i = 0; !ret && i < b->m->n_func; i++)
		ret = build_func(b, i);
	for (i = 0; !ret && i < b->m->n_cond; i++) {
		c = &b->m->cond[i];
		at = b->n_node;
		cost = 0;
		if (c->node >= b->m->n_node)
			return build_bad(b, c->at, "an empty condition");
		ret = build_tree(b, c->node, b->n_func, &cost);
		ret = ret ? ret : build_name(b, c->at, P_COND, "condition", c->name, i);
		if (!ret && pol_vec_push(b, cond, { c->name, at, c->at }))
			return build_nomem(b);
	}
	return ret;
}
