/* SPDX-License-Identifier: GPL-2.0 */
/* QEMU's control protocol: one JSON object a line, each way. */
#ifndef USERSPACE_QMP_H
#define USERSPACE_QMP_H

#include <json-c/json.h>
#include <stddef.h>

struct qmp {
	int fd;
	char *buf;
	size_t len;		/* bytes in buf */
	char error[256];	/* why the last call failed */
};

/** qmp_open() - speak over a connected socket; the caller keeps the descriptor */
void qmp_open(struct qmp *q, int fd);

/** qmp_close() - free what was kept; the descriptor stays open */
void qmp_close(struct qmp *q);

/**
 * qmp_greet() - wait for QEMU's greeting and leave negotiation mode
 * @timeout: in seconds
 * Return: 0, or -1 with q->error set; -2: QEMU closed the socket.
 */
int qmp_greet(struct qmp *q, int timeout);

/**
 * qmp_command() - run a command without arguments and wait for its answer
 * @result: where to put what it returned, to be put; may be NULL
 * @timeout: in seconds
 *
 * Events that arrive meanwhile are dropped.
 * Return: as qmp_greet().
 */
int qmp_command(struct qmp *q, const char *name, json_object **result, int timeout);

/**
 * qmp_event() - the next event that has arrived, without waiting
 * Return: the event, to be put, or NULL: nothing complete there.
 */
json_object *qmp_event(struct qmp *q);

#endif /* USERSPACE_QMP_H */
