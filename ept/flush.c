// SPDX-License-Identifier: GPL-2.0
/*
 * Epochs of flushing.  A ticket is taken after a mapping was removed; a CPU
 * notes the epoch that it read before it flushed.  INVEPT is serializing, and
 * the ticket's read-modify-write orders the removal before it: a CPU that has
 * noted the ticket has flushed after the removal was visible to it.
 */

#include "ept/flush.h"
#include "ept/view.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/x86.h"

u64 flush_now = 1;
static u64 reached;	/* by every flusher: saves asking each, only grows */

u64 flush_ticket(void)
{
	return __atomic_add_fetch(&flush_now, 1, __ATOMIC_SEQ_CST);
}

u64 flush_epoch(void)
{
	return READ_ONCE(flush_now);
}

static bool cpus_done(u64 ticket)
{
	u32 i;

	for (i = 0; i < ncpus; i++) {
		/* A parked CPU runs nothing until it exits, and flushes first then. */
		if (cpus[i] && READ_ONCE(cpus[i]->demoted) &&
		    !__atomic_load_n(&cpus[i]->parked, __ATOMIC_ACQUIRE) &&
		    __atomic_load_n(&cpus[i]->flushed_epoch, __ATOMIC_ACQUIRE) < ticket)
			return false;
	}
	return true;
}

FLUSHER cpus_flusher = { cpus_done };

bool flush_done(u64 ticket)
{
	const struct flusher *f;

	if (ticket <= __atomic_load_n(&reached, __ATOMIC_ACQUIRE))
		return true;
	for (f = __start_flushers; f < __stop_flushers; f++)
		if (!f->done(ticket))
			return false;
	__atomic_store_n(&reached, ticket, __ATOMIC_RELEASE);
	return true;
}

void flush_this_cpu(void)
{
	u64 e = __atomic_load_n(&flush_now, __ATOMIC_SEQ_CST);
	struct percpu *cpu = this_cpu();

	invept(INVEPT_ALL, 0);
	invvpid(INVVPID_ALL, 0, 0);
	cpu->flushes++;
	__atomic_store_n(&cpu->flushed_epoch, e, __ATOMIC_RELEASE);
}
