// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of what a daemon must not forget: what shares a commit, what is
 * on the disk when a call returns, and that one change's trouble is not another's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "state/state.h"

#define TOGETHER	8

static int syncs;
static bool sync_fails;

/* SQLite's, through this program's symbol table: counted, or refused. */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
	syncs++;
	if (sync_fails) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_fdatasync, fd);
}

struct fixture {
	char dir[32], path[64];
	struct key *key;
	struct state s;
};

static struct key *new_key(const char *dir)
{
	EVP_PKEY *k = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct pol_err e;
	struct key *out;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/key", dir);
	f = fopen(path, "w");
	assert_true(PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(f);
	EVP_PKEY_free(k);
	out = key_load(path, true, &e);
	unlink(path);
	assert_non_null(out);
	return out;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct pol_err e;

	strcpy(f->dir, "/tmp/state-unit-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/db", f->dir);
	f->key = new_key(f->dir);
	assert_int_equal(state_open(&f->s, f->path, f->key, &e), 0);
	syncs = 0;
	sync_fails = false;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char cmd[80];

	sync_fails = false;
	state_close(&f->s);
	key_free(f->key);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", f->dir);
	assert_int_equal(system(cmd), 0);
	free(f);
	return 0;
}

static const uint8_t digest[32] = { 1 };

/* A number of the database, read as another program would. */
static int64_t number(const struct fixture *f, const char *sql)
{
	sqlite3_stmt *q;
	sqlite3 *db;
	int64_t n;

	assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), 0);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), 0);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}

static void verify(const struct fixture *f, uint64_t records)
{
	struct audit_head start, h;
	struct pol_err e;
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), 0);
	assert_int_equal(audit_verify(db, f->key, &start, &h, &e), 0);
	assert_int_equal(h.n, records);
	sqlite3_close(db);
}

/* Somebody who waits for a commit: what it was told, and how often. */
struct one {
	struct state_wait wait;
	int told;
};

static void on_done(struct state_wait *w)
{
	((struct one *)w)->told++;
}

static const char *device;		/* of the next allocation; NULL: one of its own */

static int allocate(struct fixture *f, struct one *o, const char *id, const char *resource,
		    uint8_t ticket)
{
	uint8_t bytes[TICKET_SIZE] = { ticket };
	struct allocation a = { .resource = resource, .device = device ? device : resource,
				.host = "h", .cloud = "c", .request = { id, "s", digest },
				.ticket = bytes };

	*o = (struct one){ .wait.done = on_done };
	return state_allocate(&f->s, &a, "answer", strdup("{\"grant\":1}"), &o->wait);
}

/* One change, and what came of it. */
static int allocate_now(struct fixture *f, const char *id, const char *resource, uint8_t ticket)
{
	struct one o;
	int ret = allocate(f, &o, id, resource, ticket);

	assert_int_equal(state_commit(&f->s), ret ? 0 : 1);
	assert_int_equal(o.told, !ret);
	return ret ? ret : o.wait.ret;
}

/* What follows a call may act on it only if it is on the disk. */
static void test_on_disk(void **state)
{
	struct fixture *f = *state;
	struct request_key k = { "1", "s", digest };
	struct one o = { .wait.done = on_done };
	struct pol_err e;
	char *answer;

	assert_int_equal(state_begin(&f->s, &k, strdup("{}"), &o.wait), 0);
	assert_int_equal(o.told, 0);
	assert_int_equal(syncs, 0);
	assert_int_equal(number(f, "SELECT count(*) FROM request"), 0);
	assert_int_equal(state_commit(&f->s), 1);
	assert_int_equal(o.told, 1);
	assert_int_equal(o.wait.ret, 0);
	assert_true(syncs > 0);
	syncs = 0;
	assert_int_equal(state_finish(&f->s, &k, "answer", strdup("{}"), &o.wait), 0);
	assert_int_equal(state_commit(&f->s), 1);
	assert_int_equal(o.told, 2);
	assert_int_equal(syncs, 0);
	assert_int_equal(allocate_now(f, "2", "r", 1), 0);
	assert_int_equal(syncs, 1);
	assert_int_equal(state_lookup(&f->s, &k, &answer, &e), STATE_DONE);
	assert_string_equal(answer, "answer");
	free(answer);
	verify(f, 3);
}

