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

#include "state.h"

#define THREADS		8

static int syncs, sync_ms;
static bool sync_fails;

/* SQLite's, through this program's symbol table: counted, slowed, or refused. */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
	__atomic_fetch_add(&syncs, 1, __ATOMIC_RELAXED);
	usleep(sync_ms * 1000);
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
	syncs = sync_ms = 0;
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
	struct audit_head h;
	struct pol_err e;
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), 0);
	assert_int_equal(audit_verify(db, f->key, &h, &e), 0);
	assert_int_equal(h.n, records);
	sqlite3_close(db);
}

static int allocate(struct fixture *f, const char *id, const char *resource, uint8_t ticket)
{
	uint8_t bytes[TICKET_SIZE] = { ticket };
	struct allocation a = { .resource = resource, .host = "h", .cloud = "c",
				.request = { id, "s", digest }, .ticket = bytes };
	struct pol_err e;

	return state_allocate(&f->s, &a, "answer", "{\"grant\":1}", &e);
}

/* What follows a call may act on it only if it is on the disk. */
static void test_on_disk(void **state)
{
	struct fixture *f = *state;
	struct request_key k = { "1", "s", digest };
	struct pol_err e;
	char *answer;

	assert_int_equal(state_begin(&f->s, &k, "{}", &e), 0);
	assert_true(syncs > 0);
	syncs = 0;
	assert_int_equal(state_finish(&f->s, "1", "answer", "{}", &e), 0);
	assert_int_equal(syncs, 0);
	assert_int_equal(allocate(f, "2", "r", 1), 0);
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

	assert_int_equal(allocate(f, "1", "r", 1), 0);
	sync_fails = true;
	assert_int_equal(allocate(f, "2", "other", 2), -EIO);
	sync_fails = false;
	assert_int_equal(state_lookup(&f->s, &k, &answer, &e), -EIO);
	assert_non_null(strstr(e.msg, "disk"));
	assert_int_equal(allocate(f, "3", "third", 3), -EIO);
}

static void test_conflicts(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(allocate(f, "1", "r", 1), 0);
	assert_int_equal(allocate(f, "2", "r", 2), -EBUSY);
	assert_int_equal(number(f, "SELECT count(*) FROM request"), 1);
	verify(f, 1);
}

struct one {
	pthread_t id;
	struct fixture *f;
	int number, ret;
};

static void *one(void *arg)
{
	struct one *o = arg;
	char id[8], resource[8];

	snprintf(id, sizeof(id), "%d", o->number);
	snprintf(resource, sizeof(resource), "r%d", o->number);
	/* The last one's ticket exists: the table refuses it after it was written to. */
	o->ret = allocate(o->f, id, resource, o->number == THREADS - 1 ? 1 : o->number + 1);
	return NULL;
}

/* Those who wait share a commit, a signature, a write; and one's failure is its own. */
static void test_together(void **state)
{
	struct fixture *f = *state;
	struct one o[THREADS];
	int i;

	assert_int_equal(allocate(f, "before", "before", 200), 0);
	syncs = 0;
	sync_ms = 50;
	for (i = 0; i < THREADS; i++) {
		o[i] = (struct one){ .f = f, .number = i };
		assert_int_equal(pthread_create(&o[i].id, NULL, one, &o[i]), 0);
		usleep(2000);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(o[i].id, NULL);
		assert_int_equal(o[i].ret, i == THREADS - 1 ? -EIO : 0);
	}
	assert_in_range(syncs, 1, 3);
	verify(f, THREADS);
	assert_int_equal(number(f, "SELECT count(*) FROM allocation"), THREADS);
	assert_int_equal(number(f, "SELECT count(*) FROM ticket"), THREADS);
}

/* Without trouble the records of one commit carry one signature. */
static void test_one_signature(void **state)
{
	struct fixture *f = *state;
	struct one o[THREADS - 1];
	int i;

	sync_ms = 50;
	for (i = 0; i < THREADS - 1; i++) {
		o[i] = (struct one){ .f = f, .number = i };
		assert_int_equal(pthread_create(&o[i].id, NULL, one, &o[i]), 0);
		usleep(2000);
	}
	for (i = 0; i < THREADS - 1; i++) {
		pthread_join(o[i].id, NULL);
		assert_int_equal(o[i].ret, 0);
	}
	verify(f, THREADS - 1);
	assert_in_range(number(f, "SELECT count(*) FROM audit WHERE length(signature)=64"), 2, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_on_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conflicts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_signature, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
