/* SPDX-License-Identifier: GPL-2.0 */
/* The layer's free frames (ept/pool.c). */
#ifndef EPT_POOL_H
#define EPT_POOL_H

#include "vmx/base/types.h"
#include "vmx/abi/image.h"

/*
 * The last frames are kept: for what KVM cannot do without, VMCSs and the roots of its
 * VMs' tables, and the very last for the host's EPT, which has nothing to fall back on.
 */
#define POOL_RESERVE		64
#define POOL_RESERVE_HOST	16

/**
 * pool_init() - fill the pool from the launch configuration
 *
 * Root context, first CPU; frames_init() checks that the frames are the layer's.
 * Return: 0, or -UP_EINVAL when the configuration is malformed.
 */
int pool_init(const struct up_config *cfg);

/**
 * pool_alloc() - take one zeroed frame of the layer's own memory
 * Root context; takes the pool lock.
 * Return: physical address, or 0 when only the reserve is left.
 */
u64 pool_alloc(void);

/** pool_alloc_kvm() - pool_alloc() that may take the reserve but for the host's part */
u64 pool_alloc_kvm(void);

/** pool_alloc_reserve() - pool_alloc() that may take all: for the host's EPT */
u64 pool_alloc_reserve(void);

/** pool_free() - give a frame back; @pa: what pool_alloc() returned, or a newly donated frame */
void pool_free(u64 pa);

/** pool_count() - free frames now */
u64 pool_count(void);

#endif /* EPT_POOL_H */
