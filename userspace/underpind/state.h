/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a daemon must not forget: requests and their answers (so that a retry
 * gets the same), allocations, tickets, and the audit log. One SQLite file in
 * WAL mode; what belongs together is committed together, and on the disk
 * before anyone is told. Requests that wait at the same time share a commit,
 * one write to the disk, and one signature of the audit log.
 */
#ifndef STATE_H
#define STATE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "audit.h"

#define STATE_RETAIN	3600	/* seconds that requests are kept */

struct change;

struct state {
	pthread_mutex_t lock;		/* protects the database's connection */
	sqlite3 *db;
	struct audit audit;
	sqlite3_stmt *lookup, *note, *finish, *begin, *commit, *rollback;
	sqlite3_stmt *is_allocated, *excludes, *allocate, *ticket, *release;
	bool broken;			/* a write to the disk failed: for good */
	pthread_mutex_t queue_lock;	/* protects what follows */
	struct change *head, **tail;	/* changes that wait for a commit */
	bool committing;		/* a thread is at it, with those it took */
};

/**
 * state_open() - open or create the file
 * @signer: of audit records; outlives @s
 *
 * Return: 0 or -EIO.
 */
int state_open(struct state *s, const char *path, const struct key *signer, struct pol_err *e);
void state_close(struct state *s);

enum state_seen {
	STATE_NEW,
	STATE_PENDING,		/* seen, not answered: go on where it stopped */
	STATE_DONE,		/* answered: @answer */
	STATE_REPLAY,		/* seen from another sender or with another content */
};

/* What makes two messages the same request. */
struct request_key {
	const char *id;
	const char *sender;
	const uint8_t *digest;		/* 32 bytes */
};

/**
 * state_lookup() - has a request been seen?
 * @answer: of STATE_DONE, to be freed
 *
 * Return: an enum state_seen, or -EIO.
 */
int state_lookup(struct state *s, const struct request_key *k, char **answer,
		 struct pol_err *e);

/**
 * state_begin() - note a request and the record of its local decision
 *
 * On the disk on return: what follows may act on it.
 *
 * Return: 0 or -EIO.
 */
int state_begin(struct state *s, const struct request_key *k, const char *record,
		struct pol_err *e);

/**
 * state_finish() - note the final answer of a request and its record
 * @answer: JSON text, or NULL to note a record only
 *
 * Outlives the daemon at once, and a power failure a moment later: the request
 * was noted before, and a retry finds its answer where it was given.
 *
 * Return: 0 or -EIO.
 */
int state_finish(struct state *s, const char *id, const char *answer, const char *record,
		 struct pol_err *e);

/* A virtual resource given to somebody. */
struct allocation {
	const char *resource;
	const char *host;
	const char *cloud;		/* whose */
	struct request_key request;
	bool isolated;			/* must not share its host with another cloud's */
	const uint8_t *ticket;		/* TICKET_SIZE bytes */
};

/**
 * state_allocate() - allocate, answer and record, all or nothing
 *
 * Return: 0, -EBUSY if the resource is allocated, -EXDEV if another cloud's
 * allocation on that host excludes it, or -EIO.
 */
int state_allocate(struct state *s, const struct allocation *a, const char *answer,
		   const char *record, struct pol_err *e);

/**
 * state_release() - free an allocation, answer and record, all or nothing
 *
 * Return: 0, -ENOENT if the resource is not allocated to that cloud, or -EIO.
 */
int state_release(struct state *s, const struct allocation *a, const char *answer,
		  const char *record, struct pol_err *e);

/* Forgets requests older than STATE_RETAIN, which stale messages cannot be. */
void state_purge(struct state *s);

#endif
