// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a request that was permitted goes: to the device, to the layer below, or
 * by way of the SLA module to another cloud.
 */
#include <errno.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/sla.h"
#include "fault.h"
#include "vrm/work.h"

#define MARGIN_MS	20	/* kept back of a deadline for the way home */

/* --- to the device --- */

/* The SLA may have been revoked, or taken out, while the request was on its way. */
static enum next still_agreed(struct work *w)
{
	struct pol_image *p;
	struct pol_reason r;
	bool ok;

	/* The layer above checked one that this layer's policy does not know. */
	if (!*w->mapped_by || pol_find(w->p, P_SLA, w->mapped_by) == POL_NONE)
		return NEXT;
	p = admin_get(&w->d->admin);
	ok = sla_standing(p, pol_find(p, P_SLA, w->mapped_by), w->origin, time(NULL), &r);
	admin_put(&w->d->admin, p);
	if (ok)
		return NEXT;
	return vrm_refuse(w, reason_module(r.code), reason_name(r.code), "the SLA ended while the "
			  "request was under way");
}

/*
 * Does an SLA on the way share only what is physically isolated (S2.6)? The layer or the
 * cloud that the request came from says so, or one that this layer knows itself.
 */
static bool must_be_isolated(const struct work *w)
{
	uint32_t sla = *w->mapped_by ? pol_find(w->p, P_SLA, w->mapped_by) : POL_NONE;

	return w->rq.isolated || (sla != POL_NONE && w->p->sla[sla].isolation &&
				  w->p->sla[sla].side == SIDE_PROVIDER);
}

/* What is given in the end must be isolated, whatever stands above it. */
static enum next isolated(struct work *w)
{
	if (!must_be_isolated(w) || w->p->inst[w->q.inst].isolated)
		return NEXT;
	return vrm_refuse(w, reason_module(R_SLA_ISOLATION), reason_name(R_SLA_ISOLATION),
			  "an SLA on the way shares only physically isolated resources, and this "
			  "is none: declare it isolation=\"physical\", or share another");
}

/* The layer checks it by itself (docs/ticket.md): a lifetime in ticks, and what it can see. */
static void for_the_layer(struct ticket *t, const struct device *dev, const struct conf *c)
{
	uint64_t ticks = (uint64_t)c->ticket_lifetime * c->tsc_khz * 1000;

	t->layer = 1;
	memcpy(t->challenge, dev->challenge, 32);
	memcpy(t->measurement, dev->measurement, 32);
	t->vcpus = dev->vcpus;
	t->frames = dev->frames;
	t->ticks = ticks < TICKET_TICKS_MAX ? ticks : TICKET_TICKS_MAX - 1;
}

static enum next make_ticket(struct work *w, const struct device *dev)
{
	struct ticket t = { .lifetime = w->d->conf.ticket_lifetime, .issued = time(NULL) };
	const char *role = pol_str(w->p, w->p->role[w->decision.role].name);

	/* The compiler sees to it, of this layer's names; of those above, nobody. */
	if (!ticket_name_ok(role) || (*w->mapped_by && !ticket_name_ok(w->mapped_by)))
		return vrm_refuse(w, "VRM", "name-too-long", "a ticket's role or SLA has 1 to 63 "
				  "printable ASCII characters without spaces");
	memcpy(t.vm, dev->vm, 16);
	memcpy(t.definition, dev->definition, 32);
	memcpy(t.host, dev->host_id, 32);
	memcpy(t.image, w->d->root_image, 32);
	memcpy(t.nonce, dev->nonce, 32);
	strcpy(t.role, role);
	strcpy(t.sla, w->mapped_by);
	if (dev->challenged)
		for_the_layer(&t, dev, &w->d->conf);
	if (RAND_bytes(t.id, sizeof(t.id)) != 1 ||
	    ticket_sign(&t, w->d->ticket_key, w->a.ticket))
		return vrm_fail(w, "VRM", "no-ticket", "the ticket cannot be signed");
	w->a.has_ticket = true;
	return NEXT;
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

static enum next alloc_failed(struct work *w, int ret, const struct pol_err *e)
{
	size_t i;

