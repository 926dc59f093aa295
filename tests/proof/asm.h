/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hardware for the prover: -include this, the guard keeps vmx/base/asm.h out.
 * What docs/proof.md counts as an assumption has its number here.
 */
#ifndef VMX_ASM_H
#define VMX_ASM_H
#define VMX_LOCK_H

#include "vmx/base/types.h"
#include "vmx/abi/image.h"
#include "vmx/base/percpu.h"

/* A2: the lock is held from spin_lock() to spin_unlock(): nobody else changes what it keeps. */
struct spinlock {
	u32 held;
};

/*@ assigns l->held; ensures l->held == 1; */
void spin_lock(struct spinlock *l);

/*@ assigns l->held; ensures l->held == 0; */
void spin_unlock(struct spinlock *l);

#define __atomic_load_n(p, order)	(*(p))
#define __atomic_store_n(p, v, order)	(*(p) = (v))
#define __atomic_add_fetch(p, v, order)	(*(p) += (v))
#define spin_trylock(l)			((l)->held ? false : ((l)->held = 1, true))

/* A3: the owner table is an array, and each frame of memory one of 512 words. */
#define FRAMES		(1ULL << 40)
extern u64 owner_table[FRAMES];
#define OWNER_TABLE	owner_table
extern u64 words[FRAMES][512];

/*@ requires ram: pa < FRAMES * 4096 && pa % 4096 == 0; assigns \nothing;
    ensures \result == &words[pa / 4096][0]; */
u64 *phys(u64 pa);

/*@ assigns \nothing; ensures \result == (a < b ? 0xffffffffffffffff : 0); */
u64 mask_below(u64 a, u64 b);

/*@ assigns \nothing; ensures \result == (i < n ? i : 0); */
u64 index_below(u64 i, u64 n);

/*@ assigns r[0 .. 3]; */
void cpuid(u32 leaf, u32 subleaf, u32 r[4]);

/*@ assigns \nothing; */
u64 rdmsr(u32 msr);

/*@ assigns \nothing; */
void cpu_relax(void);

/*@ assigns \nothing; */
void flush_lines(const void *page, bool opt);

struct percpu *this_cpu(void);

/*@ assigns \nothing; */
int invept(u64 type, u64 eptp);

/*@ assigns \nothing; */
int invvpid(u64 type, u16 vpid, u64 gla);

/* A4: what is taken for granted of bits, as tests/proof/bits.smt2 shows of 64-bit vectors. */
/*@ axiomatic bits {
      axiom ones: \forall u64 x; (x & 0xffffffffffffffff) == x;
      axiom left: \forall integer x; (x << 12) == x * 4096;
      axiom right: \forall integer x; 0 <= x ==> (x >> 12) == x / 4096;
      axiom part: \forall integer x, m; 0 <= x && 0 <= m ==> 0 <= (x & m) <= m;
    } */

#endif /* VMX_ASM_H */
