/* SPDX-License-Identifier: GPL-2.0 */
/* Figures of the memory side for UP_CALL_STATUS. */
#ifndef EPT_STATS_H
#define EPT_STATS_H

#include "vmx/abi/call.h"

/** ept_stats() - fill in frames, table_bytes, faults, decoys and flush_epoch; takes frames_lock */
void ept_stats(struct up_status *out);

#endif /* EPT_STATS_H */
