// SPDX-License-Identifier: GPL-2.0
/* L1's MSR bitmap. */
#include "tests/proof/hostile/root.h"
#include "vmx/vmcs/msrbitmap.c"

u64 msr_bitmap_floor(void)
{
	return any & PAGE_MASK;
}

void hostile(void)
{
	static struct vvmcs vv;
	u32 i;

	vv.f[ROW_MSR_BITMAP] = any & PAGE_MASK;
	vv.f[ROW_CPU_CTLS] = any;
	vv.msr_bitmap_pa = any & PAGE_MASK;
	vv.remerge = true;
	msr_bitmap_sync(&vv);
	/*@ assert listed: vv.remerge || vv.open_words <= MSR_BITMAP_OPEN_MAX; */
	vv.remerge = any;
	vv.open_words = any % (MSR_BITMAP_OPEN_MAX + 1);
	for (i = 0; i < MSR_BITMAP_OPEN_MAX; i++)
		vv.open[i] = any % MSR_BITMAP_WORDS;
	msr_bitmap_sync(&vv);
	msr_wanted_by_l1(&vv, any, any);
}
