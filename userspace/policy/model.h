/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy base as the sheets say it (S2.8): plain records, strings by
 * number, references by name. compile.c makes the image of it that decides.
 */
#ifndef POL_MODEL_H
#define POL_MODEL_H

#include "err.h"
#include "strtab.h"

#define MODEL_SHEETS_MAX	64

enum pol_type { T_BOOLEAN, T_INTEGER, T_STRING, T_SET, T_TIME, T_NTYPES };
enum pol_layer { L_APPLICATION, L_PLATFORM, L_INFRASTRUCTURE, L_NLAYERS };
enum pol_method { M_X509, M_FINGERPRINT, M_JWT, M_NMETHODS };
enum pol_side { SIDE_CONSUMER, SIDE_PROVIDER };
enum pol_sod_kind { SOD_STATIC, SOD_DYNAMIC };
enum pol_apply { F_EXPR, F_COUNT, F_LENGTH, F_HOUR, F_WEEKDAY, F_NAPPLY };

/* Operators of attribute expressions; the table of their facts is in expr.c. */
enum pol_op {
	OP_ALL, OP_ANY, OP_NOT,
	OP_EQUALS, OP_DIFFERS, OP_LESS, OP_AT_MOST, OP_MORE, OP_AT_LEAST,
	OP_IN, OP_CONTAINS, OP_SUBSET, OP_INTERSECTS, OP_STARTS_WITH, OP_HOLDS,
	OP_NOPS
};

extern const char *const pol_type_name[T_NTYPES];
extern const char *const pol_layer_name[L_NLAYERS];
extern const char *const pol_method_name[M_NMETHODS];
extern const char *const pol_apply_name[F_NAPPLY];
extern const char *const pol_op_name[OP_NOPS];
extern const char *const pol_day_name[7];	/* "sun" is 0 */

/* Where in the sheets a record stands. */
struct m_at {
	uint16_t sheet;
	uint16_t pad;
	uint32_t line;
};

/* Every name below is a string's number; POL_NONE where the sheet is silent. */
struct m_attr {
	struct m_at at;
	uint32_t name;		/* category.name: user. claim. request. resource. env. */
	uint32_t type;
};

struct m_attrval {
	uint32_t attr;
	uint32_t value;
};

/* One operator of an expression; a tree in preorder. */
struct m_node {
	struct m_at at;
	uint32_t op;
	uint32_t attr;		/* left: an attribute ... */
	uint32_t func;		/* ... or a function */
	uint32_t value;		/* right: a literal, ... */
	uint32_t values;	/* ... a list of them, ... */
	uint32_t other;		/* ... or an attribute */
	uint32_t end;		/* index after this node's last descendant */
};

struct m_func {
	struct m_at at;
	uint32_t name;
	uint32_t type;
	uint32_t apply;
	uint32_t attr;
	uint32_t zone;
	uint32_t node;		/* of F_EXPR */
};

struct m_cond {
	struct m_at at;
	uint32_t name;
	uint32_t node;
};

/* A repeating window of local time; minutes of the day. */
struct m_window {
	uint32_t days;		/* bit 0 is Sunday */
	uint32_t month_days;	/* bit 1 is the first */
	uint32_t months;	/* bit 1 is January */
	uint16_t from;
	uint16_t until;		/* not later than @from: crosses midnight */
};

struct m_between {
	int64_t from;		/* seconds since 1970, UTC */
	int64_t until;		/* exclusive */
};

struct m_period {
	struct m_at at;
	uint32_t name;
	uint32_t zone;
	uint32_t window, n_window;
	uint32_t between, n_between;
};

struct m_sod {
	struct m_at at;
	uint32_t name;
	uint32_t kind;
	uint32_t limit;
	uint32_t role, n_role;	/* in m_model.name */
};

struct m_cred {
	uint32_t user;		/* index */
	uint32_t method;
	uint32_t issuer;
	uint32_t subject;	/* or fingerprint */
	struct m_at at;
};

struct m_user {
	struct m_at at;
	uint32_t name;
	uint32_t enabled;
	int64_t from, until;
	uint32_t val, n_val;
};

struct m_role {
	struct m_at at;
	uint32_t name;
	uint32_t period;
	uint32_t cardinality;	/* users; 0 is no limit */
	uint32_t max_active;	/* sessions; 0 is no limit */
	uint32_t max_seconds;	/* activation in one session; 0 is no limit */
	uint32_t junior, n_junior;	/* in m_model.name */
};