/* A disk that failed once is not believed again. */
static void test_disk_fails(void **state)
{
	struct fixture *f = *state;
	struct request_key k = { "2", "s", digest };
	struct pol_err e;
	char *answer;

	assert_int_equal(allocate_now(f, "1", "r", 1), 0);
	sync_fails = true;
	assert_int_equal(allocate_now(f, "2", "other", 2), -EIO);
	sync_fails = false;
	assert_int_equal(state_lookup(&f->s, &k, &answer, &e), -EIO);
	assert_non_null(strstr(e.msg, "disk"));
	assert_int_equal(allocate_now(f, "3", "third", 3), -EIO);
}

static void test_conflicts(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(allocate_now(f, "1", "r", 1), 0);
	assert_int_equal(allocate_now(f, "2", "r", 2), -EBUSY);
	assert_int_equal(number(f, "SELECT count(*) FROM request"), 1);
	/* Another name for the same device. */
	device = "r";
	assert_int_equal(allocate_now(f, "3", "other", 3), -EBUSY);
	device = NULL;
	verify(f, 1);
}

/* Those who come together share a commit, a signature, a write; one's trouble is its own. */
static void test_together(void **state)
{
	struct fixture *f = *state;
	char id[8], resource[8];
	struct one o[TOGETHER];
	int i;

	assert_int_equal(allocate_now(f, "before", "before", 200), 0);
	syncs = 0;
	for (i = 0; i < TOGETHER; i++) {
		snprintf(id, sizeof(id), "%d", i);
		snprintf(resource, sizeof(resource), "r%d", i);
		/* One's ticket exists: the table refuses it after another was written to. */
		assert_int_equal(allocate(f, &o[i], id, resource, i == 3 ? 1 : i + 1),
				 i == 3 ? -EIO : 0);
	}
	assert_int_equal(state_commit(&f->s), TOGETHER - 1);
	for (i = 0; i < TOGETHER; i++)
		assert_int_equal(o[i].told, i != 3);
	assert_int_equal(syncs, 1);
	verify(f, TOGETHER);
	assert_int_equal(number(f, "SELECT count(*) FROM allocation"), TOGETHER);
	assert_int_equal(number(f, "SELECT count(*) FROM ticket"), TOGETHER);
	assert_int_equal(number(f, "SELECT count(*) FROM request"), TOGETHER);
	assert_int_equal(number(f, "SELECT count(*) FROM audit WHERE length(signature)=64"), 2);
}

/* What cannot be committed has not happened, and everybody is told. */
static void test_all_undone(void **state)
{
	struct fixture *f = *state;
	struct request_key k = { "late", "s", digest };
	struct pol_err e;
	struct one o[3];
	char *answer;

	assert_int_equal(allocate(f, &o[0], "1", "a", 1), 0);
	assert_int_equal(allocate(f, &o[1], "2", "b", 2), 0);
	/* As SQLite does it, by itself, when the disk is full. */
	assert_int_equal(sqlite3_exec(f->s.db, "ROLLBACK", NULL, NULL, NULL), 0);
	assert_int_equal(allocate(f, &o[2], "3", "c", 3), -EIO);
	assert_int_equal(state_lookup(&f->s, &k, &answer, &e), -EIO);
	assert_int_equal(state_commit(&f->s), 2);
	assert_int_equal(o[0].wait.ret, -EIO);
	assert_int_equal(o[1].wait.ret, -EIO);
	assert_int_equal(number(f, "SELECT count(*) FROM allocation"), 0);
	assert_int_equal(allocate_now(f, "1", "a", 1), 0);
	verify(f, 1);
}

/* Old requests are forgotten, young ones are not. */
static void test_purge(void **state)
{
	struct fixture *f = *state;
	char sql[160];

	snprintf(sql, sizeof(sql), "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM i "
		 "WHERE n<3000) INSERT INTO request SELECT n, 'old'||n, 's', x'00', 1 FROM i");
	assert_int_equal(sqlite3_exec(f->s.db, sql, NULL, NULL, NULL), 0);
	assert_int_equal(sqlite3_exec(f->s.db, "INSERT INTO answer SELECT n, 'a' FROM request",
				      NULL, NULL, NULL), 0);
	assert_int_equal(allocate_now(f, "young", "r", 1), 0);
	state_purge(&f->s);
	state_commit(&f->s);
	assert_in_range(number(f, "SELECT count(*) FROM request"), 1500, 2500);
	state_purge(&f->s);
	state_purge(&f->s);
	state_commit(&f->s);
	assert_int_equal(number(f, "SELECT count(*) FROM request"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM answer"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_on_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conflicts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_undone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_purge, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
