// SPDX-License-Identifier: GPL-2.0
/*
 * The units' part in the flush epoch (ept/flush.h).  A frame that devices have lost is taken
 * out of the copies of the host's tables first, and then each unit forgets all translations:
 * a list of frames costs one sweep and one flush.
 */

#include "iommu/domain.h"
#include "iommu/queue.h"
#include "ept/flush.h"
#include "ept/view.h"

#define FLUSH_POLLS	1000	/* of a flush, by one call: some 100 us */

/*
 * @u has forgotten every translation that was removed before @ticket.  Starts a flush when none
 * is under way, and looks a bounded number of times whether it is complete.
 */
static bool unit_flushed(struct unit *u, u64 ticket)
{
	struct unit_queue *q = &u->queue;
	u32 i;

	/* Twice: one that was under way may have begun before the ticket was taken. */
	for (i = 0; i < 2 && q->reached < ticket; i++) {
		/* Read first: for what is removed behind it this flush does not vouch. */
		if (!q->epoch)
			q->epoch = flush_epoch();
		if (!q->started) {
			if (!domains_swept(u))
				return false;
			unit_start(u, FORGET_IOTLB);
			q->started = true;
		}
		if (!unit_poll(u, FLUSH_POLLS))
			return false;
		q->reached = q->epoch;
		q->epoch = 0;
		q->started = false;
	}
	return q->reached >= ticket;
}

static bool units_done(u64 ticket)
{
	bool done = true;
	u32 i;

	/* Those that Linux has hold nobody back: no VM is protected then. */
	for (i = 0; i < nunits; i++)
		done &= !units[i].taken || unit_flushed(&units[i], ticket);
	return done;
}

FLUSHER units_flusher = { units_done };
