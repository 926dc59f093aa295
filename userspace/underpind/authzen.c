// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authzen.h"
#include "operate.h"
#include "vrm/work.h"

#define BATCH_MAX	256	/* evaluations of one request */
#define PAGE_MAX	1000	/* results of one answer */
#define SCAN_MAX	4096	/* decisions of one search: everybody else waits meanwhile */
#define SUBJECT_TYPE	"user"

struct question {
	struct daemon *d;
	struct sender s;
	const char *asker;		/* in the user sheet of @p */
	struct pol_image *p;
	json_t *rq, *out, *log;
	struct state_wait wait;
	void (*answer)(void *ctx, char *text, int status);
	void *ctx;
};

/* Answers, and ends. @j is taken over. */
static void reply(struct question *q, int status, json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT);

	json_decref(j);
	json_decref(q->rq);
	json_decref(q->log);
	admin_put(&q->d->admin, q->p);
	q->answer(q->ctx, text, text ? status : 500);
	free(q);
}

static void reply_error(struct question *q, int status, const char *text)
{
	reply(q, status, json_pack("{s:s}", "error", text));
}

/* --- what is asked --- */

/* One evaluation: of its members some may be the whole request's. */
struct entity {
	const json_t *subject, *action, *resource, *context;
};

static struct entity entity_of(const json_t *j, const json_t *all)
{
	const json_t *s = json_object_get(j, "subject"), *a = json_object_get(j, "action");
	const json_t *r = json_object_get(j, "resource"), *c = json_object_get(j, "context");

	return (struct entity){ s ? s : json_object_get(all, "subject"),
				a ? a : json_object_get(all, "action"),
				r ? r : json_object_get(all, "resource"),
				c ? c : json_object_get(all, "context") };
}

static bool has_text(const json_t *j, const char *name)
{
	return json_is_string(json_object_get(j, name));
}

static const char *text_of(const json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

static bool object_or_none(const json_t *j)
{
	return !j || json_is_object(j);
}

/* What is wrong with it, or NULL; @sought: the entity that a search is for, or NULL. */
static const char *malformed(const struct entity *e, const char *sought)
{
	bool subject = sought && !strcmp(sought, "subject");
	bool resource = sought && !strcmp(sought, "resource");

	if (!has_text(e->subject, "type") || (!subject && !has_text(e->subject, "id")))
		return "subject: an object with the texts type and id";
	if (!(sought && !strcmp(sought, "action")) && !has_text(e->action, "name"))
		return "action: an object with the text name";
	if (!has_text(e->resource, "type") || (!resource && !has_text(e->resource, "id")))
		return "resource: an object with the texts type and id";
	if (!object_or_none(e->context) ||
	    !object_or_none(json_object_get(e->subject, "properties")) ||
	    !object_or_none(json_object_get(e->action, "properties")) ||
	    !object_or_none(json_object_get(e->resource, "properties")))
		return "context and properties: objects";
	return NULL;
}

/* --- attributes --- */

struct attrs {
	uint32_t n;
	struct pdp_attr attr[POL_ATTRS_MAX];
	char *text[2 * POL_ATTRS_MAX];	/* names and values, to be freed */
	bool bad;			/* too many, or no value of an attribute */
};

static void free_attrs(struct attrs *a)
{
	uint32_t i;

	for (i = 0; i < 2 * a->n; i++)
		free(a->text[i]);
}

/* As a message would say it; members of a set have no spaces. NULL: nobody can say it. */
static char *value_text(const json_t *v)
{
	char *text = NULL;
	size_t i, size;
	json_t *m;
	FILE *f;

	if (json_is_string(v))
		return strdup(json_string_value(v));
	if (json_is_boolean(v))
		return strdup(json_is_true(v) ? "true" : "false");
	if (json_is_integer(v))
		return asprintf(&text, "%lld", (long long)json_integer_value(v)) < 0 ? NULL :
		       text;
	f = json_is_array(v) ? open_memstream(&text, &size) : NULL;
	if (!f)
		return NULL;
	json_array_foreach((json_t *)v, i, m) {
		const char *s = json_string_value(m);

		if (!s || !*s || strchr(s, ' ')) {
			fclose(f);
			free(text);
			return NULL;
		}
		fprintf(f, "%s%s", i ? " " : "", s);
	}
	fclose(f);
	return text;
}

/* Those that the policy asks for: of the others it has never heard. */
static void add_attrs(const struct pol_image *p, struct attrs *a, const json_t *from,
		      enum pol_category category)
{
	const char *prefix = category == C_CLAIM ? "claim." : "request.", *key;
	char name[256], *copy, *value;
	json_t *v;

	json_object_foreach((json_t *)from, key, v) {
		if (snprintf(name, sizeof(name), "%s%s", prefix, key) >= (int)sizeof(name) ||
		    pol_find(p, P_ATTR, name) == POL_NONE)
			continue;
		value = value_text(v);
		copy = strdup(name);
		if (!value || !copy || a->n == POL_ATTRS_MAX) {
			free(value);
			free(copy);
			a->bad = true;
			return;
		}
		a->text[2 * a->n] = copy;
		a->text[2 * a->n + 1] = value;
		a->attr[a->n++] = (struct pdp_attr){ copy, value, category };
	}
}

/* --- decisions --- */

struct verdict {
	bool permit;
	json_t *context;		/* if it was wanted */
	const char *code;
};

static json_t *context_of(const struct question *q, const struct pol_query *pq,
			  const struct pol_decision *d)
{
	json_t *list = json_array();
	char text[1400];
	uint32_t i;

	for (i = 0; i < d->n; i++) {
		reason_text(q->p, pq, &d->reason[i], text, sizeof(text));
		json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "module",
			reason_module(d->reason[i].code), "code", reason_name(d->reason[i].code),
			"text", text));
	}
	return json_pack("{s:o,s:s*}", "reasons", list, "role", d->permit ?
			 pol_str(q->p, q->p->role[d->role].name) : NULL);
}

