// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual resource manager (A5): takes a request through credential and
 * semantic evaluation, the directory, and to the device, the layer below or
 * the SLA module. One function a step, in the order of the tables at the end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fault.h"
#include "vrm/work.h"

#define REFUSALS_LOGGED	10	/* a second */

int64_t vrm_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

int64_t vrm_left_ms(const struct work *w)
{
	return w->end_ms - loop_ms();
}

const char *vrm_layer(const struct work *w)
{
	return pol_layer_name[w->d->conf.layer];
}

void vrm_say(struct work *w, const char *module, const char *verdict, const char *code,
	     const char *text)
{
	msg_trace(&w->a, w->d->conf.cloud, vrm_layer(w), module, verdict, code, text);
}

enum next vrm_refuse(struct work *w, const char *module, const char *code, const char *text)
{
	w->a.verdict = MSG_DENY;
	vrm_say(w, module, "deny", code, text);
	return DECIDED;
}

enum next vrm_fail(struct work *w, const char *module, const char *code, const char *text)
{
	w->a.verdict = MSG_FAIL;
	vrm_say(w, module, "fail", code, text);
	return DECIDED;
}

enum next vrm_refuse_reason(struct work *w, const struct pol_reason *r)
{
	char text[1400];

	reason_text(w->p, &w->q, r, text, sizeof(text));
	return vrm_refuse(w, reason_module(r->code), reason_name(r->code), text);
}

static void put_last_word(struct json_out *o, const struct work *w)
{
	const struct msg_step *s = &w->a.step[w->a.n_step - 1];

	json_out_name(o, "reason");
	json_out_open(o, '{');
	json_out_member(o, "cloud", s->cloud);
	json_out_member(o, "layer", s->layer);
	json_out_member(o, "module", s->module);
	json_out_member(o, "verdict", s->verdict);
	json_out_member(o, "code", s->code);
	if (!w->why || w->a.n_step != w->decided)
		json_out_member(o, "text", s->text);
	json_out_member(o, "by", s->by);
	json_out_close(o, '}');
}

static void put_why(struct json_out *o, const struct work *w)
{
	json_t *text;
	size_t i;

	json_out_name(o, "why");
	json_out_open(o, '[');
	json_array_foreach(w->why, i, text)
		json_out_text(o, json_string_value(text));
	json_out_close(o, ']');
}

char *vrm_record(struct work *w, const char *event)
{
	struct json_out o = { .text = NULL };
	char digest[65];

	pol_hex(w->p->digest, 32, digest);
	json_out_open(&o, '{');
	json_out_name(&o, "time");
	json_out_number(&o, vrm_now_ms());
	json_out_member(&o, "event", event);
	json_out_member(&o, "id", w->rq.id);
	json_out_member(&o, "cloud", w->d->conf.cloud);
	json_out_member(&o, "layer", vrm_layer(w));
	json_out_member(&o, "sender", w->s.subject);
	json_out_member(&o, "action", w->rq.action);
	json_out_member(&o, "resource", w->rq.instance);
	json_out_member(&o, "policy", digest);
	json_out_member(&o, "user", w->user);
	if (w->mapped != POL_NONE)
		json_out_member(&o, "mapped_role", pol_str(w->p, w->p->role[w->mapped].name));
	if (*w->mapped_by)
		json_out_member(&o, "sla", w->mapped_by);
	if (w->decision.permit)
		json_out_member(&o, "role", pol_str(w->p, w->p->role[w->decision.role].name));
	if (w->a.n_step)
		put_last_word(&o, w);
	if (w->why && !w->begun)	/* or it is in the record of the local decision */
		put_why(&o, w);
	json_out_close(&o, '}');
	return json_out_end(&o);
}

struct request_key vrm_request_key(const struct work *w)
{
	return (struct request_key){ w->rq.id, w->sender, w->rq.digest };
}

const char *vrm_whose(const struct work *w)
{
	return w->user ? w->user : *w->origin ? w->origin : w->jwt.subject;
}

