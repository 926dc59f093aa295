// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/image.h"

uint32_t pol_string(const struct pol_image *p, const char *s, uint32_t len)
{
	uint32_t mask = p->n_strslot - 1, i = strtab_hash(s, len) & mask, id;

	for (; (id = p->strslot[i]) != POL_NONE; i = (i + 1) & mask)
		if (p->str[id].len == len && strtab_same(p->bytes + p->str[id].off, s, len))
			return id;
	return POL_NONE;
}

uint32_t pol_found(const struct pol_image *p, enum pol_kind kind, const struct pol_sought *s)
{
	uint32_t mask = p->n_name - 1, i = s->hash & mask;
	const struct pol_name *n;

	for (; s->name && (n = &p->name[i])->kind; i = (i + 1) & mask)
		if (n->hash == s->hash && n->kind == kind && n->len == s->len &&
		    strtab_same(p->bytes + n->off, s->name, s->len))
			return n->idx;
	return POL_NONE;
}

uint32_t pol_find(const struct pol_image *p, enum pol_kind kind, const char *name)
{
	struct pol_sought s = pol_seek(p, kind, name);

	return pol_found(p, kind, &s);
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
