/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nobody's stale translation survives a change of owner.  Removing a mapping
 * takes a ticket; the transition may complete when every demoted CPU has
 * flushed since.  The host side makes each CPU call UP_CALL_FLUSH.
 */
#ifndef EPT_FLUSH_H
#define EPT_FLUSH_H

#include "vmx/base/percpu.h"

extern u64 flush_now;	/* flush_epoch(), for the path of every exit */

/** flush_ticket() - a mapping was removed just now: the epoch every CPU must have reached */
u64 flush_ticket(void);

/** flush_epoch() - tickets taken so far, for the status */
u64 flush_epoch(void);

/** flush_done() - true once every flusher (ept/view.h) has flushed since @ticket was taken */
bool flush_done(u64 ticket);

/** flush_this_cpu() - INVEPT and INVVPID all contexts, then note the epoch read before */
void flush_this_cpu(void);

/**
 * flush_this_cpu_if_behind() - flush if the epoch moved
 *
 * Call at the start of every exit, before any address that the host supplied is
 * checked.  At the end would be wrong: a frame could leave the host between a
 * check and the flush, and the CPU would enter with the address in its VMCS
 * although it had noted the epoch that says it cannot.
 * Return: true if it flushed: addresses in this CPU's VMCS that were checked
 * before must be checked again, although the exit may be none of the host's.
 */
static inline bool flush_this_cpu_if_behind(struct percpu *cpu)
{
	if (cpu->flushed_epoch == __atomic_load_n(&flush_now, __ATOMIC_ACQUIRE))
		return false;
	flush_this_cpu();
	return true;
}

#endif /* EPT_FLUSH_H */
