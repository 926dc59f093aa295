/* SPDX-License-Identifier: GPL-2.0 */
/* The root image's world: hardware that answers anything, and one frame for all there are. */
#ifndef PROOF_ROOT_H
#define PROOF_ROOT_H

#define VMX_LOCK_H
#include "tests/unit/fake/asm.h"
struct spinlock { u32 held; };
#define spin_lock(l)	((l)->held = 1)
#define spin_trylock(l)	((l)->held = any)
#define spin_unlock(l)	((l)->held = 0)

#include "tests/proof/hostile/any.h"
#include "vmx/base/cpus.h"
#include "ept/owner.h"

extern u64 frame[512];
struct up_config up_config;
struct spinlock frames_lock;

/* What lies behind its end is not there. */
void *phys(u64 pa)
{
	return (u8 *)frame + pa % PAGE_SIZE;
}

void *host_pointer(u64 pfn, u64 offset)
{
	return any ? (u8 *)frame + offset : NULL;
}

bool frame_host_usable(u64 pfn)
{
	return any;
}

#endif /* PROOF_ROOT_H */
