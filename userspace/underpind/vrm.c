// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual resource manager (A5): takes a request through credential and
 * semantic evaluation, the directory, and to the device, the layer below or
 * the SLA module. One function a step; each step refuses or lets pass.
 */
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <time.h>

#include "daemon.h"
#include "fault.h"
#include "http.h"
#include "sla.h"

#define MARGIN_MS	20	/* kept back of a deadline for the way home */

struct work {
	struct daemon *d;
	const struct sender *s;
	struct msg_request rq;
	struct msg_answer a;
	struct pol_image *p;
	int64_t end_ms;			/* monotonic */
	char sender[520];		/* its name in the state */
	bool begun;			/* the request is noted in the state */
	bool done;			/* its answer is there too */
	char *text;			/* that answer */
	/* subject */
	const char *user;		/* in the user sheet */
	bool authenticated;
	uint32_t mapped;
	char mapped_by[64], origin[64];
	struct jwt jwt;
	/* decision */
	struct pdp_attr attr[POL_ATTRS_MAX];
	struct pdp_request in;
	struct pdp_store store;
	struct pol_query q;
	struct pol_decision decision;
	struct vgds_entry entry;
};

static int64_t clock_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static int64_t left_ms(const struct work *w)
{
	return w->end_ms - clock_ms(CLOCK_MONOTONIC);
}

static const char *layer_name(const struct work *w)
{
	return pol_layer_name[w->d->conf.layer];
}

static void say(struct work *w, const char *module, const char *verdict, const char *code,
		const char *text)
{
	msg_trace(&w->a, w->d->conf.cloud, layer_name(w), module, verdict, code, text);
}

/* Refuses: always false, so that a step can return it. */
static bool refuse(struct work *w, const char *module, const char *code, const char *text)
{
	w->a.verdict = MSG_DENY;
	say(w, module, "deny", code, text);
	return false;
}

/* Cannot answer now: the same request may be sent again. */
static bool fail(struct work *w, const char *module, const char *code, const char *text)
{
	w->a.verdict = MSG_FAIL;
	say(w, module, "fail", code, text);
	return false;
}

static bool refuse_reason(struct work *w, const struct pol_reason *r)
{
	char text[1400];

	reason_text(w->p, &w->q, r, text, sizeof(text));
	return refuse(w, reason_module(r->code), reason_name(r->code), text);
}

static void hex(const uint8_t *in, size_t n, char *out)
{
	static const char digit[] = "0123456789abcdef";

	for (; n--; in++) {
		*out++ = digit[*in >> 4];
		*out++ = digit[*in & 15];
	}
	*out = 0;
}

/* What the audit log keeps of a decision, with everything that decided it. */
static char *record(struct work *w, const char *event)
{
	char digest[65];
	json_t *j, *last;
	char *text;

	hex(w->p->digest, 32, digest);
	last = json_array_get(w->a.trace, json_array_size(w->a.trace) - 1);
	j = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "time",
		      (json_int_t)clock_ms(CLOCK_REALTIME), "event", event, "id", w->rq.id, "cloud",
		      w->d->conf.cloud, "layer", layer_name(w), "sender", w->s->subject, "action",
		      w->rq.action, "resource", w->rq.instance, "policy", digest);
	if (w->user)
		json_object_set_new(j, "user", json_string(w->user));
	if (w->mapped != POL_NONE)
		json_object_set_new(j, "mapped_role", json_string(pol_str(w->p,
				    w->p->role[w->mapped].name)));
	if (*w->mapped_by)
		json_object_set_new(j, "sla", json_string(w->mapped_by));
	if (w->decision.permit)
		json_object_set_new(j, "role", json_string(pol_str(w->p,
				    w->p->role[w->decision.role].name)));
	if (last)
		json_object_set(j, "reason", last);
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	return text;
}

static struct request_key request_key(struct work *w)
{
	snprintf(w->sender, sizeof(w->sender), "%s|%s", w->s->issuer, w->s->subject);
	return (struct request_key){ w->rq.id, w->sender, w->rq.digest };
}

/* --- steps, in their order --- */

