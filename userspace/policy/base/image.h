/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compiled policy: arrays of fixed-size records that name each other by
 * index, in one block of read-only memory, found through two hash tables: by name,
 * and by what a rule or a credential is about. A decision reads some fifteen lines of
 * it that no other decision has just read, so what is asked together lies together.
 */
#ifndef POL_IMAGE_H
#define POL_IMAGE_H

#include <stdbool.h>
#include <string.h>

#include "base/strtab.h"
#include "base/terms.h"
#include "base/zone.h"

#define POL_ROLES_MAX	(1u << 20)
#define POL_ACTIONS_MAX	(1u << 12)
#define POL_OBJECTS_MAX	(1u << 23)
#define POL_CLOSURE_MAX	(1u << 24)	/* entries of all role closures */
#define XML_DEPTH_LIMIT	24		/* operators within operators */
#define EXPR_COST_MAX	4096		/* steps of one condition, its functions' included */

/* What is found by a name, and, from P_CRED on, by a key of several indices. */
enum pol_kind {
	P_USER = 1, P_ROLE, P_ACTION, P_RTYPE, P_INST, P_ATTR, P_FUNC, P_COND, P_PERIOD, P_SLA,
	P_ZONE, P_CRED, P_PERM,
};

/* A name's entry holds all but its letters: a look-up reads this line and theirs. */
struct pol_name {
	uint32_t hash;		/* pol_name_hash() */
	uint32_t off;		/* in bytes */
	uint32_t idx;		/* of the record of that kind */
	uint16_t len;
	uint16_t kind;		/* 0 is empty */
};

struct pol_slot {
	uint64_t key;		/* 0 is empty */
	uint32_t idx;		/* the user, or the first such permission */
	uint32_t pad;
};

/* Attribute categories: where a value comes from. */
enum pol_category { C_USER, C_CLAIM, C_REQUEST, C_RESOURCE, C_ENV, C_NCATEGORIES };

struct pol_attr {
	uint32_t name;
	uint16_t type;
	uint16_t category;
};

/* A value that a sheet gives to an attribute. */
struct pol_val {
	uint32_t attr;
	uint32_t n;		/* members of a set, at value[num] */
	int64_t num;		/* or the number, instant, truth, string's number */
};

enum pol_left { LEFT_NONE, LEFT_ATTR, LEFT_FUNC };
enum pol_right { RIGHT_NONE, RIGHT_LITERAL, RIGHT_LIST, RIGHT_ATTR };

struct pol_node {
	uint8_t op;
	uint8_t type;		/* of the left operand */
	uint8_t left_kind;
	uint8_t right_kind;
	uint32_t left;
	uint32_t right;		/* first in value[], or an attribute */
	uint32_t n_right;
	uint32_t end;		/* the node after this subtree */
	struct pol_at at;
};

struct pol_func {
	uint32_t name;
	uint8_t type;
	uint8_t apply;
	uint16_t cost;		/* steps of an expression */
	uint32_t attr;
	uint32_t zone;
	uint32_t node;		/* of F_EXPR; else attr and, of some, zone */
};

struct pol_cond {
	uint32_t name;
	uint32_t node;
	struct pol_at at;
};

struct pol_zone {
	uint32_t name;
	uint32_t change, n_change;
	uint32_t pad;
	int64_t horizon;
};

struct pol_period {
	uint32_t name;
	uint32_t zone;
	uint32_t window, n_window;
	uint32_t between, n_between;
	struct pol_at at;
};

struct pol_sod {
	uint32_t name;
	uint32_t kind;
	uint32_t limit;
	uint32_t n_role;
	struct pol_at at;
};

/* What a decision asks of an assignment, which also says for whom and where it stands. */
struct pol_given {
	uint32_t assign;
	uint32_t role;
	uint32_t period;
	uint32_t cond;
};

struct pol_user {
	uint32_t name;
	uint32_t enabled;
	uint32_t assign, n_assign;	/* in assignlist */
	uint32_t val, n_val;
	int64_t from, until;
	struct pol_given only;		/* a copy of the assignment, if there is but one */
	uint32_t pad[2];		/* a line a user */
};

struct pol_role {
	uint32_t name;
	uint32_t period;
	uint32_t closure, n_closure;	/* in rolelist; ascending, itself included */
	uint32_t sod, n_sod;		/* in sodlist: sets of which it is a member */
	uint32_t separated;		/* whether it, or one that it inherits, is in a set */
	uint32_t cardinality, max_active, max_seconds;
	struct pol_at at;
};

struct pol_assign {
	uint32_t id;
	uint32_t user;
	uint32_t role;
	uint32_t period;
	uint32_t cond;
	struct pol_at at;
};

/* An object is a type (even) or an instance (odd): index * 2 + is-instance. */
#define POL_OBJ_TYPE(i)	((i) << 1)
#define POL_OBJ_INST(i)	((i) << 1 | 1)

struct pol_permit {
	uint32_t id;
	uint32_t role;
	uint32_t action;
	uint32_t object;
	uint32_t period;
	uint32_t cond;
	uint32_t next;		/* with the same role, action and object; later in the sheets */
	struct pol_at at;
};

struct pol_rtype {
	uint32_t name;
	uint32_t layer;
	uint32_t ruled;		/* whether a permission is on the type as such */
	uint32_t action, n_action;	/* in actionlist */
};

struct pol_inst {
	uint32_t name;
	uint32_t type;
	uint32_t isolated;
	uint32_t val, n_val;
};

struct pol_sla {
	uint32_t id;
	uint32_t side;
	uint32_t peer;
	uint32_t revoked, chain, isolation;
	uint32_t map, n_map;
	uint32_t visible, n_visible;	/* objects, in visible */
	uint32_t mediate, n_mediate;
	int64_t from, until;
	struct pol_at at;
};

