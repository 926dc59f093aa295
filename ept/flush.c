// SPDX-License-Identifier: GPL-2.0
/*
 * Epochs of flushing.  A ticket is taken after a mapping was removed; a CPU
 * notes the epoch that it read before it flushed.  INVEPT is serializing, and
 * the ticket's read-modify-write orders the removal before it: a CPU that has
 * noted the ticket has flushed after the removal was visible to it.
 */

#include "ept/flush.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"

#define INV_ALL_CONTEXTS	2

static u64 epoch = 1;
static u64 reached;	/* every CPU has: saves looking at each, only grows */

u64 flush_ticket(void)
{
	return __atomic_add_fetch(&epoch, 1, __ATOMIC_SEQ_CST);
}

u64 flush_epoch(void)
{
	return READ_ONCE(epoch);
}

bool flush_done(u64 ticket)
{
	u32 i;

	if (ticket <= __atomic_load_n(&reached, __ATOMIC_ACQUIRE))
		return true;
	for (i = 0; i < ncpus; i++) {
		/* A parked CPU runs nothing until it exits, and flushes first then. */
		if (cpus[i] && READ_ONCE(cpus[i]->demoted) &&
		    !__atomic_load_n(&cpus[i]->parked, __ATOMIC_ACQUIRE) &&
		    __atomic_load_n(&cpus[i]->flushed_epoch, __ATOMIC_ACQUIRE) < ticket)
			return false;
	}
	__atomic_store_n(&reached, ticket, __ATOMIC_RELEASE);
	return true;
}

void flush_this_cpu(void)
{
	u64 e = __atomic_load_n(&epoch, __ATOMIC_SEQ_CST);
	struct percpu *cpu = this_cpu();

	invept(INV_ALL_CONTEXTS, 0);
	invvpid(INV_ALL_CONTEXTS, 0, 0);
	cpu->flushes++;
	__atomic_store_n(&cpu->flushed_epoch, e, __ATOMIC_RELEASE);
}

bool flush_this_cpu_if_behind(void)
{
	if (this_cpu()->flushed_epoch == __atomic_load_n(&epoch, __ATOMIC_ACQUIRE))
		return false;
	flush_this_cpu();
	return true;
}
