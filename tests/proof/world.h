/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the contracts speak of: entries of the owner table, views, flushes, a VM's binding,
 * and the invariants, each with its number (docs/requirements.md; docs/proof.md).
 */
#ifndef PROOF_WORLD_H
#define PROOF_WORLD_H

#include "ept/binding.h"
#include "ept/flush.h"
#include "ept/grow.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "ept/table.h"
#include "ept/view.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "tests/proof/sees.h"

/*
 * Packing an entry and unpacking it, as tests/proof/bits.smt2 shows of 64-bit vectors, with the
 * text of the macros compared.
 */
/*@ axiomatic entry {
      logic integer e_owner(integer e);
      logic integer e_state(integer e);
      logic integer e_gfn(integer e);
      logic integer e_make(integer owner, integer state, integer gfn);
      axiom fields: \forall integer e; 0 <= e_owner(e) < 0x10000 && 0 <= e_state(e) < 16 &&
		0 <= e_gfn(e) < 0x10000000000;
      axiom none: e_owner(0) == 0 && e_state(0) == 0 && e_gfn(0) == 0;
      axiom made: \forall integer o, s, g;
		0 <= o < 0x10000 && 0 <= s < 16 && 0 <= g < 0x10000000000 ==>
		e_owner(e_make(o, s, g)) == o && e_state(e_make(o, s, g)) == s &&
		e_gfn(e_make(o, s, g)) == g && 0 <= e_make(o, s, g) < 0x1000000000000000;
    } */

#undef FRAME_GFN
#undef FRAME_STATE
#undef FRAME_OWNER
#undef FRAME_ENTRY
#define FRAME_GFN	entry_gfn
#define FRAME_STATE	entry_state
#define FRAME_OWNER	entry_owner
#define FRAME_ENTRY	entry_make

/*@ assigns \nothing; ensures \result == e_gfn(e); */
u64 entry_gfn(u64 e);
/*@ assigns \nothing; ensures \result == e_state(e); */
enum frame_state entry_state(u64 e);
/*@ assigns \nothing; ensures \result == e_owner(e); */
u32 entry_owner(u64 e);
/*@ requires packs: owner < 0x10000 && state < 16 && gfn < 0x10000000000;
    assigns \nothing; ensures \result == e_make(owner, state, gfn); */
u64 entry_make(u32 owner, u32 state, u64 gfn);

/* The same function, of words: the prover's memory has no untyped bytes. */
/*@ assigns page[0 .. 511];
    ensures \forall integer i; 0 <= i < 512 ==> page[i] == 0; */
void zero_words(u64 *page);
#define zero_page(page)	zero_words(page)

/* Statics of the files that are proved, each file by itself. */
static u64 nframes;
static struct frame_counters counters;

/* A view: which frames it maps, and where something stands in for one.  A5. */
#define NO_RWX	0xfffffffffffffff8
/* EPT_ADDR: in ACSL, whose numbers have no end, ~0ULL of the macro is -1. */
#define ADDRESS	0x000ffffffffff000
#define VIEWS	3
extern const struct view *const first_row;
#define __start_views	first_row
#define __stop_views	(first_row + VIEWS)
#define AT(v)		((v) - first_row)
extern u8 mapped[FRAMES][VIEWS], stands_in[FRAMES][VIEWS];

/* The epoch in which a frame's mappings went; the epoch that all have flushed behind.  A6. */
extern u64 flushed;
/*@ ghost extern u64 lost[FRAMES]; */

/* The VM's tree as the map that it is: an entry for each guest frame.  A7. */
extern u64 leaf[FRAMES];

/* Its entries for what it shares, by guest frame's number with the bit that says so; that bit. */
extern u64 alias[FRAMES];
//@ axiomatic alias { logic u64 shared; }

/*@ logic integer vm(struct owner *o) = OWNER_VM0 + o->id;
    logic integer pfn_of(u64 entry) = (entry & ADDRESS) >> PAGE_SHIFT;
    logic integer frame_of(integer gfn) = pfn_of(leaf[gfn]);
    logic integer alias_gfn(integer gfn) = ((gfn << PAGE_SHIFT) | shared) / 4096;
    logic integer host_entry = e_make(OWNER_HOST, FRAME_OWNED, 0);
    logic integer gfns = (address_mask + PAGE_SIZE) / 2 / PAGE_SIZE;

    predicate in_table(integer pfn) = 0 <= pfn < nframes;
    predicate of_host(integer e) = HOST_SEES(e, e_owner(e), e_state(e), host_entry);
    predicate changing(integer e) =
	e_state(e) == FRAME_PENDING || e_state(e) == FRAME_SHARING;
    predicate blank(integer pfn) =
	\forall integer i; 0 <= i < 512 ==> words[pfn][i] == 0;
    predicate unseen(integer pfn) = \forall integer v; 0 <= v < VIEWS ==> mapped[pfn][v] == 0;
    predicate uncovered(integer pfn) =
	\forall integer v; 0 <= v < VIEWS ==> stands_in[pfn][v] == 0;
    predicate gone(integer pfn) = lost[pfn] < flushed;

    predicate machine = nframes < FRAMES && address_mask < 0x1000000000000 &&
	(address_mask + PAGE_SIZE) % 8192 == 0;
*/

