// SPDX-License-Identifier: GPL-2.0
/* Where iommu/ alone runs above the model of a unit: its waiting and flushing is the model's. */
#include "vtd_hw.h"

void cpu_relax(void)
{
	hw_relax();
}

void flush_lines(const void *page, bool opt)
{
	(void)opt;
	hw_flush_lines(page);
}
