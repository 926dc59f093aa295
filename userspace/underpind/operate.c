// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/sla.h"
#include "operate.h"
#include "vrm/work.h"

struct op {
	struct daemon *d;
	struct sender s;
	json_t *rq;
	const char *user;		/* in the user sheet of @p */
	struct pol_image *p;
	struct state_wait wait;
	void (*answer)(void *ctx, char *text, int status);
	void *ctx;
};

static const char *member(const struct op *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o->rq, name));

	return s ? s : "";
}

/* Answers, and ends. @j is taken over. */
static void reply(struct op *o, int status, json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT);

	json_decref(j);
	json_decref(o->rq);
	if (o->p)
		admin_put(&o->d->admin, o->p);
	o->answer(o->ctx, text, text ? status : 500);
	free(o);
}

static void reply_error(struct op *o, int status, const char *code, const char *text)
{
	reply(o, status, json_pack("{s:s,s:s}", "code", code, "error", text));
}

/* --- who asks --- */

const char *operate_holder(const struct pol_image *p, const struct sender *s, const char *role)
{
	uint32_t want = pol_find(p, P_ROLE, role), user = vrm_user(p, s), i;
	struct pol_query q = { .authenticated = user != POL_NONE, .user = user, .want = want,
			       .mapped = POL_NONE, .inst = POL_NONE, .now = time(NULL),
			       .tick = loop_ms() / 1000 };
	struct pol_decision no = { .n = 0 };
	struct pol_held held;

	if (!*role || s->kind != SENDER_USER || want == POL_NONE || user == POL_NONE ||
	    !credential_evaluate(p, &q, &held, &no))
		return NULL;
	for (i = 0; i < held.n; i++)
		if (held.r[i].role == want)
			return pol_str(p, p->user[user].name);
	return NULL;
}

static bool is_fresh(const struct op *o)
{
	int64_t age = vrm_now_ms() - json_integer_value(json_object_get(o->rq, "issued"));
	int64_t skew = o->d->conf.skew_s * 1000ll;

	return age <= skew && age >= -skew;
}

/* --- what is in the policy and in memory --- */

static void add_objects(const struct pol_image *p, const struct pol_sla *s, json_t *to)
{
	uint32_t i;

	for (i = s->visible; i < s->visible + s->n_visible; i++)
		json_array_append_new(to, json_pack("{s:s,s:s}", "kind", p->visible[i] & 1 ?
						    "instance" : "type", "name",
						    pol_object_name(p, p->visible[i])));
}

static void add_mediated(const struct pol_image *p, const struct pol_sla *s, json_t *to)
{
	const struct pol_permit *m;
	uint32_t i;

	for (i = s->mediate; i < s->mediate + s->n_mediate; i++) {
		m = &p->mediate[i];
		json_array_append_new(to, json_pack("{s:s,s:s}", "action",
						    pol_str(p, p->action[m->action]), "of",
						    pol_object_name(p, m->object)));
	}
}

/* What both sides know of an SLA; the local roles are not for the other. */
static json_t *sla_json(const struct pol_image *p, const struct pol_sla *s, bool mine)
{
	json_t *maps = json_array(), *visible = json_array(), *may = json_array(), *m;
	uint32_t i;

	for (i = s->map; i < s->map + s->n_map; i++) {
		m = json_pack("{s:s}", "remote", pol_str(p, p->map[i].remote));
		if (mine)
			json_object_set_new(m, "local", json_string(pol_str(p,
					    p->role[p->map[i].local].name)));
		json_array_append_new(maps, m);
	}
	add_objects(p, s, visible);
	add_mediated(p, s, may);
	return json_pack("{s:s,s:s,s:s,s:b,s:b,s:b,s:I,s:I,s:o,s:o,s:o}", "sla", pol_str(p, s->id),
			 "side", s->side == SIDE_PROVIDER ? "provider" : "consumer", "peer",
			 pol_str(p, s->peer), "revoked", s->revoked, "chain", s->chain,
			 "isolated", s->isolation, "from", (json_int_t)s->from, "until",
			 (json_int_t)s->until, "roles", maps, "visible", visible, "may", may);
}

static bool differs(const struct op *o, const char *name, const char *value)
{
	const char *want = json_string_value(json_object_get(json_object_get(o->rq, "filter"),
							     name));

	return want && strcmp(want, value);
}