/* The invariants.  Each transition takes them for granted, and keeps them. */
/*@ // S1.4: what a VM or the layer owns, or gets, is in no view of the host's.
    predicate I_view = \forall integer p; in_table(p) && owner_table[p] != 0 &&
	!of_host(owner_table[p]) ==> unseen(p);
    // S1.2: one frame a guest frame, and one guest frame a frame.
    predicate I_bound(struct owner *o) =
	(\forall integer p; in_table(p) && e_owner(owner_table[p]) == vm(o) ==>
	 e_gfn(owner_table[p]) < gfns && leaf[e_gfn(owner_table[p])] != 0 &&
	 pfn_of(leaf[e_gfn(owner_table[p])]) == p) &&
	(\forall integer g; 0 <= g < gfns && leaf[g] != 0 ==> in_table(pfn_of(leaf[g])) &&
	 e_owner(owner_table[pfn_of(leaf[g])]) == vm(o) &&
	 e_gfn(owner_table[pfn_of(leaf[g])]) == g && (leaf[g] & NO_RWX) != 0);
    // S1.4: the ticket that a VM waits for is newer than each loss it waits for.
    predicate I_ticket(struct owner *o) = o->flush_ticket <= flush_now &&
	\forall integer p; in_table(p) && e_owner(owner_table[p]) == vm(o) &&
	changing(owner_table[p]) ==> lost[p] < o->flush_ticket;
    // S1.4: the VM itself does not reach a frame on its way.
    predicate I_idle(struct owner *o) = \forall integer g; 0 <= g < gfns && leaf[g] != 0 &&
	changing(owner_table[pfn_of(leaf[g])]) ==> (leaf[g] & EPT_RWX) == 0;

    predicate own(struct owner *o) = \valid(o) && 0 <= o->id < UP_MAX_VMS &&
	\separated(o, &leaf[0 .. FRAMES - 1]) &&
	(\forall integer p; \separated(o, &words[p][0 .. 511]));
    predicate outside(u64 *p) = \valid(p) &&
	\separated(p, &leaf[0 .. FRAMES - 1], &alias[0 .. FRAMES - 1],
		   &owner_table[0 .. FRAMES - 1], &lost[0 .. FRAMES - 1], &flushed, &flush_now) &&
	(\forall integer q; \separated(p, &words[q][0 .. 511]));
    predicate rules(struct owner *o) =
	machine && own(o) && I_view && I_bound(o) && I_ticket(o) && I_idle(o);
*/

/* Isolation, as two runs: what the host sees is the table, and what is in frames of its own. */
/*@ predicate same_words{A, B}(integer p) =
	\forall integer i; 0 <= i < 512 ==> \at(words[p][i], A) == \at(words[p][i], B);
    predicate same_entry{A, B}(integer p) = \at(owner_table[p], A) == \at(owner_table[p], B);
    predicate sees_same{A, B} = \at(nframes, A) == \at(nframes, B) &&
	\forall integer p; \at(in_table(p), A) ==> same_entry{A, B}(p) &&
	(\at(of_host(owner_table[p]), A) ==> same_words{A, B}(p));
    // S1.4: what a transition does to one frame: a VM's words never become the host's.
    predicate shut{A, B}(integer p) = same_entry{A, B}(p) ? same_words{A, B}(p) :
	(\at(of_host(owner_table[p]), B) ==> \at(blank(p), B));
    predicate shuts{A, B} = \at(nframes, A) == \at(nframes, B) &&
	\forall integer p; \at(in_table(p), A) ==> shut{A, B}(p);
    // Two runs that the host cannot tell apart, with any words in VMs' frames, decide the same.
    lemma two_runs{A, B, X, Y}: sees_same{A, X} && shuts{A, B} && shuts{X, Y} &&
	(\forall integer p; \at(in_table(p), A) ==> same_entry{B, Y}(p)) ==> sees_same{B, Y};
*/
#endif /* PROOF_WORLD_H */