void vrm_strip_texts(struct work *w)
{
	if (w->s.kind == SENDER_REMOTE)
		msg_strip_texts(&w->a);
}

/* --- steps, in their order --- */

static struct clock_of *clock_of(const struct work *w)
{
	const struct sender *s = &w->s;

	return &w->d->clock[s->peer ? s->peer - w->d->conf.peer : CONF_PEERS_MAX][s->layer];
}

/*
 * A daemon's message that was on its way for long brings less of the time to answer than
 * it says. A user's, who has a clock of his own, has the time that it says.
 */
static enum next on_time(struct work *w, int64_t age)
{
	int64_t limit = w->d->conf.deadline_ms, ms = w->rq.deadline_ms, late = 0;
	bool known = w->s.kind == SENDER_USER ||
		     clock_late(clock_of(w), age, w->begin_ms, &late);

	/* All of its age may be lateness: if there is time left even so, that is good enough. */
	if (!known && age > 0) {
		late = age > CLOCK_AGREE_MS ? age - CLOCK_AGREE_MS : 0;
		known = late < ms;
	}
	ms -= late;
	w->end_ms = w->begin_ms + (ms < limit ? ms : limit);
	if (!known)
		return vrm_fail(w, "VRM", CLOCK_UNKNOWN, "the message was late, or the clocks of "
				"the two daemons differ: the next one tells");
	if (vrm_left_ms(w) <= 0)
		return vrm_fail(w, "VRM", "deadline", "the message was on its way for longer than "
				"its deadline, or the clock of one of the two daemons was set");
	return NEXT;
}

static enum next fresh(struct work *w)
{
	int64_t age = vrm_now_ms() - w->rq.issued_ms;
	int64_t skew = w->d->conf.skew_s * 1000ll;

	w->end_ms = w->begin_ms + w->d->conf.deadline_ms;
	if (age <= skew && age >= -skew)
		return on_time(w, age);
	METRIC_INC(&w->d->metrics, replay);
	return vrm_refuse(w, "VRM", "stale", "the message was issued too long ago, or in the "
			  "future: set the clocks, and send anew");
}

/* Which senders may say what. Of a mapped role all three members are given, or none. */
static enum next allowed(struct work *w)
{
	const struct msg_request *rq = &w->rq;
	const struct msg_hop *last = rq->n_hop ? &rq->hop[rq->n_hop - 1] : NULL;
	int mapped = !!rq->mapped_role + !!rq->mapped_by + !!rq->origin;
	bool vouched = rq->user || mapped, across = rq->sla || rq->sla_role;

	switch (w->any && w->s.kind != SENDER_USER ? SENDER_NONE : w->s.kind) {
	case SENDER_USER:
		if (!vouched && !across && !rq->n_hop && !rq->chained &&
		    !rq->isolated)
			return NEXT;
		break;
	case SENDER_UPPER:
		if (w->s.layer + 1 == w->d->conf.layer && !across && last &&
		    !strcmp(last->cloud, w->d->conf.cloud) &&
		    !strcmp(last->layer, pol_layer_name[w->s.layer]) &&
		    (!mapped || (mapped == 3 && !rq->user)))
			return NEXT;
		break;
	case SENDER_REMOTE:
		if (rq->sla && rq->sla_role && !vouched && !rq->assertion && last &&
		    !strcmp(last->cloud, w->s.peer->cloud))
			return NEXT;
		break;
	default:
		break;
	}
	return vrm_refuse(w, "VRM", "sender-not-allowed", "this certificate may not send such a "
			  "message here");
}

static enum next no_loop(struct work *w)
{
	uint32_t i;

	if (w->rq.n_hop == MSG_HOPS_MAX)
		return vrm_refuse(w, "VRM", "path-too-long", "the request passed too many daemons");
	for (i = 0; i < w->rq.n_hop; i++) {
		if (strcmp(w->rq.hop[i].cloud, w->d->conf.cloud))
			continue;
		if (w->s.kind == SENDER_REMOTE)
			return vrm_refuse(w, reason_module(R_SLA_LOOP), reason_name(R_SLA_LOOP),
					  "the request has been in this cloud before");
		if (!strcmp(w->rq.hop[i].layer, vrm_layer(w)))
			return vrm_refuse(w, "VRM", "path-loop", "the request has been in this "
					  "layer before");
	}
	return NEXT;
}

