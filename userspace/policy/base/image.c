// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/image.h"

uint32_t pol_string(const struct pol_image *p, const char *s, uint32_t len)
{
	uint32_t mask = p->n_strslot - 1, i = strtab_hash(s, len) & mask, id;

	for (; (id = p->strslot[i]) != POL_NONE; i = (i + 1) & mask)
		if (p->str[id].len == len && !memcmp(p->bytes + p->str[id].off, s, len))
			return id;
	return POL_NONE;
}

uint32_t pol_find(const struct pol_image *p, enum pol_kind kind, const char *name)
{
	uint32_t len = strlen(name), hash = pol_name_hash(kind, name, len);
	uint32_t mask = p->n_name - 1, i = hash & mask;
	const struct pol_name *n;

	for (; (n = &p->name[i])->kind; i = (i + 1) & mask)
		if (n->hash == hash && n->kind == kind && n->len == len &&
		    !memcmp(p->bytes + n->off, name, len))
			return n->idx;
	return POL_NONE;
}

const char *pol_object_name(const struct pol_image *p, uint32_t object)
{
	uint32_t i = object >> 1;

	if (object == POL_NONE)
		return "";
	return pol_str(p, object & 1 ? p->inst[i].name : p->rtype[i].name);
}

const char *pol_where(const struct pol_image *p, struct pol_at at, char *buf)
{
	char name[121];

	pol_print(name, sizeof(name), "%s", at.sheet < p->n_sheet ?
		  pol_str(p, p->sheet[at.sheet]) : "?");
	snprintf(buf, 160, "%s:%u", name, at.line);
	return buf;
}

void pol_free(struct pol_image *p)
{
	if (!p)
		return;
	if (p->base)
		munmap(p->base, p->room);
	free(p);
}
