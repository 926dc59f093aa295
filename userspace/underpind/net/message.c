// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "net/json_out.h"
#include "net/message.h"

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

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pdp_attr *)a)->name, ((const struct pdp_attr *)b)->name);
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
	/* In whatever order they are sent: it is the same request. */
	qsort(rq->attr, rq->n_attr, sizeof(rq->attr[0]), by_name);
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

static int take_flag(const json_t *v, bool *to)
{
	*to = json_is_true(v);
	return json_is_boolean(v) ? 0 : -EINVAL;
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
	if (!strcmp(name, "chained"))
		return take_flag(v, &rq->chained);
	if (!strcmp(name, "isolated"))
		return take_flag(v, &rq->isolated);
	if (!strcmp(name, "attributes"))
		return take_attributes(rq, v);
	if (!strcmp(name, "path"))
		return take_path(rq, v);
	return -EINVAL;
}

static void hash_text(EVP_MD_CTX *c, const char *s)
{
	uint32_t n = s ? strlen(s) + 1 : 0;

	EVP_DigestUpdate(c, &n, sizeof(n));
	EVP_DigestUpdate(c, s ? s : "", n);
}

/* Everything but the times, which a retry renews. Each text goes in with its length. */
static int digest(struct msg_request *rq)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint32_t i, counts[] = { rq->n_attr, rq->n_hop, rq->chained, rq->isolated };
	const char *s;
	int ok;

	ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) &&
	     EVP_DigestUpdate(c, counts, sizeof(counts));
	for (i = 0; ok && i < sizeof(texts) / sizeof(texts[0]); i++) {
		memcpy(&s, (char *)rq + texts[i].offset, sizeof(s));
		hash_text(c, s);
	}
	for (i = 0; ok && i < rq->n_attr; i++) {
		hash_text(c, rq->attr[i].name);
		hash_text(c, rq->attr[i].value);
	}
	for (i = 0; ok && i < rq->n_hop; i++) {
		hash_text(c, rq->hop[i].cloud);
		hash_text(c, rq->hop[i].layer);
	}
	ok = ok && EVP_DigestFinal_ex(c, rq->digest, NULL);
	EVP_MD_CTX_free(c);
	return ok ? 0 : -ENOMEM;
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
		     (!rq->instance && !rq->type) || !rq->issued_ms || !rq->deadline_ms))
		ret = pol_fail(e, EINVAL, "message: needs v, id (32 hexadecimal digits), issued, "
			       "deadline_ms, action, and resource or type");
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
	a->cloud = a->layer = a->module = a->code = "";
}

static void free_steps(struct msg_answer *a, uint32_t from)
{
	while (a->n_step > from)
		free(a->step[--a->n_step].own);
}

void msg_answer_free(struct msg_answer *a)
{
	free_steps(a, 0);
	json_decref(a->root);
	a->root = NULL;
}

void msg_answer_drop(struct msg_answer *a, uint32_t n_step)
{
	free_steps(a, n_step);
	json_decref(a->root);
	a->root = NULL;
	a->cloud = a->layer = a->module = a->code = "";
	a->verdict = MSG_PERMIT;
	a->has_ticket = false;
}

void msg_untrace(struct msg_answer *a)
{
	free_steps(a, a->n_step ? a->n_step - 1 : 0);
}

void msg_trace(struct msg_answer *a, const char *cloud, const char *layer, const char *module,
	       const char *verdict, const char *code, const char *text)
{
	char *own = text ? strdup(text) : NULL;

	a->cloud = cloud;
	a->layer = layer;
	a->module = module;
	a->code = code;
	/* The last word is kept, whatever it displaces. */
	if (a->n_step == MSG_TRACE_MAX)
		msg_untrace(a);
	a->step[a->n_step++] = (struct msg_step){ cloud, layer, module, verdict, code, own, NULL,
						  own };
}

void msg_strip_texts(struct msg_answer *a)
{
	uint32_t i;

	for (i = 0; i < a->n_step; i++)
		a->step[i].text = NULL;
}

static const char *const verdicts[] = { "permit", "deny", "fail" };

/* A text that is no UTF-8 is left out, not the step. */
static void put_step(struct json_out *o, const struct msg_step *s)
{
	const char *const words[] = { s->cloud, s->layer, s->module, s->verdict, s->code,
				      s->text ? s->text : "", s->by };
	size_t i, n = s->by ? 7 : 6;

	json_out_open(o, '[');
	for (i = 0; i < n; i++)
		json_out_text(o, json_out_takes(words[i]) ? words[i] : "");
	json_out_close(o, ']');
}

