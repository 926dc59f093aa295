// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values that differ. A comparison tells a number by its order among those that it is compared
 * with, a text by equality, by how it begins and by its length, a set by its members. For each
 * way there is a value here, and some that are equal to none of them: as many as there are
 * attributes that may be compared with one another.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "tool/never.h"

#define VALUES_MAX	4096	/* of one attribute */
#define GROUPS_MAX	12	/* of members that no comparison tells apart */
#define WEEK		168	/* hours */

struct known {
	const char *s;
	uint32_t len;
	uint64_t where;		/* comparisons that have it, for members of sets */
};

struct values {
	const struct pol_image *p;
	struct never_domain *d;
	uint32_t user, inst;
	uint32_t type;
	bool starts, length, count, hours;	/* what is asked of values of this type */
	bool pairs;			/* two that are free are compared */
	uint32_t depth;			/* of values that are equal to none */
	uint32_t leaf;
	POL_VEC(int64_t, num);		/* numbers that are compared with */
	POL_VEC(int64_t, len);		/* lengths, or counts, likewise */
	POL_VEC(struct known, text);
	char other;			/* a character that no text has */
	char others[POL_MEMBERS_MAX + 1];
	int ret;
};

void never_leaves(const struct pol_image *p, uint32_t root,
		  void (*each)(void *ctx, const struct pol_node *n), void *ctx)
{
	const struct pol_node *n;
	uint32_t i;

	for (i = root; i < p->node[root].end; i++) {
		n = &p->node[i];
		if (n->op <= OP_NOT)
			continue;
		each(ctx, n);
		if (n->left_kind == LEFT_FUNC && p->func[n->left].apply == F_EXPR)
			never_leaves(p, p->func[n->left].node, each, ctx);
	}
}

static void give(struct values *v, struct never_value x)
{
	if (!v->ret && v->d->n_value == VALUES_MAX)
		v->ret = -E2BIG;
	v->ret = v->ret ? v->ret : pol_vec_push(v->d, value, x);
	if (v->ret) {
		free(x.text);
		free(x.member);
	}
}

/* --- what is compared with --- */

static void know_text(struct values *v, const char *s, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < v->n_text && !v->ret; i++)
		if (v->text[i].len == len && !memcmp(v->text[i].s, s, len)) {
			v->text[i].where |= 1ull << v->leaf % 64;
			return;
		}
	v->ret = v->ret ? v->ret : pol_vec_push(v, text, { s, len, 1ull << v->leaf % 64 });
}

static void know_id(struct values *v, int64_t id)
{
	know_text(v, pol_str(v->p, id), v->p->str[id].len);
}

static bool is_text(uint32_t type)
{
	return type == T_STRING || type == T_SET;
}

static bool is_free(const struct values *v, uint32_t attr)
{
	uint32_t c = v->p->attr[attr].category;

	return attr && c != C_USER && c != C_RESOURCE;
}

static void know_value(struct values *v, uint32_t type, int64_t num)
{
	if (is_text(type))
		know_id(v, num);
	else
		v->ret = v->ret ? v->ret : pol_vec_push(v, num, num);
}

/* What the user or the resource has. */
static void know_vals(struct values *v, uint32_t first, uint32_t n, uint32_t attr)
{
	const struct pol_val *x;
	uint32_t i, k;

	for (i = first; i < first + n; i++) {
		x = &v->p->val[i];
		if (x->attr != attr)
			continue;
		if (v->p->attr[attr].type != T_SET)
			know_value(v, v->p->attr[attr].type, x->num);
		else
			for (k = 0; k < x->n; k++)
				know_id(v, v->p->value[x->num + k]);
	}
}

static void know_attr(struct values *v, uint32_t attr)
{
	const struct pol_image *p = v->p;

	if (p->attr[attr].category == C_USER && v->user != POL_NONE)
		know_vals(v, p->user[v->user].val, p->user[v->user].n_val, attr);
	if (p->attr[attr].category == C_RESOURCE && v->inst != POL_NONE)
		know_vals(v, p->inst[v->inst].val, p->inst[v->inst].n_val, attr);
}

