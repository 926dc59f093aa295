/* SPDX-License-Identifier: GPL-2.0 */
/* Memory types from the MTRRs (SDM vol. 3, section 12.11). */
#ifndef EPT_MTRR_H
#define EPT_MTRR_H

#include "vmx/base/types.h"

#define MEMTYPE_UC	0
#define MEMTYPE_WC	1
#define MEMTYPE_WT	4
#define MEMTYPE_WP	5
#define MEMTYPE_WB	6

/** mtrr_init() - read this CPU's MTRRs into the layer's copy.  First CPU, launch. */
void mtrr_init(void);

/** mtrr_type() - memory type of [@pa, @pa + @size), or -1 when mixed; @size 4K, 2M or 1G */
int mtrr_type(u64 pa, u64 size);

/** mtrr_is_msr() - true for every MTRR register (fixed, variable, default type) */
bool mtrr_is_msr(u32 msr);

/*
 * The demoted host reads and writes the layer's copy; hardware MTRRs stay.
 * mtrr_write() validates (reserved bits, types, MAXPHYADDR): -UP_EINVAL means #GP;
 * a real change drops the host's EPT, so that types follow.
 */
int mtrr_read(u32 msr, u64 *val);
int mtrr_write(u32 msr, u64 val);

#endif /* EPT_MTRR_H */
