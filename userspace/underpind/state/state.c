// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fault.h"
#include "state/state.h"

/*
 * Rows are only ever added, until they are purged: an answer apart from its
 * request. A commit does not wait for the disk (NORMAL); put_on_disk() does.
 */
static const char schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=2000;"
	"PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-4096;"
	"CREATE TABLE IF NOT EXISTS request(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
	" sender TEXT NOT NULL, digest BLOB NOT NULL, time INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS answer(request INTEGER PRIMARY KEY, text TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS allocation(resource TEXT PRIMARY KEY,"
	" device TEXT NOT NULL UNIQUE, host TEXT NOT NULL, cloud TEXT NOT NULL,"
	" request TEXT NOT NULL UNIQUE, isolated INTEGER NOT NULL, time INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS ticket(request TEXT PRIMARY KEY, ticket BLOB NOT NULL UNIQUE,"
	" resource TEXT NOT NULL, time INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS session(key TEXT PRIMARY KEY, used INTEGER NOT NULL,"
	" roles TEXT NOT NULL) WITHOUT ROWID;";

/* Requests to forget: the oldest come first, and not all at once. */
#define PURGE_MAX	1024
#define PURGE_SECONDS	60	/* between looks, if there was not as much to do */
#define OLD	"(SELECT n FROM (SELECT n, time FROM request ORDER BY n LIMIT ?2) " \
		"WHERE time<?1 OR time>?3)"

/* What is committed and not on the disk must not be answered with. */
#define BROKEN	"state: the disk did not take what was written: check it, and start anew"

#define UNDONE	"state: the transaction was undone: ask again"

/* SQLite may have undone the whole transaction: then it is lost for all. */
static void look_if_undone(struct state *s)
{
	if (s->open && sqlite3_get_autocommit(s->db))
		s->failed = true;
}

static int fail(struct state *s, struct pol_err *e)
{
	look_if_undone(s);
	return pol_fail(e, EIO, "state: %s: check the disk", sqlite3_errmsg(s->db));
}

static int prepare(struct state *s)
{
	const struct {
		sqlite3_stmt **q;
		const char *sql;
	} list[] = {
		{ &s->lookup, "SELECT sender, digest, text FROM request LEFT JOIN answer "
		  "ON request=n WHERE id=?" },
		{ &s->note, "INSERT OR IGNORE INTO request VALUES(NULL,?,?,?,?)" },
		{ &s->finish, "INSERT OR REPLACE INTO answer SELECT n, ? FROM request "
		  "WHERE id=?" },
		{ &s->begin, "BEGIN IMMEDIATE" },
		{ &s->commit, "COMMIT" },
		{ &s->rollback, "ROLLBACK" },
		{ &s->is_allocated, "SELECT 1 FROM allocation WHERE resource=? OR device=?" },
		{ &s->excludes, "SELECT 1 FROM allocation WHERE host=? AND cloud<>? AND "
		  "(isolated OR ?)" },
		{ &s->allocate, "INSERT INTO allocation VALUES(?,?,?,?,?,?,?)" },
		{ &s->ticket, "INSERT INTO ticket VALUES(?,?,?,?)" },
		{ &s->release, "DELETE FROM allocation WHERE resource=? AND cloud=?" },
		{ &s->savepoint, "SAVEPOINT change" },
		{ &s->keep, "RELEASE change" },
		{ &s->undo, "ROLLBACK TO change" },
		{ &s->purge_answers, "DELETE FROM answer WHERE request IN " OLD },
		{ &s->purge_requests, "DELETE FROM request WHERE n IN " OLD },
		{ &s->put_session, "INSERT OR REPLACE INTO session VALUES(?,?,?)" },
		{ &s->end_session, "DELETE FROM session WHERE key=?" },
		{ &s->take_back, "DELETE FROM allocation WHERE resource=?" },
	};
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (sqlite3_prepare_v2(s->db, list[i].sql, -1, list[i].q, NULL))
			return -EIO;
	return 0;
}

int state_open(struct state *s, const char *path, const struct key *signer, struct pol_err *e)
{
	memset(s, 0, sizeof(*s));
	s->tail = &s->head;
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			    SQLITE_OPEN_NOMUTEX, NULL) ||
	    sqlite3_exec(s->db, schema, NULL, NULL, NULL) || prepare(s))
		return fail(s, e);
	return audit_init(&s->audit, s->db, signer, e);
}

