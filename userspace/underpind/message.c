// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "message.h"

static bool is_id(const char *s)
{
	return s && strlen(s) == 32 && strspn(s, "0123456789abcdef") == 32;
}

static bool name_ok(const char *s)
{
	size_t n = strlen(s), i;

	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20)
			return false;
	return n && n <= 256;
}

/* The members of a request that are text, and where they go. */
static const struct {
	const char *name;
	size_t offset;
} texts[] = {
#define T(n, f) { n, offsetof(struct msg_request, f) }
	T("id", id), T("action", action), T("resource", instance), T("type", type),
	T("role", role), T("session", session), T("assertion", assertion), T("user", user),
	T("mapped_role", mapped_role), T("mapped_by", mapped_by), T("origin", origin),
	T("sla", sla), T("sla_role", sla_role),
#undef T
};

static int take_text(struct msg_request *rq, const char *name, const json_t *v)
{
	const char *s = json_string_value(v);
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(name, texts[i].name))
			continue;
		if (!s || (strcmp(name, "assertion") && !name_ok(s)))
			return -EINVAL;
		memcpy((char *)rq + texts[i].offset, &s, sizeof(s));
		return 0;
	}
	return -ENOENT;
}

static int take_attributes(struct msg_request *rq, json_t *v)
{
	const char *name;
	json_t *value;

	if (!json_is_object(v) || json_object_size(v) > POL_ATTRS_MAX)
		return -EINVAL;
	json_object_foreach(v, name, value) {
		if (strncmp(name, "request.", 8) || !json_is_string(value) ||
		    json_string_length(value) > POL_STR_MAX)
			return -EINVAL;
		rq->attr[rq->n_attr++] = (struct pdp_attr){ name, json_string_value(value),
							    C_REQUEST };
	}
	return 0;
}

static int take_path(struct msg_request *rq, json_t *v)
{
	json_t *hop;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) > MSG_HOPS_MAX)
		return -EINVAL;
	json_array_foreach(v, i, hop) {
		rq->hop[i].cloud = json_string_value(json_object_get(hop, "cloud"));
		rq->hop[i].layer = json_string_value(json_object_get(hop, "layer"));
		if (!rq->hop[i].cloud || !rq->hop[i].layer || json_object_size(hop) != 2)
			return -EINVAL;
	}
	rq->n_hop = json_array_size(v);
	return 0;
}

static int take_number(const json_t *v, int64_t *to)
{
	*to = json_integer_value(v);
	return json_is_integer(v) && *to >= 0 && *to < 1ll << 52 ? 0 : -EINVAL;
}

static int take(struct msg_request *rq, const char *name, json_t *v)
{
	int ret = take_text(rq, name, v);

	if (ret != -ENOENT)
		return ret;
	if (!strcmp(name, "v"))
		return json_integer_value(v) == MSG_VERSION ? 0 : -EPROTO;
	if (!strcmp(name, "issued"))
		return take_number(v, &rq->issued_ms);
	if (!strcmp(name, "deadline_ms"))
		return take_number(v, &rq->deadline_ms);
	if (!strcmp(name, "chained")) {
		rq->chained = json_is_true(v);
		return json_is_boolean(v) ? 0 : -EINVAL;
	}
	if (!strcmp(name, "attributes"))
		return take_attributes(rq, v);
	if (!strcmp(name, "path"))
		return take_path(rq, v);
	return -EINVAL;
}

/* Everything but the times, which a retry renews. */
static int digest(struct msg_request *rq)
{
	json_t *copy = json_copy(rq->root);
	char *text;

	json_object_del(copy, "issued");
	json_object_del(copy, "deadline_ms");
	text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(copy);
	if (!text)
		return -ENOMEM;
	SHA256((unsigned char *)text, strlen(text), rq->digest);
	free(text);
	return 0;
}

int msg_parse(const char *buf, size_t len, struct msg_request *rq, struct pol_err *e)
{
	json_error_t je;
	const char *name;
	json_t *v;
	int ret = 0;

	memset(rq, 0, sizeof(*rq));
	if (len > MSG_MAX)
		return pol_fail(e, EINVAL, "a message has at most %d bytes", MSG_MAX);
	rq->root = json_loadb(buf, len, JSON_REJECT_DUPLICATES, &je);
	if (!json_is_object(rq->root)) {
		msg_free(rq);
		return pol_fail(e, EINVAL, "message: %s", je.text);
	}
	json_object_foreach(rq->root, name, v) {
		ret = take(rq, name, v);
		if (ret) {
			pol_fail(e, EINVAL, "message: '%.60s' is %s", name, ret == -EPROTO ?
				 "of another version: this daemon speaks 1" :
				 "unknown or of a wrong form");
			break;
		}
	}
	if (!ret && (!json_object_get(rq->root, "v") || !is_id(rq->id) || !rq->action ||
		     !rq->instance || !rq->issued_ms || !rq->deadline_ms))
		ret = pol_fail(e, EINVAL, "message: needs v, id (32 hexadecimal digits), issued, "
			       "deadline_ms, action and resource");
	if (!ret)
		ret = digest(rq);
	if (ret)
		msg_free(rq);
	return ret ? -EINVAL : 0;
}

void msg_free(struct msg_request *rq)
{
	json_decref(rq->root);
	rq->root = NULL;
}

void msg_answer_init(struct msg_answer *a)
{
	memset(a, 0, sizeof(*a));
	a->trace = json_array();
}

