/* SPDX-License-Identifier: GPL-2.0 */
/* L1's memory, anywhere: two pages of the host's, or none, wherever its tables lead. */
#ifndef PROOF_PARSERS_L1MEM_H
#define PROOF_PARSERS_L1MEM_H

#include "tests/unit/fake/asm.h"
#include "vmx/cpu/paging.h"
#include "ept/owner.h"

/*@ axiomatic bits {
      axiom part: \forall integer x, m; 0 <= x && 0 <= m ==> 0 <= (x & m) <= m;
      axiom offset: \forall integer x; 0 <= x ==> (x & 0xfff) == x % 4096;
      axiom carry: \forall u64 x, y; x / 4096 == y / 4096 ==> ((u64)(y ^ x) >> 12 & 1) == 0;
    } */

/*@ assigns \nothing; ensures \result == \null || \valid((u8 *)\result + (0 .. 4095 - offset)); */
void *host_pointer(u64 pfn, u64 offset);

/*@ assigns \nothing; ensures \result == \null || \valid((u8 *)\result + (0 .. 4095)); */
static inline void *host_page(u64 pfn);

/*@ assigns \nothing; */
static inline u32 guest_cpl(void);

/*@ requires \valid(p); assigns *p; */
static void read_paging(struct paging *p);

/*@ requires len <= 4096 && (buf == \null || \valid((u8 *)buf + (0 .. len - 1))); */
static int l1_access(u64 gva, void *buf, u32 len, bool write);

#endif /* PROOF_PARSERS_L1MEM_H */