void state_close(struct state *s)
{
	sqlite3_stmt *q;

	state_commit(s);
	audit_exit(&s->audit);
	while ((q = sqlite3_next_stmt(s->db, NULL)))
		sqlite3_finalize(q);
	sqlite3_close(s->db);
}

static int step(sqlite3_stmt *q)
{
	int ret = sqlite3_step(q);

	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return ret == SQLITE_DONE ? 0 : -EIO;
}

/* Seconds that never go back. */
static int64_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* --- the transaction --- */

/* Opens one if none is open: what is read and what is written there is one. */
static int enter(struct state *s, struct pol_err *e)
{
	look_if_undone(s);
	if (s->broken)
		return pol_fail(e, EIO, BROKEN);
	if (s->failed)
		return pol_fail(e, EIO, UNDONE);
	if (!s->open && step(s->begin))
		return fail(s, e);
	s->open = true;
	return 0;
}

/* The record of a change that was made, behind the one held, which needs no signature now. */
static int append(struct state *s, char *record, struct pol_err *e)
{
	int ret = s->held ? audit_append(&s->audit, s->held, false, e) : 0;

	free(s->held);
	s->held = record;
	s->failed |= ret != 0;
	return ret;
}

static int await(struct state *s, char *record, struct state_wait *w, bool now)
{
	if (append(s, record, &w->e))
		return -EIO;
	w->next = NULL;
	*s->tail = w;
	s->tail = &w->next;
	s->now |= now;
	return 0;
}

/* Has everything that was committed reached the disk? SQLite's own way of asking. */
static int put_on_disk(struct state *s, struct pol_err *e)
{
	sqlite3_file *log = NULL;

	if (!sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) && log &&
	    log->pMethods &&
	    !log->pMethods->xSync(log, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY))
		return 0;
	s->broken = true;
	return pol_fail(e, EIO, BROKEN);
}

static int end_transaction(struct state *s, struct pol_err *e)
{
	int ret;

	look_if_undone(s);
	ret = s->failed ? pol_fail(e, EIO, UNDONE) : 0;
	if (!ret && s->held)
		ret = audit_append(&s->audit, s->held, true, e);
	if (!ret && step(s->commit))
		ret = fail(s, e);
	if (!ret)
		return s->now ? put_on_disk(s, e) : 0;
	if (!sqlite3_get_autocommit(s->db))
		step(s->rollback);
	audit_forget(&s->audit);
	return ret;
}

int state_commit(struct state *s)
{
	struct pol_err e = { "" };
	struct state_wait *w, *next;
	int ret, n = 0;

	if (!s->open)
		return 0;
	ret = end_transaction(s, &e);
	free(s->held);
	w = s->head;
	s->held = NULL;
	s->head = NULL;
	s->tail = &s->head;
	s->open = s->failed = s->now = false;
	for (; w; w = next, n++) {
		next = w->next;
		w->ret = ret;
		if (ret)
			w->e = e;
		w->done(w);
	}
	return n;
}

/* --- what a request changes --- */

static int seen(struct state *s, const struct request_key *k, char **answer)
{
	sqlite3_stmt *q = s->lookup;

	if (strcmp((const char *)sqlite3_column_text(q, 0), k->sender) ||
	    sqlite3_column_bytes(q, 1) != 32 || memcmp(sqlite3_column_blob(q, 1), k->digest, 32))
		return STATE_REPLAY;
	if (sqlite3_column_type(q, 2) == SQLITE_NULL)
		return STATE_PENDING;
	*answer = strdup((const char *)sqlite3_column_text(q, 2));
	return *answer ? STATE_DONE : -EIO;
}

int state_lookup(struct state *s, const struct request_key *k, char **answer,
		 struct pol_err *e)
{
	int ret;

	*answer = NULL;
	if (enter(s, e))
		return -EIO;
	sqlite3_bind_text(s->lookup, 1, k->id, -1, SQLITE_STATIC);
	ret = sqlite3_step(s->lookup);
	if (ret == SQLITE_ROW)
		ret = seen(s, k, answer);
	else
		ret = ret == SQLITE_DONE ? STATE_NEW : fail(s, e);
	sqlite3_reset(s->lookup);
	return ret;
}