/* Steps that must not run twice at once for one request follow. */
static enum next claim(struct work *w)
{
	const struct work *o;

	for (o = w->d->works; o; o = o->next)
		if (o->claimed && !strcmp(o->rq.id, w->rq.id)) {
			vrm_fail(w, "VRM", "in-progress", "this request is being worked on: ask "
				 "again");
			return ANSWERED;
		}
	w->claimed = true;
	return NEXT;
}

/* A retry is to get the answer that there was; anything else with this id is a replay. */
static enum next unseen(struct work *w)
{
	struct request_key k = vrm_request_key(w);
	struct pol_err e;
	int seen;

	seen = state_lookup(&w->d->state, &k, &w->kept, &e);
	if (seen < 0)
		return vrm_fail(w, "VRM", "state-unavailable", e.msg);
	if (seen == STATE_REPLAY) {
		METRIC_INC(&w->d->metrics, replay);
		return vrm_refuse(w, "VRM", "replay", "this id was used by another sender or for "
				  "another request");
	}
	w->ours = seen != STATE_DONE;
	w->begun = seen == STATE_PENDING;
	return NEXT;
}

/* And gets it if whoever asks is still somebody who may ask: a ticket may be in it. */
static enum next known(struct work *w)
{
	struct pol_reason r;

	if (!w->kept)
		return NEXT;
	w->q = (struct pol_query){
		.authenticated = w->authenticated, .mapped = w->mapped, .inst = POL_NONE,
		.user = w->user ? pol_find(w->p, P_USER, w->user) : POL_NONE, .now = w->in.now,
	};
	if (!credential_stands(w->p, &w->q, &r))
		return vrm_refuse_reason(w, &r);
	METRIC_INC(&w->d->metrics, retry);
	w->text = w->kept;
	w->kept = NULL;
	w->status = 200;
	return ANSWERED;
}

/* Would it be granted, but for sessions? */
static bool may_have(struct work *w, uint32_t inst)
{
	static const struct pol_session fresh;
	struct pdp_request in = w->in;
	struct pol_decision d;
	struct pdp_store st;
	struct pol_query q;

	in.instance = pol_str(w->p, w->p->inst[inst].name);
	in.session = w->rq.session ? &fresh : NULL;
	pdp_decide(w->p, &in, &st, &q, &d);
	return d.permit;
}

static bool is_allocated(struct work *w, uint32_t inst)
{
	struct pol_err e;
	json_t *row;
	int ret = state_allocation(&w->d->state, pol_str(w->p, w->p->inst[inst].name), &row, &e);

	json_decref(row);
	return ret != -ENOENT;
}

/* Any of a type: the first that may be had and is free, in the sheets' order (S2.9). */
static enum next choose(struct work *w)
{
	uint32_t type = w->any ? pol_find(w->p, P_RTYPE, w->rq.type) : POL_NONE, i;
	bool had = w->next_inst > 0;

	if (!w->any)
		return NEXT;
	if (w->d->conf.layer != L_INFRASTRUCTURE || strcmp(w->rq.action, "provision"))
		return vrm_refuse(w, "VRM", "no-resource", "any of a type is for provision, and of "
				  "the infrastructure layer, which knows what is free: name one");
	w->any_steps = w->a.n_step;
	for (i = w->next_inst; i < w->p->n_inst; i++) {
		if (w->p->inst[i].type != type || !may_have(w, i))
			continue;
		had = true;
		if (is_allocated(w, i))
			continue;
		w->next_inst = i + 1;
		w->rq.instance = w->in.instance = pol_str(w->p, w->p->inst[i].name);
		vrm_say(w, "VRM", "permit", "chosen", w->rq.instance);
		return NEXT;
	}
	if (had)
		return vrm_refuse(w, "VRM", "none-free", "every one of this type that may be had "
				  "is allocated, or stands on a host that excludes it");
	/* Why not: of the type as such. */
	w->in.instance = NULL;
	return NEXT;
}

