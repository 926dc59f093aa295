/* SPDX-License-Identifier: GPL-2.0-only */
/* Interned strings: equal strings have equal numbers. */
#ifndef POL_STRTAB_H
#define POL_STRTAB_H

#include "base/vec.h"

#define POL_NONE	UINT32_MAX	/* no string, no user, no rule, ... */
#define POL_STR_MAX	1024		/* bytes of one string */
#define POL_STRS_MAX	(1u << 24)	/* strings of one policy */

struct pol_str {
	uint32_t off;
	uint32_t len;
};

struct strtab {
	POL_VEC(struct pol_str, str);
	POL_VEC(char, bytes);
	uint32_t *slot;		/* n_slot, a power of two; POL_NONE is empty */
	uint32_t n_slot;
};

/**
 * strtab_hash() - the hash by which a string is found
 * @s: the string
 * @len: its length in bytes
 */
uint32_t strtab_hash(const char *s, uint32_t len);

/**
 * strtab_add() - the number of a string, new or not
 * @t: the table, zeroed before its first use
 * @s: the string, NUL-terminated or not
 * @len: its length in bytes
 *
 * Return: its number, or POL_NONE if memory or a bound ran out.
 */
uint32_t strtab_add(struct strtab *t, const char *s, uint32_t len);

/**
 * strtab_find() - the number of a string that may be there
 *
 * Return: its number, or POL_NONE.
 */
uint32_t strtab_find(const struct strtab *t, const char *s, uint32_t len);

/* The string of number @id, NUL-terminated; "" for POL_NONE. */
static inline const char *strtab_get(const struct strtab *t, uint32_t id)
{
	return id < t->n_str ? t->bytes + t->str[id].off : "";
}

void strtab_free(struct strtab *t);

#endif
