// SPDX-License-Identifier: GPL-2.0
/*
 * Address of a memory operand in 64-bit code (SDM vol. 3, section 28.2.5; vol. 1, 3.7.5).
 * In any other mode VMX instructions are #UD, before they exit or by vmx/nested/insn.c.
 */
#include "vmx/cpu/operand.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/paging.h"

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

u32 operand_linear(const struct operand *op, u64 *la)
{
	u32 seg = INFO_SEGMENT(op->info);
	u64 ea;

	/* Encodings that hardware never reports: refuse rather than guess. */
	if (INFO_ADDR_SIZE(op->info) > 2 || seg > SEG_GS || !op->len)
		return VEC_UD;
	ea = effective_address(op);
	/* Only FS and GS have a base in 64-bit code; limits and types do not count. */
	if (seg == SEG_FS || seg == SEG_GS)
		ea += op->seg_base;
	if (!la_canonical(ea, op->la57) || !la_canonical(ea + op->len - 1, op->la57))
		return seg == SEG_SS ? VEC_SS : VEC_GP;
	*la = ea;
	return 0;
}
