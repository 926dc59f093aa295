/* SPDX-License-Identifier: GPL-2.0 */
/* The demoted host's EPT as the transitions see it (ept/host.c).  All hold frames_lock. */
#ifndef EPT_HOST_H
#define EPT_HOST_H

#include "vmx/base/types.h"

/** host_ept_drop() - host_ept_drop_all() by a holder of frames_lock */
void host_ept_drop(void);

/** host_ept_unmap() - the host loses @pfn; needs a flush_ticket() after it */
void host_ept_unmap(u64 pfn);

/**
 * host_ept_rejoin() - @pfn is the host's again
 * When its whole 2 MiB are, their table goes, so that they map at 2 MiB again.
 */
void host_ept_rejoin(u64 pfn);

/**
 * host_ept_clean() - take a decoy away from @pfn
 * Return: true when no CPU can have a translation of @pfn to a decoy any more;
 * false: call again after a flush.
 */
bool host_ept_clean(u64 pfn);

struct host_ept_stats {
	u64 large, small;	/* RAM frames mapped by >= 2 MiB, by 4 KiB */
	u64 decoys;		/* decoys ever mapped */
	u64 faults;		/* page faults that the caller was told to inject */
};

extern struct host_ept_stats host_ept_stats;

#endif /* EPT_HOST_H */
