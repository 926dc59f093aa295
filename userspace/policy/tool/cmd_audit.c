// SPDX-License-Identifier: GPL-2.0-only
/* underpin policy audit verify; ticket show, verify */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/hex.h"
#include "tool/cmd.h"
#include "trust/audit.h"

#define CLOCKS_MAX	30	/* seconds by which the issuer\'s clock may be ahead */

/* Can it be read as it is? A log beside it needs a place that can be written. */
static bool readable(sqlite3 *db)
{
	return !sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
}

/*
 * On a medium that cannot be written SQLite cannot share a database, and must be told
 * that nobody will change it. What is still in the log beside it would be missing then.
 */
static int open_log(const char *path, sqlite3 **db, struct pol_err *e)
{
	char wal[4100], *uri;
	struct stat st;

	if (!sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL) && readable(*db))
		return 0;
	sqlite3_close(*db);
	*db = NULL;
	snprintf(wal, sizeof(wal), "%s-wal", path);
	if (!stat(wal, &st) && st.st_size)
		return pol_fail(e, EIO, "audit: %s is part of the log, and cannot be read there: "
				"copy both to where they can be written", wal);
	uri = sqlite3_mprintf("file:%s?immutable=1", path);
	if (uri && !strpbrk(path, "?#%") &&
	    !sqlite3_open_v2(uri, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) &&
	    readable(*db)) {
		sqlite3_free(uri);
		return 0;
	}
	sqlite3_free(uri);
	sqlite3_close(*db);
	return pol_fail(e, EIO, "audit: the database cannot be opened");
}

static void print_log(const struct cmd_opts *o, const struct audit_head *start,
		      const struct audit_head *h, const struct key *k)
{
	char head[65], before[65];

	pol_hex(h->hash, 32, head);
	pol_hex(start->hash, 32, before);
	if (o->json) {
		cmd_print_json(json_pack("{s:b,s:I,s:s,s:b,s:I,s:s}", "ok", 1, "records",
					 (json_int_t)(h->n - start->n), "head", head,
					 "signatures", !!k, "archived",
					 (json_int_t)start->n, "follows", start->n ? before : ""));
		return;
	}
	printf("%llu records, chain whole%s, head %s\n", (unsigned long long)(h->n - start->n),
	       k ? ", signatures good" : " (signatures not checked: no key given)", head);
	if (start->n)
		printf("they follow %llu that are archived: the archive's head is %s\n",
		       (unsigned long long)start->n, before);
}

int cmd_audit(const struct cmd_opts *o)
{
	struct key *k = NULL;
	struct audit_head start, h;
	struct pol_err e;
	sqlite3 *db;
	int ret;

	if (strcmp(o->arg[0], "verify"))
		return cmd_error(o, CMD_USAGE, "audit: the only thing to do is verify");
	if (o->n_arg > 2 && !(k = key_load(o->arg[2], false, &e)))
		return cmd_error(o, CMD_SYSTEM, e.msg);
	ret = open_log(o->arg[1], &db, &e);
	if (ret) {
		key_free(k);
		return cmd_error(o, CMD_SYSTEM, e.msg);
	}
	ret = audit_verify(db, k, &start, &h, &e);
	sqlite3_close(db);
	if (ret)
		ret = cmd_error(o, ret == -EIO ? CMD_SYSTEM : CMD_BAD, e.msg);
	else
		print_log(o, &start, &h, k);
	key_free(k);
	return ret;
}

/* What the layer compares; its name there in place of that of version 1. */
static void add_version_2(json_t *j, const struct ticket *t)
{
	char measurement[65];

	json_object_set_new(j, "challenge", json_incref(json_object_get(j, "id")));
	json_object_del(j, "id");
	json_object_del(j, "sla");
	json_object_del(j, "lifetime");
	json_object_set_new(j, "measurement", json_string(pol_hex(t->measurement, 32,
								   measurement)));
	json_object_set_new(j, "vcpus", json_integer(t->vcpus));
	json_object_set_new(j, "frames", json_integer(t->frames));
	json_object_set_new(j, "ticks", json_integer(t->ticks));
}

