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
#include <time.h>
#include <unistd.h>

#include "http.h"
#include "vgds.h"

#define ETCD_URLS_MAX	7
#define ETCD_TIMEOUT_MS	1000	/* of one member */
#define ETCD_PATIENCE_MS 3000	/* of all: longer than an election takes */

struct backend {
	char *text;
	const char *url[ETCD_URLS_MAX];
	int n;
	int good;	/* the member that answered last; a stale read of it is harmless */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static json_t *call_one(const char *base, const char *path, const char *body, long timeout_ms,
			struct pol_err *e)
{
	struct http_answer a;
	char url[256];
	json_t *j;

	snprintf(url, sizeof(url), "%s%s", base, path);
	if (http_post(url, NULL, body, timeout_ms, &a, e))
		return NULL;
	j = a.status == 200 ? json_loadb(a.body, a.len, 0, NULL) : NULL;
	if (!j)
		pol_fail(e, EIO, "%s: status %ld: has the cluster lost its quorum?", url, a.status);
	free(a.body);
	return j;
}

/*
 * Asks the members one after another, the last good one first, until one
 * answers: a cluster that has lost its leader is silent while it elects another.
 */
static json_t *call(struct backend *b, const char *path, const char *body, struct pol_err *e)
{
	int start = __atomic_load_n(&b->good, __ATOMIC_RELAXED), i, k;
	int64_t end = now_ms() + ETCD_PATIENCE_MS, left;
	json_t *j;

	for (i = 0; (left = end - now_ms()) > 0; i++) {
		k = (start + i) % b->n;
		j = call_one(b->url[k], path, body, left < ETCD_TIMEOUT_MS ? left :
			     ETCD_TIMEOUT_MS, e);
		if (j) {
			__atomic_store_n(&b->good, k, __ATOMIC_RELAXED);
			return j;
		}
		if (k == (start + b->n - 1) % b->n)
			usleep(50000);
	}
	return NULL;
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

static int get(struct vgds *v, const char *id, struct vgds_entry *out, struct pol_err *e)
{
	char *body = range_body(v, id, NULL);
	json_t *j = body ? call(v->priv, "/v3/kv/range", body, e) : NULL, *kv, *n;
	int ret;

	free(body);
	if (!j)
		return -EIO;
	kv = json_array_get(json_object_get(j, "kvs"), 0);
	n = unbase64(json_string_value(json_object_get(kv, "value")));
	if (!kv)
		ret = -ENOENT;
	else if (!n || vgds_entry_set(out, member(n, "kind"), member(n, "target"),
				      member(n, "cloud"), member(n, "layer"), member(n, "sla")))
		ret = pol_fail(e, EIO, "directory: '%s' has a bad entry", id);
	else
		ret = 0;
	json_decref(n);
	json_decref(j);
	return ret;
}

static int put(struct vgds *v, const char *id, const struct vgds_entry *in, struct pol_err *e)
{
	json_t *n = json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", vgds_kind_name[in->kind], "target",
			      in->target, "cloud", in->cloud, "layer", in->kind == VGDS_REMOTE ?
			      pol_layer_name[in->layer] : "", "sla", in->sla);
	char *value = json_dumps(n, JSON_COMPACT), *body;
	json_t *j;

	body = value ? range_body(v, id, value) : NULL;
	j = body ? call(v->priv, "/v3/kv/put", body, e) : NULL;
	json_decref(n);
	free(value);
	free(body);
	if (!j)
		return -EIO;
	json_decref(j);
	return 0;
}

static void close_it(struct vgds *v)
{
	struct backend *b = v->priv;

	free(b->text);
	free(b);
}

static const struct vgds_ops ops = { get, put, close_it };

int vgds_etcd_open(struct vgds *v, const char *urls, struct pol_err *e)
{
	struct backend *b = calloc(1, sizeof(*b));
	char *rest, *url;

	if (!b)
		return pol_fail(e, ENOMEM, "out of memory");
	v->priv = b;
	v->ops = &ops;
	rest = b->text = strdup(urls);
	while (rest && (url = strsep(&rest, ",")) && b->n < ETCD_URLS_MAX)
		b->url[b->n++] = url;
	return b->n ? 0 : pol_fail(e, EINVAL, "directory: no etcd URL");
}