static bool fresh(struct work *w)
{
	int64_t age = clock_ms(CLOCK_REALTIME) - w->rq.issued_ms;
	int64_t skew = w->d->conf.skew_s * 1000ll, limit = w->d->conf.deadline_ms;

	w->end_ms = clock_ms(CLOCK_MONOTONIC) +
		    (w->rq.deadline_ms < limit ? w->rq.deadline_ms : limit);
	if (age <= skew && age >= -skew)
		return true;
	METRIC_INC(&w->d->metrics, replay);
	return refuse(w, "VRM", "stale", "the message was issued too long ago, or in the future: "
		      "set the clocks, and send anew");
}

/* Which senders may say what. */
static bool allowed(struct work *w)
{
	const struct msg_request *rq = &w->rq;
	const struct msg_hop *last = rq->n_hop ? &rq->hop[rq->n_hop - 1] : NULL;
	bool vouched = rq->user || rq->mapped_role, across = rq->sla || rq->sla_role;

	switch (w->s->kind) {
	case SENDER_USER:
		if (!vouched && !across && !rq->n_hop && !rq->chained)
			return true;
		break;
	case SENDER_UPPER:
		if (w->s->layer + 1 == w->d->conf.layer && !across && last &&
		    !strcmp(last->cloud, w->d->conf.cloud) &&
		    !strcmp(last->layer, pol_layer_name[w->s->layer]) &&
		    !(rq->user && rq->mapped_role) &&
		    !rq->mapped_role == !(rq->mapped_by && rq->origin))
			return true;
		break;
	case SENDER_REMOTE:
		if (rq->sla && rq->sla_role && !vouched && !rq->assertion && last &&
		    !strcmp(last->cloud, w->s->peer->cloud))
			return true;
		break;
	default:
		break;
	}
	return refuse(w, "VRM", "sender-not-allowed", "this certificate may not send such a "
		      "message here");
}

static bool no_loop(struct work *w)
{
	uint32_t i;

	if (w->rq.n_hop == MSG_HOPS_MAX)
		return refuse(w, "VRM", "path-too-long", "the request passed too many daemons");
	for (i = 0; i < w->rq.n_hop; i++) {
		if (strcmp(w->rq.hop[i].cloud, w->d->conf.cloud))
			continue;
		if (w->s->kind == SENDER_REMOTE)
			return refuse(w, reason_module(R_SLA_LOOP), reason_name(R_SLA_LOOP),
				      "the request has been in this cloud before");
		if (!strcmp(w->rq.hop[i].layer, layer_name(w)))
			return refuse(w, "VRM", "path-loop", "the request has been in this layer "
				      "before");
	}
	return true;
}

/* A retry gets the answer that there was; anything else with this id is a replay. */
static bool unseen(struct work *w, char **answer)
{
	struct request_key k = request_key(w);
	struct pol_err e;
	int seen;

	seen = state_lookup(&w->d->state, &k, answer, &e);
	if (seen < 0)
		return fail(w, "VRM", "state-unavailable", e.msg);
	if (seen == STATE_REPLAY) {
		METRIC_INC(&w->d->metrics, replay);
		return refuse(w, "VRM", "replay", "this id was used by another sender or for "
			      "another request");
	}
	w->begun = seen == STATE_PENDING;
	if (seen == STATE_DONE)
		METRIC_INC(&w->d->metrics, retry);
	return seen != STATE_DONE;
}

static uint32_t user_by(const struct work *w, uint32_t method, const char *issuer,
			const char *subject)
{
	uint32_t i = issuer ? pol_string(w->p, issuer, strlen(issuer)) : POL_NONE;
	uint32_t s = pol_string(w->p, subject, strlen(subject));
	const struct pol_slot *slot;

	if (s == POL_NONE || (issuer && i == POL_NONE))
		return POL_NONE;
	slot = pol_lookup(w->p, pol_key_cred(method, i, s));
	return slot ? slot->first : POL_NONE;
}

static void take_claims(struct work *w)
{
	uint32_t i;

	for (i = 0; i < w->jwt.n_claim && w->in.n_attr < POL_ATTRS_MAX; i++)
		w->attr[w->in.n_attr++] = (struct pdp_attr){ w->jwt.name[i], w->jwt.value[i],
							     C_CLAIM };
}

