/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a daemon must not forget: requests and their answers (so that a retry
 * gets the same), allocations, tickets, and the audit log. One SQLite file in
 * WAL mode; what belongs together is committed together, and on the disk
 * before anyone is told. What is changed between two calls of state_commit()
 * shares a transaction, one write to the disk, and one signature of the log.
 *
 * For the loop's thread alone.
 */
#ifndef STATE_H
#define STATE_H

#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "trust/audit.h"

#define STATE_RETAIN	3600	/* seconds that requests are kept */
#define STATE_SCAN	20000	/* audit records that one question goes over */

/* A change that waits for the commit; its owner keeps it until @done is called. */
struct state_wait {
	struct state_wait *next;
	void (*done)(struct state_wait *w);
	int ret;			/* 0 or -EIO with @e set */
	struct pol_err e;
};

struct state {
	sqlite3 *db;
	struct audit audit;
	sqlite3_stmt *lookup, *note, *finish, *begin, *commit, *rollback;
	sqlite3_stmt *is_allocated, *excludes, *allocate, *ticket, *release;
	sqlite3_stmt *savepoint, *keep, *undo, *purge_answers, *purge_requests;
	sqlite3_stmt *put_session, *end_session, *take_back;
	bool broken;			/* a write to the disk failed: for good */
	/* the transaction that is open */
	bool open;
	bool failed;			/* it will be undone, and all who wait told so */
	bool now;			/* somebody waits for the disk */
	char *held;			/* its last record: signed when it is committed */
	struct state_wait *head, **tail;
	int64_t next_purge;
};

/**
 * state_open() - open or create the file
 * @signer: of audit records; outlives @s
 *
 * Return: 0 or -EIO.
 */
int state_open(struct state *s, const char *path, const struct key *signer, struct pol_err *e);
void state_close(struct state *s);

/**
 * state_commit() - commit what was changed since the last call
 *
 * Calls back everybody who waits. If the transaction cannot be committed, nothing
 * of it has happened; if the disk does not take it, nothing more is answered.
 *
 * Return: how many were called.
 */
int state_commit(struct state *s);

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
 * @answer: of STATE_DONE, to be freed; else NULL
 *
 * Return: an enum state_seen, or -EIO.
 */
int state_lookup(struct state *s, const struct request_key *k, char **answer,
		 struct pol_err *e);

/**
 * state_begin() - note a request and the record of its local decision
 * @record: JSON text; taken over
 * @w: called back when it is on the disk: what follows may act on it
 *
 * Return: 0, or -EIO with @w->e set: it will not be called back.
 */
int state_begin(struct state *s, const struct request_key *k, char *record,
		struct state_wait *w);

/**
 * state_finish() - record what came of a request, and note its final answer
 * @k: the request, or NULL if the answer is not to be remembered
 * @answer: JSON text, or NULL likewise
 * @record: JSON text; taken over
 * @w: called back when it outlives the daemon. A power failure may undo it a moment
 *     later: a request that was forwarded was noted before, and a retry finds its
 *     answer where it was given
 *
 * Return: as state_begin().
 */
int state_finish(struct state *s, const struct request_key *k, const char *answer, char *record,
		 struct state_wait *w);

/* A virtual resource given to somebody. */
struct allocation {
	const char *resource;
	const char *device;		/* what it stands for: nothing is given away twice */
	const char *host;
	const char *cloud;		/* whose */
	struct request_key request;
	bool isolated;			/* must not share its host with another cloud's */
	const uint8_t *ticket;		/* TICKET_SIZE bytes */
};

/**
 * state_allocate() - allocate, answer and record, all or nothing
 * @record: JSON text; taken over
 * @w: called back when it is on the disk
 *
 * Return: 0; or, and then nothing was changed and nobody is called back, -EBUSY if
 * the resource or its device is allocated, -EXDEV if another cloud's allocation on that host
 * excludes it, or -EIO with @w->e set.
 */
int state_allocate(struct state *s, const struct allocation *a, const char *answer,
		   char *record, struct state_wait *w);

/**
 * state_release() - free an allocation, answer and record, all or nothing
 *
 * Return: as state_allocate(); -ENOENT if the resource is not allocated to that cloud.
 */
int state_release(struct state *s, const struct allocation *a, const char *answer,
		  char *record, struct state_wait *w);

/**
 * state_session() - remember a session, within the transaction
 * @used: its last use, seconds since 1970
 * @roles: a line for each role, "SINCE NAME"; NULL: it has ended
 *
 * Return: 0, or -EIO: the transaction will be undone.
 */
int state_session(struct state *s, const char *key, int64_t used, const char *roles);

/**
 * state_sessions() - those that were remembered
 * @each: called for each
 *
 * Return: 0 or -EIO.
 */
int state_sessions(struct state *s, void (*each)(void *ctx, const char *key, int64_t used,
						 const char *roles), void *ctx, struct pol_err *e);

/**
 * state_list() - rows of what is remembered, for people
 * @what: "allocations", "tickets" or "audit"
 * @filter: an object of column and value, or NULL; what is no column is not looked at
 * @after: the cursor of an answer before, or ""
 * @limit: rows at most; of the audit log no more than STATE_SCAN are looked at
 * @row: called for each, with an object that it takes over
 * @next: set to where to go on, to be freed, if there may be more
 *
 * Return: 0 or -EIO.
 */
int state_list(struct state *s, const char *what, json_t *filter, const char *after,
	       uint32_t limit, void (*row)(void *ctx, json_t *j), void *ctx, char **next,
	       struct pol_err *e);

/**
 * state_allocation() - what is allocated as @resource, and to whom
 * @out: the row, to be released
 *
 * Return: 0, -ENOENT or -EIO.
 */
int state_allocation(struct state *s, const char *resource, json_t **out, struct pol_err *e);

/**
 * state_take_back() - free an allocation, whoever has it, and record that
 *
 * Return: as state_release().
 */
int state_take_back(struct state *s, const char *resource, char *record, struct state_wait *w);

/**
 * state_change_key() - let another key sign the audit log from now on
 * @new: outlives @s
 * @record: JSON text that names it, the last that the old key signs; taken over
 *
 * What is under way is committed before; then that record is, alone.
 *
 * Return: 0, or -EIO: the old key goes on signing.
 */
int state_change_key(struct state *s, const struct key *new, char *record, struct pol_err *e);

/* Forgets some requests older than STATE_RETAIN, which stale messages cannot be. */
void state_purge(struct state *s);

#endif
