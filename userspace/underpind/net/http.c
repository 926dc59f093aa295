// SPDX-License-Identifier: GPL-2.0-only
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "net/http.h"

#define URL_MAX_LEN	320
#define CONNECTION_SECONDS 60L	/* until a server is asked anew who it is */
#define KEPT_HOSTS	4	/* so many servers' connections are kept, if each has its most */

/* A curl handle set up for one server; its connection is curl's to keep. */
struct handle {
	struct handle *next;		/* of those that idle */
	CURL *curl;
	char url[URL_MAX_LEN];
	struct http_tls tls;
	struct pool *pool;
	struct http_call *call;
};

/* Connections that were all made with the same files. */
struct pool {
	struct http *http;
	CURLM *multi;
	struct loop_timer timer;	/* curl's */
	struct handle *idle;
	uint32_t calls;			/* under way */
};

struct http {
	struct loop *loop;
	long per_host;
	struct pool *pool;
};

/* --- one request --- */

static size_t take(char *data, size_t size, size_t n, void *ctx)
{
	struct http_answer *a = ctx;
	char *p;

	n *= size;
	if (a->len + n > HTTP_ANSWER_MAX)
		return 0;
	p = realloc(a->body, a->len + n + 1);
	if (!p)
		return 0;
	a->body = p;
	memcpy(p + a->len, data, n);
	a->len += n;
	p[a->len] = 0;
	return n;
}

static CURLcode on_ssl_ctx(CURL *h, void *ctx, void *mine)
{
	const struct http_tls *tls = mine;

	(void)h;
	tls_client(ctx, tls->unit);
	return tls_refuse_revoked(ctx, tls->files) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

static void set_bytes(CURL *h, CURLoption what, const struct tls_bytes *b)
{
	struct curl_blob blob = { b->data, b->len, CURL_BLOB_COPY };

	curl_easy_setopt(h, what, &blob);
}

/* @tls stays where it is while @h lives. */
static void set_tls(CURL *h, const struct http_tls *tls)
{
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	set_bytes(h, CURLOPT_SSLCERT_BLOB, &tls->files->cert);
	set_bytes(h, CURLOPT_SSLKEY_BLOB, &tls->files->key);
	set_bytes(h, CURLOPT_CAINFO_BLOB, &tls->files->ca);
	curl_easy_setopt(h, CURLOPT_CAINFO, NULL);	/* the system's authorities */
	curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
	/* What was good when the connection was made is not for ever. */
	curl_easy_setopt(h, CURLOPT_MAXLIFETIME_CONN, CONNECTION_SECONDS);
	curl_easy_setopt(h, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(h, CURLOPT_SSL_CTX_DATA, (void *)tls);
}

/* The same for every request; made once, for good. */
static struct curl_slist *headers;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	headers = curl_slist_append(headers, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Expect:");
	headers = curl_slist_append(headers, "Accept:");
}

static CURL *new_curl(const char *url, const struct http_tls *tls)
{
	CURL *h;

	pthread_once(&once, init);
	h = curl_easy_init();
	if (!h)
		return NULL;
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L);
	if (tls)
		set_tls(h, tls);
	return h;
}

static void set_request(CURL *h, const char *json, long timeout_ms, struct http_answer *out)
{
	curl_easy_setopt(h, CURLOPT_POSTFIELDS, json);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, out);
}

static int error_of(CURLcode c, struct pol_err *e, const char *url)
{
	int code = EIO;

	if (c == CURLE_OPERATION_TIMEDOUT)
		code = ETIMEDOUT;
	if (c == CURLE_COULDNT_CONNECT || c == CURLE_SSL_CONNECT_ERROR ||
	    c == CURLE_PEER_FAILED_VERIFICATION || c == CURLE_COULDNT_RESOLVE_HOST)
		code = ECONNREFUSED;
	return pol_fail(e, code, "%s: %s", url, curl_easy_strerror(c));
}

static int end_request(CURL *h, CURLcode c, const char *url, struct http_answer *out,
		       struct pol_err *e)
{
	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &out->status);
	if (c == CURLE_OK && out->body)
		return 0;
	free(out->body);
	out->body = NULL;
	return c == CURLE_OK ? pol_fail(e, EIO, "%s: empty answer", url) : error_of(c, e, url);
}

/* --- outside the loop: a handle a thread --- */

int http_post(const char *url, const struct http_tls *tls, const char *json, long timeout_ms,
	      struct http_answer *out, struct pol_err *e)
{
	static _Thread_local CURL *h;
	static _Thread_local char last[URL_MAX_LEN];
	static _Thread_local struct http_tls as;

	memset(out, 0, sizeof(*out));
	if (h && strcmp(last, url)) {
		curl_easy_cleanup(h);
		h = NULL;
	}
	if (!h) {
		as = tls ? *tls : (struct http_tls){ NULL, NULL };
		h = new_curl(url, tls ? &as : NULL);
	}
	snprintf(last, sizeof(last), "%s", url);
	if (!h)
		return pol_fail(e, EIO, "out of memory");
	if (timeout_ms <= 0)
		return pol_fail(e, ETIMEDOUT, "%s: no time left", url);
	set_request(h, json, timeout_ms, out);
	return end_request(h, curl_easy_perform(h), url, out, e);
}

/* --- from the loop --- */

static void free_handle(struct handle *n)
{
	curl_easy_cleanup(n->curl);
	tls_put(n->tls.files);
	free(n);
}