	free(w->text);
	w->text = NULL;
	w->a.has_ticket = false;
	msg_untrace(&w->a);
	if (w->any && (ret == -EBUSY || ret == -EXDEV))
		return vrm_choose_again(w);
	for (i = 0; i < sizeof(alloc_errors) / sizeof(alloc_errors[0]); i++)
		if (alloc_errors[i].error == ret)
			return vrm_refuse(w, "VRM", alloc_errors[i].code, alloc_errors[i].text);
	return vrm_fail(w, "VRM", "state-unavailable", e->msg);
}

static const char *tenant(const struct work *w)
{
	return *w->origin ? w->origin : w->d->conf.cloud;
}

/* On the disk, or not: the answer to an allocation or a release. */
static enum next committed(struct work *w)
{
	if (w->wait.ret)
		return alloc_failed(w, w->wait.ret, &w->wait.e);
	w->done = true;
	if (w->a.has_ticket)
		METRIC_INC(&w->d->metrics, ticket);
	fault("committed");
	return DECIDED;
}

static enum next commit(struct work *w, const struct device *dev, bool provision)
{
	struct allocation al = {
		.resource = w->rq.instance, .device = w->lookup.entry.target,
		.host = dev->host, .cloud = tenant(w),
		.request = vrm_request_key(w), .ticket = w->a.ticket,
		.isolated = w->p->inst[w->q.inst].isolated,
	};
	char *text = vrm_record(w, "granted");
	int ret = -ENOMEM;

	vrm_strip_texts(w);
	w->text = msg_answer_text(&w->a, w->rq.id);
	pol_say(&w->wait.e, "out of memory");
	if (text && w->text)
		ret = provision ?
			state_allocate(&w->d->state, &al, w->text, text, &w->wait) :
			state_release(&w->d->state, &al, w->text, text, &w->wait);
	else
		free(text);
	if (ret)
		return alloc_failed(w, ret, &w->wait.e);
	return vrm_wait(w, committed);
}

static enum next to_device(struct work *w)
{
	bool provision = !strcmp(w->rq.action, "provision");
	bool release = !strcmp(w->rq.action, "release");
	struct device dev = { .host = "" };
	struct pol_err e = { "out of memory" };
	int ret;

	if (!w->d->provider || w->d->conf.layer != L_INFRASTRUCTURE)
		return vrm_refuse(w, "VRM", "no-device", "only the infrastructure layer has "
				  "devices");
	if (still_agreed(w) || isolated(w))
		return DECIDED;
	ret = w->d->provider->ops->describe(w->d->provider, w->lookup.entry.target, &dev, &e);
	if (ret && ret != -EIO && w->any)
		return vrm_choose_again(w);
	if (ret)
		return ret == -EIO ? vrm_fail(w, "VRM", "device-unavailable", e.msg) :
				     vrm_refuse(w, "VRM", "no-definition", e.msg);
	if (dev.image_known && memcmp(dev.image, w->d->root_image, sizeof(dev.image)))
		return vrm_fail(w, "VRM", "other-image", "another root image runs on the host than "
				"the one required: launch that");
	if (provision && make_ticket(w, &dev))
		return DECIDED;
	if (vrm_left_ms(w) <= 0)
		return vrm_fail(w, "VRM", "deadline", "no time left before allocating");
	w->a.verdict = MSG_PERMIT;
	vrm_say(w, "VRM", "permit", provision ? "allocated" : release ? "released" : "performed",
		NULL);
	return provision || release ? commit(w, &dev, provision) : DECIDED;
}

/* --- to another daemon --- */

static void put_hop(struct json_out *o, const char *cloud, const char *layer)
{
	json_out_open(o, '{');
	json_out_member(o, "cloud", cloud);
	json_out_member(o, "layer", layer);
	json_out_close(o, '}');
}

static void put_path(struct json_out *o, const struct work *w)
{
	uint32_t i;

	json_out_name(o, "path");
	json_out_open(o, '[');
	for (i = 0; i < w->rq.n_hop; i++)
		put_hop(o, w->rq.hop[i].cloud, w->rq.hop[i].layer);
	put_hop(o, w->d->conf.cloud, vrm_layer(w));
	json_out_close(o, ']');
}

static void put_attributes(struct json_out *o, const struct msg_request *rq)
{
	uint32_t i;

	json_out_name(o, "attributes");
	json_out_open(o, '{');
	for (i = 0; i < rq->n_attr; i++)
		json_out_member(o, rq->attr[i].name, rq->attr[i].value);
	json_out_close(o, '}');
}

static void set(struct json_out *o, const char *name, const char *value)
{
	if (value && *value)
		json_out_member(o, name, value);
}

/* What every message says; the rest is for whoever asks to add. */
static struct json_out *message(struct work *w, bool chained)
{
	struct json_out *o = &w->body;