static void list_slas(struct op *o, json_t *items, uint32_t limit, json_t **next)
{
	const struct pol_image *p = o->p;
	uint32_t i;

	for (i = strtoul(member(o, "after"), NULL, 10); i < p->n_sla; i++) {
		if (json_array_size(items) == limit) {
			*next = json_sprintf("%u", i);
			return;
		}
		if (!differs(o, "sla", pol_str(p, p->sla[i].id)) &&
		    !differs(o, "peer", pol_str(p, p->sla[i].peer)))
			json_array_append_new(items, sla_json(p, &p->sla[i], true));
	}
}

static json_t *session_json(const struct op *o, const struct admin_session *s)
{
	int64_t tick = loop_ms() / 1000, now = time(NULL);
	json_t *roles = json_array();
	uint32_t i;

	for (i = 0; i < s->s.n; i++)
		json_array_append_new(roles, json_pack("{s:s,s:I}", "role",
			pol_str(o->p, o->p->role[s->s.active[i].role].name), "since",
			(json_int_t)(now - (tick - s->s.active[i].since))));
	return json_pack("{s:s,s:I,s:o}", "session", s->key, "used",
			 (json_int_t)(now - (tick - s->used)), "roles", roles);
}

/* Sessions are of the policy in force: of no other are their roles' numbers. */
static void list_sessions(struct op *o, json_t *items, uint32_t limit, json_t **next)
{
	struct admin *a = &o->d->admin;
	uint32_t i;

	pthread_mutex_lock(&a->lock);
	for (i = strtoul(member(o, "after"), NULL, 10); i < ADMIN_SESSIONS_MAX; i++) {
		if (!a->hash[i] || !a->session[i].s.n || o->p != a->policy)
			continue;
		if (json_array_size(items) == limit) {
			*next = json_sprintf("%u", i);
			break;
		}
		if (!differs(o, "session", a->session[i].key))
			json_array_append_new(items, session_json(o, &a->session[i]));
	}
	pthread_mutex_unlock(&a->lock);
}

/* --- what is in the databases --- */

static void add_row(void *ctx, json_t *row)
{
	json_array_append_new(ctx, row);
}

static void list_state(struct op *o, json_t *items, uint32_t limit, json_t **next)
{
	struct pol_err e;
	char *cursor = NULL;

	if (!state_list(&o->d->state, member(o, "what"), json_object_get(o->rq, "filter"),
			member(o, "after"), limit, add_row, items, &cursor, &e) && cursor)
		*next = json_string(cursor);
	free(cursor);
}

static void list_directory(struct op *o, json_t *items, uint32_t limit, json_t **next)
{
	struct vgds_entry n;
	char id[1100];

	pol_print(id, sizeof(id), "%s", member(o, "after"));
	while (!vgds_next(&o->d->vgds, id, sizeof(id), &n)) {
		if (json_array_size(items) == limit) {
			*next = json_string(json_string_value(json_object_get(json_array_get(items,
					    limit - 1), "id")));
			return;
		}
		json_array_append_new(items, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "id", id,
			"kind", vgds_kind_name[n.kind], "target", n.target, "cloud", n.cloud,
			"layer", n.kind == VGDS_REMOTE ? pol_layer_name[n.layer] : "", "sla",
			n.sla));
	}
}

static const struct {
	const char *what;
	void (*list)(struct op *o, json_t *items, uint32_t limit, json_t **next);
} lists[] = {
	{ "allocations", list_state }, { "tickets", list_state }, { "audit", list_state },
	{ "sessions", list_sessions }, { "directory", list_directory }, { "slas", list_slas },
};

static void do_list(struct op *o)
{
	json_int_t limit = json_integer_value(json_object_get(o->rq, "limit"));
	json_t *items, *next = NULL;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (strcmp(lists[i].what, member(o, "what")))
			continue;
		items = json_array();
		lists[i].list(o, items, limit < 1 || limit > OPERATE_LIMIT ? 100 : limit, &next);
		reply(o, 200, json_pack("{s:s,s:s,s:s,s:o,s:o*}", "cloud", o->d->conf.cloud,
					"layer", pol_layer_name[o->d->conf.layer], "what",
					member(o, "what"), "items", items, "next", next));
		return;
	}
	reply_error(o, 400, "unknown-list", "list: allocations, tickets, sessions, directory, slas "
		    "or audit");
}

/* --- what changes --- */

static char *record(const struct op *o, const char *event, json_t *of)
{
	char digest[65], *text;
	json_t *j = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "time",
			      (json_int_t)vrm_now_ms(), "event", event, "cloud",
			      o->d->conf.cloud, "layer", pol_layer_name[o->d->conf.layer],
			      "sender", o->s.subject, "user", o->user, "why",
			      member(o, "reason"), "policy",
			      pol_hex(o->p->digest, 32, digest));

	json_object_update_missing(j, of);
	json_decref(of);
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	return text;
}

