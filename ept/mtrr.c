// SPDX-License-Identifier: GPL-2.0
/*
 * Memory types (SDM vol. 3, section 12.11).  Beneath a host with EPT its MTRRs have no
 * effect: the EPT's memory type takes their place.  What they say at the launch stays
 * in force; later writes of the host's reach nothing (vmx/intercept/msrs.h).
 */

#include "ept/mtrr.h"
#include "ept/owner.h"
#include "vmx/base/asm.h"
#include "vmx/base/x86.h"

#define MTRRCAP_VCNT		MASK(7, 0)
#define MTRRCAP_FIX		BIT(8)
#define PHYSMASK_VALID		BIT(11)
#define DEF_TYPE_TYPE		MASK(7, 0)
#define DEF_TYPE_FIXED		BIT(10)
#define DEF_TYPE_ENABLE		BIT(11)
#define MAX_VARIABLE		16
#define FIXED_END		0x100000

static struct { u64 base, mask; } variable[MAX_VARIABLE];
static u32 nvariable;
static u64 def_type;

/* Fixed ranges: a register has eight types (SDM table 12-9). */
static const struct { u32 msr, registers, start, each; } ranges[] = {
	{ MSR_MTRR_FIX64K, 1, 0x00000, 0x10000 },
	{ MSR_MTRR_FIX16K_80000, 2, 0x80000, 0x4000 },
	{ MSR_MTRR_FIX4K_C0000, 8, 0xc0000, 0x1000 },
};

static u64 fixed[ARRAY_SIZE(ranges)][8];

static void read_fixed(void)
{
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		for (n = 0; n < ranges[i].registers; n++)
			fixed[i][n] = rdmsr(ranges[i].msr + n);
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
	if (rdmsr(MSR_MTRRCAP) & MTRRCAP_FIX)
		read_fixed();
	def_type = rdmsr(MSR_MTRR_DEF_TYPE);
}

static int fixed_type(u64 pa)
{
	u32 n, i = ARRAY_SIZE(ranges) - 1;

	while (ranges[i].start > pa)
		i--;
	n = (pa - ranges[i].start) / ranges[i].each;
	return fixed[i][n / 8] >> n % 8 * 8 & 0xff;
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