/* An assertion adds claims to the user it is about, or names the user. */
static bool assertion(struct work *w, uint32_t *user)
{
	const struct conf *c = &w->d->conf;
	struct pol_err e = { "no assertion issuer is configured here" };
	uint32_t subject;

	if (!w->rq.assertion)
		return true;
	if (!w->d->jwt_key || jwt_verify(w->rq.assertion, w->d->jwt_key, c->jwt_issuer,
					 c->jwt_audience, time(NULL), &w->jwt, &e))
		return refuse(w, "credential-evaluator", "bad-assertion", e.msg);
	subject = user_by(w, M_JWT, c->jwt_issuer, w->jwt.subject);
	if (*user != POL_NONE && subject != *user)
		return refuse(w, "credential-evaluator", "bad-assertion",
			      "assertion: about another user than the certificate");
	*user = subject;
	w->authenticated = true;
	take_claims(w);
	return true;
}

static bool subject_user(struct work *w)
{
	uint32_t user = POL_NONE;

	if (w->s->kind == SENDER_USER) {
		user = user_by(w, M_X509, w->s->issuer, w->s->subject);
		if (user == POL_NONE)
			user = user_by(w, M_FINGERPRINT, NULL, w->s->fingerprint);
	} else if (w->rq.user) {
		user = pol_find(w->p, P_USER, w->rq.user);
	}
	w->authenticated = user != POL_NONE;
	if (!assertion(w, &user))
		return false;
	w->user = user == POL_NONE ? NULL : pol_str(w->p, w->p->user[user].name);
	return true;
}

/* The layer above vouches for a role that its SLA module mapped. */
static bool subject_mapped(struct work *w)
{
	w->mapped = pol_find(w->p, P_ROLE, w->rq.mapped_role);
	if (w->mapped == POL_NONE)
		return refuse(w, "credential-evaluator", "no-role", "the mapped role is not known "
			      "in this layer's policy");
	snprintf(w->mapped_by, sizeof(w->mapped_by), "%s", w->rq.mapped_by);
	snprintf(w->origin, sizeof(w->origin), "%s", w->rq.origin);
	w->authenticated = true;
	return true;
}

/* Resolves the request by index, for the SLA module, without deciding. */
static bool extract(struct work *w)
{
	struct pol_reason r;

	return pdp_extract(w->p, &w->in, &w->store, &w->q, &r) ? true : refuse_reason(w, &r);
}

/* The SLA module's enforcement point, on the provider's side. */
static bool subject_remote(struct work *w)
{
	const char *peer = w->s->peer->cloud;
	bool chained = w->rq.chained;
	struct pol_reason r;
	uint32_t i;

	for (i = 0; i < w->rq.n_hop; i++)
		chained |= strcmp(w->rq.hop[i].cloud, peer) != 0;
	w->authenticated = w->in.authenticated = true;
	if (!extract(w))
		return false;
	if (!sla_provide(w->p, &w->q, pol_find(w->p, P_SLA, w->rq.sla), peer, w->rq.sla_role,
			 chained, &w->mapped, &r))
		return refuse_reason(w, &r);
	snprintf(w->mapped_by, sizeof(w->mapped_by), "%s", w->rq.sla);
	snprintf(w->origin, sizeof(w->origin), "%s", peer);
	say(w, "sla-pep", "permit", "mapped", pol_str(w->p, w->p->role[w->mapped].name));
	return true;
}

static void add_attr(struct work *w, const char *name, const char *value, enum pol_category from)
{
	if (w->in.n_attr < POL_ATTRS_MAX)
		w->attr[w->in.n_attr++] = (struct pdp_attr){ name, value, from };
}

static bool subject(struct work *w)
{
	uint32_t i;
	bool ok;

	w->mapped = POL_NONE;
	w->in = (struct pdp_request){ .mapped = POL_NONE, .role = w->rq.role,
				      .action = w->rq.action, .type = w->rq.type,
				      .instance = w->rq.instance, .now = time(NULL),
				      .attr = w->attr };
	for (i = 0; i < w->rq.n_attr; i++)
		add_attr(w, w->rq.attr[i].name, w->rq.attr[i].value, C_REQUEST);
	add_attr(w, "env.layer", layer_name(w), C_ENV);
	if (w->s->kind == SENDER_REMOTE || w->rq.origin)
		add_attr(w, "env.peer", w->rq.origin ? w->rq.origin : w->s->peer->cloud, C_ENV);
	if (w->s->kind == SENDER_REMOTE)
		ok = subject_remote(w);
	else
		ok = w->rq.mapped_role ? subject_mapped(w) : subject_user(w);
	w->in.user = w->user;
	w->in.authenticated = w->authenticated;
	w->in.mapped = w->mapped;
	return ok;
}