struct m_assign {
	struct m_at at;
	uint32_t id;
	uint32_t user;
	uint32_t role;
	uint32_t period;
	uint32_t cond;
};

struct m_permit {
	struct m_at at;
	uint32_t id;
	uint32_t role;
	uint32_t action;
	uint32_t type;		/* either this ... */
	uint32_t instance;	/* ... or this (S2.9) */
	uint32_t period;
	uint32_t cond;
};

struct m_rtype {
	struct m_at at;
	uint32_t name;
	uint32_t layer;
	uint32_t action, n_action;	/* in m_model.name */
};

struct m_inst {
	struct m_at at;
	uint32_t name;
	uint32_t type;
	uint32_t isolated;	/* alone on its host */
	uint32_t val, n_val;
};

struct m_map {
	uint32_t local;
	uint32_t remote;
};

struct m_visible {
	uint32_t type;
	uint32_t instance;
};

struct m_sla {
	struct m_at at;
	uint32_t id;
	uint32_t side;
	uint32_t peer;
	uint32_t revoked;
	uint32_t chain;		/* may a mapped role be mapped again? */
	uint32_t isolation;	/* are only isolated instances shared? */
	int64_t from, until;
	uint32_t map, n_map;
	uint32_t visible, n_visible;
	uint32_t mediate, n_mediate;	/* in m_model.mediate */
};

struct m_model {
	struct strtab strs;
	uint32_t cloud;		/* name of this cloud */
	char *sheet[MODEL_SHEETS_MAX];
	uint32_t n_sheet;

	POL_VEC(struct m_attr, attr);
	POL_VEC(struct m_attrval, val);
	POL_VEC(struct m_node, node);
	POL_VEC(struct m_func, func);
	POL_VEC(struct m_cond, cond);
	POL_VEC(struct m_window, window);
	POL_VEC(struct m_between, between);
	POL_VEC(struct m_period, period);
	POL_VEC(struct m_sod, sod);
	POL_VEC(struct m_cred, cred);
	POL_VEC(struct m_user, user);
	POL_VEC(struct m_role, role);
	POL_VEC(struct m_assign, assign);
	POL_VEC(struct m_permit, permit);
	POL_VEC(struct m_rtype, rtype);
	POL_VEC(struct m_inst, inst);
	POL_VEC(struct m_sla, sla);
	POL_VEC(struct m_map, map);
	POL_VEC(struct m_visible, visible);
	POL_VEC(struct m_permit, mediate);
	POL_VEC(uint32_t, name);	/* lists of names */
};

/**
 * model_init() - an empty policy base with the attributes every daemon knows
 * @m: the model; not initialised before
 *
 * Return: 0 or -ENOMEM.
 */
int model_init(struct m_model *m);
void model_free(struct m_model *m);

/**
 * model_load() - read the sheets of a policy base (S2.8)
 * @m: an initialised model, filled
 * @dir: a directory: every *.xml in it is a sheet, in the order of their names
 * @e: what is wrong: sheet, line, rule
 *
 * The caller frees @m on failure too.
 *
 * Return: 0, -EINVAL for a bad sheet, -E2BIG past a limit, or another -errno.
 */
int model_load(struct m_model *m, const char *dir, struct pol_err *e);

/**
 * model_load_sheet() - read one sheet from memory
 * @m: an initialised model, added to
 * @name: how messages call the sheet
 * @buf: the bytes of the sheet
 * @len: how many
 * @e: what is wrong
 *
 * Return: as model_load().
 */
int model_load_sheet(struct m_model *m, const char *name, const char *buf, size_t len,
		     struct pol_err *e);

/**
 * model_time() - parse an instant, "2026-11-22T09:00:00Z"
 *
 * Return: 0, or -EINVAL with @t as it was.
 */
int model_time(const char *s, int64_t *t);

/* The string of number @id. */
static inline const char *m_str(const struct m_model *m, uint32_t id)
{
	return strtab_get(&m->strs, id);
}

static inline uint32_t m_add(struct m_model *m, const char *s)
{
	size_t n = __builtin_strlen(s);

	return n > POL_STR_MAX ? POL_NONE : strtab_add(&m->strs, s, n);
}

#endif
