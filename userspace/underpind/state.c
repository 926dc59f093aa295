// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fault.h"
#include "state.h"

/* Rows are only ever added, until they are purged: an answer apart from its request. */
static const char schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=2000;"
	"PRAGMA wal_autocheckpoint=8000; PRAGMA cache_size=-16384;"
	"CREATE TABLE IF NOT EXISTS request(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
	" sender TEXT NOT NULL, digest BLOB NOT NULL, time INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS answer(request INTEGER PRIMARY KEY, text TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS allocation(resource TEXT PRIMARY KEY, host TEXT NOT NULL,"
	" cloud TEXT NOT NULL, request TEXT NOT NULL UNIQUE, isolated INTEGER NOT NULL,"
	" time INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS ticket(request TEXT PRIMARY KEY, ticket BLOB NOT NULL UNIQUE,"
	" resource TEXT NOT NULL, time INTEGER NOT NULL);";

static int fail(struct state *s, struct pol_err *e)
{
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
	pthread_mutex_init(&s->lock, NULL);
	if (sqlite3_open(path, &s->db) || sqlite3_exec(s->db, schema, NULL, NULL, NULL) ||
	    prepare(s))
		return fail(s, e);
	return audit_init(&s->audit, s->db, signer, e);
}

void state_close(struct state *s)
{
	audit_exit(&s->audit);
	sqlite3_finalize(s->lookup);
	sqlite3_finalize(s->note);
	sqlite3_finalize(s->finish);
	sqlite3_finalize(s->begin);
	sqlite3_finalize(s->commit);
	sqlite3_finalize(s->rollback);
	sqlite3_close(s->db);
	pthread_mutex_destroy(&s->lock);
}

static int seen(struct state *s, const char *sender, const uint8_t *digest, char **answer)
{
	sqlite3_stmt *q = s->lookup;

	if (strcmp((const char *)sqlite3_column_text(q, 0), sender) ||
	    sqlite3_column_bytes(q, 1) != 32 || memcmp(sqlite3_column_blob(q, 1), digest, 32))
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
	pthread_mutex_lock(&s->lock);
	sqlite3_bind_text(s->lookup, 1, k->id, -1, SQLITE_STATIC);
	ret = sqlite3_step(s->lookup);
	if (ret == SQLITE_ROW)
		ret = seen(s, k->sender, k->digest, answer);
	else
		ret = ret == SQLITE_DONE ? STATE_NEW : fail(s, e);
	sqlite3_reset(s->lookup);
	pthread_mutex_unlock(&s->lock);
	return ret;
}

static int run(struct state *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) ? -EIO : 0;
}

static int step(sqlite3_stmt *q)
{
	int ret = sqlite3_step(q);

	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return ret == SQLITE_DONE ? 0 : -EIO;
}

/* Locks and begins; @sync is when its commit must be on the disk. */
static int begin(struct state *s, bool sync, struct pol_err *e)
{
	pthread_mutex_lock(&s->lock);
	run(s, sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
	return step(s->begin) ? fail(s, e) : 0;
}

/* Commits if @ret is 0, unlocks, and says how it went. */
static int end(struct state *s, int ret, struct pol_err *e)
{
	if (!ret && step(s->commit))
		ret = fail(s, e);
	if (ret)
		step(s->rollback);
	pthread_mutex_unlock(&s->lock);
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

int state_begin(struct state *s, const struct request_key *k, const char *record,
		struct pol_err *e)
{
	int ret = begin(s, true, e);

	ret = ret ? ret : note(s, k, e);
	ret = ret ? ret : audit_append(&s->audit, record, e);
	return end(s, ret, e);
}

static int put_answer(struct state *s, const char *id, const char *answer, struct pol_err *e)
{
	sqlite3_bind_text(s->finish, 1, answer, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->finish, 2, id, -1, SQLITE_STATIC);
	return step(s->finish) ? fail(s, e) : 0;
}

int state_finish(struct state *s, const char *id, const char *answer, const char *record,
		 struct pol_err *e)
{
	int ret = begin(s, false, e);

	if (!ret && answer)
		ret = put_answer(s, id, answer, e);
	ret = ret ? ret : audit_append(&s->audit, record, e);
	return end(s, ret, e);
}

/* Runs @sql with up to three texts and a number; rows changed or found, or -EIO. */
static int query(struct state *s, const char *sql, const char *a, const char *b, int64_t n)
{
	sqlite3_stmt *q;
	int ret;

	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL))
		return -EIO;
	sqlite3_bind_text(q, 1, a, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 2, b, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 3, n);
	ret = sqlite3_step(q);
	if (ret == SQLITE_ROW)
		ret = 1;
	else
		ret = ret != SQLITE_DONE ? -EIO : sqlite3_stmt_readonly(q) ? 0 :
		      sqlite3_changes(s->db);
	sqlite3_finalize(q);
	return ret;
}

