/* SPDX-License-Identifier: GPL-2.0-only */
/* Interned strings: equal strings have equal numbers. */
#ifndef POL_STRTAB_H
#define POL_STRTAB_H

#include <stdbool.h>
#include <string.h>

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

static inline uint64_t strtab_eight(const char *s)
{
	uint64_t w;

	memcpy(&w, s, sizeof(w));
	return w;
}

/* All of a string of fewer than eight bytes, each at least once. */
static inline uint64_t strtab_fewer(const char *s, uint32_t len)
{
	uint32_t low, high;

	if (len >= 4) {
		memcpy(&low, s, sizeof(low));
		memcpy(&high, s + len - sizeof(high), sizeof(high));
		return (uint64_t)high << 32 | low;
	}
	return len ? (uint8_t)s[0] | (uint8_t)s[len / 2] << 8 | (uint8_t)s[len - 1] << 16 : 0;
}

/* The last eight bytes, or all of fewer. */
static inline uint64_t strtab_last(const char *s, uint32_t len)
{
	return len < 8 ? strtab_fewer(s, len) : strtab_eight(s + len - 8);
}

/* The hash by which a string is found: eight bytes a step; the length is the seed. */
static inline uint32_t strtab_hash(const char *s, uint32_t len)
{
	uint64_t h = 0x9e3779b97f4a7c15ull ^ len, w = strtab_last(s, len);

	for (; len > 8; s += 8, len -= 8) {
		h = (h ^ strtab_eight(s)) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	h = (h ^ w) * 0xff51afd7ed558ccdull;
	h ^= h >> 29;
	h *= 0xc4ceb9fe1a85ec53ull;
	return h >> 32;
}

/* Are the @len bytes at @a and @b the same? Names are short: a call would cost more. */
static inline bool strtab_same(const char *a, const char *b, uint32_t len)
{
	uint32_t i;

	for (i = 0; i + 8 < len; i += 8)
		if (strtab_eight(a + i) != strtab_eight(b + i))
			return false;
	return strtab_last(a, len) == strtab_last(b, len);
}

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