static struct verdict refused(const char *code, const char *text, bool why)
{
	return (struct verdict){ false, why ? json_pack("{s:[{s:s,s:s,s:s}]}", "reasons", "module",
				 "PDP", "code", code, "text", text) : NULL, code };
}

/* @user, @action and @instance are what a search tries, or the entity's. */
static struct verdict decide(const struct question *q, const struct entity *e, const char *user,
			     const char *action, const char *instance, bool why)
{
	struct attrs a = { .n = 0 };
	struct pdp_request in = {
		.user = user, .authenticated = true, .mapped = POL_NONE, .action = action,
		.type = text_of(e->resource, "type"), .instance = instance, .now = time(NULL),
		.tick = loop_ms() / 1000,
	};
	struct verdict v;
	struct pol_decision d;
	struct pdp_store st;
	struct pol_query pq;

	if (strcmp(text_of(e->subject, "type"), SUBJECT_TYPE))
		return refused("unknown-subject-type", "subjects are of the type " SUBJECT_TYPE,
			       why);
	a.text[0] = strdup("env.layer");
	a.text[1] = strdup(pol_layer_name[q->d->conf.layer]);
	a.attr[a.n++] = (struct pdp_attr){ a.text[0], a.text[1], C_ENV };
	add_attrs(q->p, &a, json_object_get(e->subject, "properties"), C_CLAIM);
	add_attrs(q->p, &a, json_object_get(e->action, "properties"), C_REQUEST);
	add_attrs(q->p, &a, json_object_get(e->resource, "properties"), C_REQUEST);
	add_attrs(q->p, &a, e->context, C_REQUEST);
	if (a.bad || !a.text[0] || !a.text[1]) {
		v = refused(reason_name(R_BAD_ATTRIBUTE), "a property is no attribute's value, or "
			    "there are more than a decision weighs", why);
	} else {
		in.attr = a.attr;
		in.n_attr = a.n;
		pdp_decide(q->p, &in, &st, &pq, &d);
		v = (struct verdict){ d.permit, why ? context_of(q, &pq, &d) : NULL,
				      reason_name(d.reason[0].code) };
	}
	free_attrs(&a);
	return v;
}

static json_t *decision_json(struct verdict *v)
{
	return json_pack("{s:b,s:o}", "decision", v->permit, "context", v->context);
}

static struct verdict evaluate(struct question *q, const struct entity *e)
{
	struct verdict v = decide(q, e, text_of(e->subject, "id"), text_of(e->action, "name"),
				  text_of(e->resource, "id"), true);

	json_array_append_new(q->log, json_pack("{s:s,s:s,s:s,s:b,s:s}", "user",
		text_of(e->subject, "id"), "action", text_of(e->action, "name"), "resource",
		text_of(e->resource, "id"), "permit", v.permit, "code", v.code));
	return v;
}

/* --- evaluations, which are recorded --- */

static void recorded(struct state_wait *w)
{
	struct question *q = container_of(w, struct question, wait);
	json_t *out = q->out;

	q->out = NULL;
	if (!w->ret) {
		reply(q, 200, out);
		return;
	}
	json_decref(out);
	reply_error(q, 503, w->e.msg);
}