static int insert_allocation(struct state *s, const struct allocation *a)
{
	sqlite3_stmt *q;
	int ret;

	if (sqlite3_prepare_v2(s->db, "INSERT INTO allocation VALUES(?,?,?,?,?,?)", -1, &q, NULL))
		return -EIO;
	sqlite3_bind_text(q, 1, a->resource, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 2, a->host, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 3, a->cloud, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 4, a->request.id, -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 5, a->isolated);
	sqlite3_bind_int64(q, 6, time(NULL));
	ret = step(q);
	sqlite3_finalize(q);
	return ret;
}

static int insert_ticket(struct state *s, const struct allocation *a)
{
	sqlite3_stmt *q;
	int ret;

	if (sqlite3_prepare_v2(s->db, "INSERT INTO ticket VALUES(?,?,?,?)", -1, &q, NULL))
		return -EIO;
	sqlite3_bind_text(q, 1, a->request.id, -1, SQLITE_STATIC);
	sqlite3_bind_blob(q, 2, a->ticket, TICKET_SIZE, SQLITE_STATIC);
	sqlite3_bind_text(q, 3, a->resource, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 4, time(NULL));
	ret = step(q);
	sqlite3_finalize(q);
	return ret;
}

static int allocate(struct state *s, const struct allocation *a, struct pol_err *e)
{
	int n = query(s, "SELECT 1 FROM allocation WHERE resource=?", a->resource, NULL, 0);

	if (n)
		return n < 0 ? fail(s, e) : -EBUSY;
	n = query(s, "SELECT 1 FROM allocation WHERE host=? AND cloud<>? AND (isolated OR ?)",
		  a->host, a->cloud, a->isolated);
	if (n)
		return n < 0 ? fail(s, e) : -EXDEV;
	if (insert_allocation(s, a) || insert_ticket(s, a))
		return fail(s, e);
	fault("allocated");
	return 0;
}

/* The request, its answer and its record, with what they are about. */
static int conclude(struct state *s, const struct allocation *a, const char *answer,
		    const char *record, struct pol_err *e)
{
	int ret = note(s, &a->request, e);

	ret = ret ? ret : put_answer(s, a->request.id, answer, e);
	return ret ? ret : audit_append(&s->audit, record, e);
}

int state_allocate(struct state *s, const struct allocation *a, const char *answer,
		   const char *record, struct pol_err *e)
{
	int ret = begin(s, true, e);

	ret = ret ? ret : allocate(s, a, e);
	ret = ret ? ret : conclude(s, a, answer, record, e);
	return end(s, ret, e);
}

int state_release(struct state *s, const struct allocation *a, const char *answer,
		  const char *record, struct pol_err *e)
{
	int ret = begin(s, true, e), n;

	if (!ret) {
		n = query(s, "DELETE FROM allocation WHERE resource=? AND cloud=?", a->resource,
			  a->cloud, 0);
		ret = n < 0 ? fail(s, e) : n ? 0 : -ENOENT;
	}
	ret = ret ? ret : conclude(s, a, answer, record, e);
	return end(s, ret, e);
}

void state_purge(struct state *s)
{
	char sql[400];

	snprintf(sql, sizeof(sql), "BEGIN IMMEDIATE; DELETE FROM answer WHERE request IN (SELECT n "
		 "FROM request WHERE time<%lld); DELETE FROM request WHERE time<%lld; COMMIT",
		 (long long)time(NULL) - STATE_RETAIN, (long long)time(NULL) - STATE_RETAIN);
	pthread_mutex_lock(&s->lock);
	if (run(s, sql))
		run(s, "ROLLBACK");
	pthread_mutex_unlock(&s->lock);
}
