// SPDX-License-Identifier: GPL-2.0
/* What L1 has in a frame that becomes a VMCS12, and which field it names. */
#include "tests/proof/hostile/root.h"
#include "vmx/vmcs/vvmcs.c"

void hostile(void)
{
	static struct vvmcs vv;
	u32 row, i;

	for (i = 0; i < VMCS_LOOKUP_SIZE; i++)
		vmcs_lookup[i] = any % (NR_VMCS_ROWS + 1);
	row = vmcs_row(any);
	if (row < NR_VMCS_ROWS)
		vv.f[row] = any;
	vv.pa = any & PAGE_MASK;
	import_contents(&vv);
	export_contents(&vv);
}
