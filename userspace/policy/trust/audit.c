// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "trust/audit.h"

static int sql_fail(sqlite3 *db, struct pol_err *e, const char *what)
{
	return pol_fail(e, EIO, "audit: %s: %s", what, sqlite3_errmsg(db));
}

#define START	"SELECT n, hash FROM audit_start"

int audit_init(struct audit *a, sqlite3 *db, const struct key *signer, struct pol_err *e)
{
	static const char sql[] =
		"CREATE TABLE IF NOT EXISTS audit(n INTEGER PRIMARY KEY, record TEXT NOT NULL,"
		" hash BLOB NOT NULL, signature BLOB NOT NULL);"
		"CREATE TABLE IF NOT EXISTS audit_start(n INTEGER NOT NULL, hash BLOB NOT NULL)";

	*a = (struct audit){ .db = db, .signer = signer };
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) ||
	    sqlite3_prepare_v2(db, "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1", -1,
			       &a->last, NULL) ||
	    sqlite3_prepare_v2(db, START, -1, &a->start, NULL) ||
	    sqlite3_prepare_v2(db, "INSERT INTO audit VALUES(?,?,?,?)", -1, &a->append, NULL))
		return sql_fail(db, e, "open");
	return 0;
}

void audit_exit(struct audit *a)
{
	sqlite3_finalize(a->last);
	sqlite3_finalize(a->start);
	sqlite3_finalize(a->append);
}

static void link_hash(const uint8_t *prev, uint64_t n, const char *record, size_t len,
		      uint8_t *hash)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t be[8];
	int i;

	for (i = 0; i < 8; i++)
		be[i] = n >> (56 - 8 * i);
	memset(hash, 0, 32);
	if (c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) && EVP_DigestUpdate(c, prev, 32) &&
	    EVP_DigestUpdate(c, be, 8) && EVP_DigestUpdate(c, record, len))
		EVP_DigestFinal_ex(c, hash, NULL);
	EVP_MD_CTX_free(c);
}

/* A number and a hash, if there is a row: 1, 0 or -EIO. */
static int read_head(sqlite3_stmt *q, struct audit_head *h)
{
	int ret = sqlite3_step(q);

	memset(h, 0, sizeof(*h));
	if (ret == SQLITE_ROW && sqlite3_column_bytes(q, 1) == 32) {
		h->n = sqlite3_column_int64(q, 0);
		memcpy(h->hash, sqlite3_column_blob(q, 1), 32);
	} else if (ret == SQLITE_ROW) {
		ret = SQLITE_CORRUPT;
	}
	sqlite3_reset(q);
	return ret == SQLITE_ROW ? 1 : ret == SQLITE_DONE ? 0 : -EIO;
}

static int last(struct audit *a)
{
	int ret;

	if (a->known)
		return 0;
	ret = read_head(a->last, &a->head);
	if (!ret)
		ret = read_head(a->start, &a->head);
	a->known = ret >= 0;
	return a->known ? 0 : -EIO;
}

int audit_append(struct audit *a, const char *record, bool sign, struct pol_err *e)
{
	size_t len = strlen(record);
	uint8_t hash[32], sig[64];
	int ret;

	if (last(a))
		return sql_fail(a->db, e, "read");
	link_hash(a->head.hash, a->head.n + 1, record, len, hash);
	if (sign && key_sign(a->signer, hash, 32, sig))
		return pol_fail(e, EIO, "audit: cannot sign");
	sqlite3_bind_int64(a->append, 1, a->head.n + 1);
	sqlite3_bind_text(a->append, 2, record, len, SQLITE_STATIC);
	sqlite3_bind_blob(a->append, 3, hash, 32, SQLITE_STATIC);
	sqlite3_bind_blob(a->append, 4, sig, sign ? 64 : 0, SQLITE_STATIC);
	ret = sqlite3_step(a->append);
	sqlite3_reset(a->append);
	sqlite3_clear_bindings(a->append);
	if (ret != SQLITE_DONE) {
		audit_forget(a);
		return sql_fail(a->db, e, "append");
	}
	a->head.n++;
	memcpy(a->head.hash, hash, 32);
	return 0;
}

/* Who signs, as a log is read. */
struct signer {
	struct key *now;		/* NULL: signatures are not checked */
	bool good;			/* it has signed */
	uint64_t other;			/* the first record that one before it signed, ... */
	bool named;			/* ... and that one named it */
	uint64_t covered;		/* the last record with a signature */
};

