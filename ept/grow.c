// SPDX-License-Identifier: GPL-2.0
/* Growth of the pool: see grow.h. */

#include "ept/grow.h"
#include "ept/flush.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "vmx/base/cpus.h"

#define GROW_FRAMES	4096		/* moved by one call: some 100 us */
#define LOW_FRAMES	256		/* the mark: that many, and for each CPU */
#define LOW_FRAMES_CPU	16
#define NO_PFN		MASK(39, 0)

/* A list threaded through the frames' table entries. */
static u64 waiting = NO_PFN;
static u64 waiting_ticket;

u64 grow_entry(void)
{
	donated_to_pool();
	return FRAME_ENTRY(OWNER_LAYER, FRAME_PENDING, waiting);
}

void grow_wait(u64 pfn, u64 ticket)
{
	waiting = pfn;
	waiting_ticket = ticket;
}

bool donated_to_pool(void)
{
	u64 pfn;
	u32 n;

	if (waiting == NO_PFN || !flush_done(waiting_ticket))
		return waiting == NO_PFN;
	for (n = 0; waiting != NO_PFN && n < GROW_FRAMES; n++) {
		pfn = waiting;
		waiting = FRAME_GFN(frame_entry(pfn));
		frame_set(pfn, FRAME_ENTRY(OWNER_LAYER, FRAME_OWNED, 0));
		pool_free(pfn << PAGE_SHIFT);
	}
	return waiting == NO_PFN;
}

u64 pool_wanted(void)
{
	u64 free, low = LOW_FRAMES + (u64)LOW_FRAMES_CPU * ncpus;
	bool all;

	spin_lock(&frames_lock);
	all = donated_to_pool();
	spin_unlock(&frames_lock);
	free = pool_count();
	return all && free < low ? 2 * low - free : 0;
}
