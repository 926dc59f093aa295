// SPDX-License-Identifier: GPL-2.0
/* MOV as drivers have it: see mov.h (SDM vol. 2, chapter 2 and MOV). */
#include "vmx/cpu/mov.h"

#define PREFIX_OPERAND	0x66
#define REX		0x40	/* 0100WRXB */
#define REX_W		0x08
#define REX_R		0x04

/* Opcodes 88 to 8B: bit 0 says whether it is a byte that is moved, bit 1 which way. */
#define OP_MOV		0x88
#define OP_WIDE		0x01
#define OP_LOAD		0x02

#define MODRM_MOD(b)	((b) >> 6)
#define MODRM_REG(b)	((b) >> 3 & 7)
#define MODRM_RM(b)	((b) & 7)	/* as a SIB byte's base */
#define MOD_REG		3
#define RM_SIB		4
#define RM_DISP		5		/* with mod 0: no base, four bytes */

/* ModRM, SIB and displacement (tables 2-2 and 2-3).  @sib: the byte behind ModRM. */
static u32 operand_bytes(u8 modrm, u8 sib)
{
	static const u8 disp[] = { 0, 1, 4 };
	u32 rm = MODRM_RM(modrm), mod = MODRM_MOD(modrm), bytes = 1 + disp[mod];

	if (rm == RM_SIB) {
		bytes++;
		rm = MODRM_RM(sib);
	}
	return mod == 0 && rm == RM_DISP ? bytes + 4 : bytes;
}

bool mov_decode(const u8 *insn, u32 n, struct mov *m)
{
	bool word = insn[0] == PREFIX_OPERAND;
	u32 at = word;
	u8 rex = 0, op, modrm;

	if (at < n && (insn[at] & 0xf0) == REX)
		rex = insn[at++];
	if (at + 2 > n)
		return false;
	op = insn[at];
	modrm = insn[at + 1];
	/*@ split modrm; */
	if ((op & ~(OP_WIDE | OP_LOAD)) != OP_MOV || MODRM_MOD(modrm) == MOD_REG)
		return false;
	if (MODRM_RM(modrm) == RM_SIB && at + 3 > n)
		return false;
	m->reg = MODRM_REG(modrm) | (rex & REX_R ? 8 : 0);
	m->store = !(op & OP_LOAD);
	m->size = !(op & OP_WIDE) ? 1 : rex & REX_W ? 8 : word ? 2 : 4;
	m->len = at + 1 + operand_bytes(modrm, at + 2 < n ? insn[at + 2] : 0);
	/* AH to BH, which a REX prefix would make SPL to DIL: of no use to a driver. */
	return m->len <= n && (m->size > 1 || rex || m->reg < 4);
}
