// SPDX-License-Identifier: GPL-2.0
/* MSR lists of a VMCS12, wherever they are and of any length. */
#include "tests/proof/hostile/root.h"
#include "vmx/vmcs/msrlist.c"

static enum msr_verdict any_verdict(u32 msr, u64 val)
{
	return any % 3;
}

static const struct msr_row row = { .list = 1, .check = any_verdict };

const struct msr_row *msr_row(u32 msr)
{
	return any ? &row : NULL;
}

bool host_field_ok(const struct vvmcs *vv, u32 guest_field, u64 val)
{
	return any;
}

void hostile(void)
{
	static struct vvmcs vv;
	u64 pa;
	u32 i, count;

	/* As vmcs12_check_controls() takes them. */
	for (i = 0; i < NR_VMCS_ROWS; i++)
		vv.f[i] = any;
	vv.f[ROW_ENTRY_MSR_LOAD_ADDR] = any & ~15ULL;
	vv.f[ROW_EXIT_MSR_STORE_ADDR] = any & ~15ULL;
	vv.f[ROW_EXIT_MSR_LOAD_ADDR] = any & ~15ULL;
	msr_list_arm(&vv, &pa, &count);
	msr_list_store(&vv);
	msr_list_load_host(&vv);
}
