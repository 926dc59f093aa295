// SPDX-License-Identifier: GPL-2.0
/* What the layer says of itself, for those of the host side that tell others. */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "module.h"

struct up_status *up_get_status(unsigned int cpu)
{
	struct up_status *st = (void *)get_zeroed_page(GFP_KERNEL);

	if (st && up_vmcall(UP_CALL_STATUS, virt_to_phys(st) >> PAGE_SHIFT, cpu, 0, NULL, NULL)) {
		free_page((unsigned long)st);
		st = NULL;
	}
	return st;
}
