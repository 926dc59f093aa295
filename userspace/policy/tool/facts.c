// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "tool/facts.h"

/* A fact in the making. */
struct out {
	struct facts *f;
	const struct pol_image *p;
	FILE *to;
	char *text;
	size_t size;
	bool failed;
};

static FILE *begin(struct out *o)
{
	o->text = NULL;
	o->to = open_memstream(&o->text, &o->size);
	if (!o->to)
		o->to = fopen("/dev/null", "we");
	return o->to;
}

static void end(struct out *o)
{
	if (!o->to || fclose(o->to) || !o->text || pol_vec_push(o->f, line, o->text)) {
		o->failed = true;
		free(o->text);
	}
}

static const char *name(const struct out *o, uint32_t id)
{
	return id == POL_NONE ? "-" : pol_str(o->p, id);
}

static void put_time(struct out *o, const char *what, int64_t t)
{
	char text[32];
	time_t at = t;
	struct tm tm;

	if (t != INT64_MIN && t != INT64_MAX && gmtime_r(&at, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		fprintf(o->to, " %s %s", what, text);
}

static void put_period(struct out *o, uint32_t period)
{
	if (period != POL_NONE)
		fprintf(o->to, " in period %s", name(o, o->p->period[period].name));
}

static void put_cond(struct out *o, uint32_t cond)
{
	if (cond != POL_NONE)
		fprintf(o->to, " on condition %s", name(o, o->p->cond[cond].name));
}

static void put_value(struct out *o, uint32_t type, int64_t num)
{
	if (type == T_STRING || type == T_SET)
		fprintf(o->to, " '%s'", name(o, num));
	else
		fprintf(o->to, " %lld", (long long)num);
}

static void put_vals(struct out *o, uint32_t first, uint32_t n)
{
	const struct pol_val *v;
	uint32_t i, k, type;

	for (i = first; i < first + n; i++) {
		v = &o->p->val[i];
		type = o->p->attr[v->attr].type;
		fprintf(o->to, " %s =", name(o, o->p->attr[v->attr].name));
		if (type != T_SET)
			put_value(o, type, v->num);
		for (k = 0; type == T_SET && k < v->n; k++)
			put_value(o, type, o->p->value[v->num + k]);
	}
}

/* --- constraints --- */

static void put_leaf(struct out *o, const struct pol_node *n)
{
	const struct pol_image *p = o->p;
	uint32_t k, type = n->type;

	fprintf(o->to, " %s", n->left_kind == LEFT_FUNC ? name(o, p->func[n->left].name) :
		name(o, p->attr[n->left].name));
	if (n->right_kind == RIGHT_ATTR)
		fprintf(o->to, " %s", name(o, p->attr[n->right].name));
	if (n->op == OP_CONTAINS || n->op == OP_STARTS_WITH)
		type = T_STRING;
	for (k = 0; n->right_kind != RIGHT_NONE && n->right_kind != RIGHT_ATTR && k < n->n_right;
	     k++)
		put_value(o, type, p->value[n->right + k]);
}

/* In preorder, with brackets: no two trees have one text. */
static void put_tree(struct out *o, uint32_t root)
{
	uint32_t ends[XML_DEPTH_LIMIT + 1], depth = 0, i;
	const struct pol_node *n;

	for (i = root; i < o->p->node[root].end; i++) {
		for (; depth && ends[depth - 1] == i; depth--)
			fputs(" )", o->to);
		n = &o->p->node[i];
		fprintf(o->to, " %s", pol_op_name[n->op]);
		if (n->op > OP_NOT) {
			put_leaf(o, n);
		} else if (depth < XML_DEPTH_LIMIT) {
			fputs(" (", o->to);
			ends[depth++] = n->end;
		}
	}
	for (; depth; depth--)
		fputs(" )", o->to);
}

static void constraints(struct out *o)
{
	const struct pol_image *p = o->p;
	const struct pol_func *f;
	uint32_t i;

	for (i = 0; i < p->n_attr; i++) {
		fprintf(begin(o), "attribute %s of type %s", name(o, p->attr[i].name),
			pol_type_name[p->attr[i].type]);
		end(o);
	}
	for (i = 0; i < p->n_func; i++) {
		f = &p->func[i];
		fprintf(begin(o), "function %s is %s", name(o, f->name), pol_apply_name[f->apply]);
		if (f->apply == F_EXPR)
			put_tree(o, f->node);
		else
			fprintf(o->to, " of %s", name(o, p->attr[f->attr].name));
		if (f->zone != POL_NONE)
			fprintf(o->to, " in zone %s", name(o, p->zone[f->zone].name));
		end(o);
	}
	for (i = 0; i < p->n_cond; i++) {
		fprintf(begin(o), "condition %s is", name(o, p->cond[i].name));
		put_tree(o, p->cond[i].node);
		end(o);
	}
}

static void periods(struct out *o)
{
	const struct pol_image *p = o->p;
	const struct pol_period *t;
	const struct pol_window *w;
	uint32_t i, k;

	for (i = 0; i < p->n_period; i++) {
		t = &p->period[i];
		fprintf(begin(o), "period %s in zone %s", name(o, t->name),
			name(o, p->zone[t->zone].name));
		for (k = t->between; k < t->between + t->n_between; k++) {
			put_time(o, "from", p->between[k].from);
			put_time(o, "until", p->between[k].until);
		}
		for (k = t->window; k < t->window + t->n_window; k++) {
			w = &p->window[k];
			fprintf(o->to, " window %02d:%02d-%02d:%02d", w->from / 60, w->from % 60,
				w->until / 60, w->until % 60);
			fprintf(o->to, " days %#x of month %#x months %#x", w->days, w->month_days,
				w->months);
		}
		end(o);
	}
}

static bool in_sod(const struct pol_image *p, const struct pol_role *r, uint32_t sod)
{
	uint32_t k;

	for (k = r->sod; k < r->sod + r->n_sod; k++)
		if (p->sodlist[k] == sod)
			return true;
	return false;
}

static void duties(struct out *o)
{
	const struct pol_image *p = o->p;
	uint32_t i, k;

	for (i = 0; i < p->n_sod; i++) {
		fprintf(begin(o), "%s separation of duty %s: at most %u of",
			p->sod[i].kind == SOD_STATIC ? "static" : "dynamic",
			name(o, p->sod[i].name), p->sod[i].limit);
		for (k = 0; k < p->n_role; k++)
			if (in_sod(p, &p->role[k], i))
				fprintf(o->to, " %s", name(o, p->role[k].name));
		end(o);
	}
}

/* --- users and roles --- */

static void users(struct out *o)
{
	const struct pol_image *p = o->p;
	const struct pol_user *u;
	uint32_t i, issuer;
	uint64_t key;

	for (i = 0; i < p->n_user; i++) {
		u = &p->user[i];
		fprintf(begin(o), "user %s%s", name(o, u->name), u->enabled ? "" : " disabled");
		put_time(o, "from", u->from);
		put_time(o, "until", u->until);
		put_vals(o, u->val, u->n_val);
		end(o);
	}
	for (i = 0; i < p->n_slot; i++) {
		key = p->slot[i].key;
		if (key >> 60 != P_CRED)
			continue;
		issuer = key >> 28 & 0xffffff;
		fprintf(begin(o), "credential %s '%s' of issuer '%s' is user %s's",
			pol_method_name[key >> 56 & 3], pol_str(p, key & 0xffffff),
			issuer < p->n_str ? pol_str(p, issuer) : "",
			name(o, p->user[p->slot[i].idx].name));
		end(o);
	}
}

static void roles(struct out *o)
{
	const struct pol_image *p = o->p;
	const struct pol_role *r;
	uint32_t i, k;

	for (i = 0; i < p->n_role; i++) {
		r = &p->role[i];
		fprintf(begin(o), "role %s cardinality %u max-active %u max-active-seconds %u",
			name(o, r->name), r->cardinality, r->max_active, r->max_seconds);
		put_period(o, r->period);
		end(o);
		for (k = r->closure; k < r->closure + r->n_closure; k++) {
			if (p->rolelist[k] == i)
				continue;
			fprintf(begin(o), "role %s has those of %s", name(o, r->name),
				name(o, p->role[p->rolelist[k]].name));
			end(o);
		}
	}
}

static void put_permit(struct out *o, const struct pol_permit *m)
{
	fprintf(o->to, " %s of %s %s", name(o, o->p->action[m->action]),
		m->object & 1 ? "instance" : "type", pol_object_name(o->p, m->object));
	if (m->role != POL_NONE)
		fprintf(o->to, " to %s", name(o, o->p->role[m->role].name));
	put_period(o, m->period);
	put_cond(o, m->cond);
	if (m->id != POL_NONE)
		fprintf(o->to, " called %s", name(o, m->id));
}

static void rules(struct out *o)
{
	const struct pol_image *p = o->p;
	const struct pol_assign *a;
	uint32_t i;

	for (i = 0; i < p->n_assign; i++) {
		a = &p->assign[i];
		fprintf(begin(o), "assign %s to %s", name(o, p->role[a->role].name),
			a->user == POL_NONE ? "whoever" : name(o, p->user[a->user].name));
		put_period(o, a->period);
		put_cond(o, a->cond);
		if (a->id != POL_NONE)
			fprintf(o->to, " called %s", name(o, a->id));
		end(o);
	}
	for (i = 0; i < p->n_permit; i++) {
		fputs("permit", begin(o));
		put_permit(o, &p->permit[i]);
		end(o);
	}
}

static void resources(struct out *o)
{
	const struct pol_image *p = o->p;
	const struct pol_rtype *t;
	uint32_t i, k;

	for (i = 0; i < p->n_rtype; i++) {
		t = &p->rtype[i];
		fprintf(begin(o), "type %s of layer %s", name(o, t->name),
			pol_layer_name[t->layer]);
		end(o);
		for (k = t->action; k < t->action + t->n_action; k++) {
			fprintf(begin(o), "type %s has %s", name(o, t->name),
				name(o, p->action[p->actionlist[k]]));
			end(o);
		}
	}
	for (i = 0; i < p->n_inst; i++) {
		fprintf(begin(o), "instance %s of type %s%s", name(o, p->inst[i].name),
			name(o, p->rtype[p->inst[i].type].name),
			p->inst[i].isolated ? ", physically isolated" : "");
		put_vals(o, p->inst[i].val, p->inst[i].n_val);
		end(o);
	}
}

static void sla(struct out *o, const struct pol_sla *s)
{
	const struct pol_image *p = o->p;
	uint32_t i;

	fprintf(begin(o), "SLA %s, as %s, with %s%s%s%s", name(o, s->id),
		s->side == SIDE_PROVIDER ? "provider" : "consumer", name(o, s->peer),
		s->revoked ? ", revoked" : "", s->chain ? ", chains" : "",
		s->isolation ? ", shares only what is isolated" : "");
	put_time(o, "from", s->from);
	put_time(o, "until", s->until);
	end(o);
	for (i = s->map; i < s->map + s->n_map; i++) {
		fprintf(begin(o), "SLA %s maps %s here, %s there", name(o, s->id),
			name(o, p->role[p->map[i].local].name), name(o, p->map[i].remote));
		end(o);
	}
	for (i = s->visible; i < s->visible + s->n_visible; i++) {
		fprintf(begin(o), "SLA %s shows %s %s", name(o, s->id),
			p->visible[i] & 1 ? "instance" : "type", pol_object_name(p, p->visible[i]));
		end(o);
	}
	for (i = s->mediate; i < s->mediate + s->n_mediate; i++) {
		fprintf(begin(o), "SLA %s mediates", name(o, s->id));
		put_permit(o, &p->mediate[i]);
		end(o);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int facts_collect(struct facts *f, const struct pol_image *p)
{
	struct out o = { .f = f, .p = p };
	uint32_t i;

	fprintf(begin(&o), "cloud %s", pol_str(p, p->cloud));
	end(&o);
	constraints(&o);
	periods(&o);
	duties(&o);
	users(&o);
	roles(&o);
	rules(&o);
	resources(&o);
	for (i = 0; i < p->n_sla; i++)
		sla(&o, &p->sla[i]);
	if (o.failed)
		return -ENOMEM;
	qsort(f->line, f->n_line, sizeof(*f->line), by_text);
	return 0;
}

void facts_free(struct facts *f)
{
	while (f->n_line)
		free(f->line[--f->n_line]);
	free(f->line);
}
