/* SPDX-License-Identifier: GPL-2.0 */
/* What each function takes for granted, changes, and gives (ACSL; docs/proof.md). */
#ifndef PROOF_CONTRACTS_H
#define PROOF_CONTRACTS_H

#include "tests/proof/world.h"
#include "vmx/abi/errno.h"

/* What every transition of a VM's frames gives back. */
#define KEEPS(o) \
	ensures shuts: shuts{Pre, Post}; \
	ensures view: I_view; \
	ensures bound: I_bound(o); \
	ensures ticket: I_ticket(o); \
	ensures idle: I_idle(o);
#define SAME(x)		((x) == \old(x))
#define GROWS		ensures grows: flush_now >= \old(flush_now) && flushed >= \old(flushed);

/* --- beneath ept/: vmx/base ----------------------------------------------- */

/*@ assigns \nothing; ensures \false; */
void up_panic(const char *fmt, ...);

/* --- owner.c -------------------------------------------------------------- */

/*@ requires machine; assigns \nothing;
    ensures ram: pfn < nframes ==> \result == owner_table[pfn];
    ensures none: pfn >= nframes ==> \result == 0; */
u64 frame_entry(u64 pfn);

/*@ assigns counters; */
static void count_owner(u64 entry, u64 by);

/*@ // S1.4: what the host gets is zeroed, what arrives flushed, what it loses marked.
    requires ram: in_table(pfn) && owner_table[pfn] != 0 && entry != 0 && nframes < FRAMES;
    requires zeroed: of_host(entry) ==> blank(pfn);
    requires flushed: changing(owner_table[pfn]) && !changing(entry) ==> gone(pfn);
    requires pending: of_host(owner_table[pfn]) && !of_host(entry) ==> changing(entry);
    assigns owner_table[pfn], counters;
    ensures set: owner_table[pfn] == entry; */
void frame_set(u64 pfn, u64 entry);

/*@ requires machine; assigns \nothing;
    ensures hosts: \result <==> in_table(pfn) && owner_table[pfn] == host_entry; */
bool frame_host_usable(u64 pfn);

/*@ requires machine && \valid_read(o) && o->id < UP_MAX_VMS; assigns \nothing;
    ensures owned: \result <==> in_table(pfn) &&
	e_owner(owner_table[pfn]) == vm((struct owner *)o) && e_gfn(owner_table[pfn]) == gfn; */
bool frame_owned_by(u64 pfn, const struct owner *o, u64 gfn);

/*@ assigns \nothing; */
void frame_flush(u64 pfn);

/* --- flush.c -------------------------------------------------------------- */

/*@ assigns flush_now; ensures later: \result == flush_now && flush_now > \old(flush_now); */
u64 flush_ticket(void);

/*@ assigns flushed;
    ensures grows: flushed >= \old(flushed);
    ensures done: \result ==> flushed >= ticket; */
bool flush_done(u64 ticket);

/* --- table.c, binding.c ---------------------------------------------------- */

/*@ assigns flush_now, flushed; GROWS */
void ept_reap(void);

/*@ requires machine; assigns \nothing; ensures \result == gfns; */
static inline u64 binding_gfns(void);

/*@ assigns \nothing; ensures \result == shared; */
static inline u64 shared_bit(void);

/*@ // In parts: those of @val are plain to the prover where it sees what that is made of.
    requires \valid(e); assigns *e;
    ensures none: *e == 0 <==> val == 0;
    ensures parts: (*e & EPT_RWX) == (val & EPT_RWX) && (*e & NO_RWX) == (val & NO_RWX) &&
	(*e & ADDRESS) == (val & ADDRESS); */
static inline void ept_set(u64 *e, u64 val);

/*@ requires level == 1; assigns \nothing;
    ensures \result == \null ==> alias[gpa / 4096] == 0;
    ensures \result != \null ==> \result == &alias[gpa / 4096] && \valid(\result); */
u64 *ept_find(u64 root, u64 gpa, u32 level);

/*@ requires machine && own((struct owner *)o); assigns \nothing;
    ensures bound: \result != \null ==> gfn < gfns && \result == &leaf[gfn] && leaf[gfn] != 0;
    ensures unbound: \result == \null ==> gfn >= gfns || leaf[gfn] == 0; */
u64 *binding_entry(const struct owner *o, u64 gfn);

