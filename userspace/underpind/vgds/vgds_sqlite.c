// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "vgds/vgds.h"

struct backend {
	sqlite3 *db;
	sqlite3_stmt *get, *put, *next, *remove;
};

static int fail(struct backend *b, struct pol_err *e)
{
	return pol_fail(e, EIO, "directory: %s", sqlite3_errmsg(b->db));
}

static const char *text(sqlite3_stmt *q, int i)
{
	const char *s = (const char *)sqlite3_column_text(q, i);

	return s ? s : "";
}

static int get(struct vgds *v, struct vgds_lookup *q)
{
	struct backend *b = v->priv;
	int ret;

	sqlite3_bind_text(b->get, 1, q->id, -1, SQLITE_STATIC);
	ret = sqlite3_step(b->get);
	if (ret == SQLITE_ROW)
		ret = vgds_entry_set(&q->entry, text(b->get, 0), text(b->get, 1),
				     text(b->get, 2), text(b->get, 3), text(b->get, 4)) ?
			pol_fail(&q->e, EIO, "directory: '%s' has a bad entry", q->id) : 0;
	else
		ret = ret == SQLITE_DONE ? -ENOENT : fail(b, &q->e);
	sqlite3_reset(b->get);
	return ret;
}

static int put(struct vgds *v, const char *id, const struct vgds_entry *in, struct pol_err *e)
{
	struct backend *b = v->priv;
	int ret;

	sqlite3_bind_text(b->put, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(b->put, 2, vgds_kind_name[in->kind], -1, SQLITE_STATIC);
	sqlite3_bind_text(b->put, 3, in->target, -1, SQLITE_STATIC);
	sqlite3_bind_text(b->put, 4, in->cloud, -1, SQLITE_STATIC);
	sqlite3_bind_text(b->put, 5, in->kind == VGDS_REMOTE ? pol_layer_name[in->layer] : "", -1,
			  SQLITE_STATIC);
	sqlite3_bind_text(b->put, 6, in->sla, -1, SQLITE_STATIC);
	ret = sqlite3_step(b->put) == SQLITE_DONE ? 0 : fail(b, e);
	sqlite3_reset(b->put);
	return ret;
}

static int next(struct vgds *v, char *id, size_t size, struct vgds_entry *out)
{
	struct backend *b = v->priv;
	sqlite3_stmt *q = b->next;
	int ret = -ENOENT;

	sqlite3_bind_text(q, 1, id, -1, SQLITE_TRANSIENT);
	if (sqlite3_step(q) == SQLITE_ROW && pol_print(id, size, "%s", text(q, 5)))
		ret = vgds_entry_set(out, text(q, 0), text(q, 1), text(q, 2), text(q, 3),
				     text(q, 4));
	sqlite3_reset(q);
	return ret ? -ENOENT : 0;
}

static int remove_it(struct vgds *v, const char *id, struct pol_err *e)
{
	struct backend *b = v->priv;
	int ret;

	sqlite3_bind_text(b->remove, 1, id, -1, SQLITE_STATIC);
	ret = sqlite3_step(b->remove) == SQLITE_DONE ? 0 : fail(b, e);
	sqlite3_reset(b->remove);
	return ret ? ret : sqlite3_changes(b->db) ? 0 : -ENOENT;
}

/* It was opened. */
static int check(struct vgds *v, struct pol_err *e)
{
	(void)v;
	(void)e;
	return 0;
}

static void close_it(struct vgds *v)
{
	struct backend *b = v->priv;

	sqlite3_finalize(b->get);
	sqlite3_finalize(b->put);
	sqlite3_finalize(b->next);
	sqlite3_finalize(b->remove);
	sqlite3_close(b->db);
	free(b);
}

static const struct vgds_ops ops = { get, put, check, next, remove_it, close_it };

int vgds_sqlite_open(struct vgds *v, const char *path, struct pol_err *e)
{
	static const char schema[] =
		"PRAGMA journal_mode=WAL; PRAGMA busy_timeout=2000;"
		"CREATE TABLE IF NOT EXISTS directory(id TEXT PRIMARY KEY, kind TEXT NOT NULL,"
		" target TEXT NOT NULL, cloud TEXT, layer TEXT, sla TEXT) WITHOUT ROWID";
	struct backend *b = calloc(1, sizeof(*b));

	if (!b)
		return pol_fail(e, ENOMEM, "out of memory");
	v->priv = b;
	v->ops = &ops;
	if (sqlite3_open_v2(path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			    SQLITE_OPEN_NOMUTEX, NULL) ||
	    sqlite3_exec(b->db, schema, NULL, NULL, NULL) ||
	    sqlite3_prepare_v2(b->db, "SELECT kind, target, cloud, layer, sla FROM directory "
			       "WHERE id=?", -1, &b->get, NULL) ||
	    sqlite3_prepare_v2(b->db, "SELECT kind, target, cloud, layer, sla, id FROM directory "
			       "WHERE id>? ORDER BY id LIMIT 1", -1, &b->next, NULL) ||
	    sqlite3_prepare_v2(b->db, "DELETE FROM directory WHERE id=?", -1, &b->remove, NULL) ||
	    sqlite3_prepare_v2(b->db, "INSERT OR REPLACE INTO directory VALUES(?,?,?,?,?,?)", -1,
			       &b->put, NULL))
		return fail(b, e);
	return 0;
}
