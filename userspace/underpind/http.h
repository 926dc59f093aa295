/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of this daemon to others: HTTP with kept connections, a handle a thread. */
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>

#include "err.h"

#define HTTP_ANSWER_MAX	(1u << 20)

struct http_tls {
	const char *cert, *key, *ca;	/* PEM files */
	/* The server must be O=underpind, OU=this; or NULL. Outlives the connection. */
	const char *unit;
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
 * TLS 1.3 only; the server's certificate must be @tls->ca's and name its host.
 *
 * Return: 0, -ETIMEDOUT, -ECONNREFUSED if nothing can have been received there,
 * or -EIO.
 */
int http_post(const char *url, const struct http_tls *tls, const char *json, long timeout_ms,
	      struct http_answer *out, struct pol_err *e);

#endif
