/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instructions by which drivers reach registers: Linux's accessors of 1 to 8 bytes
 * are one MOV each, between a general register and memory.  A closed list: whatever else
 * touches registers that the layer keeps is refused.
 */
#ifndef VMX_MOV_H
#define VMX_MOV_H

#include "vmx/base/types.h"

#define INSN_MAX	15	/* bytes of an instruction (SDM vol. 2, 2.3.11) */

struct mov {
	u32 len;	/* of the instruction */
	u32 size;	/* of what is moved: 1, 2, 4 or 8 bytes */
	u32 reg;
	bool store;	/* to memory */
};

/**
 * mov_decode() - MOV between register and memory, in 64-bit code
 * @insn: @n bytes of it, at least 1
 * @m: filled in
 *
 * Pure.  What the memory operand's address is, the exit has said.
 * Return: true; false when it is another instruction, or longer than @n.
 */
bool mov_decode(const u8 *insn, u32 n, struct mov *m);

#endif /* VMX_MOV_H */
