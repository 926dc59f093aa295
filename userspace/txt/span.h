/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers and rows out of bytes, never beyond them. */
#ifndef TXT_SPAN_H
#define TXT_SPAN_H

#include "userspace/txt/txt.h"

struct txt_span {
	const uint8_t *bytes;
	size_t len;
};

/* A row: a field, from a version of its table on; a size that is no number's is one of bytes. */
struct txt_field {
	const char *name;
	uint16_t offset, size;
	enum txt_kind kind;
	uint8_t since;
};

/** txt_number() - little-endian, of 1 to 8 bytes; 0 beyond the end, which the caller has checked */
uint64_t txt_number(struct txt_span s, size_t at, size_t size);

/** txt_has() - are there @size bytes at @at? */
bool txt_has(struct txt_span s, size_t at, size_t size);

/** txt_sub() - the part from @at to @end, which lies within */
struct txt_span txt_sub(struct txt_span s, size_t at, size_t end);

/** txt_add() - a fact, if there is room */
void txt_add(struct txt *t, const char *name, enum txt_kind kind, uint64_t value);

/** txt_add_bytes() - bytes, or printable text up to the first char that is not */
void txt_add_bytes(struct txt *t, const char *name, enum txt_kind kind, struct txt_span s);

/**
 * txt_add_fields() - the rows that this version of a table has
 * @end: of the last field of these
 *
 * Return: TXT_OK, or TXT_SIZE: the table is too short for its version.
 */
enum txt_fault txt_add_fields(struct txt *t, struct txt_span s, const struct txt_field *rows,
			      uint32_t version, size_t *end);

/**
 * txt_add_rows() - @count rows of @size bytes each, from @at on
 * @name: of the table that each is, or NULL
 *
 * Return: TXT_OK, TXT_COUNT: they do not fit, or TXT_MANY.
 */
enum txt_fault txt_add_rows(struct txt *t, struct txt_span s, size_t at, uint64_t count,
			    size_t size, const char *name, const struct txt_field *fields);

#endif /* TXT_SPAN_H */
