// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory in etcd, by its v3 JSON gateway. Reads are linearizable (the
 * gateway's default): a member that has lost its cluster does not answer from
 * what it remembers, so a lost quorum refuses and never misleads.
 */
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/http.h"
#include "net/url.h"
#include "vgds/vgds.h"

#define ETCD_URLS_MAX	7
#define ETCD_TIMEOUT_MS	1000	/* of one member */
#define ETCD_PATIENCE_MS 3000	/* of all: longer than an election takes */
#define ETCD_PAUSE_MS	50	/* after all were asked in vain */

struct backend {
	char *text;
	const char *url[ETCD_URLS_MAX];
	int n;
	int good;	/* the member that answered last */
};

/*
 * The members are asked one after another, the last good one first, until one
 * answers: a cluster that has lost its leader is silent while it elects another.
 */
struct round {
	int start, asked;
	int64_t end;
};

static void round_begin(const struct backend *b, struct round *r)
{
	*r = (struct round){ b->good, 0, loop_ms() + ETCD_PATIENCE_MS };
}

static int round_member(const struct backend *b, const struct round *r)
{
	return (r->start + r->asked) % b->n;
}

/* How long the member may take; 0: no more are asked. */
static long round_ms(const struct round *r)
{
	int64_t left = r->end - loop_ms();

	return left <= 0 ? 0 : left < ETCD_TIMEOUT_MS ? left : ETCD_TIMEOUT_MS;
}

static bool round_over(const struct backend *b, struct round *r)
{
	return ++r->asked % b->n == 0;
}

/* A member that speaks TLS is shown this daemon's certificate; one that does not, nothing. */
static const struct http_tls *tls_for(const struct vgds *v, const char *url)
{
	return strncmp(url, "https:", 6) ? NULL : v->tls;
}

/* What etcd says of itself, and what that calls for. */
static void say_refused(const char *url, const struct http_answer *a, struct pol_err *e)
{
	json_t *j = json_loadb(a->body, a->len, 0, NULL);
	const char *text = json_string_value(json_object_get(j, "message"));

	text = text ? text : json_string_value(json_object_get(j, "error"));
	text = text ? text : "no message";
	if (a->status == 401 || a->status == 403 || strstr(text, "user name is empty") ||
	    strstr(text, "permission denied") || strstr(text, "authentication"))
		pol_say(e, "%s: it wants to know who asks (%.100s): let this daemon's certificate "
			"be a user's that may read and write the directory", url, text);
	else
		pol_say(e, "%s: status %ld: %.100s: has the cluster lost its quorum?", url,
			a->status, text);
	json_decref(j);
}

static json_t *parse_answer(const char *url, struct http_answer *a, struct pol_err *e)
{
	json_t *j = a->status == 200 ? json_loadb(a->body, a->len, 0, NULL) : NULL;

	if (!j)
		say_refused(url, a, e);
	free(a->body);
	a->body = NULL;
	return j;
}

static char *base64(const char *s)
{
	size_t n = strlen(s);
	char *out = malloc((n + 2) / 3 * 4 + 1);

	if (out)
		EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)s, n);
	return out;
}

static json_t *unbase64(const char *s)
{
	size_t n = s ? strlen(s) : 0;
	unsigned char *buf = malloc(n + 1);
	json_t *j = NULL;
	int len;

	if (buf && n && n % 4 == 0) {
		len = EVP_DecodeBlock(buf, (const unsigned char *)s, n);
		while (len > 0 && n && s[--n] == '=')
			len--;
		j = len > 0 ? json_loadb((char *)buf, len, 0, NULL) : NULL;
	}
	free(buf);
	return j;
}

static char *range_body(struct vgds *v, const char *id, const char *value)
{
	char key[512], *k, *w = NULL, *body = NULL;
	json_t *j;

	snprintf(key, sizeof(key), "%s%s", v->prefix, id);
	k = base64(key);
	w = value ? base64(value) : NULL;
	j = k ? json_pack("{s:s}", "key", k) : NULL;
	if (j && w)
		json_object_set_new(j, "value", json_string(w));
	if (j && (!value || w))
		body = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	free(k);
	free(w);
	return body;
}

static const char *member(json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s ? s : "";
}

/* --- questions, from the loop --- */

struct question {
	struct vgds *v;
	struct vgds_lookup *q;
	struct http_call call;
	struct loop_timer pause;
	struct round round;
	char *body;
};

static int take_entry(struct vgds_lookup *q, json_t *j)
{
	json_t *kv = json_array_get(json_object_get(j, "kvs"), 0), *n;
	int ret;

	if (!kv)
		return -ENOENT;
	n = unbase64(json_string_value(json_object_get(kv, "value")));
	ret = !n || vgds_entry_set(&q->entry, member(n, "kind"), member(n, "target"),
				   member(n, "cloud"), member(n, "layer"), member(n, "sla")) ?
		pol_fail(&q->e, EIO, "directory: '%s' has a bad entry", q->id) : 0;
	json_decref(n);
	return ret;
}