/*
 * Names whose session it is, and which. Subjects do not share any: a user, a user
 * that only an assertion names, a role that another cloud's user was mapped to.
 */
static const char *session_key(struct work *w, char *buf, size_t size)
{
	const char *kind = w->user ? "u" : *w->origin ? "r" : "j";
	char *c;

	if (!w->rq.session)
		return NULL;
	snprintf(buf, size, "%s:%s|", kind, vrm_whose(w));
	c = buf + strlen(buf);
	snprintf(c, buf + size - c, "%s", w->rq.session);
	/* The first bar is the one behind the subject; a session's name has no control codes. */
	while ((c = strchr(c, '|')))
		*c = 0x1f;
	return buf;
}

/* Every reason of the decision, for the audit log: rule, constraint and values. */
static void keep_reasons(struct work *w)
{
	char text[1400];
	uint32_t i;

	w->why = json_array();
	for (i = 0; i < w->decision.n; i++) {
		reason_text(w->p, &w->q, &w->decision.reason[i], text, sizeof(text));
		json_array_append_new(w->why, json_string(text));
	}
}

static enum next decide(struct work *w)
{
	char key[900];

	admin_decide(&w->d->admin, w->p, session_key(w, key, sizeof(key)), &w->in, &w->store, &w->q,
		     &w->decision);
	keep_reasons(w);
	w->decided = w->a.n_step + 1;
	if (!w->decision.permit)
		return vrm_refuse_reason(w, &w->decision.reason[0]);
	if (!w->in.instance)
		return vrm_refuse(w, "VRM", "none-free", "there is none of this type");
	vrm_say(w, "PEP", "permit", "permit", json_string_value(json_array_get(w->why, 0)));
	fault("decided");
	return NEXT;
}

static void on_lookup(struct vgds_lookup *q)
{
	vrm_go_on(container_of(q, struct work, lookup));
}

static enum next ask_directory(struct work *w)
{
	w->lookup.id = w->rq.instance;
	w->lookup.done = on_lookup;
	w->lookup.ret = vgds_get(&w->d->vgds, &w->lookup);
	return w->lookup.ret == -EINPROGRESS ? WAIT : NEXT;
}

static enum next directory(struct work *w)
{
	if (!w->lookup.ret)
		return NEXT;
	if (w->lookup.ret == -ENOENT && w->any)
		return vrm_choose_again(w);
	if (w->lookup.ret == -ENOENT)
		return vrm_refuse(w, "VRM", "not-in-directory", "the directory has no such "
				  "resource");
	return vrm_fail(w, "VRM", "directory-unavailable", w->lookup.e.msg);
}

/*
 * Nothing is forwarded before this decision is in the audit log. What this
 * daemon allocates itself is committed together with its record.
 */
static enum next begin(struct work *w)
{
	struct request_key k = vrm_request_key(w);
	char *text;

	w->wait.ret = 0;
	if (w->begun || w->lookup.entry.kind == VGDS_DEVICE)
		return NEXT;
	text = vrm_record(w, "permit-here");
	pol_say(&w->wait.e, "out of memory");
	w->wait.ret = text ? state_begin(&w->d->state, &k, text, &w->wait) : -ENOMEM;
	return w->wait.ret ? NEXT : WAIT;
}

static enum next begun(struct work *w)
{
	if (w->wait.ret)
		return vrm_fail(w, "VRM", "state-unavailable", w->wait.e.msg);
	w->begun |= w->lookup.entry.kind != VGDS_DEVICE;
	fault("begun");
	return NEXT;
}

/* --- the last steps, which every request takes --- */

/*
 * An answer that is final is kept, but only of a request that is ours: a replay must
 * not replace it. An answer that cannot be made is recorded nevertheless.
 */
static enum next finish(struct work *w)
{
	const char *event = w->a.verdict == MSG_PERMIT ? "granted" : w->a.verdict == MSG_DENY ?
			    "denied" : "failed";
	struct request_key k = vrm_request_key(w);
	bool final = w->ours && w->a.verdict != MSG_FAIL;
	char *text;

