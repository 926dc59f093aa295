/* SPDX-License-Identifier: GPL-2.0-only */
/* Time zones from the system's database (RFC 8536), as a list of changes. */
#ifndef POL_ZONE_H
#define POL_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

#define ZONE_FILE_MAX	(256u << 10)
#define ZONE_YEAR_LAST	2100		/* rules are written out up to here */

/* From @at on, local time is UTC + @offset seconds. */
struct zone_change {
	int64_t at;
	int32_t offset;
	uint32_t pad;
};

struct zone {
	POL_VEC(struct zone_change, change);	/* ascending; the first at INT64_MIN */
	int64_t horizon;			/* nothing is known from here on */
};

/**
 * zone_parse() - read a TZif file
 * @z: filled; zone_free() it in any case
 * @buf: the file's bytes, untrusted
 * @len: how many
 * @e: what is wrong
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int zone_parse(struct zone *z, const uint8_t *buf, size_t len, struct pol_err *e);

/**
 * zone_load() - read a zone by name from the system's database
 * @name: like "Europe/Berlin"; TZDIR is honoured
 *
 * Return: as zone_parse(), or -ENOENT.
 */
int zone_load(struct zone *z, const char *name, struct pol_err *e);
void zone_free(struct zone *z);

#endif
