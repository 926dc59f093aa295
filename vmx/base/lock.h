/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Spin locks of root mode: interrupts are off there and holders never wait for
 * the host, so a waiter waits for a bounded time.  Order, outermost first:
 * vm->lock, vvmcs lock, frames_lock, pool lock, log lock.
 */
#ifndef VMX_LOCK_H
#define VMX_LOCK_H

#include "vmx/base/asm.h"

struct spinlock {
	u32 held;
};

static inline void spin_lock(struct spinlock *l)
{
	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&l->held, __ATOMIC_RELAXED))
			cpu_relax();
}

static inline bool spin_trylock(struct spinlock *l)
{
	return !__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE);
}

static inline void spin_unlock(struct spinlock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

#endif /* VMX_LOCK_H */