static void answer(struct question *n, int ret)
{
	struct vgds_lookup *q = n->q;

	free(n->body);
	free(n);
	q->ret = ret;
	q->done(q);
}

/* Asks the next member; false if none is left to ask in time. */
static bool ask(struct question *n)
{
	struct backend *b = n->v->priv;
	char url[256];

	snprintf(url, sizeof(url), "%s/v3/kv/range", b->url[round_member(b, &n->round)]);
	return !http_start(n->v->http, &n->call, url, tls_for(n->v, url), n->body,
			   round_ms(&n->round));
}

static void on_pause(struct loop_timer *t)
{
	struct question *n = container_of(t, struct question, pause);

	if (!ask(n))
		answer(n, -EIO);
}

static void on_answer(struct http_call *c)
{
	struct question *n = container_of(c, struct question, call);
	struct backend *b = n->v->priv;
	int asked = round_member(b, &n->round), ret;
	json_t *j = c->ret ? NULL : parse_answer(b->url[asked], &c->answer, &c->e);

	if (j) {
		b->good = asked;
		ret = take_entry(n->q, j);
		json_decref(j);
		answer(n, ret);
		return;
	}
	n->q->e = c->e;
	if (round_over(b, &n->round))
		loop_timer(n->v->loop, &n->pause, ETCD_PAUSE_MS);
	else if (!ask(n))
		answer(n, -EIO);
}

static int get(struct vgds *v, struct vgds_lookup *q)
{
	struct question *n = calloc(1, sizeof(*n));

	pol_say(&q->e, "directory: out of memory");
	if (!n)
		return -EIO;
	n->v = v;
	n->q = q;
	n->call.done = on_answer;
	n->pause.due = on_pause;
	n->body = range_body(v, q->id, NULL);
	round_begin(v->priv, &n->round);
	if (n->body && ask(n))
		return -EINPROGRESS;
	free(n->body);
	free(n);
	return -EIO;
}

/* --- imports, outside it --- */

static json_t *call(struct vgds *v, const char *path, const char *body, struct pol_err *e)
{
	struct backend *b = v->priv;
	struct http_answer a;
	struct round r;
	char url[256];
	json_t *j;
	long ms;

	for (round_begin(b, &r); (ms = round_ms(&r));) {
		snprintf(url, sizeof(url), "%s%s", b->url[round_member(b, &r)], path);
		j = http_post(url, tls_for(v, url), body, ms, &a, e) ? NULL :
								       parse_answer(url, &a, e);
		if (j)
			return j;
		if (round_over(b, &r))
			usleep(ETCD_PAUSE_MS * 1000);
	}
	return NULL;
}

static int put(struct vgds *v, const char *id, const struct vgds_entry *in, struct pol_err *e)
{
	json_t *n = json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", vgds_kind_name[in->kind], "target",
			      in->target, "cloud", in->cloud, "layer", in->kind == VGDS_REMOTE ?
			      pol_layer_name[in->layer] : "", "sla", in->sla);
	char *value = json_dumps(n, JSON_COMPACT), *body;
	json_t *j;

	body = value ? range_body(v, id, value) : NULL;
	j = body ? call(v, "/v3/kv/put", body, e) : NULL;
	json_decref(n);
	free(value);
	free(body);
	if (!j)
		return -EIO;
	json_decref(j);
	return 0;
}

/* Asks for what is not there: that there is an answer is the question. */
static int check(struct vgds *v, struct pol_err *e)
{
	char *body = range_body(v, "", NULL);
	json_t *j = body ? call(v, "/v3/kv/range", body, e) : NULL;

	free(body);
	json_decref(j);
	return j ? 0 : -EIO;
}

static void close_it(struct vgds *v)
{
	struct backend *b = v->priv;

	free(b->text);
	free(b);
}

static const struct vgds_ops ops = { get, put, check, NULL, NULL, close_it };

int vgds_etcd_open(struct vgds *v, const char *urls, struct pol_err *e)
{
	struct backend *b = calloc(1, sizeof(*b));
	char *rest, *url;

	if (!b)
		return pol_fail(e, ENOMEM, "out of memory");
	v->priv = b;
	v->ops = &ops;
	rest = b->text = strdup(urls);
	while (rest && (url = strsep(&rest, ","))) {
		if (b->n == ETCD_URLS_MAX)
			return pol_fail(e, EINVAL, "directory: at most %d etcd URLs",
					ETCD_URLS_MAX);
		if (!url_ok(url, "https://") && !url_ok(url, "http://"))
			return pol_fail(e, EINVAL, "directory: '%s' is no https://HOST:PORT", url);
		b->url[b->n++] = url;
	}
	return b->n ? 0 : pol_fail(e, EINVAL, "directory: no etcd URL");
}