static void done(struct state_wait *w)
{
	struct op *o = container_of(w, struct op, wait);

	if (w->ret)
		reply_error(o, 503, "state-unavailable", w->e.msg);
	else
		reply(o, 200, json_pack("{s:b,s:s,s:s}", "done", 1, "do", member(o, "do"), "what",
					member(o, "what")));
}

static void written(struct op *o, int ret, const char *none)
{
	if (ret == -ENOENT)
		reply_error(o, 404, "not-there", none);
	else if (ret)
		reply_error(o, 503, "state-unavailable", o->wait.e.msg);
}

/* Whose it was, and that an operator took it back, is in the log. */
static void do_release(struct op *o)
{
	const char *resource = member(o, "what");
	json_t *of = NULL;
	char *text;
	int ret = state_allocation(&o->d->state, resource, &of, &o->wait.e);

	if (!ret) {
		json_object_set(of, "tenant", json_object_get(of, "cloud"));
		json_object_set(of, "given", json_object_get(of, "time"));
	}
	text = ret ? NULL : record(o, "released", of);
	ret = ret ? ret : text ? state_take_back(&o->d->state, resource, text, &o->wait) : -ENOMEM;
	written(o, ret, "no such resource is allocated");
}

static void do_note(struct op *o, const char *event)
{
	char *text = record(o, event, json_pack("{s:s}", "resource", member(o, "what")));

	pol_say(&o->wait.e, "out of memory");
	written(o, text ? state_finish(&o->d->state, NULL, NULL, text, &o->wait) : -ENOMEM, "");
}

static void do_end_session(struct op *o)
{
	if (admin_end(&o->d->admin, member(o, "what")))
		do_note(o, "session-ended");
	else
		reply_error(o, 404, "not-there", "no such session: list sessions");
}

static void do_remove(struct op *o)
{
	struct pol_err e = { "" };
	int ret = vgds_remove(&o->d->vgds, member(o, "what"), &e);

	if (ret == -ENOENT)
		reply_error(o, 404, "not-there", "no such entry in the directory");
	else if (ret)
		reply_error(o, 503, "directory-unavailable", e.msg);
	else
		do_note(o, "removed");
}

static const struct {
	const char *verb;
	void (*act)(struct op *o);
	bool why;
} verbs[] = {
	{ "list", do_list, false }, { "release", do_release, true },
	{ "end-session", do_end_session, true }, { "remove", do_remove, true },
};

static void operate(struct op *o)
{
	size_t i;

	o->user = operate_holder(o->p, &o->s, o->d->conf.operator_role);
	if (!o->user) {
		reply_error(o, 403, "no-operator", "this is for users who hold the role that the "
			    "configuration's operator-role names");
		return;
	}
	if (!is_fresh(o)) {
		reply_error(o, 403, "stale", "issued too long ago, or in the future: set the "
			    "clocks");
		return;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].verb, member(o, "do")))
			continue;
		if (verbs[i].why && !*member(o, "reason"))
			reply_error(o, 400, "no-reason", "say why: it goes into the audit log");
		else
			verbs[i].act(o);
		return;
	}
	reply_error(o, 400, "unknown-verb", "list, release, end-session or remove");
}

void operate_start(struct daemon *d, const struct sender *s, const char *body, size_t len,
		   void (*answer)(void *ctx, char *text, int status), void *ctx)
{
	struct op *o = calloc(1, sizeof(*o));

	if (!o) {
		answer(ctx, NULL, 500);
		return;
	}
	o->d = d;
	o->s = *s;
	o->answer = answer;
	o->ctx = ctx;
	o->wait.done = done;
	o->rq = len <= OPERATE_MAX ? json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (!json_is_object(o->rq)) {
		reply_error(o, 400, "malformed", "no JSON object");
		return;
	}
	o->p = admin_get(&d->admin);
	operate(o);
}

char *operate_view(struct daemon *d, const char *peer)
{
	struct pol_image *p = admin_get(&d->admin);
	json_t *list = json_array(), *j;
	struct pol_reason r;
	char *text;
	uint32_t i;

	for (i = 0; i < p->n_sla; i++)
		if (p->sla[i].side == SIDE_PROVIDER && sla_standing(p, i, peer, time(NULL), &r))
			json_array_append_new(list, sla_json(p, &p->sla[i], false));
	j = json_pack("{s:s,s:s,s:o}", "cloud", d->conf.cloud, "layer",
		      pol_layer_name[d->conf.layer], "slas", list);
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	admin_put(&d->admin, p);
	return text;
}