/*@ requires machine && own(o) && gfn < gfns && pfn < nframes;
    assigns leaf[gfn], o->gfn_root;
    ensures failed: \result != 0 ==> SAME(leaf[gfn]);
    ensures bound: \result == 0 ==> leaf[gfn] != 0 && pfn_of(leaf[gfn]) == pfn;
    ensures idle: \result == 0 ==> (leaf[gfn] & EPT_RWX) == 0 && (leaf[gfn] & NO_RWX) != 0; */
int binding_set(struct owner *o, u64 gfn, u64 pfn);

/*@ requires own(o); assigns o->unmapped; ensures o->unmapped; */
void binding_cut(struct owner *o);

/*@ requires machine && own(o) && gfn < gfns; assigns leaf[gfn]; ensures leaf[gfn] == 0; */
void binding_clear(struct owner *o, u64 gfn);

/*@ requires machine && own((struct owner *)o) && \valid(gfn) && \valid(pfn);
    requires \separated(gfn, pfn, &leaf[0 .. FRAMES - 1]);
    assigns *gfn, *pfn;
    ensures next: \result ==> \old(*gfn) <= *gfn < gfns && leaf[*gfn] != 0 &&
	*pfn == pfn_of(leaf[*gfn]); */
bool binding_next(const struct owner *o, u64 *gfn, u64 *pfn);

/* --- transition.c: the rows of the views ------------------------------------ */

#define ROW(v)	((v) == __start_views + AT(v) && 0 <= AT(v) < VIEWS)

/*@ requires ROW(v); assigns \nothing; */
static bool row_ready(const struct view *v, u64 pfn);

/*@ requires ROW(v) && pfn < FRAMES;
    assigns mapped[pfn][AT(v)], lost[pfn];
    ensures mapped[pfn][AT(v)] == 0; ensures lost[pfn] == flush_now; */
static void row_lose(const struct view *v, u64 pfn);

/*@ requires ROW(v) && pfn < FRAMES;
    assigns stands_in[pfn][AT(v)], flush_now, flushed;
    ensures flush_now >= \old(flush_now) && flushed >= \old(flushed);
    ensures \result ==> stands_in[pfn][AT(v)] == 0; */
static bool row_clean(const struct view *v, u64 pfn);

/*@ requires ROW(v) && pfn < FRAMES; requires zeroed: blank(pfn);
    requires hosts: of_host(owner_table[pfn]); requires uncovered: uncovered(pfn);
    assigns mapped[pfn][AT(v)]; */
static void row_gain(const struct view *v, u64 pfn);

/* --- transition.c: what it is made of ---------------------------------------- */

/*@ requires o->id < UP_MAX_VMS && \valid_read(o);
    assigns \nothing; ensures \result == vm((struct owner *)o); */
static u32 owner_of(const struct owner *o);

/*@ requires rules((struct owner *)o) && \valid(e) && \valid(pfn) && \valid(state);
    requires \separated(e, pfn, state, o, &leaf[0 .. FRAMES - 1],
			&owner_table[0 .. FRAMES - 1]);
    assigns *e, *pfn, *state;
    ensures found: \result == 0 ==> gfn < gfns && *e == &leaf[gfn] && leaf[gfn] != 0 &&
	*pfn == pfn_of(leaf[gfn]) && in_table(*pfn) && owner_table[*pfn] != 0 &&
	e_owner(owner_table[*pfn]) == vm((struct owner *)o) &&
	e_gfn(owner_table[*pfn]) == gfn && *state == e_state(owner_table[*pfn]); */
static int bound_frame(const struct owner *o, u64 gfn, u64 **e, u64 *pfn,
		       enum frame_state *state);

/*@ assigns \nothing; */
static bool host_ready(u64 pfn);

/*@ requires machine; assigns \nothing;
    ensures hosts: \result == 0 ==> in_table(pfn) && e_owner(owner_table[pfn]) == OWNER_HOST; */
static int check_frame(u64 pfn);

/*@ requires in_table(pfn) && owner_table[pfn] != 0 && entry != 0 && machine;
    requires changing: changing(entry) && !of_host(entry);
    assigns owner_table[pfn], counters, mapped[pfn][0 .. VIEWS - 1], lost[pfn], flush_now;
    ensures set: owner_table[pfn] == entry; ensures unseen: unseen(pfn);
    ensures ticket: \result == flush_now && lost[pfn] < flush_now;
    ensures later: flush_now > \old(flush_now); */
static u64 host_lose(u64 pfn, u64 entry);

