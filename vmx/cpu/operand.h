/* SPDX-License-Identifier: GPL-2.0 */
/* Operands of VMX instructions, from what a VM exit tells (SDM vol. 3, section 28.2.5). */
#ifndef VMX_OPERAND_H
#define VMX_OPERAND_H

#include "vmx/base/types.h"
#include "vmx/base/percpu.h"

/* VM-exit instruction information (tables 28-13 and 28-14) */
#define INFO_SCALE(i)		((i) & 3)
#define INFO_REG1(i)		((i) >> 3 & 0xf)
#define INFO_ADDR_SIZE(i)	((i) >> 7 & 7)		/* 0: 16, 1: 32, 2: 64 bit */
#define INFO_IS_REG		BIT(10)
#define INFO_SEGMENT(i)		((i) >> 15 & 7)		/* ES CS SS DS FS GS */
#define INFO_INDEX(i)		((i) >> 18 & 0xf)
#define INFO_NO_INDEX		BIT(22)
#define INFO_BASE(i)		((i) >> 23 & 0xf)
#define INFO_NO_BASE		BIT(27)
#define INFO_REG2(i)		((i) >> 28 & 0xf)

#define SEG_ES	0
#define SEG_CS	1
#define SEG_SS	2
#define SEG_DS	3
#define SEG_FS	4
#define SEG_GS	5

/* All that a memory operand's address depends on. */
struct operand {
	u32 info;
	u64 disp;		/* exit qualification */
	u64 base;		/* of the registers that info names; 0 where it names none */
	u64 index;
	bool la57;
	u32 len;		/* bytes */
	u64 seg_base;
};

/**
 * operand_linear() - linear address of a memory operand
 * @la: result
 *
 * Pure: everything it needs is in @op.
 * Return: 0, or the vector of the fault to raise with error code 0 (#GP, #SS, #UD).
 */
u32 operand_linear(const struct operand *op, u64 *la);

#endif /* VMX_OPERAND_H */