static int note(struct state *s, const struct request_key *k, struct pol_err *e)
{
	sqlite3_bind_text(s->note, 1, k->id, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->note, 2, k->sender, -1, SQLITE_STATIC);
	sqlite3_bind_blob(s->note, 3, k->digest, 32, SQLITE_STATIC);
	sqlite3_bind_int64(s->note, 4, time(NULL));
	return step(s->note) ? fail(s, e) : 0;
}

static int put_answer(struct state *s, const char *id, const char *answer, struct pol_err *e)
{
	sqlite3_bind_text(s->finish, 1, answer, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->finish, 2, id, -1, SQLITE_STATIC);
	return step(s->finish) ? fail(s, e) : 0;
}

int state_begin(struct state *s, const struct request_key *k, char *record,
		struct state_wait *w)
{
	if (!enter(s, &w->e) && !note(s, k, &w->e))
		return await(s, record, w, true);
	free(record);
	return -EIO;
}

int state_finish(struct state *s, const struct request_key *k, const char *answer, char *record,
		 struct state_wait *w)
{
	int ret = enter(s, &w->e);

	if (!ret && k && answer) {
		ret = note(s, k, &w->e);
		ret = ret ? ret : put_answer(s, k->id, answer, &w->e);
	}
	if (!ret)
		return await(s, record, w, false);
	free(record);
	return -EIO;
}

static void key_changed(struct state_wait *w)
{
	(void)w;
}

int state_change_key(struct state *s, const struct key *new, char *record, struct pol_err *e)
{
	struct state_wait w = { .done = key_changed };

	state_commit(s);
	if (enter(s, &w.e)) {
		free(record);
		w.ret = -EIO;
	} else {
		w.ret = await(s, record, &w, true);
		if (!w.ret)
			state_commit(s);	/* sets it */
	}
	if (w.ret)
		*e = w.e;
	else
		s->audit.signer = new;
	return w.ret;
}

/* Is there a row? 1, 0 or -EIO. */
static int found(sqlite3_stmt *q)
{
	int ret = sqlite3_step(q);

	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return ret == SQLITE_ROW ? 1 : ret == SQLITE_DONE ? 0 : -EIO;
}

/* Is there an allocation that excludes @a? */
static int conflict(struct state *s, const struct allocation *a, struct pol_err *e)
{
	int n;

	sqlite3_bind_text(s->is_allocated, 1, a->resource, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->is_allocated, 2, a->device, -1, SQLITE_STATIC);
	n = found(s->is_allocated);
	if (n)
		return n < 0 ? fail(s, e) : -EBUSY;
	sqlite3_bind_text(s->excludes, 1, a->host, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->excludes, 2, a->cloud, -1, SQLITE_STATIC);
	sqlite3_bind_int(s->excludes, 3, a->isolated);
	n = found(s->excludes);
	if (n)
		return n < 0 ? fail(s, e) : -EXDEV;
	return 0;
}

static int insert_allocation(struct state *s, const struct allocation *a)
{
	sqlite3_stmt *q = s->allocate;

	sqlite3_bind_text(q, 1, a->resource, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 2, a->device, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 3, a->host, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 4, a->cloud, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 5, a->request.id, -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 6, a->isolated);
	sqlite3_bind_int64(q, 7, time(NULL));
	return step(q);
}

static int insert_ticket(struct state *s, const struct allocation *a)
{
	sqlite3_stmt *q = s->ticket;

	sqlite3_bind_text(q, 1, a->request.id, -1, SQLITE_STATIC);
	sqlite3_bind_blob(q, 2, a->ticket, TICKET_SIZE, SQLITE_STATIC);
	sqlite3_bind_text(q, 3, a->resource, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 4, time(NULL));
	return step(q);
}

static int do_allocate(struct state *s, const struct allocation *a, struct pol_err *e)
{
	if (insert_allocation(s, a) || insert_ticket(s, a))
		return fail(s, e);
	fault("allocated");
	return 0;
}

