// SPDX-License-Identifier: GPL-2.0
/* The layer's free frames: a list threaded through the frames themselves. */

#include "ept/pool.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/base/lib.h"
#include "vmx/base/lock.h"
#include "vmx/base/log.h"

static struct spinlock pool_lock;
static u64 first;	/* physical address of the first free frame, 0: none */
static u64 count;

void pool_free(u64 pa)
{
	up_assert(pa && IS_ALIGNED(pa, PAGE_SIZE));
	spin_lock(&pool_lock);
	*(u64 *)phys(pa) = first;
	first = pa;
	count++;
	spin_unlock(&pool_lock);
}

static u64 pool_take(u64 reserve)
{
	u64 pa = 0;

	spin_lock(&pool_lock);
	if (count > reserve) {
		pa = first;
		first = *(u64 *)phys(pa);
		count--;
	}
	spin_unlock(&pool_lock);
	if (pa)
		zero_page(phys(pa));
	return pa;
}

u64 pool_alloc(void)
{
	return pool_take(POOL_RESERVE);
}

u64 pool_alloc_kvm(void)
{
	return pool_take(POOL_RESERVE_HOST);
}

u64 pool_alloc_reserve(void)
{
	return pool_take(0);
}

u64 pool_count(void)
{
	return READ_ONCE(count);
}

int pool_init(const struct up_config *cfg)
{
	u64 pfn;
	u32 i;

	for (i = 0; i < cfg->pool_chunks; i++) {
		for (pfn = cfg->pool[i].start_pfn; pfn < cfg->pool[i].end_pfn; pfn++) {
			if (!pfn)
				return -UP_EINVAL;
			pool_free(pfn << PAGE_SHIFT);
		}
	}
	return 0;
}