/*@ requires pfn < FRAMES;
    assigns stands_in[pfn][0 .. VIEWS - 1], flush_now, flushed;
    GROWS
    ensures clean: \result ==> uncovered(pfn); */
static bool host_clean(u64 pfn);

/*@ requires in_table(pfn) && owner_table[pfn] != 0 && entry != 0 && machine;
    requires hosts: of_host(entry) && !changing(entry);
    requires flushed: changing(owner_table[pfn]) ==> gone(pfn);
    requires clean: uncovered(pfn);
    assigns words[pfn][0 .. 511], owner_table[pfn], counters,
	mapped[pfn][0 .. VIEWS - 1], flush_now, flushed;
    ensures set: owner_table[pfn] == entry;
    ensures zeroed: blank(pfn);
    GROWS */
static void host_gain(u64 pfn, u64 entry);

/* --- grow.c ----------------------------------------------------------------- */

/*@ // S1.4: what waited for the pool is in it behind its flush; nothing else has changed.
    predicate pooled{A, B}(integer p) = \at(owner_table[p], B) == \at(owner_table[p], A) ||
	(e_owner(\at(owner_table[p], A)) == OWNER_LAYER &&
	 changing(\at(owner_table[p], A)) && \at(gone(p), B) &&
	 \at(owner_table[p], B) == e_make(OWNER_LAYER, FRAME_OWNED, 0)); */

/*@ requires machine;
    assigns owner_table[0 .. FRAMES - 1], counters, flushed;
    ensures pooled: \forall integer p; in_table(p) ==> pooled{Pre, Post}(p);
    ensures made: e_owner(\result) == OWNER_LAYER && e_state(\result) == FRAME_PENDING &&
	\result != 0; */
u64 grow_entry(void);

/*@ requires waits: in_table(pfn) && changing(owner_table[pfn]) && lost[pfn] < ticket;
    assigns \nothing; */
void grow_wait(u64 pfn, u64 ticket);

/* --- transition.c: the transitions ---------------------------------------------- */

/*@ requires machine && I_view;
    assigns frames_lock, owner_table[0 .. FRAMES - 1], counters, flushed,
	mapped[pfn][0 .. VIEWS - 1], lost[pfn], flush_now;
    ensures error: \result != 0 ==> \forall integer p; in_table(p) ==>
	owner_table[p] == \at(owner_table[p], Pre);
    ensures done: \result == 0 ==> in_table(pfn) && changing(owner_table[pfn]) &&
	e_owner(\old(owner_table[pfn])) == OWNER_HOST && e_owner(owner_table[pfn]) == OWNER_LAYER;
    ensures others: \forall integer p; in_table(p) && p != pfn ==> pooled{Pre, Post}(p);
    ensures shuts: shuts{Pre, Post};
    ensures view: I_view; */
int host_donate_layer(u64 pfn);

/*@ requires rules((struct owner *)o); assigns \nothing;
    ensures may: \result == 0 ==> gfn < gfns && in_table(pfn) && leaf[gfn] == 0 &&
	e_owner(owner_table[pfn]) == OWNER_HOST && !o->unmapped &&
	(o->state == UP_VM_BUILDING || o->state == UP_VM_RUNNABLE); */
static int check_donate_vm(const struct owner *o, u64 pfn, u64 gfn);

/*@ requires machine && own(o) && gfn < gfns && in_table(pfn) && owner_table[pfn] != 0;
    assigns owner_table[pfn], counters, mapped[pfn][0 .. VIEWS - 1], lost[pfn], flush_now,
	o->flush_ticket, o->frames_pending, o->commit_cursor;
    ensures set: owner_table[pfn] == e_make(vm(o), FRAME_PENDING, gfn); ensures unseen: unseen(pfn);
    ensures ticket: o->flush_ticket == flush_now && lost[pfn] < flush_now;
    ensures later: flush_now > \old(flush_now); */
static void make_pending(struct owner *o, u64 pfn, u64 gfn);

/*@ requires rules(o);
    assigns frames_lock, owner_table[pfn], counters, mapped[pfn][0 .. VIEWS - 1], lost[pfn],
	flush_now, leaf[gfn], o->gfn_root, o->frames, o->flush_ticket, o->frames_pending,
	o->commit_cursor;
    ensures error: \result != 0 ==> SAME(owner_table[pfn]) &&
	SAME(leaf[gfn]) && SAME(lost[pfn]) && SAME(o->frames) && SAME(o->frames_pending) &&
	SAME(o->flush_ticket);
    ensures done: \result == 0 ==> e_owner(\old(owner_table[pfn])) == OWNER_HOST &&
	owner_table[pfn] == e_make(vm(o), FRAME_PENDING, gfn) && pfn_of(leaf[gfn]) == pfn;
    KEEPS(o) */