static int do_release(struct state *s, const struct allocation *a, struct pol_err *e)
{
	sqlite3_bind_text(s->release, 1, a->resource, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->release, 2, a->cloud, -1, SQLITE_STATIC);
	if (step(s->release))
		return fail(s, e);
	return sqlite3_changes(s->db) ? 0 : -ENOENT;
}

/* All of it or nothing, within the transaction: one's trouble is not the others'. */
static int as_one(struct state *s, const struct allocation *a, const char *answer,
		  int (*change)(struct state *s, const struct allocation *a, struct pol_err *e),
		  struct pol_err *e)
{
	int ret;

	if (step(s->savepoint))
		return fail(s, e);
	ret = change(s, a, e);
	ret = ret ? ret : note(s, &a->request, e);
	ret = ret ? ret : put_answer(s, a->request.id, answer, e);
	if ((ret && step(s->undo)) || step(s->keep)) {
		s->failed = true;
		return fail(s, e);
	}
	return ret;
}

int state_allocate(struct state *s, const struct allocation *a, const char *answer,
		   char *record, struct state_wait *w)
{
	int ret = enter(s, &w->e);

	ret = ret ? ret : conflict(s, a, &w->e);
	ret = ret ? ret : as_one(s, a, answer, do_allocate, &w->e);
	if (!ret)
		return await(s, record, w, true);
	free(record);
	return ret;
}

int state_release(struct state *s, const struct allocation *a, const char *answer,
		  char *record, struct state_wait *w)
{
	int ret = enter(s, &w->e);

	ret = ret ? ret : as_one(s, a, answer, do_release, &w->e);
	if (!ret)
		return await(s, record, w, true);
	free(record);
	return ret;
}

int state_take_back(struct state *s, const char *resource, char *record, struct state_wait *w)
{
	int ret = enter(s, &w->e);

	if (!ret) {
		sqlite3_bind_text(s->take_back, 1, resource, -1, SQLITE_STATIC);
		ret = step(s->take_back) ? fail(s, &w->e) : sqlite3_changes(s->db) ? 0 : -ENOENT;
	}
	if (!ret)
		return await(s, record, w, true);
	free(record);
	return ret;
}

int state_session(struct state *s, const char *key, int64_t used, const char *roles)
{
	sqlite3_stmt *q = roles ? s->put_session : s->end_session;
	struct pol_err e;

	if (enter(s, &e))
		return -EIO;
	sqlite3_bind_text(q, 1, key, -1, SQLITE_STATIC);
	if (roles) {
		sqlite3_bind_int64(q, 2, used);
		sqlite3_bind_text(q, 3, roles, -1, SQLITE_STATIC);
	}
	if (!step(q))
		return 0;
	s->failed = true;
	return -EIO;
}

int state_sessions(struct state *s, void (*each)(void *ctx, const char *key, int64_t used,
						 const char *roles), void *ctx, struct pol_err *e)
{
	sqlite3_stmt *q;
	int ret;

	if (sqlite3_prepare_v2(s->db, "SELECT key, used, roles FROM session", -1, &q, NULL))
		return fail(s, e);
	while ((ret = sqlite3_step(q)) == SQLITE_ROW)
		each(ctx, (const char *)sqlite3_column_text(q, 0), sqlite3_column_int64(q, 1),
		     (const char *)sqlite3_column_text(q, 2));
	sqlite3_finalize(q);
	return ret == SQLITE_DONE ? 0 : fail(s, e);
}

void state_purge(struct state *s)
{
	int64_t now = time(NULL), tick = monotonic();
	sqlite3_stmt *const purges[] = { s->purge_answers, s->purge_requests };
	struct pol_err e;
	size_t i;

	if (tick < s->next_purge || enter(s, &e))
		return;
	s->next_purge = tick + PURGE_SECONDS;
	for (i = 0; i < sizeof(purges) / sizeof(purges[0]); i++) {
		sqlite3_bind_int64(purges[i], 1, now - STATE_RETAIN);
		sqlite3_bind_int(purges[i], 2, PURGE_MAX);
		/* Of before the clock was set back: what is as old is stale by now. */
		sqlite3_bind_int64(purges[i], 3, now + STATE_RETAIN);
		if (step(purges[i])) {
			fail(s, &e);
			return;
		}
	}
	if (sqlite3_changes(s->db) == PURGE_MAX)
		s->next_purge = tick;
}
