// SPDX-License-Identifier: GPL-2.0-only
#include "base/ops.h"

#define BIT(t)	(1u << (t))
#define SCALAR	(BIT(T_BOOLEAN) | BIT(T_INTEGER) | BIT(T_STRING) | BIT(T_TIME))
#define ORDERED	(BIT(T_INTEGER) | BIT(T_TIME))

const struct pol_op_fact pol_op_facts[OP_NOPS] = {
	[OP_EQUALS] = { SCALAR | BIT(T_SET), false, true, -1 },
	[OP_DIFFERS] = { SCALAR | BIT(T_SET), false, true, -1 },
	[OP_LESS] = { ORDERED, false, true, -1 },
	[OP_AT_MOST] = { ORDERED, false, true, -1 },
	[OP_MORE] = { ORDERED, false, true, -1 },
	[OP_AT_LEAST] = { ORDERED, false, true, -1 },
	[OP_IN] = { BIT(T_STRING), true, false, T_SET },
	[OP_CONTAINS] = { BIT(T_SET), false, true, T_STRING },
	[OP_SUBSET] = { BIT(T_SET), true, false, T_SET },
	[OP_INTERSECTS] = { BIT(T_SET), true, false, T_SET },
	[OP_STARTS_WITH] = { BIT(T_STRING), false, true, T_STRING },
	[OP_HOLDS] = { BIT(T_BOOLEAN), false, false, T_BOOLEAN },
};

const struct pol_apply_fact pol_apply_facts[F_NAPPLY] = {
	[F_COUNT] = { BIT(T_SET), false },
	[F_LENGTH] = { BIT(T_STRING), false },
	[F_HOUR] = { BIT(T_TIME), true },
	[F_WEEKDAY] = { BIT(T_TIME), true },
};
