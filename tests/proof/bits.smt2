; SPDX-License-Identifier: GPL-2.0-only
; What {world,asm,parsers/{dmar,l1mem}}.h say of bits without proof, of 64-bit vectors: each claim is
; the negation of what is said, and has no solution.  The suite compares these lines with ept/owner.h:
;#define FRAME_GFN(e)		((e) & MASK(39, 0))
;#define FRAME_STATE(e)		((enum frame_state)(((e) >> 40) & 0xf))
;#define FRAME_OWNER(e)		((u32)(((e) >> 44) & 0xffff))
;#define FRAME_ENTRY(owner, state, gfn) \
;	((u64)(owner) << 44 | (u64)(state) << 40 | (gfn))
(set-logic QF_BV)
(define-sort u64 () (_ BitVec 64))
(define-fun c ((n u64)) u64 n)
(define-fun gfn ((e u64)) u64 (bvand e #x000000ffffffffff))
(define-fun state ((e u64)) u64 (bvand (bvlshr e (_ bv40 64)) (_ bv15 64)))
(define-fun owner ((e u64)) u64 (bvand (bvlshr e (_ bv44 64)) #x000000000000ffff))
(define-fun make ((o u64) (s u64) (g u64)) u64
	(bvor (bvshl o (_ bv44 64)) (bvshl s (_ bv40 64)) g))
(declare-const x u64)
(declare-const y u64)
(declare-const o u64)
(declare-const s u64)
(declare-const g u64)
(define-fun packs () Bool (and (bvult o (_ bv65536 64)) (bvult s (_ bv16 64))
	(bvult g (_ bv1099511627776 64))))
; fields
(push) (assert (not (and (bvult (owner x) (_ bv65536 64)) (bvult (state x) (_ bv16 64))
	(bvult (gfn x) (_ bv1099511627776 64))))) (check-sat) (pop)
; none
(push) (assert (not (and (= (owner (_ bv0 64)) (_ bv0 64)) (= (state (_ bv0 64)) (_ bv0 64))
	(= (gfn (_ bv0 64)) (_ bv0 64))))) (check-sat) (pop)
; made
(push) (assert (not (=> packs (and (= (owner (make o s g)) o) (= (state (make o s g)) s)
	(= (gfn (make o s g)) g) (bvult (make o s g) #x1000000000000000))))) (check-sat) (pop)
; ones
(push) (assert (not (= (bvand x #xffffffffffffffff) x))) (check-sat) (pop)
; left, of what does not overflow
(push) (assert (not (=> (bvult x #x0010000000000000)
	(= (bvshl x (_ bv12 64)) (bvmul x (_ bv4096 64)))))) (check-sat) (pop)
; right
(push) (assert (not (= (bvlshr x (_ bv12 64)) (bvudiv x (_ bv4096 64))))) (check-sat) (pop)
; part
(push) (assert (not (bvule (bvand x y) y))) (check-sat) (pop)
; odd
(push) (assert (not (= (= (bvand x (_ bv1 64)) (_ bv0 64))
	(= (bvurem x (_ bv2 64)) (_ bv0 64))))) (check-sat) (pop)
; third
(push) (assert (not (= (= (bvand x (_ bv4 64)) (_ bv0 64))
	(bvult (bvurem x (_ bv8 64)) (_ bv4 64))))) (check-sat) (pop)
; offset
(push) (assert (not (= (bvand x #x0000000000000fff) (bvurem x (_ bv4096 64))))) (check-sat) (pop)
; carry
(push) (assert (not (=> (= (bvudiv x (_ bv4096 64)) (bvudiv y (_ bv4096 64)))
	(= (bvand (bvlshr (bvxor y x) (_ bv12 64)) (_ bv1 64)) (_ bv0 64))))) (check-sat) (pop)
