/* SPDX-License-Identifier: GPL-2.0 */
/* Figures of the memory side for UP_CALL_STATUS. */
#ifndef EPT_STATS_H
#define EPT_STATS_H

#include "../vmx/call.h"

/** ept_stats() - fill pool_*, table_bytes, ram_frames, host_*, vm_frames, faults, decoys, flush_epoch */
void ept_stats(struct up_status *out);

#endif /* EPT_STATS_H */
