/* SPDX-License-Identifier: GPL-2.0 */
/* The demoted host's EPT: identity, filled on demand from the owner table (ept/host.c). */
#ifndef EPT_HOST_H
#define EPT_HOST_H

#include "ept/table.h"

/** host_ept_init() - allocate the host's EPT root.  Return: EPTP, or 0 (pool empty) */
u64 host_ept_init(void);

/**
 * host_ept_violation() - the demoted host touched an address it has no mapping for
 * @gpa: guest-physical address from the VMCS
 * @qual: exit qualification
 * @gla: guest-linear address, valid if qual says so (user half or kernel half decides)
 *
 * Root context, host exits.  Takes frames_lock.
 */
enum ept_result host_ept_violation(u64 gpa, u64 qual, u64 gla);

struct host_ept_stats {
	u64 large, small;	/* RAM frames mapped by >= 2 MiB, by 4 KiB */
	u64 decoys;		/* decoys ever mapped */
	u64 faults;		/* page faults that the caller was told to inject */
};

extern struct host_ept_stats host_ept_stats;

#endif /* EPT_HOST_H */