/* The key that a record hands on to, or NULL. */
static struct key *successor(const char *record)
{
	json_t *j = json_loads(record, JSON_REJECT_DUPLICATES, NULL);
	const char *event = json_string_value(json_object_get(j, "event"));
	const char *hex = json_string_value(json_object_get(j, "key"));
	struct key *k = NULL;
	uint8_t raw[32];

	if (event && hex && !strcmp(event, AUDIT_NEW_KEY) && pol_unhex(hex, raw, 32))
		k = key_of(raw);
	json_decref(j);
	return k;
}

static int not_signed(uint64_t n, struct pol_err *e)
{
	return pol_fail(e, EBADMSG, "audit: record %llu is not signed by this key",
			(unsigned long long)n);
}

/*
 * A key names the next one in a record that it signs itself. Whoever gives a later key than
 * the first has what came before from it, once it signs: that covers all records before it.
 */
static int by_whom(struct signer *by, uint64_t n, bool good, const char *record,
		   struct pol_err *e)
{
	struct key *next = successor(record);

	if (!good && by->good) {
		key_free(next);
		return not_signed(n, e);
	}
	if (good) {
		by->good = true;
		by->other = by->named ? 0 : by->other;
		if (next) {
			key_free(by->now);
			by->now = next;
		}
		return by->other ? not_signed(by->other, e) : 0;
	}
	by->other = by->other ? by->other : n;
	by->named |= next && !memcmp(key_public(next), key_public(by->now), 32);
	key_free(next);
	return 0;
}

static int check_signature(sqlite3_stmt *s, struct signer *by, const uint8_t *hash,
			   const char *record, struct pol_err *e)
{
	uint64_t n = sqlite3_column_int64(s, 0);

	if (!sqlite3_column_bytes(s, 3))
		return 0;
	if (sqlite3_column_bytes(s, 3) != 64)
		return not_signed(n, e);
	by->covered = n;
	if (!by->now)
		return 0;
	return by_whom(by, n, key_verify(by->now, hash, 32, sqlite3_column_blob(s, 3)), record, e);
}

static int check_row(sqlite3_stmt *s, struct signer *by, struct audit_head *h, struct pol_err *e)
{
	uint64_t n = sqlite3_column_int64(s, 0);
	const char *record = (const char *)sqlite3_column_text(s, 1);
	uint8_t hash[32];

	record = record ? record : "";
	if (n != h->n + 1)
		return pol_fail(e, EBADMSG, "audit: record %llu is missing",
				(unsigned long long)h->n + 1);
	link_hash(h->hash, n, record, sqlite3_column_bytes(s, 1), hash);
	if (sqlite3_column_bytes(s, 2) != 32 || memcmp(sqlite3_column_blob(s, 2), hash, 32))
		return pol_fail(e, EBADMSG, "audit: record %llu was altered, or the one before it",
				(unsigned long long)n);
	h->n = n;
	memcpy(h->hash, hash, 32);
	return check_signature(s, by, hash, record, e);
}

static int find_start(sqlite3 *db, struct audit_head *start)
{
	sqlite3_stmt *s;
	int ret;

	memset(start, 0, sizeof(*start));
	if (sqlite3_prepare_v2(db, START, -1, &s, NULL))
		return 0;	/* of before there were archives */
	ret = read_head(s, start);
	sqlite3_finalize(s);
	return ret < 0 ? ret : 0;
}

static int check_rows(sqlite3 *db, struct signer *by, struct audit_head *head, struct pol_err *e)
{
	sqlite3_stmt *s;
	int ret = 0, step;

	if (sqlite3_prepare_v2(db, "SELECT n, record, hash, signature FROM audit ORDER BY n", -1,
			       &s, NULL))
		return sql_fail(db, e, "read");
	while ((step = sqlite3_step(s)) == SQLITE_ROW && !ret)
		ret = check_row(s, by, head, e);
	if (!ret && step != SQLITE_DONE)
		ret = sql_fail(db, e, "read");
	sqlite3_finalize(s);
	return ret;
}

int audit_verify(sqlite3 *db, const struct key *k, struct audit_head *start,
		 struct audit_head *head, struct pol_err *e)
{
	struct signer by = { .now = k ? key_of(key_public(k)) : NULL };
	int ret;

