/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of this daemon to others: HTTP/1.1 with kept connections. */
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>

#include "base/err.h"
#include "net/loop.h"
#include "trust/tls.h"

#define HTTP_ANSWER_MAX	(1u << 20)

struct http_tls {
	struct tls_files *files;	/* who we are and whom we believe; held while it is used */
	const char *unit;		/* as of tls_client(); outlives the client */
};

struct http_answer {
	long status;
	size_t len;
	char *body;		/* NUL-terminated, to be freed */
};

/**
 * http_post() - send a JSON text and wait for the answer
 * @url: whole URL
 * @tls: who we are and whom we believe; NULL: plain HTTP
 * @timeout_ms: for everything, connecting included
 * @out: filled on success
 *
 * TLS 1.3 only; the server's certificate must be the authority's of @tls and name its host.
 * Not for the daemon's loop, which it would stop.
 *
 * Return: 0, -ETIMEDOUT, -ECONNREFUSED if nothing can have been received there,
 * or -EIO.
 */
int http_post(const char *url, const struct http_tls *tls, const char *json, long timeout_ms,
	      struct http_answer *out, struct pol_err *e);

/* What is sent from the loop. */
struct http;

/* A request under way; its owner keeps it, and the text, until @done is called. */
struct http_call {
	void (*done)(struct http_call *c);
	int ret;		/* as http_post() */
	struct http_answer answer;
	struct pol_err e;
};

/**
 * http_open() - begin to send from a loop
 * @l: outlives it
 * @per_host: connections to one server at most; what is more waits for one
 *
 * Return: the client, or NULL without memory.
 */
struct http *http_open(struct loop *l, long per_host);
void http_close(struct http *h);

/**
 * http_renew() - what a struct http_tls has is another from now on
 *
 * Connections that were made with the one of before are not used again; requests under way
 * go on.
 */
void http_renew(struct http *h);

/**
 * http_start() - send a JSON text
 * @c: @c->done set; called from the loop when the answer is there or none will be,
 *     never from here
 * @json: stays @c's owner's, until then
 *
 * Otherwise as http_post().
 *
 * Return: 0, or -errno with @c->e set: @c->done will not be called.
 */
int http_start(struct http *h, struct http_call *c, const char *url,
	       const struct http_tls *tls, const char *json, long timeout_ms);

#endif