/* @out is taken over. */
static void record(struct question *q, json_t *out)
{
	char digest[65], *text;
	json_t *j = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:O,s:s}", "time",
			      (json_int_t)vrm_now_ms(), "event", "evaluated", "cloud",
			      q->d->conf.cloud, "layer", pol_layer_name[q->d->conf.layer],
			      "sender", q->s.subject, "asker", q->asker, "decisions", q->log,
			      "policy", pol_hex(q->p->digest, 32, digest));

	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	q->out = out;
	q->wait.done = recorded;
	pol_say(&q->wait.e, "out of memory");
	q->wait.ret = text ? state_finish(&q->d->state, NULL, NULL, text, &q->wait) : -1;
	if (q->wait.ret)
		recorded(&q->wait);
}

static void do_evaluation(struct question *q)
{
	struct entity e = entity_of(q->rq, NULL);
	const char *bad = malformed(&e, NULL);
	struct verdict v;

	if (bad) {
		reply_error(q, 400, bad);
		return;
	}
	v = evaluate(q, &e);
	record(q, decision_json(&v));
}

/* After which of two verdicts no more is evaluated; both: after none. */
static bool semantic(const json_t *rq, bool ends[2])
{
	const json_t *o = json_object_get(rq, "options");
	const json_t *j = json_object_get(o, "evaluations_semantic");
	const char *s = j ? json_string_value(j) : "execute_all";

	ends[0] = s && !strcmp(s, "deny_on_first_deny");
	ends[1] = s && !strcmp(s, "permit_on_first_permit");
	return object_or_none(o) && s && (ends[0] || ends[1] || !strcmp(s, "execute_all"));
}

static void do_evaluations(struct question *q)
{
	json_t *list = json_object_get(q->rq, "evaluations"), *j, *out;
	struct verdict v;
	struct entity e;
	const char *bad;
	bool ends[2];
	size_t i;

	if (!list || (json_is_array(list) && !json_array_size(list))) {
		do_evaluation(q);
		return;
	}
	if (!json_is_array(list) || json_array_size(list) > BATCH_MAX || !semantic(q->rq, ends)) {
		reply_error(q, 400, "evaluations: a list of at most 256 objects; "
			    "options.evaluations_semantic: execute_all, deny_on_first_deny or "
			    "permit_on_first_permit");
		return;
	}
	out = json_array();
	json_array_foreach(list, i, j) {
		e = entity_of(j, q->rq);
		bad = json_is_object(j) ? malformed(&e, NULL) : "an evaluation is an object";
		v = bad ? refused("malformed", bad, true) : evaluate(q, &e);
		json_array_append_new(out, decision_json(&v));
		if (ends[v.permit])
			break;
	}
	record(q, json_pack("{s:o}", "evaluations", out));
}

/* --- searches --- */

struct hunt {
	const struct entity *e;
	const char *what;
	uint32_t n;			/* candidates */
	uint32_t type;			/* of the resource */
};

/* Puts candidate @i to the test; what it is, or NULL. */
static json_t *try_one(struct question *q, const struct hunt *h, uint32_t i)
{
	const struct pol_image *p = q->p;
	const struct entity *e = h->e;
	const char *user = text_of(e->subject, "id"), *action = text_of(e->action, "name");
	const char *instance = text_of(e->resource, "id"), *name;

	if (!strcmp(h->what, "subject")) {
		name = user = pol_str(p, p->user[i].name);
	} else if (!strcmp(h->what, "action")) {
		name = action = pol_str(p, p->action[p->actionlist[p->rtype[h->type].action + i]]);
	} else {
		if (p->inst[i].type != h->type)
			return NULL;
		name = instance = pol_str(p, p->inst[i].name);
	}
	if (!decide(q, e, user, action, instance, false).permit)
		return NULL;
	if (!strcmp(h->what, "action"))
		return json_pack("{s:s}", "name", name);
	return json_pack("{s:s,s:s}", "type", !strcmp(h->what, "subject") ? SUBJECT_TYPE :
			 text_of(e->resource, "type"), "id", name);
}

/* Where a page begins: "POLICY:NUMBER", for numbers are another policy's no more. */
static bool page_start(const struct question *q, uint32_t *first, uint32_t *limit)
{
	const json_t *page = json_object_get(q->rq, "page");
	json_t *max = json_object_get(page, "limit"), *token = json_object_get(page, "token");
	char digest[65], *end;
	const char *s = json_string_value(token);

	*first = 0;
	*limit = PAGE_MAX;
	if (!object_or_none(page) || (max && (!json_is_integer(max) ||
					      json_integer_value(max) < 1)) || (token && !s))
		return false;
	if (max && json_integer_value(max) < PAGE_MAX)
		*limit = json_integer_value(max);
	if (!s || !*s)
		return true;
	pol_hex(q->p->digest, 32, digest);
	if (strncmp(s, digest, 16) || s[16] != ':')
		return false;
	*first = strtoul(s + 17, &end, 10);
	return s[17] >= '0' && s[17] <= '9' && !*end;
}