/* Lengths and numbers of members that somebody else chooses are not gone through. */
static void know_function(struct values *v, const struct pol_node *n)
{
	const struct pol_func *f = &v->p->func[n->left];
	bool counts = f->apply == F_LENGTH || f->apply == F_COUNT;
	uint32_t i;

	if (counts && (n->right_kind == RIGHT_ATTR || v->pairs))
		v->ret = v->ret ? v->ret : -E2BIG;
	if (n->right_kind == RIGHT_ATTR && n->right == v->d->attr)
		for (i = 0; i <= 24 && f->apply != F_EXPR && !v->ret; i++)
			v->ret = pol_vec_push(v, num, i);
	if (f->apply == F_EXPR || f->attr != v->d->attr)
		return;
	v->hours |= f->apply == F_HOUR || f->apply == F_WEEKDAY;
	v->length |= f->apply == F_LENGTH;
	v->count |= f->apply == F_COUNT;
	for (i = 0; i < n->n_right && n->right_kind != RIGHT_ATTR && !v->ret; i++)
		v->ret = pol_vec_push(v, len, v->p->value[n->right + i]);
}

/*
 * All that stands in comparisons of this attribute's kind of values, be they its own or not:
 * what one attribute is compared with may reach another through a third.
 */
static void on_leaf(void *ctx, const struct pol_node *n)
{
	struct values *v = ctx;
	uint32_t i, left;

	v->leaf++;
	if (n->left_kind == LEFT_FUNC)
		know_function(v, n);
	if (n->left_kind != LEFT_ATTR)
		return;
	left = n->left;
	if (is_text(v->p->attr[left].type) != is_text(v->type) ||
	    (!is_text(v->type) && v->p->attr[left].type != v->type))
		return;
	if (n->right_kind != RIGHT_ATTR && left != v->d->attr && !v->pairs)
		return;
	v->starts |= n->op == OP_STARTS_WITH;
	know_attr(v, left);
	if (n->right_kind == RIGHT_ATTR)
		know_attr(v, n->right);
	else
		for (i = 0; i < n->n_right; i++)
			know_value(v, v->type, v->p->value[n->right + i]);
}

static void look_for_pairs(void *ctx, const struct pol_node *n)
{
	struct values *v = ctx;

	if (n->right_kind != RIGHT_ATTR || n->left_kind != LEFT_ATTR ||
	    is_text(n->type) != is_text(v->type))
		return;
	v->depth++;
	v->pairs |= is_free(v, n->left) && is_free(v, n->right);
}

/* --- values --- */

static void give_number(struct values *v, int64_t num)
{
	char text[32];
	time_t t = num;
	struct tm tm;
	uint32_t i;

	for (i = 0; i < v->d->n_value; i++)
		if (v->d->value[i].text && v->d->value[i].num == num)
			return;
	if (v->type == T_INTEGER) {
		snprintf(text, sizeof(text), "%lld", (long long)num);
	} else if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099 ||
		   !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) ||
		   pol_time(text, &num)) {
		return;		/* nobody can say it */
	}
	give(v, (struct never_value){ .text = strdup(text), .num = num, .n = 1 });
}

static void give_numbers(struct values *v, int64_t now)
{
	int64_t k, reach = 1 + v->depth;
	uint32_t i;

	v->ret = v->ret ? v->ret : pol_vec_push(v, num, v->type == T_TIME ? now : 0);
	for (i = 0; i < v->n_num; i++)
		for (k = -reach; k <= reach && !v->ret; k++)
			if (k < 0 ? v->num[i] >= INT64_MIN - k : v->num[i] <= INT64_MAX - k)
				give_number(v, v->num[i] + k);
	for (i = 0; i < v->n_num && v->hours; i++)
		for (k = -WEEK; k <= WEEK && !v->ret; k++)
			give_number(v, v->num[i] + k * 3600);
}

