// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of the daemon's parts that need no other daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/loop.h"

/* --- the loop --- */

struct heard {
	int n, fd;
	uint32_t events;
};

static void hear(void *ctx, int fd, uint32_t events)
{
	struct heard *h = ctx;

	h->n++;
	h->fd = fd;
	h->events = events;
}

/* A pipe whose reading end has number @fd. */
static int pipe_at(int fd)
{
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	if (p[0] != fd) {
		assert_int_equal(dup2(p[0], fd), fd);
		close(p[0]);
	}
	return p[1];
}

/* A library that closes a descriptor without a word must not cost the next one its number. */
static void test_loop_reuse(void **state)
{
	struct heard first = { 0 }, second = { 0 };
	struct loop l;
	int w, fd = 40;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	w = pipe_at(fd);
	assert_int_equal(loop_watch(&l, fd, EPOLLIN, hear, &first), 0);
	close(w);
	close(fd);
	/* For the same events, and for others. */
	w = pipe_at(fd);
	assert_int_equal(loop_watch(&l, fd, EPOLLIN, hear, &first), 0);
	assert_int_equal(write(w, "x", 1), 1);
	assert_int_equal(loop_once(&l, 0), 1);
	assert_int_equal(first.n, 1);
	close(w);
	close(fd);
	w = pipe_at(fd);
	assert_int_equal(loop_watch(&l, fd, EPOLLIN | EPOLLPRI, hear, &second), 0);
	assert_int_equal(write(w, "x", 1), 1);
	assert_int_equal(loop_once(&l, 0), 1);
	assert_int_equal(second.n, 1);
	/* What the first owner says late does not end the second's wait. */
	loop_forget(&l, fd, &first);
	assert_int_equal(loop_once(&l, 0), 1);
	assert_int_equal(second.n, 2);
	loop_forget(&l, fd, &second);
	assert_int_equal(loop_once(&l, 0), 0);
	/* A wait that was ended is begun anew. */
	assert_int_equal(loop_watch(&l, fd, EPOLLIN, hear, &first), 0);
	assert_int_equal(loop_once(&l, 0), 1);
	assert_int_equal(first.n, 2);
	close(w);
	close(fd);
	assert_int_not_equal(loop_watch(&l, fd, EPOLLIN, hear, &first), 0);
	loop_exit(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loop_reuse),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