	memset(head, 0, sizeof(*head));
	if (k && !by.now)
		return pol_fail(e, EIO, "audit: out of memory");
	if (find_start(db, start)) {
		key_free(by.now);
		return sql_fail(db, e, "read");
	}
	*head = *start;
	by.covered = start->n;
	ret = check_rows(db, &by, head, e);
	if (!ret && by.other)
		ret = not_signed(by.other, e);
	if (!ret && by.covered < head->n)
		ret = pol_fail(e, EBADMSG, "audit: record %llu is not signed, nor any after it",
			       (unsigned long long)by.covered + 1);
	key_free(by.now);
	return ret;
}

/* Did this log's signer sign its last record? 1, 0, or -EIO. */
static int is_signers(struct audit *a)
{
	sqlite3_stmt *s;
	int ret;

	if (sqlite3_prepare_v2(a->db, "SELECT hash, signature FROM audit ORDER BY n DESC LIMIT 1",
			       -1, &s, NULL))
		return -EIO;
	ret = sqlite3_step(s);
	if (ret == SQLITE_ROW)
		ret = sqlite3_column_bytes(s, 0) == 32 && sqlite3_column_bytes(s, 1) == 64 &&
		      key_verify(a->signer, sqlite3_column_blob(s, 0), 32,
				 sqlite3_column_blob(s, 1));
	else
		ret = ret == SQLITE_DONE ? 1 : -EIO;
	sqlite3_finalize(s);
	return ret;
}

int audit_continues(struct audit *a, struct pol_err *e)
{
	int ret = is_signers(a);

	if (ret < 0)
		return sql_fail(a->db, e, "read");
	return ret ? 0 : pol_fail(e, EINVAL, "audit: the log's last record is not signed by this "
				  "audit key: start with the one of before and reload with this "
				  "one, or move the records away with --archive");
}

/* --- archives --- */

static int run(sqlite3 *db, const char *sql, struct pol_err *e)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) ? sql_fail(db, e, "archive") : 0;
}

/* Copies all records, and looks whether what is there then is what was here. */
static int copy_to(struct audit *a, const char *path, struct pol_err *e)
{
	static const char format[] =
		"ATTACH %Q AS archive;"
		"CREATE TABLE archive.audit(n INTEGER PRIMARY KEY, record TEXT NOT NULL,"
		" hash BLOB NOT NULL, signature BLOB NOT NULL);"
		"CREATE TABLE archive.audit_start(n INTEGER NOT NULL, hash BLOB NOT NULL);"
		"BEGIN; INSERT INTO archive.audit_start SELECT n, hash FROM main.audit_start;"
		"INSERT INTO archive.audit SELECT * FROM main.audit; COMMIT; DETACH archive";
	struct audit_head start, head;
	sqlite3 *to = NULL;
	char *sql;
	int ret;

	sql = sqlite3_mprintf(format, path);
	ret = sql ? run(a->db, sql, e) : -EIO;
	sqlite3_free(sql);
	if (!ret && sqlite3_open_v2(path, &to, SQLITE_OPEN_READONLY, NULL))
		ret = sql_fail(to, e, "archive");
	/* A log whose key was lost is archived too: that its chain is whole can be told. */
	ret = ret ? ret : audit_verify(to, is_signers(a) == 1 ? a->signer : NULL, &start, &head, e);
	if (!ret && (head.n != a->head.n || memcmp(head.hash, a->head.hash, 32)))
		ret = pol_fail(e, EIO, "audit: the archive does not end as the log does");
	sqlite3_close(to);
	return ret;
}

int audit_archive(struct audit *a, const char *path, const char *record, uint64_t *n,
		  struct pol_err *e)
{
	static const char move[] =
		"BEGIN IMMEDIATE; DELETE FROM audit_start;"
		"INSERT INTO audit_start SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1;"
		"DELETE FROM audit";
	int ret = access(path, F_OK) ? 0 : pol_fail(e, EIO, "%s: is there already", path);

	if (!ret && last(a))
		ret = sql_fail(a->db, e, "read");
	ret = ret ? ret : copy_to(a, path, e);
	ret = ret ? ret : run(a->db, move, e);
	*n = ret ? 0 : sqlite3_changes(a->db);
	ret = ret ? ret : audit_append(a, record, true, e);
	ret = ret ? ret : run(a->db, "COMMIT; VACUUM", e);
	if (ret)
		sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
	return ret;
}