	w->wait.ret = 0;
	if (w->done)
		return NEXT;
	text = vrm_record(w, event);
	vrm_strip_texts(w);
	w->text = msg_answer_text(&w->a, w->rq.id);
	pol_say(&w->wait.e, "out of memory");
	w->wait.ret = text ? state_finish(&w->d->state, final ? &k : NULL, w->text, text,
					  &w->wait) : -ENOMEM;
	return w->wait.ret ? NEXT : WAIT;
}

/* A grant that could not be noted is none. */
static enum next finished(struct work *w)
{
	if (w->wait.ret && w->a.verdict == MSG_PERMIT) {
		free(w->text);
		w->text = NULL;
		w->a.has_ticket = false;
		vrm_fail(w, "VRM", "state-unavailable", w->wait.e.msg);
	}
	fault("finished");
	return ANSWERED;
}

/* What a log can take of a text from elsewhere. */
static void put_plain(FILE *f, const char *name, const char *s)
{
	fprintf(f, " %s=", name);
	for (; *s; s++)
		putc(*s > ' ' && *s < 127 ? *s : '?', f);
}

/* One line a refusal, and no more of them than somebody could read. */
static void log_refusal(const struct work *w)
{
	static int64_t second;
	static uint32_t said, left_out;
	char line[1600];
	FILE *f;

	if (w->a.verdict == MSG_PERMIT || !*w->a.code)
		return;
	if (w->begin_ms / 1000 != second) {
		if (left_out)
			fprintf(stderr, "underpind: %u more refusals were not logged\n", left_out);
		second = w->begin_ms / 1000;
		said = left_out = 0;
	}
	if (said++ >= REFUSALS_LOGGED) {
		left_out++;
		return;
	}
	f = fmemopen(line, sizeof(line), "w");
	if (!f)
		return;
	fputs(w->a.verdict == MSG_DENY ? "deny" : "fail", f);
	put_plain(f, "code", w->a.code);
	put_plain(f, "module", w->a.module);
	put_plain(f, "by", w->a.cloud);
	put_plain(f, "user", vrm_whose(w));
	put_plain(f, "action", w->rq.action);
	put_plain(f, "resource", w->rq.instance);
	put_plain(f, "id", w->rq.id);
	fclose(f);
	line[sizeof(line) - 1] = 0;
	fprintf(stderr, "underpind: %s\n", line);
}

static void count(struct metrics *m, enum msg_verdict v)
{
	if (v == MSG_PERMIT)
		METRIC_INC(m, permit);
	else if (v == MSG_DENY)
		METRIC_INC(m, deny);
	else
		METRIC_INC(m, fail);
}

static void remember(const struct work *w)
{
	const char *const texts[] = { vrm_whose(w), w->rq.action, w->rq.instance,
				      w->text ? w->text : "" };
	struct recent *r = w->d->recent;

	if (!r)
		return;
	recent_request(r, w->rq.id, time(NULL), loop_ms() - w->begin_ms, texts);
	if (w->a.verdict != MSG_PERMIT && *w->a.code)
		recent_refused(r, loop_ms() / 60000, w->a.code);
}

static enum next answer(struct work *w)
{
	static const int statuses[] = { 200, 403, 503 };

	if (!w->status) {
		w->status = statuses[w->a.verdict];
		count(&w->d->metrics, w->a.verdict);
		vrm_strip_texts(w);
		if (!w->text)
			w->text = msg_answer_text(&w->a, w->rq.id);
	}
	metrics_took(&w->d->metrics, loop_ms() - w->begin_ms);
	log_refusal(w);
	remember(w);
	fault("answered");
	w->answer(w->ctx, w->text, w->status);
	return OVER;
}

/* Each table's last step says where to go on. */
static enum next (*const deciding[])(struct work *w) = {
	choose, decide, ask_directory, directory, begin, begun, vrm_route,
};

static enum next settled(struct work *w)
{
	w->turn = deciding;
	return NEXT;
}

