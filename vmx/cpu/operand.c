// SPDX-License-Identifier: GPL-2.0
/* Address of a memory operand (SDM vol. 3, sections 28.2.5, 5.3 to 5.5; vol. 1, 3.7.5). */
#include "vmx/cpu/operand.h"
#include "vmx/host/host.h"
#include "vmx/intercept/caps.h"

#define VEC_SS			12

#define AR_TYPE_CODE		BIT(3)
#define AR_TYPE_EXPAND_DOWN	BIT(2)	/* data segments */
#define AR_TYPE_READ_WRITE	BIT(1)	/* data: writable, code: readable */

static u64 effective_address(const struct operand *op)
{
	static const u64 mask[8] = { 0xffff, 0xffffffff, ~0ULL };
	u64 ea = op->disp;

	if (!(op->info & INFO_NO_BASE))
		ea += op->base;
	if (!(op->info & INFO_NO_INDEX))
		ea += op->index << INFO_SCALE(op->info);
	return ea & mask[INFO_ADDR_SIZE(op->info)];
}

/* Only FS and GS have a base in 64-bit code; limits and types do not count. */
static u32 linear_64(const struct operand *op, u64 ea, u64 *la)
{
	u32 seg = INFO_SEGMENT(op->info);

	if (seg == SEG_FS || seg == SEG_GS)
		ea += op->seg_base;
	if (!la_canonical(ea, op->la57) || !la_canonical(ea + op->len - 1, op->la57))
		return seg == SEG_SS ? VEC_SS : VEC_GP;
	*la = ea;
	return 0;
}

static bool segment_allows(const struct operand *op)
{
	if (op->seg_ar & SEG_AR_UNUSABLE)
		return false;
	if (op->seg_ar & AR_TYPE_CODE)
		return !op->write && (op->seg_ar & AR_TYPE_READ_WRITE);
	return !op->write || (op->seg_ar & AR_TYPE_READ_WRITE);
}

static bool within_limit(const struct operand *op, u64 ea)
{
	u64 last = ea + op->len - 1;
	u64 top = op->seg_ar & SEG_AR_DB ? 0xffffffff : 0xffff;

	if (!(op->seg_ar & AR_TYPE_CODE) && (op->seg_ar & AR_TYPE_EXPAND_DOWN))
		return ea > op->seg_limit && last <= top;
	return last <= op->seg_limit;
}

static u32 linear_32(const struct operand *op, u64 ea, u64 *la)
{
	if (!segment_allows(op) || !within_limit(op, ea))
		return INFO_SEGMENT(op->info) == SEG_SS ? VEC_SS : VEC_GP;
	*la = (u32)(op->seg_base + ea);
	return 0;
}

u32 operand_linear(const struct operand *op, u64 *la)
{
	u64 ea;

	/* Encodings that hardware never reports: refuse rather than guess. */
	if (INFO_ADDR_SIZE(op->info) > 2 || INFO_SEGMENT(op->info) > SEG_GS || !op->len)
		return VEC_UD;
	ea = effective_address(op);
	return op->long_mode ? linear_64(op, ea, la) : linear_32(op, ea, la);
}
