// SPDX-License-Identifier: GPL-2.0
/*
 * Memory types (SDM vol. 3, section 12.11).  Beneath a host with EPT its MTRRs
 * have no effect: the EPT's memory type takes their place.  So the layer keeps
 * the copy that the host reads and writes, and hardware's stay as they were.
 */

#include "ept/mtrr.h"
#include "ept/flush.h"
#include "ept/frames.h"
#include "ept/host.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"

#define MSR_MTRRCAP		0x0fe
#define MSR_MTRR_PHYSBASE0	0x200
#define MSR_MTRR_DEF_TYPE	0x2ff
#define MTRRCAP_VCNT		MASK(7, 0)
#define MTRRCAP_FIX		BIT(8)
#define PHYSMASK_VALID		BIT(11)
#define DEF_TYPE_TYPE		MASK(7, 0)
#define DEF_TYPE_FIXED		BIT(10)
#define DEF_TYPE_ENABLE		BIT(11)
#define MAX_VARIABLE		16
#define FIXED_END		0x100000
#define INVEPT_ALL		2

static struct { u64 base, mask; } variable[MAX_VARIABLE];
static u32 nvariable;
static u64 def_type;

/* Eight types each, from the lowest address up (SDM table 12-9). */
static struct { u32 msr; u32 start; u32 each; u64 types; } fixed[] = {
	{ 0x250, 0x00000, 0x10000, 0 },
	{ 0x258, 0x80000, 0x4000, 0 }, { 0x259, 0xa0000, 0x4000, 0 },
	{ 0x268, 0xc0000, 0x1000, 0 }, { 0x269, 0xc8000, 0x1000, 0 },
	{ 0x26a, 0xd0000, 0x1000, 0 }, { 0x26b, 0xd8000, 0x1000, 0 },
	{ 0x26c, 0xe0000, 0x1000, 0 }, { 0x26d, 0xe8000, 0x1000, 0 },
	{ 0x26e, 0xf0000, 0x1000, 0 }, { 0x26f, 0xf8000, 0x1000, 0 },
};

/* The layer's copy of a register, or NULL */
static u64 *mtrr_reg(u32 msr)
{
	u32 i, n = (msr - MSR_MTRR_PHYSBASE0) / 2;

	if (msr == MSR_MTRR_DEF_TYPE)
		return &def_type;
	if (msr >= MSR_MTRR_PHYSBASE0 && n < nvariable)
		return msr & 1 ? &variable[n].mask : &variable[n].base;
	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		if (fixed[i].msr == msr)
			return &fixed[i].types;
	return NULL;
}

void mtrr_init(void)
{
	u32 i;

	nvariable = rdmsr(MSR_MTRRCAP) & MTRRCAP_VCNT;
	if (nvariable > MAX_VARIABLE)
		nvariable = MAX_VARIABLE;
	for (i = 0; i < nvariable; i++) {
		variable[i].base = rdmsr(MSR_MTRR_PHYSBASE0 + 2 * i);
		variable[i].mask = rdmsr(MSR_MTRR_PHYSBASE0 + 2 * i + 1);
	}
	for (i = 0; i < ARRAY_SIZE(fixed) && rdmsr(MSR_MTRRCAP) & MTRRCAP_FIX; i++)
		fixed[i].types = rdmsr(fixed[i].msr);
	def_type = rdmsr(MSR_MTRR_DEF_TYPE);
}

bool mtrr_is_msr(u32 msr)
{
	return msr == MSR_MTRRCAP || mtrr_reg(msr);
}

static int fixed_type(u64 pa)
{
	u32 i, n;

	for (i = ARRAY_SIZE(fixed) - 1; fixed[i].start > pa; i--)
		;
	n = (pa - fixed[i].start) / fixed[i].each;
	return fixed[i].types >> 8 * n & 0xff;
}

/* Overlaps: UC over all, WT over WB, the rest is undefined and taken as UC. */
static int combine(int a, int b)
{
	if (a < 0 || a == b)
		return b;
	if ((a == MEMTYPE_WT && b == MEMTYPE_WB) || (a == MEMTYPE_WB && b == MEMTYPE_WT))
		return MEMTYPE_WT;
	return MEMTYPE_UC;
}

static int variable_type(u64 pa, u64 size)
{
	u64 base, mask, inside = (size - 1) & PAGE_MASK;
	int type = -1;
	u32 i;

	for (i = 0; i < nvariable; i++) {
		base = variable[i].base & phys_mask();
		mask = variable[i].mask & phys_mask();
		if (!(variable[i].mask & PHYSMASK_VALID) || ((pa ^ base) & mask & ~inside))
			continue;
		if (mask & inside)
			return -1;	/* some addresses match, some do not */
		type = combine(type, variable[i].base & 0xff);
	}
	return type < 0 ? (int)(def_type & DEF_TYPE_TYPE) : type;
}

int mtrr_type(u64 pa, u64 size)
{
	u64 end = pa + size;
	int type;

	if (!(def_type & DEF_TYPE_ENABLE))
		return MEMTYPE_UC;
	if (!(def_type & DEF_TYPE_FIXED) || pa >= FIXED_END)
		return variable_type(pa, size);
	type = fixed_type(pa);
	for (pa += PAGE_SIZE; pa < end && pa < FIXED_END; pa += PAGE_SIZE)
		if (fixed_type(pa) != type)
			return -1;
	return end <= FIXED_END || variable_type(FIXED_END, size - FIXED_END) == type ? type : -1;
}

static bool type_valid(u64 type)
{
	return type <= MEMTYPE_WB && type != 2 && type != 3;
}

static bool mtrr_value_valid(u32 msr, u64 val)
{
	u32 i;

	if (msr == MSR_MTRR_DEF_TYPE)
		return type_valid(val & DEF_TYPE_TYPE) &&
		       !(val & ~(DEF_TYPE_TYPE | DEF_TYPE_FIXED | DEF_TYPE_ENABLE));
	if (msr < fixed[0].msr)
		return msr & 1 ? !(val & ~(phys_mask() | PHYSMASK_VALID)) :
		       type_valid(val & 0xff) && !(val & ~(phys_mask() | 0xff));
	for (i = 0; i < 64; i += 8)
		if (!type_valid(val >> i & 0xff))
			return false;
	return true;
}

int mtrr_read(u32 msr, u64 *val)
{
	u64 *reg = mtrr_reg(msr);

	if (reg)
		*val = READ_ONCE(*reg);
	else if (msr == MSR_MTRRCAP)
		*val = (rdmsr(msr) & ~MTRRCAP_VCNT) | nvariable;
	else
		return -UP_EINVAL;
	return 0;
}

int mtrr_write(u32 msr, u64 val)
{
	u64 *reg = mtrr_reg(msr);

	if (!reg || !mtrr_value_valid(msr, val))
		return -UP_EINVAL;
	if (READ_ONCE(*reg) == val)
		return 0;
	spin_lock(&frames_lock);
	WRITE_ONCE(*reg, val);
	host_ept_drop();
	spin_unlock(&frames_lock);
	flush_ticket();
	invept(INVEPT_ALL, 0);	/* this CPU's types at once, the others' when they exit */
	return 0;
}