static const char *session_key(struct work *w, char *buf, size_t size)
{
	if (!w->rq.session)
		return NULL;
	snprintf(buf, size, "%s%s|%s", w->user ? "u:" : "r:", w->user ? w->user : w->origin,
		 w->rq.session);
	return strlen(buf) < ADMIN_KEY_MAX ? buf : "";
}

static bool decide(struct work *w)
{
	char key[900], text[1400];

	admin_decide(&w->d->admin, w->p, session_key(w, key, sizeof(key)), &w->in, &w->store, &w->q,
		     &w->decision);
	if (!w->decision.permit)
		return refuse_reason(w, &w->decision.reason[0]);
	reason_text(w->p, &w->q, &w->decision.reason[0], text, sizeof(text));
	say(w, "PEP", "permit", "permit", text);
	fault("decided");
	return true;
}

static bool directory(struct work *w)
{
	struct pol_err e;
	int ret = vgds_get(&w->d->vgds, w->rq.instance, &w->entry, &e);

	if (!ret)
		return true;
	if (ret == -ENOENT)
		return refuse(w, "VRM", "not-in-directory", "the directory has no such resource");
	return fail(w, "VRM", "directory-unavailable", e.msg);
}

/*
 * Nothing is forwarded before this decision is in the audit log. What this
 * daemon allocates itself is committed together with its record.
 */
static bool begin(struct work *w)
{
	struct request_key k = request_key(w);
	struct pol_err e = { "out of memory" };
	char *text;
	int ret;

	if (w->begun || w->entry.kind == VGDS_DEVICE)
		return true;
	text = record(w, "permit-here");
	ret = text ? state_begin(&w->d->state, &k, text, &e) : -ENOMEM;
	free(text);
	if (ret)
		return fail(w, "VRM", "state-unavailable", e.msg);
	w->begun = true;
	fault("begun");
	return true;
}

/* Another cloud learns which module refused, not why (S2.5). */
static void strip_texts(struct work *w)
{
	json_t *t;
	size_t i;

	if (w->s->kind != SENDER_REMOTE)
		return;
	json_array_foreach(w->a.trace, i, t)
		json_object_del(t, "text");
}

/*
 * Notes the final answer; a grant that cannot be noted is none. An answer is
 * kept only for a request that is ours: a replay must not replace it.
 */
static void finish(struct work *w)
{
	const char *event = w->a.verdict == MSG_PERMIT ? "granted" : w->a.verdict == MSG_DENY ?
			    "denied" : "failed";
	struct pol_err e = { "out of memory" };
	char *text = record(w, event), *answer = NULL;
	int ret = -ENOMEM;

	if (text) {
		strip_texts(w);
		answer = msg_answer_text(&w->a, w->rq.id);
		if (answer)
			ret = state_finish(&w->d->state, w->rq.id, w->begun && w->a.verdict !=
					   MSG_FAIL ? answer : NULL, text, &e);
	}
	free(text);
	if (ret)
		free(answer);
	else
		w->text = answer;
	if (ret && w->a.verdict == MSG_PERMIT) {
		w->a.has_ticket = false;
		fail(w, "VRM", "state-unavailable", e.msg);
	}
	w->done = true;
	fault("finished");
}

/* --- to the device --- */

/* The SLA may have been revoked while the request was on its way. */
static bool still_agreed(struct work *w)
{
	struct pol_image *p;
	struct pol_reason r;
	uint32_t sla;
	bool ok = true;

	if (!*w->mapped_by)
		return true;
	p = admin_get(&w->d->admin);
	sla = pol_find(p, P_SLA, w->mapped_by);
	if (sla != POL_NONE)
		ok = sla_standing(p, sla, w->origin, time(NULL), &r);
	admin_put(&w->d->admin, p);
	if (ok)
		return true;
	return refuse(w, reason_module(r.code), reason_name(r.code), "the SLA ended while the "
		      "request was under way");
}

