// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "base/strtab.h"

static uint32_t *slot_of(const struct strtab *t, const char *s, uint32_t len)
{
	uint32_t mask = t->n_slot - 1, i = strtab_hash(s, len) & mask, id;

	for (;; i = (i + 1) & mask) {
		id = t->slot[i];
		if (id == POL_NONE || (t->str[id].len == len &&
				       strtab_same(t->bytes + t->str[id].off, s, len)))
			return &t->slot[i];
	}
}

static int rehash(struct strtab *t)
{
	uint32_t n = t->n_slot ? t->n_slot * 2 : 1024, i;
	uint32_t *slot = malloc(n * sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	memset(slot, 0xff, n * sizeof(*slot));
	free(t->slot);
	t->slot = slot;
	t->n_slot = n;
	for (i = 0; i < t->n_str; i++)
		*slot_of(t, t->bytes + t->str[i].off, t->str[i].len) = i;
	return 0;
}

uint32_t strtab_add(struct strtab *t, const char *s, uint32_t len)
{
	uint32_t *slot;

	if (len > POL_STR_MAX || t->n_str >= POL_STRS_MAX)
		return POL_NONE;
	if (t->n_str * 2 >= t->n_slot && rehash(t))
		return POL_NONE;
	slot = slot_of(t, s, len);
	if (*slot != POL_NONE)
		return *slot;
	if (pol_vec_reserve(t, bytes, len + 1) || pol_vec_reserve(t, str, 1))
		return POL_NONE;
	t->str[t->n_str] = (struct pol_str){ t->n_bytes, len };
	memcpy(t->bytes + t->n_bytes, s, len);
	t->bytes[t->n_bytes + len] = 0;
	t->n_bytes += len + 1;
	return *slot = t->n_str++;
}

uint32_t strtab_find(const struct strtab *t, const char *s, uint32_t len)
{
	return t->n_slot ? *slot_of(t, s, len) : POL_NONE;
}

void strtab_free(struct strtab *t)
{
	free(t->str);
	free(t->bytes);
	free(t->slot);
	memset(t, 0, sizeof(*t));
}