static struct handle *new_handle(struct pool *p, const char *url, const struct http_tls *tls)
{
	struct handle *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	if (tls)
		n->tls = (struct http_tls){ tls_hold(tls->files), tls->unit };
	n->curl = new_curl(url, tls ? &n->tls : NULL);
	if (!n->curl || strlen(url) >= sizeof(n->url)) {
		free_handle(n);
		return NULL;
	}
	strcpy(n->url, url);
	n->pool = p;
	curl_easy_setopt(n->curl, CURLOPT_PRIVATE, n);
	return n;
}

/* One that idles and was set up for the same; setting one up is dear. */
static struct handle *get_handle(struct pool *p, const char *url, const struct http_tls *tls)
{
	struct tls_files *files = tls ? tls->files : NULL;
	const char *unit = tls ? tls->unit : NULL;
	struct handle **at, *n;

	for (at = &p->idle; (n = *at); at = &n->next)
		if (!strcmp(n->url, url) && n->tls.files == files && n->tls.unit == unit) {
			*at = n->next;
			return n;
		}
	return new_handle(p, url, tls);
}

static void put_handle(struct handle *n)
{
	n->next = n->pool->idle;
	n->pool->idle = n;
}

static void end_call(struct handle *n, CURLcode code)
{
	struct http_call *c = n->call;

	c->ret = end_request(n->curl, code, n->url, &c->answer, &c->e);
	curl_multi_remove_handle(n->pool->multi, n->curl);
	n->pool->calls--;
	put_handle(n);
	c->done(c);
}

static void free_pool(struct pool *p)
{
	struct handle *n;

	while ((n = p->idle)) {
		p->idle = n->next;
		free_handle(n);
	}
	curl_multi_cleanup(p->multi);
	loop_timer_end(p->http->loop, &p->timer);
	loop_forget_all(p->http->loop, p);	/* curl does not tell of every socket */
	free(p);
}

/* Of a pool that was replaced, the last answer is the end. */
static void check_done(struct pool *p)
{
	struct handle *n;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(p->multi, &left))) {
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &n);
		end_call(n, m->data.result);
	}
	if (p != p->http->pool && !p->calls)
		free_pool(p);
}

static void on_ready(void *ctx, int fd, uint32_t events)
{
	struct pool *p = ctx;
	int mask = 0, running;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		mask |= CURL_CSELECT_IN;
	if (events & (EPOLLOUT | EPOLLERR))
		mask |= CURL_CSELECT_OUT;
	curl_multi_socket_action(p->multi, fd, mask, &running);
	check_done(p);
}

/*
 * Of sockets that are closed curl tells much, but not all, and not all versions the
 * same: nothing here relies on it. And it never hears of failure: to that it answers
 * by refusing all work for good. A socket that cannot be watched lets its request end
 * at its deadline.
 */
static int on_socket(CURL *curl, curl_socket_t fd, int what, void *ctx, void *mine)
{
	struct pool *p = ctx;
	uint32_t events = 0;

	(void)curl;
	(void)mine;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EPOLLOUT;
	if (!events || loop_watch(p->http->loop, fd, events, on_ready, p))
		loop_forget(p->http->loop, fd, p);
	return 0;
}

static void on_timer(struct loop_timer *t)
{
	struct pool *p = container_of(t, struct pool, timer);
	int running;

	curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	check_done(p);
}

static int set_timer(CURLM *m, long ms, void *ctx)
{
	struct pool *p = ctx;

	(void)m;
	if (ms < 0)
		loop_timer_end(p->http->loop, &p->timer);
	else
		loop_timer(p->http->loop, &p->timer, ms);
	return 0;
}

static struct pool *new_pool(struct http *h)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p)
		p->multi = curl_multi_init();
	if (!p || !p->multi) {
		free(p);
		return NULL;
	}
	p->http = h;
	p->timer.due = on_timer;
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
	curl_multi_setopt(p->multi, CURLMOPT_MAX_HOST_CONNECTIONS, h->per_host);
	curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, h->per_host * KEPT_HOSTS);
	return p;
}

struct http *http_open(struct loop *l, long per_host)
{
	struct http *h = calloc(1, sizeof(*h));

	pthread_once(&once, init);
	if (!h)
		return NULL;
	h->loop = l;
	h->per_host = per_host;
	h->pool = new_pool(h);
	if (h->pool)
		return h;
	free(h);
	return NULL;
}

void http_renew(struct http *h)
{
	struct pool *old = h->pool, *new = new_pool(h);

	if (!new)	/* connections last a minute at most */
		return;
	h->pool = new;
	if (!old->calls)
		free_pool(old);
}

void http_close(struct http *h)
{
	free_pool(h->pool);
	free(h);
}

int http_start(struct http *h, struct http_call *c, const char *url,
	       const struct http_tls *tls, const char *json, long timeout_ms)
{
	struct handle *n;

	memset(&c->answer, 0, sizeof(c->answer));
	if (timeout_ms <= 0)
		return pol_fail(&c->e, ETIMEDOUT, "%s: no time left", url);
	n = get_handle(h->pool, url, tls);
	if (!n)
		return pol_fail(&c->e, ENOMEM, "out of memory");
	n->call = c;
	set_request(n->curl, json, timeout_ms, &c->answer);
	if (!curl_multi_add_handle(n->pool->multi, n->curl)) {
		n->pool->calls++;
		return 0;
	}
	put_handle(n);
	return pol_fail(&c->e, ENOMEM, "%s: cannot be asked", url);
}
