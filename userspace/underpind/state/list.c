// SPDX-License-Identifier: GPL-2.0-only
/* What is remembered, for people who ask. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/state.h"

#define COLUMNS_MAX	8

/*
 * By which column a list goes on, and what it shows: columns, and names for people. Of an
 * audit record each member is a column.
 */
static const struct list {
	const char *what, *table, *cursor;
	const char *column[COLUMNS_MAX];
	const char *bound;		/* of rows that are looked at */
} lists[] = {
	{ "allocations", "allocation", "resource",
	  { "resource", "device", "host", "cloud", "request", "isolated", "time" }, "" },
	{ "tickets", "ticket", "request", { "request", "resource", "time" }, "" },
	{ "audit", "audit", "n", { "n", "record" }, " AND n <= ?1 + 20000" },
};

static const struct list *list_of(const char *what)
{
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (!strcmp(lists[i].what, what))
			return &lists[i];
	return NULL;
}

static const char *const members[] = {
	"event", "id", "user", "sender", "action", "resource", "role", "sla", "layer",
};

/* How SQL calls what a filter names, or NULL. Nothing of the filter itself gets there. */
static const char *expression(const struct list *l, const char *name, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i < COLUMNS_MAX && l->column[i]; i++)
		if (!strcmp(l->column[i], name))
			return l->column[i];
	for (i = 0; !strcmp(l->what, "audit") && i < sizeof(members) / sizeof(members[0]); i++)
		if (!strcmp(members[i], name)) {
			snprintf(buf, size, "json_extract(record, '$.%s')", members[i]);
			return buf;
		}
	return NULL;
}

static sqlite3_stmt *prepare(struct state *s, const struct list *l, json_t *filter)
{
	char sql[1500], buf[64];
	const char *name, *column;
	sqlite3_stmt *q = NULL;
	size_t n, i;
	json_t *v;
	int k = 3;

	n = snprintf(sql, sizeof(sql), "SELECT %s", l->column[0]);
	for (i = 1; i < COLUMNS_MAX && l->column[i]; i++)
		n += snprintf(sql + n, sizeof(sql) - n, ", %s", l->column[i]);
	n += snprintf(sql + n, sizeof(sql) - n, " FROM %s WHERE %s > ?1%s", l->table, l->cursor,
		      l->bound);
	json_object_foreach(filter, name, v) {
		column = expression(l, name, buf, sizeof(buf));
		if (column && json_is_string(v) && k < 10)
			n += snprintf(sql + n, sizeof(sql) - n, " AND %s = ?%d", column, k++);
	}
	snprintf(sql + n, sizeof(sql) - n, " ORDER BY %s LIMIT ?2", l->cursor);
	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL))
		return NULL;
	k = 3;
	json_object_foreach(filter, name, v)
		if (expression(l, name, buf, sizeof(buf)) && json_is_string(v) && k < 10)
			sqlite3_bind_text(q, k++, json_string_value(v), -1, SQLITE_TRANSIENT);
	return q;
}

static json_t *row_of(const struct list *l, sqlite3_stmt *q)
{
	json_t *j = json_object();
	int i;

	for (i = 0; i < COLUMNS_MAX && l->column[i]; i++) {
		if (!strcmp(l->column[i], "record"))
			json_object_set_new(j, "record", json_loads((const char *)
					    sqlite3_column_text(q, i), 0, NULL));
		else if (sqlite3_column_type(q, i) == SQLITE_INTEGER)
			json_object_set_new(j, l->column[i],
					    json_integer(sqlite3_column_int64(q, i)));
		else
			json_object_set_new(j, l->column[i], json_string((const char *)
					    sqlite3_column_text(q, i)));
	}
	return j;
}

static int64_t last_record(struct state *s)
{
	sqlite3_stmt *q;
	int64_t n = 0;

	if (!sqlite3_prepare_v2(s->db, "SELECT max(n) FROM audit", -1, &q, NULL) &&
	    sqlite3_step(q) == SQLITE_ROW)
		n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return n;
}

int state_list(struct state *s, const char *what, json_t *filter, const char *after,
	       uint32_t limit, void (*row)(void *ctx, json_t *j), void *ctx, char **next,
	       struct pol_err *e)
{
	const struct list *l = list_of(what);
	bool by_number = l && !strcmp(l->cursor, "n");
	int64_t from = strtoll(after, NULL, 10);
	sqlite3_stmt *q = l ? prepare(s, l, filter) : NULL;
	uint32_t n = 0;
	int ret;

	if (!q)
		return pol_fail(e, EIO, "state: %s", sqlite3_errmsg(s->db));
	if (by_number)
		sqlite3_bind_int64(q, 1, from);
	else
		sqlite3_bind_text(q, 1, after, -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 2, limit);
	while ((ret = sqlite3_step(q)) == SQLITE_ROW) {
		row(ctx, row_of(l, q));
		if (++n == limit)
			*next = strdup((const char *)sqlite3_column_text(q, 0));
	}
	sqlite3_finalize(q);
	if (by_number && n < limit && last_record(s) > from + STATE_SCAN &&
	    asprintf(next, "%lld", (long long)from + STATE_SCAN) < 0)
		*next = NULL;
	return ret == SQLITE_DONE ? 0 : pol_fail(e, EIO, "state: %s", sqlite3_errmsg(s->db));
}

static void keep(void *ctx, json_t *j)
{
	json_t **out = ctx;

	json_decref(*out);
	*out = j;
}

int state_allocation(struct state *s, const char *resource, json_t **out, struct pol_err *e)
{
	json_t *filter = json_pack("{s:s}", "resource", resource);
	char *next = NULL;
	int ret;

	*out = NULL;
	ret = state_list(s, "allocations", filter, "", 1, keep, out, &next, e);
	json_decref(filter);
	free(next);
	return ret ? ret : *out ? 0 : -ENOENT;
}
