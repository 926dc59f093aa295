/* SPDX-License-Identifier: GPL-2.0-only */
/* What each operator and each attribute function takes: for whoever makes or checks an image. */
#ifndef POL_OPS_H
#define POL_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/terms.h"

struct pol_op_fact {
	uint8_t left;		/* its left side's types, a bit each */
	bool list;		/* values="..." */
	bool single;		/* value="..." */
	int8_t right;		/* enum pol_type, or -1: the left's */
};

struct pol_apply_fact {
	uint8_t takes;		/* types, a bit each */
	bool zone;
};

extern const struct pol_op_fact pol_op_facts[OP_NOPS];
extern const struct pol_apply_fact pol_apply_facts[F_NAPPLY];

/* Does @op take a left side of type @left? */
static inline bool pol_op_takes(uint32_t op, uint32_t left)
{
	return pol_op_facts[op].left & 1u << left;
}

/* The type of @op's right side, for a left side of type @left. */
static inline uint32_t pol_op_right(uint32_t op, uint32_t left)
{
	return pol_op_facts[op].right < 0 ? left : (uint32_t)pol_op_facts[op].right;
}

/* Does function @apply take an attribute of type @type, with or without a zone? */
static inline bool pol_apply_takes(uint32_t apply, uint32_t type, bool zone)
{
	return (pol_apply_facts[apply].takes & 1u << type) && pol_apply_facts[apply].zone == zone;
}

#endif
