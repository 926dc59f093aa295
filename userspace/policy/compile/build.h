/* SPDX-License-Identifier: GPL-2.0-only */
/* An image in the making: shared by the parts of the compiler only. */
#ifndef POL_BUILD_H
#define POL_BUILD_H

#include <errno.h>

#include "compile/compile.h"

struct build {
	POL_VEC(struct pol_slot, named);	/* (kind, string): what becomes the names' table */
	struct m_model *m;
	struct pol_err *e;
#define X(name, type) POL_VEC(type, name);
	POL_SECTIONS(X)
#undef X
};

/* Reports at @at: "sheet:line: ...". */
void build_say(struct build *b, struct pol_at at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define build_bad(b, at, ...)	({ build_say((b), (at), __VA_ARGS__); -EINVAL; })
#define build_nomem(b)		pol_fail((b)->e, ENOMEM, "out of memory while compiling the policy")

/**
 * build_add() - name a record
 *
 * Return: 0, or -EEXIST if the name is there.
 */
int build_add(struct build *b, enum pol_kind kind, uint32_t name, uint32_t idx);

/* The record of string @name, or POL_NONE. */
uint32_t build_find(const struct build *b, enum pol_kind kind, uint32_t name);

/**
 * build_ref() - resolve a reference that a sheet makes
 * @what: what the message calls it
 * @name: the name; POL_NONE resolves to POL_NONE
 * @out: the index
 *
 * Return: 0 or -EINVAL with the message set.
 */
int build_ref(struct build *b, struct pol_at at, enum pol_kind kind, const char *what,
	      uint32_t name, uint32_t *out);

/* build_ref() of a name that must be there. */
int build_need(struct build *b, struct pol_at at, enum pol_kind kind, const char *what,
	       uint32_t name, uint32_t *out);

/**
 * build_name() - give record @idx its name
 *
 * Return: 0, or -EINVAL if another has it.
 */
int build_name(struct build *b, struct pol_at at, enum pol_kind kind, const char *what,
	       uint32_t name, uint32_t idx);

/* That a ticket can carry the name of a role or an SLA: 0 or -EINVAL. */
int build_ticket_name(struct build *b, struct pol_at at, const char *what, uint32_t name);

/* The compiler's passes, in their order. */
int build_attrs(struct build *b);
int build_periods(struct build *b);
int build_exprs(struct build *b);
int build_roles(struct build *b);
int build_resources(struct build *b);
int build_users(struct build *b);
int build_rules(struct build *b);
int build_slas(struct build *b);

/* A sheet's values of attributes of one category, appended to b->val. */
int build_values(struct build *b, struct pol_at at, uint32_t first, uint32_t n,
		 enum pol_category category);

/* Literal @text of @type: a number, or a set's first index and count. */
int build_literal(struct build *b, struct pol_at at, enum pol_type type, const char *text,
		  int64_t *num, uint32_t *n);

/* Zone @name, loaded once. */
int build_zone(struct build *b, struct pol_at at, uint32_t name, uint32_t *out);

#endif
