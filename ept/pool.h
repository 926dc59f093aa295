/* SPDX-License-Identifier: GPL-2.0 */
/* The layer's free frames (ept/pool.c). */
#ifndef EPT_POOL_H
#define EPT_POOL_H

#include "../vmx/types.h"

/**
 * pool_alloc() - take one zeroed frame of the layer's own memory
 * Root context; takes the pool lock.
 * Return: physical address, or 0 when the pool is empty.
 */
u64 pool_alloc(void);

/** pool_free() - give a frame back; @pa: what pool_alloc() returned, or a newly donated frame */
void pool_free(u64 pa);

/** pool_count() - free frames now */
u64 pool_count(void);

#endif /* EPT_POOL_H */
