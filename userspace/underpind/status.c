// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "net/loop.h"
#include "status.h"
#include "userspace/loopback/loopback.h"

#define TICK_MS		1000	/* between looks at connections that idle */
#define ROUNDS_MAX	8

struct status {
	struct daemon *d;
	struct loopback_site site;
	struct MHD_Daemon *mhd;
	struct loop_timer tick;
	int fd;
};

static enum MHD_Result get(struct loopback_site *site, struct MHD_Connection *mc, const char *url)
{
	static const char html[] = "text/html; charset=utf-8";
	struct status *s = container_of(site, struct status, site);
	const char *id;
	char *page;

	if (!strcmp(url, "/status.css"))
		return loopback_reply(site, mc, MHD_HTTP_OK, "text/css", status_css,
				      MHD_RESPMEM_PERSISTENT);
	if (!strcmp(url, "/"))
		return loopback_reply(site, mc, MHD_HTTP_OK, html, status_page(s->d),
				      MHD_RESPMEM_MUST_FREE);
	id = MHD_lookup_connection_value(mc, MHD_GET_ARGUMENT_KIND, "id");
	page = !strcmp(url, "/request") && id ? status_request_page(s->d, id) : NULL;
	if (!page)
		return loopback_say(site, mc, MHD_HTTP_NOT_FOUND,
				    "there is no such page, or not any more\n");
	return loopback_reply(site, mc, MHD_HTTP_OK, html, page, MHD_RESPMEM_MUST_FREE);
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

static struct MHD_Daemon *listen_at(struct status *s, const char *address, struct pol_err *e)
{
	struct MHD_Daemon *m = loopback_start(&s->site, address, MHD_USE_EPOLL);

	if (!m && errno == EINVAL)
		pol_say(e, "--status-address '%s': it is 127.0.0.1:PORT or [::1]:PORT, for there "
			"are no certificates here; from elsewhere, go there through ssh -L",
			address);
	else if (!m)
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
	s->site = (struct loopback_site) { .may = "", .get = get };
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
