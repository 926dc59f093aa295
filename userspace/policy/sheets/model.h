/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy base as the sheets say it (S2.8): plain records, strings by
 * number, references by name. compile.c makes the image of it that decides.
 */
#ifndef POL_MODEL_H
#define POL_MODEL_H

#include "base/err.h"
#include "base/strtab.h"
#include "base/terms.h"

#define MODEL_SHEETS_MAX	64

/* Every name below is a string's number; POL_NONE where the sheet is silent. */
struct m_attr {
	struct pol_at at;
	uint32_t name;		/* category.name: user. claim. request. resource. env. */
	uint32_t type;
};

struct m_attrval {
	uint32_t attr;
	uint32_t value;
};

/* One operator of an expression; a tree in preorder. */
struct m_node {
	struct pol_at at;
	uint32_t op;
	uint32_t attr;		/* left: an attribute ... */
	uint32_t func;		/* ... or a function */
	uint32_t value;		/* right: a literal, ... */
	uint32_t values;	/* ... a list of them, ... */
	uint32_t other;		/* ... or an attribute */
	uint32_t end;		/* index after this node's last descendant */
};

struct m_func {
	struct pol_at at;
	uint32_t name;
	uint32_t type;
	uint32_t apply;
	uint32_t attr;
	uint32_t zone;
	uint32_t node;		/* of F_EXPR */
};

struct m_cond {
	struct pol_at at;
	uint32_t name;
	uint32_t node;
};

struct m_period {
	struct pol_at at;
	uint32_t name;
	uint32_t zone;
	uint32_t window, n_window;
	uint32_t between, n_between;
};

struct m_sod {
	struct pol_at at;
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
	struct pol_at at;
};

struct m_user {
	struct pol_at at;
	uint32_t name;
	uint32_t enabled;
	int64_t from, until;
	uint32_t val, n_val;
};

struct m_role {
	struct pol_at at;
	uint32_t name;
	uint32_t period;
	uint32_t cardinality;	/* users; 0 is no limit */
	uint32_t max_active;	/* sessions; 0 is no limit */
	uint32_t max_seconds;	/* activation in one session; 0 is no limit */
	uint32_t junior, n_junior;	/* in m_model.name */
};

struct m_assign {
	struct pol_at at;
	uint32_t id;
	uint32_t user;
	uint32_t role;
	uint32_t period;
	uint32_t cond;
};

struct m_permit {
	struct pol_at at;
	uint32_t id;
	uint32_t role;
	uint32_t action;
	uint32_t type;		/* either this ... */
	uint32_t instance;	/* ... or this (S2.9) */
	uint32_t period;
	uint32_t cond;
};

struct m_rtype {
	struct pol_at at;
	uint32_t name;
	uint32_t layer;
	uint32_t action, n_action;	/* in m_model.name */
};

struct m_inst {
	struct pol_at at;
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
	struct pol_at at;
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
	POL_VEC(struct pol_window, window);
	POL_VEC(struct pol_between, between);
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
