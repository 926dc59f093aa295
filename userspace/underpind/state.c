// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fault.h"
#include "state.h"

/*
 * Rows are only ever added, until they are purged: an answer apart from its
 * request. A commit does not wait for the disk (NORMAL); put_on_disk() does.
 */
static const char schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=2000;"
	"PRAGMA wal_autocheckpoint=1000; PRAGMA cache_size=-4096;"
	"CREATE TABLE IF NOT EXISTS request(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
	" sender TEXT NOT NULL, digest BLOB NOT NULL, time INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS answer(request INTEGER PRIMARY KEY, text TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS allocation(resource TEXT PRIMARY KEY, host TEXT NOT NULL,"
	" cloud TEXT NOT NULL, request TEXT NOT NULL UNIQUE, isolated INTEGER NOT NULL,"
	" time INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS ticket(request TEXT PRIMARY KEY, ticket BLOB NOT NULL UNIQUE,"
	" resource TEXT NOT NULL, time INTEGER NOT NULL);";

/* What is committed and not on the disk must not be answered with. */
#define BROKEN	"state: the disk did not take what was written: check it, and start anew"

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
		{ &s->is_allocated, "SELECT 1 FROM allocation WHERE resource=?" },
		{ &s->excludes, "SELECT 1 FROM allocation WHERE host=? AND cloud<>? AND "
		  "(isolated OR ?)" },
		{ &s->allocate, "INSERT INTO allocation VALUES(?,?,?,?,?,?)" },
		{ &s->ticket, "INSERT INTO ticket VALUES(?,?,?,?)" },
		{ &s->release, "DELETE FROM allocation WHERE resource=? AND cloud=?" },
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
	pthread_mutex_init(&s->queue_lock, NULL);
	s->tail = &s->head;
	if (sqlite3_open(path, &s->db) || sqlite3_exec(s->db, schema, NULL, NULL, NULL) ||
	    prepare(s))
		return fail(s, e);
	return audit_init(&s->audit, s->db, signer, e);
}

void state_close(struct state *s)
{
	sqlite3_stmt *q;

	audit_exit(&s->audit);
	while ((q = sqlite3_next_stmt(s->db, NULL)))
		sqlite3_finalize(q);
	sqlite3_close(s->db);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->queue_lock);
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
	if (__atomic_load_n(&s->broken, __ATOMIC_ACQUIRE))
		return pol_fail(e, EIO, BROKEN);
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

static int step(sqlite3_stmt *q)
{
	int ret = sqlite3_step(q);

	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return ret == SQLITE_DONE ? 0 : -EIO;
}

/* --- what a request changes --- */

/* A change that waits for a commit; it lives on its thread's stack. */
struct change {
	struct change *next;
	int (*apply)(struct state *s, const struct change *c, struct pol_err *e);
	const struct allocation *a;
	const struct request_key *key;
	const char *id, *answer, *record;
	bool now;		/* must be on the disk before the thread goes on */
	/* set by the thread that commits */
	int ret;
	struct pol_err *e;
	bool done, your_turn;
	pthread_cond_t wake;
};

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

static int apply_begin(struct state *s, const struct change *c, struct pol_err *e)
{
	return note(s, c->key, e);
}

static int apply_finish(struct state *s, const struct change *c, struct pol_err *e)
{
	return c->answer ? put_answer(s, c->id, c->answer, e) : 0;
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
	sqlite3_bind_text(q, 2, a->host, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 3, a->cloud, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 4, a->request.id, -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 5, a->isolated);
	sqlite3_bind_int64(q, 6, time(NULL));
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

/* The request and its answer, with what they are about. */
static int conclude(struct state *s, const struct change *c, struct pol_err *e)
{
	int ret = note(s, &c->a->request, e);

	return ret ? ret : put_answer(s, c->a->request.id, c->answer, e);
}

static int apply_allocate(struct state *s, const struct change *c, struct pol_err *e)
{
	int ret = conflict(s, c->a, e);

	if (ret)
		return ret;
	if (insert_allocation(s, c->a) || insert_ticket(s, c->a))
		return fail(s, e);
	fault("allocated");
	return conclude(s, c, e);
}

static int apply_release(struct state *s, const struct change *c, struct pol_err *e)
{
	sqlite3_bind_text(s->release, 1, c->a->resource, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->release, 2, c->a->cloud, -1, SQLITE_STATIC);
	if (step(s->release))
		return fail(s, e);
	return sqlite3_changes(s->db) ? conclude(s, c, e) : -ENOENT;
}

static int apply_purge(struct state *s, const struct change *c, struct pol_err *e)
{
	long long before = (long long)time(NULL) - STATE_RETAIN;
	char sql[200];

	(void)c;
	snprintf(sql, sizeof(sql), "DELETE FROM answer WHERE request IN (SELECT n FROM request "
		 "WHERE time<%lld); DELETE FROM request WHERE time<%lld", before, before);
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) ? fail(s, e) : 0;
}