static bool make_ticket(struct work *w, const struct device *dev)
{
	struct ticket t = { .lifetime = w->d->conf.ticket_lifetime, .issued = time(NULL) };
	const char *role = pol_str(w->p, w->p->role[w->decision.role].name);

	if (strlen(role) > TICKET_NAME_MAX || strlen(w->mapped_by) > TICKET_NAME_MAX)
		return refuse(w, "VRM", "name-too-long", "a ticket's role or SLA has at most 63 "
			      "bytes");
	memcpy(t.vm, dev->vm, 16);
	memcpy(t.definition, dev->definition, 32);
	memcpy(t.host, dev->host_id, 32);
	memcpy(t.image, w->d->root_image, 32);
	memcpy(t.nonce, dev->nonce, 32);
	strcpy(t.role, role);
	strcpy(t.sla, w->mapped_by);
	if (RAND_bytes(t.id, sizeof(t.id)) != 1 ||
	    ticket_sign(&t, w->d->ticket_key, w->a.ticket))
		return fail(w, "VRM", "no-ticket", "the ticket cannot be signed");
	w->a.has_ticket = true;
	return true;
}

static const struct {
	int error;
	const char *code, *text;
} alloc_errors[] = {
	{ -EBUSY, "already-allocated", "the resource is allocated: release it first" },
	{ -EXDEV, "isolation-conflict", "another cloud's allocation on this host must be alone "
	  "there, or this one" },
	{ -ENOENT, "not-allocated", "the resource is not allocated to this cloud" },
};

static bool alloc_failed(struct work *w, int ret, const struct pol_err *e)
{
	size_t i;

	w->a.has_ticket = false;
	json_array_remove(w->a.trace, json_array_size(w->a.trace) - 1);
	for (i = 0; i < sizeof(alloc_errors) / sizeof(alloc_errors[0]); i++)
		if (alloc_errors[i].error == ret)
			return refuse(w, "VRM", alloc_errors[i].code, alloc_errors[i].text);
	return fail(w, "VRM", "state-unavailable", e->msg);
}

static const char *tenant(const struct work *w)
{
	return *w->origin ? w->origin : w->d->conf.cloud;
}

static int commit(struct work *w, const struct device *dev, bool provision, struct pol_err *e)
{
	struct allocation al = {
		.resource = w->rq.instance, .host = dev->host, .cloud = tenant(w),
		.request = request_key(w), .ticket = w->a.ticket,
		.isolated = w->p->inst[w->q.inst].isolated,
	};
	char *text = record(w, "granted"), *answer;
	int ret = -ENOMEM;

	strip_texts(w);
	answer = msg_answer_text(&w->a, w->rq.id);
	if (text && answer)
		ret = provision ? state_allocate(&w->d->state, &al, answer, text, e) :
			state_release(&w->d->state, &al, answer, text, e);
	free(text);
	if (ret)
		free(answer);
	else
		w->text = answer;
	return ret;
}

static bool to_device(struct work *w)
{
	bool provision = !strcmp(w->rq.action, "provision");
	bool release = !strcmp(w->rq.action, "release");
	struct device dev = { .host = "" };
	struct pol_err e = { "out of memory" };
	int ret;

	if (!w->d->provider || w->d->conf.layer != L_INFRASTRUCTURE)
		return refuse(w, "VRM", "no-device", "only the infrastructure layer has devices");
	if (!still_agreed(w))
		return false;
	ret = w->d->provider->ops->describe(w->d->provider, w->entry.target, &dev, &e);
	if (ret)
		return ret == -EIO ? fail(w, "VRM", "device-unavailable", e.msg) :
				     refuse(w, "VRM", "no-definition", e.msg);
	if (dev.image_known && memcmp(dev.image, w->d->root_image, sizeof(dev.image)))
		return fail(w, "VRM", "other-image", "another root image runs on the host than the "
			    "one required: launch that");
	if (provision && !make_ticket(w, &dev))
		return false;
	if (left_ms(w) <= 0)
		return fail(w, "VRM", "deadline", "no time left before allocating");
	w->a.verdict = MSG_PERMIT;
	say(w, "VRM", "permit", provision ? "allocated" : release ? "released" : "performed",
	    NULL);
	if (!provision && !release)
		return true;
	ret = commit(w, &dev, provision, &e);
	if (ret)
		return alloc_failed(w, ret, &e);
	w->done = true;
	if (provision)
		METRIC_INC(&w->d->metrics, ticket);
	fault("committed");
	return true;
}

