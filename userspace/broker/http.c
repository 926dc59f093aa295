// SPDX-License-Identifier: GPL-2.0
/*
 * GET /nonce			64 hexadecimal digits
 * POST /secret/NAME		evidence; the answer is the secret, sealed to the report's key
 *
 * Whoever asks is unknown before his evidence is verified: what he costs is bounded.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/evidence.h"
#include "userspace/broker/answer.h"
#include "userspace/broker/http.h"
#include "userspace/broker/nonce.h"
#include "userspace/cli/cli.h"

#define CONNECTIONS	64
#define OF_ONE_ADDRESS	16
#define SECONDS		15		/* without a byte */
#define HEADERS		(32 << 10)
#define TLS_1_3		"NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define SECRET_URL	"/secret/"

struct request {
	uint8_t *body;
	size_t len;
	bool too_long;
};

static enum MHD_Result reply(struct MHD_Connection *c, unsigned int status, const char *type,
			     const void *bytes, size_t len)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)bytes,
								 MHD_RESPMEM_MUST_COPY);
	enum MHD_Result done;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	done = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result reply_text(struct MHD_Connection *c, unsigned int status, const char *text)
{
	return reply(c, status, "text/plain", text, strlen(text));
}

static enum MHD_Result give_nonce(struct MHD_Connection *c)
{
	uint8_t nonce[NONCE_SIZE];
	char text[2 * NONCE_SIZE + 1];

	if (!nonce_make(nonce))
		return MHD_NO;
	cli_hex(text, nonce, sizeof(nonce));
	return reply_text(c, MHD_HTTP_OK, text);
}

static enum MHD_Result give_secret(const struct http_options *o, struct MHD_Connection *c,
				   const char *name, const struct request *r)
{
	uint8_t sealed[SECRET_MAX + SEAL_MORE];
	char reason[REASON_SIZE];
	size_t len;

	if (r->too_long)
		return reply_text(c, MHD_HTTP_CONTENT_TOO_LARGE,
				  "format: it is longer than 1 MiB");
	len = answer_evidence(o->release, o->lifetime, name, r->body ? r->body : (uint8_t *)"",
			      r->len, sealed, reason);
	/* A name that is not good is not printed: it may have any bytes. */
	if (!len) {
		cli_note("refused: %s: %s", secret_name_good(name) ? name : "?", reason);
		return reply_text(c, MHD_HTTP_FORBIDDEN, reason);
	}
	cli_note("released: %s", name);
	return reply(c, MHD_HTTP_OK, "application/octet-stream", sealed, len);
}

static void take(struct request *r, const char *data, size_t len)
{
	uint8_t *more;

	if (r->too_long || len > EVIDENCE_MAX - r->len) {
		r->too_long = true;
		return;
	}
	more = realloc(r->body, r->len + len);
	if (!more) {
		r->too_long = true;
		return;
	}
	r->body = more;
	memcpy(more + r->len, data, len);
	r->len += len;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **ctx)
{
	struct request *r = *ctx;

	(void)version;
	if (!r) {
		*ctx = calloc(1, sizeof(*r));
		return *ctx ? MHD_YES : MHD_NO;
	}
	if (*len) {
		take(r, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (!strcmp(method, "GET") && !strcmp(url, "/nonce"))
		return give_nonce(c);
	if (!strcmp(method, "POST") && !strncmp(url, SECRET_URL, strlen(SECRET_URL)))
		return give_secret(cls, c, url + strlen(SECRET_URL), r);
	return reply_text(c, MHD_HTTP_NOT_FOUND, "there is GET /nonce and POST /secret/NAME");
}

static void on_end(void *cls, struct MHD_Connection *c, void **ctx,
		   enum MHD_RequestTerminationCode how)
{
	struct request *r = *ctx;

	(void)cls;
	(void)c;
	(void)how;
	if (r)
		free(r->body);
	free(r);
}

struct MHD_Daemon *http_start(const struct http_options *o, const struct address *at)
{
	return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS |
				(at->at.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL,
				on_request, (void *)o,
				MHD_OPTION_SOCK_ADDR, &at->at,
				MHD_OPTION_HTTPS_MEM_CERT, o->certificate,
				MHD_OPTION_HTTPS_MEM_KEY, o->key,
				MHD_OPTION_HTTPS_PRIORITIES, TLS_1_3,
				MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS,
				MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned int)OF_ONE_ADDRESS,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)SECONDS,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS,
				MHD_OPTION_END);
}

unsigned int http_port(struct MHD_Daemon *d)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

void http_stop(struct MHD_Daemon *d)
{
	MHD_stop_daemon(d);
}
