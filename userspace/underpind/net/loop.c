// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "net/loop.h"

#define EVENTS_MAX	64

int64_t loop_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

int loop_init(struct loop *l)
{
	memset(l, 0, sizeof(*l));
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	return l->epoll < 0 ? -errno : 0;
}

void loop_exit(struct loop *l)
{
	close(l->epoll);
	free(l->watch);
}

static int grow(struct loop *l, int fd)
{
	int n = fd < 64 ? 64 : 2 * fd;
	struct loop_watch *w = realloc(l->watch, n * sizeof(*w));

	if (!w)
		return -ENOMEM;
	memset(w + l->n_watch, 0, (n - l->n_watch) * sizeof(*w));
	l->watch = w;
	l->n_watch = n;
	return 0;
}

/* The kernel forgets a descriptor that is closed: what is noted here is but a guess. */
static int tell(struct loop *l, int fd, uint32_t events, bool there)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	if (!epoll_ctl(l->epoll, there ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev))
		return 0;
	if (errno != (there ? ENOENT : EEXIST))
		return -errno;
	return epoll_ctl(l->epoll, there ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev) ? -errno : 0;
}

int loop_watch(struct loop *l, int fd, uint32_t events,
	       void (*ready)(void *ctx, int fd, uint32_t events), void *ctx)
{
	int ret;

	if (fd >= l->n_watch && grow(l, fd))
		return -ENOMEM;
	ret = tell(l, fd, events, l->watch[fd].events);
	if (!ret)
		l->watch[fd] = (struct loop_watch){ ready, ctx, events };
	return ret;
}

void loop_forget(struct loop *l, int fd, const void *ctx)
{
	if (fd >= l->n_watch || !l->watch[fd].events || l->watch[fd].ctx != ctx)
		return;
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
	l->watch[fd].events = 0;
}

void loop_forget_all(struct loop *l, const void *ctx)
{
	int fd;

	for (fd = 0; fd < l->n_watch; fd++)
		loop_forget(l, fd, ctx);
}

/* It may have been forgotten by what was called just before, with the same look. */
static void happened(struct loop *l, int fd, uint32_t events)
{
	struct loop_watch *w = &l->watch[fd];

	if (w->events)
		w->ready(w->ctx, fd, events);
}

void loop_timer_end(struct loop *l, struct loop_timer *t)
{
	struct loop_timer **p = &l->timers;

	if (!t->set)
		return;
	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	t->set = false;
}

/* Sorted by time. There are few: a handful, and one for each lookup that waits. */
void loop_timer(struct loop *l, struct loop_timer *t, int64_t ms)
{
	struct loop_timer **p = &l->timers;

	loop_timer_end(l, t);
	t->at = loop_ms() + ms;
	while (*p && (*p)->at <= t->at)
		p = &(*p)->next;
	t->next = *p;
	*p = t;
	t->set = true;
}

/* Those set meanwhile wait for the next time, lest one that sets itself stay here. */
static int run_timers(struct loop *l)
{
	int64_t now = loop_ms();
	struct loop_timer *t;
	int n = 0, most = 0;

	for (t = l->timers; t && t->at <= now; t = t->next)
		most++;
	while (n < most && (t = l->timers) && t->at <= now) {
		loop_timer_end(l, t);
		t->due(t);
		n++;
	}
	return n;
}

static int wait_ms(const struct loop *l, int64_t max_ms)
{
	int64_t ms = l->timers ? l->timers->at - loop_ms() : max_ms;

	ms = ms < max_ms ? ms : max_ms;
	return ms < 0 ? 0 : ms;
}

int loop_once(struct loop *l, int64_t max_ms)
{
	struct epoll_event ev[EVENTS_MAX];
	int n, i;

	n = epoll_wait(l->epoll, ev, EVENTS_MAX, wait_ms(l, max_ms));
	if (n < 0 && errno != EINTR)
		return -errno;
	for (i = 0; i < n; i++)
		happened(l, ev[i].data.fd, ev[i].events);
	return run_timers(l) + (n > 0 ? n : 0);
}