/* --- to another daemon --- */

static json_t *path(const struct work *w)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < w->rq.n_hop; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "cloud", w->rq.hop[i].cloud,
						      "layer", w->rq.hop[i].layer));
	json_array_append_new(list, json_pack("{s:s,s:s}", "cloud", w->d->conf.cloud, "layer",
					      layer_name(w)));
	return list;
}

static void set(json_t *j, const char *name, const char *value)
{
	if (value && *value)
		json_object_set_new(j, name, json_string(value));
}

static json_t *message(const struct work *w)
{
	json_t *j = json_pack("{s:i,s:s,s:I,s:I,s:s,s:s,s:o}", "v", MSG_VERSION, "id", w->rq.id,
			      "issued", (json_int_t)clock_ms(CLOCK_REALTIME), "deadline_ms",
			      (json_int_t)(left_ms(w) > MARGIN_MS ? left_ms(w) - MARGIN_MS : 1),
			      "action", w->rq.action, "resource", w->entry.target, "path", path(w));
	json_t *attrs = json_object_get(w->rq.root, "attributes");

	if (attrs)
		json_object_set(j, "attributes", attrs);
	set(j, "session", w->rq.session);
	return j;
}

/* Sends, once more if the connection broke: the id makes that harmless. */
static bool forward(struct work *w, json_t *j, const struct conf_peer *to, enum pol_layer layer,
		    const char *peer)
{
	const struct conf *c = &w->d->conf;
	struct http_tls tls = { c->cert, c->key, to->ca, pol_layer_name[layer] };
	char *text = json_dumps(j, JSON_COMPACT), url[300];
	struct http_answer ans = { 0 };
	struct pol_err e = { "out of memory" };
	int ret = -EIO, tries;

	json_decref(j);
	snprintf(url, sizeof(url), "%s/v1/request", to->url[layer]);
	METRIC_INC(&w->d->metrics, forward);
	for (tries = 0; text && ret == -EIO && tries < 2; tries++)
		ret = http_post(url, &tls, text, left_ms(w), &ans, &e);
	free(text);
	fault("forwarded");
	if (ret)
		return fail(w, "VRM", ret == -ETIMEDOUT ? "deadline" : peer ? "peer-unavailable" :
			    "lower-unavailable", e.msg);
	ret = msg_answer_parse(ans.body, ans.len, w->rq.id, &w->a, peer);
	free(ans.body);
	if (ret)
		return fail(w, "VRM", "bad-answer", "the other daemon's answer is no message");
	return true;
}

static bool to_lower(struct work *w)
{
	const struct conf_peer *own = &w->d->conf.own;
	enum pol_layer layer = w->d->conf.layer + 1;
	json_t *j;

	if (layer >= L_NLAYERS || !*own->url[layer])
		return refuse(w, "VRM", "no-lower-layer", "there is no layer below to ask");
	say(w, "VRM", "permit", "to-lower", w->entry.target);
	j = message(w);
	set(j, "user", w->user);
	set(j, "role", w->rq.role);
	set(j, "assertion", w->rq.assertion);
	if (w->mapped != POL_NONE) {
		set(j, "mapped_role", pol_str(w->p, w->p->role[w->mapped].name));
		set(j, "mapped_by", w->mapped_by);
		set(j, "origin", w->origin);
	}
	if (w->rq.chained)
		json_object_set_new(j, "chained", json_true());
	return forward(w, j, own, layer, NULL);
}