static enum next (*const arriving[])(struct work *w) = {
	fresh, allowed, no_loop, claim, unseen, vrm_subject, known, settled,
};

enum next vrm_choose_again(struct work *w)
{
	msg_answer_drop(&w->a, w->any_steps);
	json_decref(w->why);
	w->why = NULL;
	w->turn = deciding;
	return NEXT;
}

static enum next (*const finishing[])(struct work *w) = { finish, finished };

static enum next (*const answering[])(struct work *w) = { answer };

static void end(struct work *w)
{
	struct daemon *d = w->d;

	if (w->prev)
		w->prev->next = w->next;
	else
		d->works = w->next;
	if (w->next)
		w->next->prev = w->prev;
	d->n_works--;
	admin_put(&d->admin, w->p);
	msg_answer_free(&w->a);
	msg_free(&w->rq);
	json_decref(w->why);
	jwt_free(&w->jwt);
	free(w->body.text);
	free(w->kept);
	free(w);
}

/* The next step's turn, or that of what the last one left to be done when it woke. */
static enum next step(struct work *w)
{
	enum next (*then)(struct work *w) = w->then;

	w->then = NULL;
	return then ? then(w) : (*w->turn++)(w);
}

void vrm_go_on(struct work *w)
{
	enum next next;

	do {
		next = step(w);
		if (next == DECIDED)
			w->turn = finishing;
		else if (next == ANSWERED)
			w->turn = answering;
	} while (next != WAIT && next != OVER);
	if (next == OVER)
		end(w);
}

bool vrm_has_its_share(const struct daemon *d, const struct sender *s)
{
	const struct work *w;
	uint32_t n = 0;

	if (d->n_works < d->conf.share || s->kind == SENDER_UPPER)
		return false;
	for (w = d->works; w; w = w->next)
		n += w->s.kind == s->kind && w->s.peer == s->peer &&
		     (s->peer || !strcmp(w->s.fingerprint, s->fingerprint));
	return n >= d->conf.share;
}

static char *malformed(const char *message)
{
	json_t *j = json_pack("{s:s}", "error", message);
	char *text = json_dumps(j, JSON_COMPACT);

	json_decref(j);
	return text;
}

/*
 * Whose request it is, for its retries. A user is its certificate: names may be shared, or
 * be none. A daemon is its cloud's layer, whatever certificate it has got since.
 */
static void name_sender(struct work *w)
{
	const struct sender *s = &w->s;

	if (s->kind == SENDER_USER)
		snprintf(w->sender, sizeof(w->sender), "user|%s", s->fingerprint);
	else
		snprintf(w->sender, sizeof(w->sender), "daemon|%s|%s",
			 s->peer ? s->peer->cloud : w->d->conf.cloud, pol_layer_name[s->layer]);
}

static void on_state(struct state_wait *w)
{
	vrm_go_on(container_of(w, struct work, wait));
}

void vrm_start(struct daemon *d, const struct sender *s, const char *body, size_t len,
	       void (*answer_to)(void *ctx, char *text, int status), void *ctx)
{
	struct work *w = calloc(1, sizeof(*w));
	struct pol_err e;

	if (!w)
		return answer_to(ctx, NULL, 500);
	if (msg_parse(body, len, &w->rq, &e)) {
		METRIC_INC(&d->metrics, malformed);
		free(w);
		return answer_to(ctx, malformed(e.msg), 400);
	}
	w->d = d;
	w->s = *s;
	name_sender(w);
	w->mapped = POL_NONE;
	w->mapped_by = w->origin = "";
	w->turn = arriving;
	w->begin_ms = loop_ms();
	w->wait.done = on_state;
	w->answer = answer_to;
	w->ctx = ctx;
	w->any = !w->rq.instance;
	if (w->any)
		w->rq.instance = "";
	w->p = admin_get(&d->admin);
	msg_answer_init(&w->a);
	w->next = d->works;
	if (w->next)
		w->next->prev = w;
	d->works = w;
	d->n_works++;
	fault("received");
	vrm_go_on(w);
}