	json_out_open(o, '{');
	json_out_name(o, "v");
	json_out_number(o, MSG_VERSION);
	json_out_member(o, "id", w->rq.id);
	json_out_member(o, "action", w->rq.action);
	json_out_member(o, "resource", w->lookup.entry.target);
	put_path(o, w);
	if (chained)
		json_out_flag(o, "chained");
	if (must_be_isolated(w))
		json_out_flag(o, "isolated");
	if (w->rq.n_attr)
		put_attributes(o, &w->rq);
	return o;
}

/* Of which of this cloud's users a session is, another cloud learns only that they differ. */
static void set_foreign_session(const struct work *w, struct json_out *o)
{
	uint8_t hash[32];
	char text[1100], name[2 * sizeof(hash) + 1];

	if (!w->rq.session)
		return;
	snprintf(text, sizeof(text), "%s%c%s", vrm_whose(w), 0x1f, w->rq.session);
	SHA256((uint8_t *)text, strlen(text), hash);
	pol_hex(hash, sizeof(hash) / 2, name);
	set(o, "session", name);
}

static enum next answered(struct work *w);

static void on_answer(struct http_call *c)
{
	vrm_go_on(container_of(c, struct work, call));
}

/* What is known of the daemon that is asked. */
static struct asked *asked(const struct work *w)
{
	const struct conf *c = &w->d->conf;
	uint32_t at = w->to == &c->own ? CONF_PEERS_MAX : w->to - c->peer;

	return &w->d->asked[at][w->to_layer];
}

/* Sends; called again if the connection broke: the id makes that harmless. */
static int send(struct work *w)
{
	struct http_tls tls = { outgoing_to(&w->d->outgoing, &w->d->conf, w->to),
				pol_layer_name[w->to_layer] };
	int64_t left = vrm_left_ms(w) - MARGIN_MS;
	char url[300], *text;

	w->body.len = w->body_len;
	json_out_name(&w->body, "issued");
	json_out_number(&w->body, vrm_now_ms());
	json_out_name(&w->body, "deadline_ms");
	json_out_number(&w->body, left > 0 ? left : 1);
	json_out_close(&w->body, '}');
	text = json_out_end(&w->body);
	if (!text)
		return pol_fail(&w->call.e, ENOMEM, "out of memory");
	if (!tls.files)
		return pol_fail(&w->call.e, EINVAL, "%s: its authority was not read",
				w->to->cloud);
	snprintf(url, sizeof(url), "%s/v1/request", w->to->url[w->to_layer]);
	w->sent++;
	asked(w)->asked++;
	w->call.done = on_answer;
	return http_start(w->d->http, &w->call, url, &tls, text, vrm_left_ms(w));
}

/* Which cloud's answer is it? NULL: this one's. */
static const char *peer(const struct work *w)
{
	return w->to == &w->d->conf.own ? NULL : w->to->cloud;
}

static enum next not_answered(struct work *w, int ret)
{
	asked(w)->unanswered++;
	return vrm_fail(w, "VRM", ret == -ETIMEDOUT ? "deadline" : peer(w) ? "peer-unavailable" :
			"lower-unavailable", w->call.e.msg);
}

/* Has the daemon that was asked only learned what its clock and this one's differ by? */
static bool clock_is_unknown(const struct work *w)
{
	const char *cloud = peer(w) ? peer(w) : w->d->conf.cloud;

	return w->a.verdict == MSG_FAIL && !strcmp(w->a.code, CLOCK_UNKNOWN) &&
	       !strcmp(w->a.cloud, cloud) &&
	       !strcmp(w->a.layer, pol_layer_name[w->to_layer]);
}

static enum next answered(struct work *w)
{
	uint32_t steps = w->a.n_step;
	int ret = w->call.ret;

