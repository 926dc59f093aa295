// SPDX-License-Identifier: GPL-2.0
/* Figures of the memory side for UP_CALL_STATUS. */

#include "ept/stats.h"
#include "ept/flush.h"
#include "ept/grow.h"
#include "ept/host.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "ept/table.h"

void ept_stats(struct up_status *out)
{
	struct frame_counters c;

	spin_lock(&frames_lock);
	ept_reap();
	donated_to_pool();
	spin_unlock(&frames_lock);
	frame_counters(&c);
	out->pool_frames = c.layer;
	out->pool_free = pool_count();
	out->table_bytes = c.table_bytes;
	out->ram_frames = c.ram;
	out->vm_frames = c.vm;
	out->host_2m_frames = READ_ONCE(host_ept_stats.large);
	out->host_4k_frames = READ_ONCE(host_ept_stats.small);
	out->faults_injected = READ_ONCE(host_ept_stats.faults);
	out->decoys = READ_ONCE(host_ept_stats.decoys);
	out->flush_epoch = flush_epoch();
}