static void print_ticket(const struct cmd_opts *o, const struct ticket *t, const char *verdict)
{
	char vm[33], def[65], host[65], image[65], nonce[65], id[65], issuer[65], when[32];
	time_t at = t->issued;
	json_t *j;
	const char *key;
	json_t *v;
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	gmtime_r(&at, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s}",
		      "verdict", verdict, "vm", pol_hex(t->vm, 16, vm), "definition",
		      pol_hex(t->definition, 32, def), "host", pol_hex(t->host, 32, host), "image",
		      pol_hex(t->image, 32, image), "nonce", pol_hex(t->nonce, 32, nonce), "id",
		      pol_hex(t->layer ? t->challenge : t->id, t->layer ? 32 : 16, id), "role",
		      t->role, "sla", t->sla, "issued", when,
		      "lifetime", t->lifetime, "issuer", pol_hex(t->issuer, 32, issuer));
	if (t->layer)
		add_version_2(j, t);
	if (o->json) {
		cmd_print_json(j);
		return;
	}
	json_object_foreach(j, key, v) {
		if (json_is_string(v))
			printf("%-11s %s\n", key, json_string_value(v));
		else
			printf("%-11s %lld%s\n", key, (long long)json_integer_value(v),
			       strcmp(key, "lifetime") ? "" : " seconds");
	}
	json_decref(j);
}

static int read_ticket(const char *path, uint8_t *buf, size_t *n)
{
	FILE *f = fopen(path, "re");

	if (!f)
		return -EIO;
	*n = fread(buf, 1, TICKET_SIZE + 1, f);
	fclose(f);
	return 0;
}

struct expected {
	struct ticket_expect x;
	bool early;			/* of a time that has not come */
	uint8_t bytes[5][32];
};

/* What the options say that a ticket must be for, and how old it is. */
static int expect(const struct cmd_opts *o, const struct ticket *t, struct expected *e)
{
	const struct {
		const char *given, *name;
		size_t n;
		const uint8_t **to;
	} parts[5] = {
		{ o->host, "--host", 32, &e->x.host }, { o->image, "--image", 32, &e->x.image },
		{ o->nonce, "--nonce", 32, &e->x.nonce }, { o->vm, "--vm", 16, &e->x.vm },
		{ o->definition, "--definition", 32, &e->x.definition },
	};
	char msg[80];
	int64_t now;
	size_t i;

	for (i = 0; i < 5; i++) {
		if (!parts[i].given)
			continue;
		if (!pol_unhex(parts[i].given, e->bytes[i], parts[i].n)) {
			snprintf(msg, sizeof(msg), "%s takes %zu hexadecimal digits",
				 parts[i].name, 2 * parts[i].n);
			return cmd_error(o, CMD_USAGE, msg);
		}
		*parts[i].to = e->bytes[i];
	}
	if (cmd_time(o->at, &now))
		return cmd_error(o, CMD_USAGE, "-@ takes an instant like 2026-11-22T09:00:00Z");
	e->x.age = now > (int64_t)t->issued ? now - (int64_t)t->issued : 0;
	e->early = (int64_t)t->issued - now > CLOCKS_MAX;
	return CMD_OK;
}

int cmd_ticket(const struct cmd_opts *o)
{
	bool verify = !strcmp(o->arg[0], "verify");
	struct ticket t = { .issued = 0 };
	uint8_t buf[TICKET_SIZE + 1];
	struct expected x = { 0 };
	enum ticket_error err;
	struct key *k = NULL;
	struct pol_err e;
	size_t n;
	int ret;

	if (!verify && strcmp(o->arg[0], "show"))
		return cmd_error(o, CMD_USAGE, "ticket: show or verify");
	if (verify && o->n_arg < 3)
		return cmd_error(o, CMD_USAGE, "ticket verify: give the issuer's public key too");
	if (read_ticket(o->arg[1], buf, &n))
		return cmd_error(o, CMD_SYSTEM, "the ticket cannot be read");
	if (verify && !(k = key_load(o->arg[2], false, &e)))
		return cmd_error(o, CMD_SYSTEM, e.msg);
	err = verify ? ticket_verify(buf, n, k, &t) : ticket_parse(buf, n, &t);
	key_free(k);
	ret = expect(o, &t, &x);
	if (ret)
		return ret;
	if (err == TICKET_OK && verify)
		err = ticket_match(&t, &x.x);
	if (err != TICKET_OK)
		return cmd_error(o, CMD_BAD, ticket_message(err));
	if (verify && x.early)
		return cmd_error(o, CMD_BAD, "issued later than that instant: look at the clock");
	print_ticket(o, &t, verify ? "good" : "not checked");
	return CMD_OK;
}