	if (ret == -EIO && w->sent < 2) {
		ret = send(w);
		if (!ret)
			return vrm_wait(w, answered);
	}
	fault("forwarded");
	if (ret)
		return not_answered(w, ret);
	asked(w)->answered_ms = loop_ms();
	ret = msg_answer_parse(w->call.answer.body, w->call.answer.len, w->rq.id, &w->a, peer(w));
	free(w->call.answer.body);
	if (ret)
		return vrm_fail(w, "VRM", "bad-answer", "the other daemon's answer is no message");
	if (!clock_is_unknown(w) || w->sent > 1)
		return DECIDED;
	msg_answer_drop(&w->a, steps);
	ret = send(w);
	return ret ? not_answered(w, ret) : vrm_wait(w, answered);
}

/* Those that wait for another cloud that hangs shall not keep the others waiting. */
static bool waits_for_many(const struct daemon *d, const struct conf_peer *to)
{
	const struct work *w;
	uint32_t n = 0;

	if (d->n_works < d->conf.share || to == &d->conf.own)
		return false;
	for (w = d->works; w; w = w->next)
		n += w->to == to;
	return n >= d->conf.share;
}

static enum next forward(struct work *w, const struct conf_peer *to, enum pol_layer layer)
{
	int ret;

	w->body_len = w->body.len;
	if (waits_for_many(w->d, to)) {
		METRIC_INC(&w->d->metrics, overload);
		return vrm_fail(w, "VRM", "peer-busy", "as many requests wait for the other cloud "
				"as may: ask again");
	}
	w->to = to;
	w->to_layer = layer;
	METRIC_INC(&w->d->metrics, forward);
	ret = send(w);
	return ret ? not_answered(w, ret) : vrm_wait(w, answered);
}

static enum next to_lower(struct work *w)
{
	const struct conf_peer *own = &w->d->conf.own;
	enum pol_layer layer = w->d->conf.layer + 1;
	struct json_out *o;

	if (layer >= L_NLAYERS || !*own->url[layer])
		return vrm_refuse(w, "VRM", "no-lower-layer", "there is no layer below to ask");
	vrm_say(w, "VRM", "permit", "to-lower", w->lookup.entry.target);
	o = message(w, w->rq.chained);
	set(o, "session", w->rq.session);
	set(o, "user", w->user);
	set(o, "role", w->rq.role);
	set(o, "assertion", w->rq.assertion);
	if (w->mapped != POL_NONE) {
		set(o, "mapped_role", pol_str(w->p, w->p->role[w->mapped].name));
		set(o, "mapped_by", w->mapped_by);
		set(o, "origin", w->origin);
	}
	return forward(w, own, layer);
}

/* The SLA module's enforcement point, on the consumer's side. */
static enum next to_remote(struct work *w)
{
	uint32_t sla = pol_find(w->p, P_SLA, w->lookup.entry.sla), role;
	const struct conf_peer *to = conf_peer(&w->d->conf, w->lookup.entry.cloud);
	bool mapped = w->mapped != POL_NONE;
	struct pol_reason r;
	struct json_out *o;

	if (!sla_consume(w->p, &w->q, sla, w->lookup.entry.cloud, w->decision.role, mapped, &role,
			 &r))
		return vrm_refuse_reason(w, &r);
	vrm_say(w, "sla-pep", "permit", "mapped", pol_str(w->p, role));
	if (!to || !*to->url[w->lookup.entry.layer])
		return vrm_refuse(w, "VRM", "no-peer", "the other cloud's layer is not configured "
				  "here");
	vrm_say(w, "VRM", "permit", "to-remote", NULL);
	o = message(w, w->rq.chained || mapped);
	set_foreign_session(w, o);
	set(o, "sla", w->lookup.entry.sla);
	set(o, "sla_role", pol_str(w->p, role));
	return forward(w, to, w->lookup.entry.layer);
}

enum next vrm_route(struct work *w)
{
	switch (w->lookup.entry.kind) {
	case VGDS_DEVICE:
		return to_device(w);
	case VGDS_LOWER:
		return to_lower(w);
	default:
		return to_remote(w);
	}
}

