// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "net/loop.h"
#include "net/url.h"
#include "status.h"

#define CONNECTIONS	16
#define IDLE_SECONDS	10u
#define TICK_MS		1000	/* between looks at connections that idle */
#define ROUNDS_MAX	8

struct status {
	struct daemon *d;
	struct MHD_Daemon *mhd;
	struct loop_timer tick;
	int fd;
};

static enum MHD_Result reply(struct MHD_Connection *mc, int code, const char *type, char *text,
			     enum MHD_ResponseMemoryMode mode)
{
	/* A name that got past html_text() would still be no script, and load nothing. */
	static const char *const headers[][2] = {
		{ "Content-Security-Policy", "default-src 'none'; style-src 'self'; "
		  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
		{ "X-Content-Type-Options", "nosniff" }, { "Referrer-Policy", "no-referrer" },
		{ "Cache-Control", "no-store" },
	};
	struct MHD_Response *r;
	enum MHD_Result ret;
	size_t i;

	r = text ? MHD_create_response_from_buffer(strlen(text), text, mode) : NULL;
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(r, headers[i][0], headers[i][1]);
	ret = MHD_queue_response(mc, code, r);
	MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result say(struct MHD_Connection *mc, int code, const char *text)
{
	return reply(mc, code, "text/plain; charset=utf-8", (char *)text, MHD_RESPMEM_PERSISTENT);
}

/* A page from elsewhere can have its own name mean 127.0.0.1, but asks by that name. */
static bool is_this_machine(const char *host)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };
	size_t i, n;

	for (i = 0; host && i < sizeof(names) / sizeof(names[0]); i++) {
		n = strlen(names[i]);
		if (!strncasecmp(host, names[i], n) && (!host[n] || host[n] == ':'))
			return true;
	}
	return false;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *mc, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *size, void **ctx)
{
	static const char html[] = "text/html; charset=utf-8";
	struct status *s = cls;
	const char *id;
	char *page;

	(void)version;
	(void)data;
	(void)size;
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return say(mc, MHD_HTTP_METHOD_NOT_ALLOWED, "there is nothing to do here\n");
	if (!*ctx) {
		*ctx = s;
		return MHD_YES;
	}
	if (!is_this_machine(MHD_lookup_connection_value(mc, MHD_HEADER_KIND, "Host")))
		return say(mc, MHD_HTTP_FORBIDDEN, "ask for 127.0.0.1, localhost or [::1]\n");
	if (!strcmp(url, "/status.css"))
		return reply(mc, MHD_HTTP_OK, "text/css", (char *)status_css,
			     MHD_RESPMEM_PERSISTENT);
	if (!strcmp(url, "/"))
		return reply(mc, MHD_HTTP_OK, html, status_page(s->d), MHD_RESPMEM_MUST_FREE);
	id = MHD_lookup_connection_value(mc, MHD_GET_ARGUMENT_KIND, "id");
	page = !strcmp(url, "/request") && id ? status_request_page(s->d, id) : NULL;
	if (!page)
		return say(mc, MHD_HTTP_NOT_FOUND, "there is no such page, or not any more\n");
	return reply(mc, MHD_HTTP_OK, html, page, MHD_RESPMEM_MUST_FREE);
}

/* --- in the daemon's loop --- */

static void run(struct status *s)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int i;

	for (i = 0; i < ROUNDS_MAX; i++) {
		MHD_run(s->mhd);
		if (MHD_get_timeout(s->mhd, &ms) != MHD_YES || ms)
			break;
	}
}

static void on_ready(void *ctx, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	run(ctx);
}

static void on_tick(struct loop_timer *t)
{
	struct status *s = container_of(t, struct status, tick);

	run(s);
	loop_timer(&s->d->loop, t, TICK_MS);
}

/* An address of this machine alone, and a port. */
static bool parse(const char *text, struct sockaddr_in *in, struct sockaddr_in6 *in6)
{
	const char *colon = strrchr(text, ':');
	uint32_t port;

	if (!colon || !url_number(colon + 1, 1, 65535, &port))
		return false;
	*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port),
				      .sin6_addr = in6addr_loopback };
	if (!strncmp(text, "[::1]:", 6) && colon == text + 5)
		in->sin_port = 0;
	return !in->sin_port || (!strncmp(text, "127.0.0.1:", 10) && colon == text + 9);
}

static struct MHD_Daemon *listen_at(struct status *s, const char *address, struct pol_err *e)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct MHD_Daemon *m;
	bool six;

	if (!parse(address, &in, &in6)) {
		pol_say(e, "--status-address '%s': it is 127.0.0.1:PORT or [::1]:PORT, for there "
			"are no certificates here; from elsewhere, go there through ssh -L",
			address);
		return NULL;
	}
	six = !in.sin_port;
	m = MHD_start_daemon(MHD_USE_EPOLL | (six ? MHD_USE_IPv6 : 0), 0, NULL, NULL, handle, s,
			     MHD_OPTION_SOCK_ADDR, six ? (void *)&in6 : &in,
			     MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS,
			     MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
			     MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
	if (!m)
		pol_say(e, "--status-address '%s': %m: is another daemon there?", address);
	return m;
}

struct status *status_open(struct daemon *d, const char *address, struct pol_err *e)
{
	struct status *s = calloc(1, sizeof(*s));
	const union MHD_DaemonInfo *info;

	pol_say(e, "out of memory");
	if (!s)
		return NULL;
	s->d = d;
	s->tick.due = on_tick;
	s->mhd = listen_at(s, address, e);
	if (!s->mhd) {
		free(s);
		return NULL;
	}
	info = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	s->fd = info->epoll_fd;
	d->recent = calloc(1, sizeof(*d->recent));
	loop_timer(&d->loop, &s->tick, TICK_MS);
	if (d->recent && !loop_watch(&d->loop, s->fd, EPOLLIN, on_ready, s))
		return s;
	status_close(s);
	return NULL;
}

void status_close(struct status *s)
{
	if (!s)
		return;
	loop_timer_end(&s->d->loop, &s->tick);
	loop_forget(&s->d->loop, s->fd, s);
	MHD_stop_daemon(s->mhd);
	if (s->d->recent)
		recent_end(s->d->recent);
	free(s->d->recent);
	s->d->recent = NULL;
	free(s);
}