/* The SLA module's enforcement point, on the consumer's side. */
static bool to_remote(struct work *w)
{
	uint32_t sla = pol_find(w->p, P_SLA, w->entry.sla), role;
	const struct conf_peer *peer = conf_peer(&w->d->conf, w->entry.cloud);
	bool mapped = w->mapped != POL_NONE;
	struct pol_reason r;
	json_t *j;

	if (!sla_consume(w->p, &w->q, sla, w->entry.cloud, w->decision.role, mapped, &role, &r))
		return refuse_reason(w, &r);
	say(w, "sla-pep", "permit", "mapped", pol_str(w->p, role));
	if (!peer || !*peer->url[w->entry.layer])
		return refuse(w, "VRM", "no-peer", "the other cloud's layer is not configured "
			      "here");
	say(w, "VRM", "permit", "to-remote", NULL);
	j = message(w);
	set(j, "sla", w->entry.sla);
	set(j, "sla_role", pol_str(w->p, role));
	if (mapped || w->rq.chained)
		json_object_set_new(j, "chained", json_true());
	return forward(w, j, peer, w->entry.layer, peer->cloud);
}

static bool route(struct work *w)
{
	switch (w->entry.kind) {
	case VGDS_DEVICE:
		return to_device(w);
	case VGDS_LOWER:
		return to_lower(w);
	default:
		return to_remote(w);
	}
}

static bool claim(struct daemon *d, const char *id)
{
	int i, free_one = -1;

	pthread_mutex_lock(&d->busy_lock);
	for (i = 0; i < DAEMON_WORKERS_MAX; i++) {
		if (!d->busy[i][0])
			free_one = i;
		else if (!strcmp(d->busy[i], id))
			break;
	}
	if (i < DAEMON_WORKERS_MAX)
		free_one = -1;
	if (free_one >= 0)
		strcpy(d->busy[free_one], id);
	pthread_mutex_unlock(&d->busy_lock);
	return free_one >= 0;
}

static void unclaim(struct daemon *d, const char *id)
{
	int i;

	pthread_mutex_lock(&d->busy_lock);
	for (i = 0; i < DAEMON_WORKERS_MAX; i++)
		if (!strcmp(d->busy[i], id))
			d->busy[i][0] = 0;
	pthread_mutex_unlock(&d->busy_lock);
}

/* Steps that must not run twice at once for one request. */
static char *process_once(struct work *w)
{
	char *answer = NULL;

	if (unseen(w, &answer) && subject(w) && decide(w) && directory(w) && begin(w))
		route(w);
	if (!answer && !w->done)
		finish(w);
	return answer;
}

static char *process(struct work *w)
{
	char *answer;

	fault("received");
	if (!fresh(w) || !allowed(w) || !no_loop(w)) {
		finish(w);
		return NULL;
	}
	if (!claim(w->d, w->rq.id)) {
		fail(w, "VRM", "in-progress", "this request is being worked on: ask again");
		return NULL;
	}
	answer = process_once(w);
	unclaim(w->d, w->rq.id);
	return answer;
}

static char *malformed(const char *message)
{
	json_t *j = json_pack("{s:s}", "error", message);
	char *text = json_dumps(j, JSON_COMPACT);

	json_decref(j);
	return text;
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

/* Large, and a worker has one at a time. */
static _Thread_local struct work work;

char *vrm_handle(struct daemon *d, const struct sender *s, const char *body, size_t len,
		 int *status)
{
	static const int statuses[] = { 200, 403, 503 };
	struct work *w = &work;
	int64_t begin_ms = clock_ms(CLOCK_MONOTONIC);
	char *text = NULL;
	struct pol_err e;

	*status = 500;
	memset(w, 0, sizeof(*w));
	w->d = d;
	w->s = s;
	w->mapped = POL_NONE;
	if (msg_parse(body, len, &w->rq, &e)) {
		METRIC_INC(&d->metrics, malformed);
		*status = 400;
		return malformed(e.msg);
	}
	msg_answer_init(&w->a);
	w->p = admin_get(&d->admin);
	text = process(w);
	*status = text ? 200 : statuses[w->a.verdict];
	if (!text) {
		count(&d->metrics, w->a.verdict);
		strip_texts(w);
		text = w->text ? w->text : msg_answer_text(&w->a, w->rq.id);
	}
	admin_put(&d->admin, w->p);
	msg_answer_free(&w->a);
	msg_free(&w->rq);
	__atomic_fetch_add(&d->metrics.answer_us_sum, (clock_ms(CLOCK_MONOTONIC) - begin_ms) * 1000,
			   __ATOMIC_RELAXED);
	METRIC_INC(&d->metrics, answer_count);
	fault("answered");
	return text;
}