/* A text of @base and, up to @len bytes, the other character. */
static void give_text(struct values *v, const char *base, uint32_t n, uint32_t len)
{
	struct never_value x = { .n = 1 };
	uint32_t i;

	if (n > len || len > POL_STR_MAX || memchr(base, 0, n) || v->ret)
		return;
	x.text = malloc(len + 1);
	x.member = malloc(sizeof(*x.member));
	if (!x.text || !x.member) {
		v->ret = -ENOMEM;
	} else {
		memcpy(x.text, base, n);
		memset(x.text + n, v->other, len - n);
		x.text[len] = 0;
		*x.member = (struct pol_text){ pol_string(v->p, x.text, len), len, x.text };
		for (i = 0; i < v->d->n_value; i++)
			if (v->d->value[i].text && !strcmp(v->d->value[i].text, x.text))
				break;
		if (i == v->d->n_value) {
			give(v, x);
			return;
		}
	}
	free(x.text);
	free(x.member);
}

static void give_texts(struct values *v)
{
	uint32_t i, k, longer = v->starts ? v->depth + 1 : 0;
	int64_t d;

	know_text(v, "", 0);
	for (i = 0; i < v->n_text && !v->ret; i++) {
		for (k = 0; k <= (v->text[i].len ? longer : v->depth + 1); k++)
			give_text(v, v->text[i].s, v->text[i].len, v->text[i].len + k);
		for (k = 0; k < v->n_len && v->length; k++)
			for (d = -1; d <= 1; d++)
				if (v->len[k] + d >= 0 && v->len[k] + d <= POL_STR_MAX)
					give_text(v, v->text[i].s, v->text[i].len, v->len[k] + d);
	}
}

/* Members that stand in the same comparisons: how many of them a set has is all that counts. */
struct group {
	uint64_t where;
	uint32_t n;
	uint32_t text[POL_MEMBERS_MAX];	/* in v->text; or POL_NONE, of those that are in none */
};

struct groups {
	struct group g[GROUPS_MAX];
	uint32_t n, take[GROUPS_MAX];
};

static void put_in_group(struct values *v, struct groups *s, uint32_t text, uint64_t where)
{
	uint32_t i;

	for (i = 0; i < s->n && s->g[i].where != where; i++)
		;
	if (i == GROUPS_MAX || s->g[i].n == POL_MEMBERS_MAX) {
		v->ret = -E2BIG;
		return;
	}
	if (i == s->n)
		s->g[s->n++] = (struct group){ .where = where };
	s->g[i].text[s->g[i].n++] = text;
}

static void give_set(struct values *v, const struct groups *s)
{
	struct never_value x = { .n = 0 };
	size_t size = 1;
	char *at;
	FILE *f;
	uint32_t i, k, t;

	f = open_memstream(&x.text, &size);
	x.member = calloc(POL_MEMBERS_MAX, sizeof(*x.member));
	if (!f || !x.member) {
		v->ret = -ENOMEM;
		if (f)
			fclose(f);
		free(x.text);
		free(x.member);
		return;
	}
	for (i = 0; i < s->n; i++)
		for (k = 0; k < s->take[i] && x.n < POL_MEMBERS_MAX; k++, x.n++) {
			t = s->g[i].text[k];
			fputs(x.n ? " " : "", f);
			if (t == POL_NONE)
				fprintf(f, "%.*s", (int)k + 1, v->others);
			else
				fwrite(v->text[t].s, 1, v->text[t].len, f);
		}
	fclose(f);
	for (at = x.text, i = 0; i < x.n; i++, at += t + 1) {
		t = strcspn(at, " ");
		x.member[i] = (struct pol_text){ pol_string(v->p, at, t), t, at };
	}
	give(v, x);
}

/* How many of a group: none, one or all; or each number, if numbers are asked for. */
static uint32_t next_number(const struct values *v, const struct group *g, uint32_t n)
{
	return v->count || v->pairs || !n ? n + 1 : g->n;
}