char *msg_answer_text(const struct msg_answer *a, const char *id)
{
	struct json_out o = { .text = NULL };
	char b64[TICKET_SIZE * 2];
	uint32_t i;

	json_out_open(&o, '{');
	json_out_name(&o, "v");
	json_out_number(&o, MSG_VERSION);
	json_out_member(&o, "id", id);
	json_out_member(&o, "verdict", verdicts[a->verdict]);
	json_out_member(&o, "cloud", a->cloud);
	json_out_member(&o, "layer", a->layer);
	json_out_member(&o, "module", a->module);
	json_out_member(&o, "code", a->code);
	json_out_name(&o, "trace");
	json_out_open(&o, '[');
	for (i = 0; i < a->n_step; i++)
		put_step(&o, &a->step[i]);
	json_out_close(&o, ']');
	if (a->has_ticket) {
		EVP_EncodeBlock((unsigned char *)b64, a->ticket, TICKET_SIZE);
		json_out_member(&o, "ticket", b64);
	}
	json_out_close(&o, '}');
	return json_out_end(&o);
}

static bool take_ticket(const json_t *v, uint8_t *out, bool *has)
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
	memcpy(out, raw, TICKET_SIZE);
	*has = true;
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

/* A name that a daemon says; of another cloud, one that is only a name. */
static const char *name_of(const json_t *j, const char *peer)
{
	const char *s = json_string_value(j);

	return s && name_ok(s) && strlen(s) < 64 && (!peer || plain(s)) ? s : NULL;
}

/*
 * Five names, a text, and who said it if not this cloud; nothing else. What
 * another cloud says, whatever cloud it names, is marked as that one's.
 */
static bool take_step(json_t *j, struct msg_step *s, const char *peer)
{
	const char **const to[] = { &s->cloud, &s->layer, &s->module, &s->verdict, &s->code };
	size_t n = json_array_size(j), k;

	memset(s, 0, sizeof(*s));
	for (k = 0; k < 5; k++) {
		*to[k] = name_of(json_array_get(j, k), peer);
		if (!*to[k])
			return false;
	}
	s->text = json_string_value(json_array_get(j, 5));
	s->by = json_string_value(json_array_get(j, 6));
	if (n < 6 || n > 7 || !s->text || (n == 7 && !s->by))
		return false;
	if (peer) {
		s->text = NULL;
		s->by = peer;
	}
	return true;
}

static bool take_trace(const json_t *v, struct msg_answer *a, const char *peer)
{
	struct msg_step step;
	json_t *j;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) > MSG_TRACE_MAX)
		return false;
	json_array_foreach(v, i, j) {
		if (!take_step(j, &step, peer))
			return false;
		if (a->n_step < MSG_TRACE_MAX)
			a->step[a->n_step++] = step;
	}
	return true;
}

static int verdict_of(const char *s)
{
	int i;

	for (i = 0; s && i < 3; i++)
		if (!strcmp(s, verdicts[i]))
			return i;
	return -1;
}

static bool take_answer(const json_t *j, const char *id, struct msg_answer *a, const char *peer)
{
	const char *cloud = name_of(json_object_get(j, "cloud"), peer);
	const char *layer = name_of(json_object_get(j, "layer"), peer);
	const char *module = name_of(json_object_get(j, "module"), peer);
	const char *code = name_of(json_object_get(j, "code"), peer);
	const char *got = json_string_value(json_object_get(j, "id"));
	int verdict = verdict_of(json_string_value(json_object_get(j, "verdict")));
	uint8_t ticket[TICKET_SIZE];
	bool has_ticket = false;

	if (json_integer_value(json_object_get(j, "v")) != MSG_VERSION || !got ||
	    (id && strcmp(got, id)) || verdict < 0 || !cloud || !layer || !module || !code ||
	    !take_ticket(json_object_get(j, "ticket"), ticket, &has_ticket) ||
	    !take_trace(json_object_get(j, "trace"), a, peer))
		return false;
	a->verdict = verdict;
	a->cloud = cloud;
	a->layer = layer;
	a->module = module;
	a->code = code;
	a->has_ticket = has_ticket;
	if (has_ticket)
		memcpy(a->ticket, ticket, sizeof(ticket));
	return true;
}

int msg_answer_parse(const char *buf, size_t len, const char *id, struct msg_answer *a,
		     const char *peer)
{
	json_t *j = len <= MSG_MAX ? json_loadb(buf, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	uint32_t before = a->n_step;

	if (!a->root && take_answer(j, id, a, peer)) {
		a->root = j;
		return 0;
	}
	free_steps(a, before);
	json_decref(j);
	return -EINVAL;
}
