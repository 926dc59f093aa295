// SPDX-License-Identifier: GPL-2.0
/* See span.h. */
#include "userspace/txt/span.h"

const char *txt_fault_words(enum txt_fault fault)
{
#define TXT_FAULT_WORDS(name, words) words,
	static const char * const all[TXT_FAULT_COUNT] = { "", TXT_FAULTS(TXT_FAULT_WORDS) };

	return all[fault];
}

bool txt_has(struct txt_span s, size_t at, size_t size)
{
	return at <= s.len && size <= s.len - at;
}

uint64_t txt_number(struct txt_span s, size_t at, size_t size)
{
	uint64_t value = 0;
	size_t i;

	if (size > 8 || !txt_has(s, at, size))
		return 0;
	for (i = 0; i < size; i++)
		value |= (uint64_t)s.bytes[at + i] << 8 * i;
	return value;
}

struct txt_span txt_sub(struct txt_span s, size_t at, size_t end)
{
	return (struct txt_span){ s.bytes + at, end - at };
}

static struct txt_fact *new_fact(struct txt *t)
{
	static struct txt_fact spare;

	return t->facts < TXT_FACTS ? &t->fact[t->facts++] : &spare;
}

void txt_add(struct txt *t, const char *name, enum txt_kind kind, uint64_t value)
{
	*new_fact(t) = (struct txt_fact){ .name = name, .kind = kind, .value = value };
}

void txt_add_bytes(struct txt *t, const char *name, enum txt_kind kind, struct txt_span s)
{
	size_t len = 0;

	if (kind == TXT_TEXT)
		while (len < s.len && s.bytes[len] >= ' ' && s.bytes[len] < 0x7f)
			len++;
	else
		len = s.len;
	*new_fact(t) = (struct txt_fact){
		.name = name, .kind = kind, .bytes = s.bytes, .len = len
	};
}

enum txt_fault txt_add_fields(struct txt *t, struct txt_span s, const struct txt_field *rows,
			      uint32_t version, size_t *end)
{
	for (*end = 0; rows->name; rows++) {
		if (rows->since > version)
			continue;
		if (!txt_has(s, rows->offset, rows->size))
			return TXT_SIZE;
		if (rows->kind == TXT_BYTES)
			txt_add_bytes(t, rows->name, TXT_BYTES,
				      txt_sub(s, rows->offset, rows->offset + rows->size));
		else
			txt_add(t, rows->name, rows->kind,
				txt_number(s, rows->offset, rows->size));
		*end = rows->offset + rows->size;
	}
	return TXT_OK;
}

enum txt_fault txt_add_rows(struct txt *t, struct txt_span s, size_t at, uint64_t count,
			    size_t size, const char *name, const struct txt_field *fields)
{
	size_t end;

	if (at > s.len || count > (s.len - at) / size)
		return TXT_COUNT;
	for (; count; count--, at += size) {
		if (name)
			txt_add(t, name, TXT_TABLE, 0);
		txt_add_fields(t, txt_sub(s, at, at + size), fields, 0, &end);
		if (t->facts == TXT_FACTS)
			return TXT_MANY;
	}
	return TXT_OK;
}