/* --- commits --- */

/* Has everything that was committed reached the disk? SQLite's own way of asking. */
static int put_on_disk(struct state *s)
{
	sqlite3_file *log = NULL;

	if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) || !log ||
	    !log->pMethods || log->pMethods->xSync(log, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY))
		return -EIO;
	return 0;
}

/* Records of the changes that were made; the last one signs for all. */
static int append(struct state *s, struct change *list, struct pol_err *e)
{
	struct change *c, *last = NULL;
	int ret = 0;

	for (c = list; c; c = c->next)
		if (!c->ret && c->record)
			last = c;
	for (c = list; c && !ret; c = c->next)
		if (!c->ret && c->record)
			ret = audit_append(&s->audit, c->record, c == last, e);
	return ret;
}

/* One transaction. A change may refuse before it has written: that is its own affair. */
static int transact(struct state *s, struct change *list)
{
	struct pol_err e = { "out of memory" };
	struct change *c;
	int ret;

	pthread_mutex_lock(&s->lock);
	ret = step(s->begin) ? fail(s, &e) : 0;
	for (c = list; c && !ret; c = c->next) {
		c->ret = c->apply(s, c, &e);
		if (c->ret == -EIO)
			ret = -EIO;
	}
	ret = ret ? ret : append(s, list, &e);
	if (!ret && step(s->commit))
		ret = fail(s, &e);
	if (ret) {
		step(s->rollback);
		audit_forget(&s->audit);
	}
	pthread_mutex_unlock(&s->lock);
	for (c = list; c && ret; c = c->next) {
		c->ret = ret;
		*c->e = e;
	}
	return ret;
}

/* Together; if that fails, one by one, lest one change's trouble be the others'. */
static void commit_list(struct state *s, struct change *list)
{
	struct change *c, *next;
	bool now = false;

	if (transact(s, list) && list->next)
		for (c = list; c; c = next) {
			next = c->next;
			c->next = NULL;
			transact(s, c);
			c->next = next;
		}
	for (c = list; c; c = c->next)
		now |= c->now && !c->ret;
	if (!now || !put_on_disk(s))
		return;
	__atomic_store_n(&s->broken, true, __ATOMIC_RELEASE);
	for (c = list; c; c = c->next)
		if (!c->ret)
			c->ret = pol_fail(c->e, EIO, BROKEN);
}

/* Commits for all who wait, itself among them; then another's turn has come. */
static void commit_waiting(struct state *s)
{
	struct change *list, *c, *next;

	list = s->head;
	s->head = NULL;
	s->tail = &s->head;
	s->committing = true;
	pthread_mutex_unlock(&s->queue_lock);
	commit_list(s, list);
	pthread_mutex_lock(&s->queue_lock);
	s->committing = false;
	for (c = list; c; c = next) {
		next = c->next;
		c->done = true;
		pthread_cond_signal(&c->wake);
	}
	if (s->head) {
		s->committing = s->head->your_turn = true;
		pthread_cond_signal(&s->head->wake);
	}
}

static int change(struct state *s, struct change *c, struct pol_err *e)
{
	c->e = e;
	pthread_cond_init(&c->wake, NULL);
	pthread_mutex_lock(&s->queue_lock);
	if (__atomic_load_n(&s->broken, __ATOMIC_ACQUIRE)) {
		pthread_mutex_unlock(&s->queue_lock);
		return pol_fail(e, EIO, BROKEN);
	}
	*s->tail = c;
	s->tail = &c->next;
	while (!c->done && !c->your_turn && s->committing)
		pthread_cond_wait(&c->wake, &s->queue_lock);
	if (!c->done)
		commit_waiting(s);
	pthread_mutex_unlock(&s->queue_lock);
	pthread_cond_destroy(&c->wake);
	return c->ret;
}

/* --- what the rest of the daemon calls --- */

int state_begin(struct state *s, const struct request_key *k, const char *record,
		struct pol_err *e)
{
	struct change c = { .apply = apply_begin, .key = k, .record = record, .now = true };

	return change(s, &c, e);
}

int state_finish(struct state *s, const char *id, const char *answer, const char *record,
		 struct pol_err *e)
{
	struct change c = { .apply = apply_finish, .id = id, .answer = answer, .record = record };

	return change(s, &c, e);
}

int state_allocate(struct state *s, const struct allocation *a, const char *answer,
		   const char *record, struct pol_err *e)
{
	struct change c = { .apply = apply_allocate, .a = a, .answer = answer, .record = record,
			    .now = true };

	return change(s, &c, e);
}

int state_release(struct state *s, const struct allocation *a, const char *answer,
		  const char *record, struct pol_err *e)
{
	struct change c = { .apply = apply_release, .a = a, .answer = answer, .record = record,
			    .now = true };

	return change(s, &c, e);
}

void state_purge(struct state *s)
{
	struct change c = { .apply = apply_purge };
	struct pol_err e;

	change(s, &c, &e);
}
