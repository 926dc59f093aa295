// SPDX-License-Identifier: GPL-2.0-only
/* The compiler's frame: names, passes, and the sealed block at the end. */
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/store.h"
#include "compile/build.h"
#include "trust/ticket.h"

void build_say(struct build *b, struct pol_at at, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	pol_vprint(text, sizeof(text), fmt, ap);
	va_end(ap);
	pol_say(b->e, "%s:%u: %s", at.sheet < b->m->n_sheet ? b->m->sheet[at.sheet] : "policy",
		at.line, text);
}

int build_add(struct build *b, enum pol_kind kind, uint32_t name, uint32_t idx)
{
	uint64_t key = pol_key(kind, name);
	struct pol_slot *s = &b->named[pol_slot_of(b->named, b->n_named, key)];

	if (s->key)
		return -EEXIST;
	*s = (struct pol_slot){ key, idx, 0 };
	return 0;
}

uint32_t build_find(const struct build *b, enum pol_kind kind, uint32_t name)
{
	const struct pol_slot *s = &b->named[pol_slot_of(b->named, b->n_named,
							  pol_key(kind, name))];

	return s->key ? s->idx : POL_NONE;
}

int build_ref(struct build *b, struct pol_at at, enum pol_kind kind, const char *what,
	      uint32_t name, uint32_t *out)
{
	*out = POL_NONE;
	if (name == POL_NONE)
		return 0;
	*out = build_find(b, kind, name);
	if (*out != POL_NONE)
		return 0;
	return build_bad(b, at, "%s '%s' is not defined: define it, or correct the name", what,
			 m_str(b->m, name));
}

int build_need(struct build *b, struct pol_at at, enum pol_kind kind, const char *what,
	       uint32_t name, uint32_t *out)
{
	if (name == POL_NONE)
		return build_bad(b, at, "a %s is missing: name one", what);
	return build_ref(b, at, kind, what, name, out);
}

int build_name(struct build *b, struct pol_at at, enum pol_kind kind, const char *what,
	       uint32_t name, uint32_t idx)
{
	if (name == POL_NONE)
		return build_bad(b, at, "a %s without a name", what);
	if (!build_add(b, kind, name, idx))
		return 0;
	return build_bad(b, at, "%s '%s' is defined twice: remove or rename one", what,
			 m_str(b->m, name));
}

int build_ticket_name(struct build *b, struct pol_at at, const char *what, uint32_t name)
{
	if (ticket_name_ok(m_str(b->m, name)))
		return 0;
	return build_bad(b, at, "%s '%s': a ticket carries a name of 1 to %d printable ASCII "
			 "characters without spaces: rename it", what, m_str(b->m, name),
			 TICKET_NAME_MAX);
}

/* The places of a table in which @want keys leave every other one empty. */
static uint64_t places(uint64_t want)
{
	uint64_t n = 64;

	while (n < want * 2)
		n *= 2;
	return n;
}

/* Every key that will be added, counted beforehand: no table grows. */
static int size_tables(struct build *b)
{
	const struct m_model *m = b->m;
	uint64_t named, slots = places((uint64_t)m->n_cred + m->n_permit);
	uint32_t i;

	named = (uint64_t)m->n_attr + m->n_func * 2 + m->n_cond + m->n_period * 2 + m->n_user +
		m->n_role + m->n_rtype + m->n_inst + m->n_sla;
	for (i = 0; i < m->n_rtype; i++)
		named += m->rtype[i].n_action;
	named = places(named);
	if (named > UINT32_MAX || slots > UINT32_MAX || pol_vec_reserve(b, named, named) ||
	    pol_vec_reserve(b, name, named) || pol_vec_reserve(b, slot, slots))
		return build_nomem(b);
	memset(b->named, 0, named * sizeof(*b->named));
	memset(b->name, 0, named * sizeof(*b->name));
	memset(b->slot, 0, slots * sizeof(*b->slot));
	b->n_named = b->n_name = named;
	b->n_slot = slots;
	return 0;
}

static int take_sheets(struct build *b)
{
	uint32_t i, id;

	for (i = 0; i < b->m->n_sheet; i++) {
		id = m_add(b->m, b->m->sheet[i]);
		if (id == POL_NONE || pol_vec_push(b, sheet, id))
			return build_nomem(b);
	}
	return 0;
}

static int copy_strings(struct build *b)
{
	const struct strtab *t = &b->m->strs;

	if (pol_vec_reserve(b, str, t->n_str) || pol_vec_reserve(b, bytes, t->n_bytes) ||
	    pol_vec_reserve(b, strslot, t->n_slot))
		return build_nomem(b);
	memcpy(b->str, t->str, t->n_str * sizeof(*t->str));
	memcpy(b->bytes, t->bytes, t->n_bytes);
	memcpy(b->strslot, t->slot, t->n_slot * sizeof(*t->slot));
	b->n_str = t->n_str;
	b->n_bytes = t->n_bytes;
	b->n_strslot = t->n_slot;
	return 0;
}

/* The table by which a request's names are found, from the compiler's own. */
static int list_names(struct build *b)
{
	const struct pol_slot *s;
	const struct pol_str *str;
	uint32_t kind, hash, i, n;

	for (n = 0; n < b->n_named; n++) {
		s = &b->named[n];
		if (!s->key)
			continue;
		kind = s->key >> 60;
		str = &b->str[(uint32_t)s->key];
		hash = pol_name_hash(kind, b->bytes + str->off, str->len);
		for (i = hash & (b->n_name - 1); b->name[i].kind; i = (i + 1) & (b->n_name - 1))
			;
		b->name[i] = (struct pol_name){ hash, str->off, s->idx, str->len, kind };
	}
	return 0;
}

/* Lays the sections out in one block, hashes it and takes the write permission away. */
static struct pol_image *seal(struct build *b)
{
	struct store_section s[STORE_NSECTIONS];
	struct pol_image *p;
	int i = 0;

#define X(name, type) s[i++] = (struct store_section){ b->name, b->n_##name };
	POL_SECTIONS(X)
#undef X
	p = store_build(s, b->m->cloud);
	if (!p)
		build_nomem(b);
	return p;
}

static int (*const passes[])(struct build *b) = {
	size_tables, take_sheets, build_attrs, build_periods, build_exprs, build_roles,
	build_resources, build_users, build_rules, build_slas, copy_strings,
	list_names,
};

struct pol_image *pol_compile(struct m_model *m, struct pol_err *e)
{
	struct build b = { .m = m, .e = e };
	struct pol_image *p = NULL;
	int ret = 0;
	size_t i;

	if (m->cloud == POL_NONE)
		ret = pol_fail(e, EINVAL, "no <roles cloud=\"...\"> sheet: add one, it names the "
			       "cloud");
	for (i = 0; !ret && i < sizeof(passes) / sizeof(passes[0]); i++)
		ret = passes[i](&b);
	if (!ret)
		p = seal(&b);
	free(b.named);
#define X(name, type) free(b.name);
	POL_SECTIONS(X)
#undef X
	return p;
}
