/* SPDX-License-Identifier: GPL-2.0 */
/* Memory types from the MTRRs (SDM vol. 3, section 12.11). */
#ifndef EPT_MTRR_H
#define EPT_MTRR_H

#include "vmx/base/types.h"

/** mtrr_init() - read this CPU's MTRRs into the layer's copy.  First CPU, launch. */
void mtrr_init(void);

/** mtrr_type() - memory type of [@pa, @pa + @size), or -1 when mixed; @size 4K, 2M or 1G */
int mtrr_type(u64 pa, u64 size);

#endif /* EPT_MTRR_H */
