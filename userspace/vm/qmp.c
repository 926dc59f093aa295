// SPDX-License-Identifier: GPL-2.0
/* QEMU's control protocol: one JSON object a line, each way. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "userspace/vm/qmp.h"

#define CHUNK		4096
#define LINE_LIMIT	(1 << 20)

void qmp_open(struct qmp *q, int fd)
{
	memset(q, 0, sizeof(*q));
	q->fd = fd;
}

void qmp_close(struct qmp *q)
{
	free(q->buf);
	memset(q, 0, sizeof(*q));
}

static int fail(struct qmp *q, int ret, const char *what, const char *detail)
{
	snprintf(q->error, sizeof(q->error), "%s%s%s", what, detail ? ": " : "",
		 detail ? detail : "");
	return ret;
}

/* A complete line of the buffer as an object; NULL: no complete one. */
static json_object *take_line(struct qmp *q)
{
	char *end = q->len ? memchr(q->buf, '\n', q->len) : NULL;
	json_object *o;

	if (!end)
		return NULL;
	*end++ = 0;
	o = json_tokener_parse(q->buf);
	q->len -= end - q->buf;
	memmove(q->buf, end, q->len);
	return o ? o : json_object_new_object();
}

/* Return: bytes read; 0: end; -1: error. */
static ssize_t fill(struct qmp *q, int flags)
{
	ssize_t n;

	if (q->len > LINE_LIMIT) {
		errno = EMSGSIZE;
		return -1;
	}
	q->buf = realloc(q->buf, q->len + CHUNK);
	if (!q->buf)
		abort();
	n = recv(q->fd, q->buf + q->len, CHUNK, flags);
	if (n > 0)
		q->len += n;
	return n;
}

static long seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* The next object, waiting for it until the clock shows @until. */
static int next(struct qmp *q, json_object **o, long until)
{
	struct pollfd p = { .fd = q->fd, .events = POLLIN };
	ssize_t n;

	while (!(*o = take_line(q))) {
		long left = until - seconds();
		int ready = left > 0 ? poll(&p, 1, left * 1000) : 0;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return fail(q, -1, "QEMU's monitor does not answer", NULL);
		n = fill(q, 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return fail(q, -2, "QEMU closed its monitor", NULL);
		if (n < 0)
			return fail(q, -1, "QEMU's monitor", strerror(errno));
	}
	return 0;
}

static int answer(struct qmp *q, json_object **result, long until)
{
	json_object *o, *part;
	int ret;

	for (;;) {
		ret = next(q, &o, until);
		if (ret)
			return ret;
		if (json_object_object_get_ex(o, "return", &part)) {
			if (result)
				*result = json_object_get(part);
			json_object_put(o);
			return 0;
		}
		if (json_object_object_get_ex(o, "error", &part)) {
			fail(q, -1, "QEMU's monitor", json_object_to_json_string(part));
			json_object_put(o);
			return -1;
		}
		json_object_put(o);
	}
}

int qmp_command(struct qmp *q, const char *name, json_object **result, int timeout)
{
	long until = seconds() + timeout;
	char line[128];
	int n = snprintf(line, sizeof(line), "{\"execute\":\"%s\"}\n", name);

	if (send(q->fd, line, n, MSG_NOSIGNAL) != n)
		return fail(q, errno == EPIPE || errno == ECONNRESET ? -2 : -1, "QEMU's monitor",
			    strerror(errno));
	return answer(q, result, until);
}

int qmp_greet(struct qmp *q, int timeout)
{
	json_object *o, *part;
	int ret = next(q, &o, seconds() + timeout);

	if (ret)
		return ret;
	if (!json_object_object_get_ex(o, "QMP", &part))
		ret = fail(q, -1, "QEMU's monitor said something unknown",
			   json_object_to_json_string(o));
	json_object_put(o);
	return ret ? ret : qmp_command(q, "qmp_capabilities", NULL, timeout);
}

json_object *qmp_event(struct qmp *q)
{
	json_object *o = take_line(q);

	if (o)
		return o;
	if (fill(q, MSG_DONTWAIT) <= 0)
		return NULL;
	return take_line(q);
}
