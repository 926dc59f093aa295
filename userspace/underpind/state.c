// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audit.h"
#include "fault.h"
#include "state.h"

static const char schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=2000;"
	"CREATE TABLE IF NOT EXISTS request(id TEXT PRIMARY KEY, sender TEXT NOT NULL,"
	" digest BLOB NOT NULL, answer TEXT, time INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS allocation(resource TEXT PRIMARY KEY, host TEXT NOT NULL,"
	" cloud TEXT NOT NULL, request TEXT NOT NULL UNIQUE, isolated INTEGER NOT NULL,"
	" time INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS ticket(request TEXT PRIMARY KEY, ticket BLOB NOT NULL UNIQUE,"
	" resource TEXT NOT NULL, time INTEGER NOT NULL);";

static int fail(struct state *s, struct pol_err *e)
{
	return pol_fail(e, EIO, "state: %s: check the disk", sqlite3_errmsg(s->db));
}

int state_open(struct state *s, const char *path, const struct key *signer, struct pol_err *e)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->signer = signer;
	if (sqlite3_open(path, &s->db) || sqlite3_exec(s->db, schema, NULL, NULL, NULL) ||
	    sqlite3_prepare_v2(s->db, "SELECT sender, digest, answer FROM request WHERE id=?", -1,
			       &s->lookup, NULL) ||
	    sqlite3_prepare_v2(s->db, "INSERT OR IGNORE INTO request VALUES(?,?,?,NULL,?)", -1,
			       &s->begin, NULL) ||
	    sqlite3_prepare_v2(s->db, "UPDATE request SET answer=? WHERE id=?", -1, &s->finish,
			       NULL))
		return fail(s, e);
	return audit_init(s->db, e);
}

void state_close(struct state *s)
{
	sqlite3_finalize(s->lookup);
	sqlite3_finalize(s->begin);
	sqlite3_finalize(s->finish);
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

int state_lookup(struct state *s, const char *id, const char *sender, const uint8_t *digest,
		 char **answer, struct pol_err *e)
{
	int ret;

	*answer = NULL;
	pthread_mutex_lock(&s->lock);
	sqlite3_bind_text(s->lookup, 1, id, -1, SQLITE_STATIC);
	ret = sqlite3_step(s->lookup);
	if (ret == SQLITE_ROW)
		ret = seen(s, sender, digest, answer);
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

/* Ends the transaction: commits if @ret is 0, and says how it went. */
static int end(struct state *s, int ret, struct pol_err *e)
{
	if (!ret && run(s, "COMMIT"))
		ret = fail(s, e);
	if (ret)
		run(s, "ROLLBACK");
	return ret;
}

static int step(sqlite3_stmt *q)
{
	int ret = sqlite3_step(q);

	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return ret == SQLITE_DONE ? 0 : -EIO;
}

int state_begin(struct state *s, const char *id, const char *sender, const uint8_t *digest,
		const char *record, struct pol_err *e)
{
	int ret;

	pthread_mutex_lock(&s->lock);
	ret = run(s, "BEGIN IMMEDIATE") ? fail(s, e) : 0;
	if (!ret) {
		sqlite3_bind_text(s->begin, 1, id, -1, SQLITE_STATIC);
		sqlite3_bind_text(s->begin, 2, sender, -1, SQLITE_STATIC);
		sqlite3_bind_blob(s->begin, 3, digest, 32, SQLITE_STATIC);
		sqlite3_bind_int64(s->begin, 4, time(NULL));
		ret = step(s->begin) ? fail(s, e) : 0;
	}
	ret = ret ? ret : audit_append(s->db, s->signer, record, e);
	ret = end(s, ret, e);
	pthread_mutex_unlock(&s->lock);
	return ret;
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
	int ret;

	pthread_mutex_lock(&s->lock);
	ret = run(s, "BEGIN IMMEDIATE") ? fail(s, e) : 0;
	if (!ret && answer)
		ret = put_answer(s, id, answer, e);
	ret = ret ? ret : audit_append(s->db, s->signer, record, e);
	ret = end(s, ret, e);
	pthread_mutex_unlock(&s->lock);
	return ret;
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
		ret = ret == SQLITE_DONE ? sqlite3_changes(s->db) * !sqlite3_stmt_readonly(q) : -EIO;
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
	sqlite3_bind_text(q, 4, a->request, -1, SQLITE_STATIC);
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
	sqlite3_bind_text(q, 1, a->request, -1, SQLITE_STATIC);
	sqlite3_bind_blob(q, 2, a->ticket, TICKET_SIZE, SQLITE_STATIC);
	sqlite3_bind_text(q, 3, a->resource, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 4, time(NULL));
	ret = step(q);
	sqlite3_finalize(q);
	return ret;
}

static int allocate(struct state *s, const struct allocation *a, const char *answer,
		    const char *record, struct pol_err *e)
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
	n = put_answer(s, a->request, answer, e);
	return n ? n : audit_append(s->db, s->signer, record, e);
}

int state_allocate(struct state *s, const struct allocation *a, const char *answer,
		   const char *record, struct pol_err *e)
{
	int ret;

	pthread_mutex_lock(&s->lock);
	ret = run(s, "BEGIN IMMEDIATE") ? fail(s, e) : 0;
	ret = ret ? ret : allocate(s, a, answer, record, e);
	ret = end(s, ret, e);
	pthread_mutex_unlock(&s->lock);
	return ret;
}

int state_release(struct state *s, const char *resource, const char *cloud, const char *id,
		  const char *answer, const char *record, struct pol_err *e)
{
	int ret, n;

	pthread_mutex_lock(&s->lock);
	ret = run(s, "BEGIN IMMEDIATE") ? fail(s, e) : 0;
	if (!ret) {
		n = query(s, "DELETE FROM allocation WHERE resource=? AND cloud=?", resource,
			  cloud, 0);
		ret = n < 0 ? fail(s, e) : n ? 0 : -ENOENT;
	}
	ret = ret ? ret : put_answer(s, id, answer, e);
	ret = ret ? ret : audit_append(s->db, s->signer, record, e);
	ret = end(s, ret, e);
	pthread_mutex_unlock(&s->lock);
	return ret;
}

void state_purge(struct state *s)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "DELETE FROM request WHERE answer IS NOT NULL AND time<%lld",
		 (long long)time(NULL) - STATE_RETAIN);
	pthread_mutex_lock(&s->lock);
	run(s, sql);
	pthread_mutex_unlock(&s->lock);
}