void msg_answer_free(struct msg_answer *a)
{
	json_decref(a->trace);
	a->trace = NULL;
}

static void set_last(struct msg_answer *a, const char *cloud, const char *layer,
		     const char *module, const char *code)
{
	snprintf(a->cloud, sizeof(a->cloud), "%s", cloud);
	snprintf(a->layer, sizeof(a->layer), "%s", layer);
	snprintf(a->module, sizeof(a->module), "%s", module);
	snprintf(a->code, sizeof(a->code), "%s", code);
}

void msg_trace(struct msg_answer *a, const char *cloud, const char *layer, const char *module,
	       const char *verdict, const char *code, const char *text)
{
	json_t *t = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s*}", "cloud", cloud, "layer", layer,
			      "module", module, "verdict", verdict, "code", code, "text", text);

	if (json_array_size(a->trace) < MSG_TRACE_MAX)
		json_array_append_new(a->trace, t);
	else
		json_decref(t);
	set_last(a, cloud, layer, module, code);
}

static const char *const verdicts[] = { "permit", "deny", "fail" };

char *msg_answer_text(const struct msg_answer *a, const char *id)
{
	char b64[TICKET_SIZE * 2];
	json_t *j = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:O}", "v", MSG_VERSION, "id", id,
			      "verdict", verdicts[a->verdict], "cloud", a->cloud, "layer",
			      a->layer, "module", a->module, "code", a->code, "trace", a->trace);
	char *text;

	if (a->has_ticket) {
		EVP_EncodeBlock((unsigned char *)b64, a->ticket, TICKET_SIZE);
		json_object_set_new(j, "ticket", json_string(b64));
	}
	text = json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(j);
	return text;
}

static bool take_ticket(const json_t *v, struct msg_answer *a)
{
	uint8_t raw[TICKET_SIZE + 8];
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);
	struct ticket t;

	if (!v)
		return true;
	if (!s || n != (TICKET_SIZE + 2) / 3 * 4 ||
	    EVP_DecodeBlock(raw, (const unsigned char *)s, n) < TICKET_SIZE ||
	    ticket_parse(raw, TICKET_SIZE, &t) != TICKET_OK)
		return false;
	memcpy(a->ticket, raw, TICKET_SIZE);
	a->has_ticket = true;
	return true;
}

/*
 * Nothing that a terminal or a log could take for more than a name: no spaces,
 * no control characters (C1: U+0080 to U+009F), no general punctuation (U+2000 to
 * U+206F), which changes the direction of text. jansson takes valid UTF-8 only.
 */
static bool plain(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	for (; *s; s++)
		if (*s <= 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0) ||
		    (*s == 0xe2 && (s[1] == 0x80 || s[1] == 0x81)))
			return false;
	return true;
}

/*
 * Five members, a text, and who said it if not this cloud; nothing else. What
 * another cloud says, whatever cloud it names, is marked as that one's.
 */
static bool step_ok(json_t *t, const char *peer)
{
	static const char *const names[] = { "cloud", "layer", "module", "verdict", "code" };
	json_t *text = json_object_get(t, "text"), *by = json_object_get(t, "by");
	const char *s;
	size_t k;

	for (k = 0; k < 5; k++) {
		s = json_string_value(json_object_get(t, names[k]));
		if (!s || !name_ok(s) || (peer && !plain(s)))
			return false;
	}
	if (json_object_size(t) != 5u + !!text + !!by || (text && !json_is_string(text)) ||
	    (by && !json_is_string(by)))
		return false;
	if (!peer)
		return true;
	json_object_del(t, "text");
	return !json_object_set_new(t, "by", json_string(peer));
}

static bool take_trace(json_t *v, struct msg_answer *a, const char *peer)
{
	json_t *t;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) > MSG_TRACE_MAX)
		return false;
	json_array_foreach(v, i, t) {
		if (!step_ok(t, peer))
			return false;
		if (json_array_size(a->trace) < MSG_TRACE_MAX)
			json_array_append(a->trace, t);
	}
	return true;
}

static void take_member(json_t *j, const char *name, char *to, size_t size)
{
	const char *s = json_string_value(json_object_get(j, name));

	snprintf(to, size, "%s", s ? s : "");
}

int msg_answer_parse(const char *buf, size_t len, const char *id, struct msg_answer *a,
		     const char *peer)
{
	json_t *j = len <= MSG_MAX ? json_loadb(buf, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const char *got = json_string_value(json_object_get(j, "id"));
	const char *verdict = json_string_value(json_object_get(j, "verdict"));
	bool ok = got && verdict && (!id || !strcmp(got, id)) &&
		  json_integer_value(json_object_get(j, "v")) == MSG_VERSION;
	int i;

	for (i = 0; ok && i < 3; i++)
		if (!strcmp(verdict, verdicts[i]))
			break;
	ok = ok && i < 3 && take_trace(json_object_get(j, "trace"), a, peer) &&
	     take_ticket(json_object_get(j, "ticket"), a);
	if (ok) {
		a->verdict = i;
		take_member(j, "cloud", a->cloud, sizeof(a->cloud));
		take_member(j, "layer", a->layer, sizeof(a->layer));
		take_member(j, "module", a->module, sizeof(a->module));
		take_member(j, "code", a->code, sizeof(a->code));
	}
	json_decref(j);
	return ok ? 0 : -EINVAL;
}