static void give_sets(struct values *v)
{
	struct groups *s = calloc(1, sizeof(*s));
	uint32_t i, k, most = v->depth + 1;

	for (i = 0; i < v->n_len; i++)
		if (v->count && v->len[i] >= most)
			most = v->len[i] < POL_MEMBERS_MAX ? v->len[i] + 1 : POL_MEMBERS_MAX;
	most = most < POL_MEMBERS_MAX ? most : POL_MEMBERS_MAX;
	v->ret = v->ret ? v->ret : !s ? -ENOMEM : v->pairs && v->starts ? -E2BIG : 0;
	/* Past 64 comparisons some share a bit: each member is a group of its own then. */
	for (i = 0; i < v->n_text && !v->ret; i++)
		if (v->text[i].len && !memchr(v->text[i].s, ' ', v->text[i].len) &&
		    !memchr(v->text[i].s, 0, v->text[i].len))
			put_in_group(v, s, i, v->leaf > 64 || v->pairs ? i : v->text[i].where);
	for (k = 0; k < most && !v->ret; k++)
		put_in_group(v, s, POL_NONE, ~0ull);
	while (!v->ret) {
		give_set(v, s);
		for (i = 0; i < s->n && s->take[i] == s->g[i].n; i++)
			s->take[i] = 0;
		if (i == s->n)
			break;
		s->take[i] = next_number(v, &s->g[i], s->take[i]);
	}
	free(s);
}

static void give_booleans(struct values *v)
{
	give(v, (struct never_value){ .text = strdup("true"), .num = 1, .n = 1 });
	give(v, (struct never_value){ .text = strdup("false"), .num = 0, .n = 1 });
}

/* What daemons say of themselves: the layer that decides, and the cloud that asks. */
static void give_env(struct values *v, const char *peer)
{
	bool layer = !strcmp(pol_str(v->p, v->p->attr[v->d->attr].name), "env.layer");
	uint32_t i;

	for (i = 0; i < L_NLAYERS && layer; i++)
		give_text(v, pol_layer_name[i], strlen(pol_layer_name[i]),
			  strlen(pol_layer_name[i]));
	if (!layer && peer)
		give_text(v, peer, strlen(peer), strlen(peer));
	if (!layer && !peer)
		give(v, (struct never_value){ .text = NULL });
}

/* One that is in no text, so that what has it is equal to nothing and begins like nothing. */
static int find_other(struct values *v)
{
	bool has[128] = { false };
	uint32_t i, k;

	for (i = 0; i < v->n_text; i++)
		for (k = 0; k < v->text[i].len; k++)
			has[v->text[i].s[k] & 127] |= !(v->text[i].s[k] & 128);
	for (i = '~'; i > ' '; i--)
		if (!has[i]) {
			v->other = i;
			memset(v->others, i, POL_MEMBERS_MAX);
			return 0;
		}
	return -E2BIG;
}

int never_domain(const struct pol_image *p, const struct never_matter *m, uint32_t user,
		 uint32_t inst, int64_t now, const char *peer, struct never_domain *d)
{
	struct values v = { .p = p, .d = d, .user = user, .inst = inst,
			    .type = p->attr[d->attr].type };
	uint32_t i;

	for (i = 0; i < m->n_cond; i++)
		never_leaves(p, p->cond[m->cond[i]].node, look_for_pairs, &v);
	for (i = 0; i < m->n_cond; i++)
		never_leaves(p, p->cond[m->cond[i]].node, on_leaf, &v);
	v.ret = v.ret ? v.ret : find_other(&v);
	if (!v.ret && p->attr[d->attr].category == C_ENV) {
		give_env(&v, peer);
	} else if (!v.ret) {
		give(&v, (struct never_value){ .text = NULL });
		if (v.type == T_BOOLEAN)
			give_booleans(&v);
		else if (v.type == T_STRING)
			give_texts(&v);
		else if (v.type == T_SET)
			give_sets(&v);
		else
			give_numbers(&v, now);
	}
	free(v.num);
	free(v.len);
	free(v.text);
	return v.ret;
}

void never_domain_free(struct never_domain *d)
{
	uint32_t i;

	for (i = 0; i < d->n_value; i++) {
		free(d->value[i].text);
		free(d->value[i].member);
	}
	free(d->value);
	d->value = NULL;
	d->n_value = d->cap_value = 0;
}
