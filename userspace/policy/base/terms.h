/* SPDX-License-Identifier: GPL-2.0-only */
/* The words that sheets and compiled policies share. */
#ifndef POL_TERMS_H
#define POL_TERMS_H

#include <stdint.h>

enum pol_type { T_BOOLEAN, T_INTEGER, T_STRING, T_SET, T_TIME, T_NTYPES };
enum pol_layer { L_APPLICATION, L_PLATFORM, L_INFRASTRUCTURE, L_NLAYERS };
enum pol_method { M_X509, M_FINGERPRINT, M_JWT, M_NMETHODS };
enum pol_side { SIDE_CONSUMER, SIDE_PROVIDER };
enum pol_sod_kind { SOD_STATIC, SOD_DYNAMIC };
enum pol_apply { F_EXPR, F_COUNT, F_LENGTH, F_HOUR, F_WEEKDAY, F_NAPPLY };

/* Operators of attribute expressions; the table of their facts is in ops.c. */
enum pol_op {
	OP_ALL, OP_ANY, OP_NOT,
	OP_EQUALS, OP_DIFFERS, OP_LESS, OP_AT_MOST, OP_MORE, OP_AT_LEAST,
	OP_IN, OP_CONTAINS, OP_SUBSET, OP_INTERSECTS, OP_STARTS_WITH, OP_HOLDS,
	OP_NOPS
};

extern const char *const pol_type_name[T_NTYPES];
extern const char *const pol_layer_name[L_NLAYERS];
extern const char *const pol_method_name[M_NMETHODS];
extern const char *const pol_apply_name[F_NAPPLY];
extern const char *const pol_op_name[OP_NOPS];
extern const char *const pol_day_name[7];	/* "sun" is 0 */

/* Where in the sheets a record stands. */
struct pol_at {
	uint16_t sheet;
	uint16_t pad;
	uint32_t line;
};

/* A repeating window of local time; minutes of the day. */
struct pol_window {
	uint32_t days;		/* bit 0 is Sunday */
	uint32_t month_days;	/* bit 1 is the first */
	uint32_t months;	/* bit 1 is January */
	uint16_t from;
	uint16_t until;		/* not later than @from: crosses midnight */
};

struct pol_between {
	int64_t from;		/* seconds since 1970, UTC */
	int64_t until;		/* exclusive */
};

/**
 * pol_time() - parse an instant, "2026-11-22T09:00:00Z"
 *
 * Return: 0, or -EINVAL with @t as it was.
 */
int pol_time(const char *s, int64_t *t);

#endif
