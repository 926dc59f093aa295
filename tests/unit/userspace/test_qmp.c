// SPDX-License-Identifier: GPL-2.0
/* The other end of the socket has its lines ready; the kernel buffers them. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "userspace/vm/qmp.h"
#include "tests.h"

#define GREETING	"{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define OK		"{\"return\": {}}\r\n"
#define EVENT		"{\"event\": \"STOP\", \"timestamp\": {}}\r\n"

static int pair[2];

static void start(struct qmp *q)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	qmp_open(q, pair[0]);
}

static void say(const char *text)
{
	assert_int_equal(write(pair[1], text, strlen(text)), strlen(text));
}

static void stop(struct qmp *q)
{
	qmp_close(q);
	close(pair[0]);
	close(pair[1]);
}

void test_qmp_negotiates_and_commands(void **state)
{
	json_object *result, *status;
	char sent[256] = "";
	struct qmp q;

	(void)state;
	start(&q);
	say(GREETING OK EVENT "{\"return\": {\"status\": \"prelaunch\"}}\r\n");
	assert_int_equal(qmp_greet(&q, 5), 0);
	assert_int_equal(qmp_command(&q, "query-status", &result, 5), 0);
	assert_true(json_object_object_get_ex(result, "status", &status));
	assert_string_equal(json_object_get_string(status), "prelaunch");
	json_object_put(result);
	assert_true(read(pair[1], sent, sizeof(sent) - 1) > 0);
	assert_string_equal(sent, "{\"execute\":\"qmp_capabilities\"}\n"
			    "{\"execute\":\"query-status\"}\n");
	stop(&q);
}

void test_qmp_reports_errors(void **state)
{
	struct qmp q;

	(void)state;
	start(&q);
	say("{\"error\": {\"class\": \"GenericError\", \"desc\": \"not now\"}}\r\n");
	assert_int_equal(qmp_command(&q, "cont", NULL, 5), -1);
	assert_non_null(strstr(q.error, "not now"));
	say("hello\r\n");
	assert_int_equal(qmp_greet(&q, 5), -1);
	stop(&q);
}

void test_qmp_sees_the_end(void **state)
{
	struct qmp q;

	(void)state;
	start(&q);
	say("{\"QMP\": {");
	shutdown(pair[1], SHUT_RDWR);
	assert_int_equal(qmp_greet(&q, 5), -2);
	assert_int_equal(qmp_command(&q, "cont", NULL, 5), -2);
	stop(&q);
}

void test_qmp_times_out(void **state)
{
	struct qmp q;

	(void)state;
	start(&q);
	say("{\"QMP\"");
	assert_int_equal(qmp_greet(&q, 1), -1);
	assert_non_null(strstr(q.error, "does not answer"));
	stop(&q);
}

void test_qmp_reads_events_in_pieces(void **state)
{
	json_object *event, *name;
	struct qmp q;

	(void)state;
	start(&q);
	assert_null(qmp_event(&q));
	say("{\"event\": \"ST");
	assert_null(qmp_event(&q));
	say("OP\"}\r\n" EVENT);
	event = qmp_event(&q);
	assert_non_null(event);
	assert_true(json_object_object_get_ex(event, "event", &name));
	assert_string_equal(json_object_get_string(name), "STOP");
	json_object_put(event);
	json_object_put(qmp_event(&q));
	assert_null(qmp_event(&q));
	stop(&q);
}