/* On the consumer's side @local is a role and @remote a name; both on the provider's. */
struct pol_map {
	uint32_t local;		/* role */
	uint32_t remote;	/* string */
};

/* Every section of an image: its name and its record. */
#define POL_SECTIONS(X) \
	X(str, struct pol_str) X(bytes, char) X(strslot, uint32_t) X(name, struct pol_name) \
	X(slot, struct pol_slot) \
	X(sheet, uint32_t) X(attr, struct pol_attr) X(value, int64_t) X(val, struct pol_val) \
	X(node, struct pol_node) X(func, struct pol_func) X(cond, struct pol_cond) \
	X(zone, struct pol_zone) X(change, struct zone_change) X(period, struct pol_period) \
	X(window, struct pol_window) X(between, struct pol_between) X(sod, struct pol_sod) \
	X(sodlist, uint32_t) X(user, struct pol_user) X(role, struct pol_role) \
	X(rolelist, uint32_t) X(assign, struct pol_assign) X(assignlist, struct pol_given) \
	X(anyassign, struct pol_given) X(permit, struct pol_permit) \
	X(action, uint32_t) X(actionlist, uint32_t) X(rtype, struct pol_rtype) \
	X(inst, struct pol_inst) X(sla, struct pol_sla) X(map, struct pol_map) \
	X(visible, uint32_t) X(mediate, struct pol_permit)

struct pol_image {
	void *base;
	size_t size;
	size_t room;		/* mapped */
	uint8_t digest[32];	/* SHA-256 of the block: what an audit record cites */
	uint32_t cloud;
	uint32_t refs;		/* admin.c's */
#define X(name, record_t) \
	const record_t *name; \
	uint32_t n_##name;

	POL_SECTIONS(X)
#undef X
};

static inline uint64_t pol_key(enum pol_kind kind, uint64_t rest)
{
	return (uint64_t)kind << 60 | rest;
}

static inline uint64_t pol_key_perm(uint32_t role, uint32_t action, uint32_t object)
{
	return pol_key(P_PERM, (uint64_t)role << 36 | (uint64_t)action << 24 | object);
}

static inline uint64_t pol_key_cred(uint32_t method, uint32_t issuer, uint32_t subject)
{
	return pol_key(P_CRED, (uint64_t)method << 56 | (uint64_t)(issuer & 0xffffff) << 28 |
		       (subject & 0xffffff));
}

/* The index of @key's slot among @n, or of the empty one where it would be. */
static inline uint32_t pol_slot_of(const struct pol_slot *slot, uint32_t n, uint64_t key)
{
	uint64_t h = key * 0x9e3779b97f4a7c15ull;
	uint32_t i = (h ^ h >> 32) & (n - 1);

	while (slot[i].key && slot[i].key != key)
		i = (i + 1) & (n - 1);
	return i;
}

/* What @key stands for, or POL_NONE. */
static inline uint32_t pol_lookup(const struct pol_image *p, uint64_t key)
{
	const struct pol_slot *s = &p->slot[pol_slot_of(p->slot, p->n_slot, key)];

	return s->key ? s->idx : POL_NONE;
}

static inline uint32_t pol_name_hash(enum pol_kind kind, const char *s, uint32_t len)
{
	return strtab_hash(s, len) + kind * 0x9e3779b9u;
}

/* A name that will be looked up. */
struct pol_sought {
	const char *name;	/* NULL: none, which is not found */
	uint32_t len;
	uint32_t hash;
};

/* Sends for a name's entry, which pol_found() then need not wait for. */
static inline struct pol_sought pol_seek(const struct pol_image *p, enum pol_kind kind,
					 const char *name)
{
	uint32_t len = name ? strlen(name) : 0, hash = name ? pol_name_hash(kind, name, len) : 0;

	__builtin_prefetch(&p->name[hash & (p->n_name - 1)]);
	return (struct pol_sought){ name, len, hash };
}

/**
 * pol_found() - the index of a record whose name was sent for
 * @p: the policy
 * @kind: what is looked for, as pol_seek() was told
 * @s: what that returned
 *
 * Return: the index, or POL_NONE.
 */
uint32_t pol_found(const struct pol_image *p, enum pol_kind kind, const struct pol_sought *s);

/**
 * pol_string() - the number of a string that the policy may know
 *
 * Return: its number, or POL_NONE.
 */
uint32_t pol_string(const struct pol_image *p, const char *s, uint32_t len);

/**
 * pol_find() - the index of a named record
 * @p: the policy
 * @kind: what is looked for
 * @name: its name
 *
 * Return: the index, or POL_NONE.
 */
uint32_t pol_find(const struct pol_image *p, enum pol_kind kind, const char *name);

/* The text of string @id; "" for POL_NONE. */
static inline const char *pol_str(const struct pol_image *p, uint32_t id)
{
	return id < p->n_str ? p->bytes + p->str[id].off : "";
}

/**
 * pol_object_name() - the name of a type or an instance
 */
const char *pol_object_name(const struct pol_image *p, uint32_t object);

/**
 * pol_where() - "sheet.xml:12" of a record
 * @buf: at least 160 bytes
 */
const char *pol_where(const struct pol_image *p, struct pol_at at, char *buf);

/**
 * pol_image_write() - store a compiled policy
 *
 * Return: 0 or -errno.
 */
int pol_image_write(const struct pol_image *p, const char *path, struct pol_err *e);

/**
 * pol_image_parse() - take a stored image, checking every index in it
 * @buf: untrusted bytes
 *
 * Return: a new image that owns a copy, or NULL with @e set.
 */
struct pol_image *pol_image_parse(const void *buf, size_t len, struct pol_err *e);

void pol_free(struct pol_image *p);

#endif