int host_donate_vm(struct owner *o, u64 pfn, u64 gfn);

/*@ predicate measured(struct owner *o) =
	o->state != UP_VM_BUILDING && o->state != UP_VM_MEASURING;
    predicate committed{A, B}(struct owner *o, integer p) =
	e_owner(\at(owner_table[p], A)) == \at(vm(o), A) &&
	e_state(\at(owner_table[p], A)) == FRAME_PENDING && \at(owner_table[p], B) ==
	e_make(\at(vm(o), A), FRAME_OWNED, e_gfn(\at(owner_table[p], A))) &&
	\at(gone(p), B) && (\at(measured(o), A) ==> \at(blank(p), B)); */

/*@ requires rules(o) && in_table(pfn) && e_owner(owner_table[pfn]) == vm(o);
    requires e_gfn(owner_table[pfn]) == gfn && e_state(owner_table[pfn]) == FRAME_PENDING;
    assigns owner_table[pfn], counters, words[pfn][0 .. 511], flushed, o->frames_pending;
    ensures waits: !\result ==> SAME(owner_table[pfn]) && SAME(o->frames_pending);
    ensures done: \result ==> owner_table[pfn] == e_make(vm(o), FRAME_OWNED, gfn);
    ensures flushed: \result ==> gone(pfn);
    ensures zeroed: \result && measured(o) ==> blank(pfn);
    ensures shut: shut{Pre, Post}(pfn);
    ensures grows: flushed >= \old(flushed);
    ensures rules: rules(o); */
static bool commit_frame(struct owner *o, u64 pfn, u64 gfn);

/*@ requires rules(o);
    assigns owner_table[pfn], counters, words[pfn][0 .. 511], flushed, o->frames_pending;
    ensures entry: SAME(owner_table[pfn]) || committed{Pre, Post}(o, pfn);
    ensures ready: \result ==> in_table(pfn) && e_owner(owner_table[pfn]) == vm(o) &&
	e_gfn(owner_table[pfn]) == gfn && e_state(owner_table[pfn]) != FRAME_PENDING;
    ensures shut: shut{Pre, Post}(pfn);
    ensures grows: flushed >= \old(flushed);
    ensures rules: rules(o); */
bool frame_ready(struct owner *o, u64 pfn, u64 gfn);

/*@ requires rules(o);
    assigns frames_lock, owner_table[0 .. FRAMES - 1], counters,
	words[..][..], flushed, o->frames_pending, o->commit_cursor;
    ensures entries: \forall integer p; in_table(p) ==>
	owner_table[p] == \at(owner_table[p], Pre) || committed{Pre, Post}(o, p);
    ensures all: \result == 0 <==> o->frames_pending == 0;
    ensures rules: rules(o); */
int vm_commit(struct owner *o);

/*@ requires machine && own(o) && gfn < gfns && e == &leaf[gfn];
    assigns leaf[gfn], alias[alias_gfn(gfn)];
    ensures private: (leaf[gfn] & EPT_RWX) == 0 &&
	(leaf[gfn] & NO_RWX) == (\old(leaf[gfn]) & NO_RWX) &&
	(leaf[gfn] & ADDRESS) == (\old(leaf[gfn]) & ADDRESS);
    ensures alias: alias[alias_gfn(gfn)] == 0; */
static void share_lose(struct owner *o, u64 *e, u64 gfn);

/*@ requires rules(o) && outside(pfn) && \separated(pfn, o);
    assigns frames_lock, *pfn, leaf[gfn], alias[alias_gfn(gfn)], owner_table[frame_of(gfn)],
	counters, words[frame_of(gfn)][0 .. 511], mapped[frame_of(gfn)][0 .. VIEWS - 1],
	stands_in[frame_of(gfn)][0 .. VIEWS - 1], flush_now, flushed,
	o->unmapped, o->flush_ticket, o->frames, o->frames_pending, o->frames_shared;
    ensures error: \result != 0 ==> SAME(leaf[gfn]) &&
	owner_table[\old(frame_of(gfn))] == \old(owner_table[frame_of(gfn)]) &&
	SAME(o->frames) && SAME(o->frames_pending) && SAME(o->frames_shared);
    ensures dead: \result == 0 ==> o->state == UP_VM_DEAD && o->unmapped;
    ensures done: \result == 0 ==> *pfn == \old(frame_of(gfn)) && in_table(*pfn) &&
	e_owner(\old(owner_table[frame_of(gfn)])) == vm(o) &&
	owner_table[*pfn] == host_entry && leaf[gfn] == 0 && alias[alias_gfn(gfn)] == 0;
    ensures zeroed: \result == 0 ==> blank(*pfn);
    ensures flushed: \result == 0 ==> flushed >= o->flush_ticket;
    KEEPS(o) */