static json_t *page_json(const struct question *q, uint32_t next, uint32_t n, size_t count)
{
	char digest[65], token[40] = "";

	pol_hex(q->p->digest, 32, digest);
	if (next < n)
		snprintf(token, sizeof(token), "%.16s:%u", digest, next);
	return json_pack("{s:s,s:I}", "next_token", token, "count", (json_int_t)count);
}

static void do_search(struct question *q, const char *what)
{
	struct entity e = entity_of(q->rq, NULL);
	struct hunt h = { &e, what, 0, POL_NONE };
	const char *bad = malformed(&e, what);
	uint32_t i, limit, tried = 0;
	json_t *out, *one, *page;

	if (bad || !page_start(q, &i, &limit)) {
		reply_error(q, 400, bad ? bad : "page: an object with limit, at least 1, and the "
			    "token of an answer under the policy that is in force");
		return;
	}
	h.type = pol_find(q->p, P_RTYPE, text_of(e.resource, "type"));
	if (h.type != POL_NONE && !strcmp(text_of(e.subject, "type"), SUBJECT_TYPE))
		h.n = !strcmp(what, "subject") ? q->p->n_user : !strcmp(what, "resource") ?
		      q->p->n_inst : q->p->rtype[h.type].n_action;
	out = json_array();
	for (; i < h.n && json_array_size(out) < limit && tried < SCAN_MAX; i++, tried++) {
		one = try_one(q, &h, i);
		if (one)
			json_array_append_new(out, one);
	}
	page = page_json(q, i, h.n, json_array_size(out));
	reply(q, 200, json_pack("{s:o,s:o}", "results", out, "page", page));
}

static void do_search_subject(struct question *q)
{
	do_search(q, "subject");
}

static void do_search_resource(struct question *q)
{
	do_search(q, "resource");
}

static void do_search_action(struct question *q)
{
	do_search(q, "action");
}

static const struct {
	const char *path, *name;
	void (*act)(struct question *q);
} endpoints[] = {
	{ "evaluation", "access_evaluation_endpoint", do_evaluation },
	{ "evaluations", "access_evaluations_endpoint", do_evaluations },
	{ "search/subject", "search_subject_endpoint", do_search_subject },
	{ "search/resource", "search_resource_endpoint", do_search_resource },
	{ "search/action", "search_action_endpoint", do_search_action },
};

#define N_ENDPOINTS	(sizeof(endpoints) / sizeof(endpoints[0]))

static bool offered(const struct daemon *d)
{
	return *d->conf.authzen_role && d->conf.layer == L_APPLICATION;
}

void authzen_start(struct daemon *d, const struct sender *s, const char *path, const char *body,
		   size_t len, void (*answer)(void *ctx, char *text, int status), void *ctx)
{
	struct question *q = calloc(1, sizeof(*q));
	size_t i;

	if (!q) {
		answer(ctx, NULL, 500);
		return;
	}
	*q = (struct question){ .d = d, .s = *s, .answer = answer, .ctx = ctx,
				.p = admin_get(&d->admin), .log = json_array() };
	for (i = 0; i < N_ENDPOINTS && strcmp(path, endpoints[i].path); i++)
		;
	q->asker = operate_holder(q->p, s, d->conf.authzen_role);
	if (!offered(d) || i == N_ENDPOINTS) {
		reply_error(q, 404, "nothing here: the application layer answers questions of "
			    "AuthZEN if its configuration has an authzen-role");
	} else if (!q->asker) {
		reply_error(q, 403, "this is for users who hold the role that the configuration's "
			    "authzen-role names");
	} else {
		q->rq = body ? json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
		if (json_is_object(q->rq))
			endpoints[i].act(q);
		else
			reply_error(q, 400, "no JSON object");
	}
}

char *authzen_metadata(const struct daemon *d)
{
	const char *base = d->conf.own.url[L_APPLICATION];
	char url[400], *text;
	json_t *j;
	size_t i;

	if (!offered(d) || !*base)
		return NULL;
	j = json_pack("{s:s}", "policy_decision_point", base);
	for (i = 0; i < N_ENDPOINTS; i++) {
		snprintf(url, sizeof(url), "%s%s%s", base, AUTHZEN_PREFIX, endpoints[i].path);
		json_object_set_new(j, endpoints[i].name, json_string(url));
	}
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	return text;
}