int vm_return_host(struct owner *o, u64 gfn, u64 *pfn);

/*@ requires rules(o) && gfn < gfns && e == &leaf[gfn] && leaf[gfn] != 0 && pfn == frame_of(gfn);
    assigns leaf[gfn], owner_table[pfn], counters, words[pfn][0 .. 511], flush_now, flushed,
	lost[pfn], o->flush_ticket, o->frames_pending;
    ensures entry: SAME(owner_table[pfn]) || committed{Pre, Post}(o, pfn) ||
	owner_table[pfn] == e_make(vm(o), FRAME_SHARING, gfn);
    ensures cut: \result == 0 && e_state(\old(owner_table[pfn])) <= FRAME_SHARING &&
	e_state(\old(owner_table[pfn])) != FRAME_SHARED ==>
	e_state(owner_table[pfn]) == FRAME_SHARING && (leaf[gfn] & EPT_RWX) == 0;
    ensures gone: \result == 0 && changing(owner_table[pfn]) ==> gone(pfn);
    ensures leaf: (leaf[gfn] & NO_RWX) == (\old(leaf[gfn]) & NO_RWX);
    GROWS
    KEEPS(o) */
static int private_lose(struct owner *o, u64 *e, u64 pfn, u64 gfn);

/*@ requires rules(o);
    assigns frames_lock, leaf[gfn], owner_table[frame_of(gfn)], counters,
	words[frame_of(gfn)][0 .. 511], mapped[frame_of(gfn)][0 .. VIEWS - 1],
	stands_in[frame_of(gfn)][0 .. VIEWS - 1], flush_now, flushed, lost[frame_of(gfn)],
	o->flush_ticket, o->frames_pending, o->frames_shared;
    ensures error: \result != 0 && gfn < gfns && leaf[gfn] != 0 &&
	of_host(owner_table[frame_of(gfn)]) ==>
	owner_table[frame_of(gfn)] == \old(owner_table[frame_of(gfn)]);
    ensures done: \result == 0 ==> gfn < gfns && o->state == UP_VM_RUNNABLE &&
	owner_table[frame_of(gfn)] == e_make(vm(o), FRAME_SHARED, gfn);
    ensures once: \result == 0 ==> e_state(\old(owner_table[frame_of(gfn)])) != FRAME_SHARED;
    ensures zeroed: \result == 0 ==> blank(frame_of(gfn));
    ensures frame: \result == 0 ==> frame_of(gfn) == \old(frame_of(gfn));
    KEEPS(o) */
int vm_share_host(struct owner *o, u64 gfn);

/*@ requires rules(o);
    assigns frames_lock, leaf[gfn], alias[alias_gfn(gfn)], owner_table[frame_of(gfn)], counters,
	words[frame_of(gfn)][0 .. 511], mapped[frame_of(gfn)][0 .. VIEWS - 1],
	flush_now, flushed, lost[frame_of(gfn)], o->flush_ticket, o->frames_pending,
	o->frames_shared, o->commit_cursor;
    ensures error: \result != 0 ==>
	owner_table[\old(frame_of(gfn))] == \old(owner_table[frame_of(gfn)]) ||
	owner_table[\old(frame_of(gfn))] == e_make(vm(o), FRAME_PENDING, gfn);
    ensures done: \result == 0 ==> gfn < gfns && o->state == UP_VM_RUNNABLE &&
	owner_table[\old(frame_of(gfn))] == e_make(vm(o), FRAME_OWNED, gfn) &&
	e_state(\old(owner_table[frame_of(gfn)])) != FRAME_OWNED;
    ensures zeroed: \result == 0 ==> blank(\old(frame_of(gfn)));
    ensures flushed: \result == 0 ==> gone(\old(frame_of(gfn)));
    KEEPS(o) */
int vm_unshare_host(struct owner *o, u64 gfn);

#endif /* PROOF_CONTRACTS_H */
