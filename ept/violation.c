// SPDX-License-Identifier: GPL-2.0
/* The two-stage mapping protocol (docs/memory.md; S1.2). */

#include "ept/violation.h"
#include "ept/protected.h"
#include "ept/shadow.h"
#include "vmx/base/asm.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"

/*
 * From the table of level 1 where this CPU was last, as hardware's caches would have it
 * until the INVEPT that empties @t (SDM vol. 3, 29.4.1): most violations are neighbours.
 */
static int walk(const struct vm_ept *t, u64 eptp12, u64 gpa, struct ept_walk *w)
{
	struct walked *last = &this_cpu()->ept.walked;
	int r;

	if (last->in == t && last->gen == t->gen && last->region == gpa >> EPT_SHIFT(2))
		return ept_walk_below(last->table, last->above, 1, gpa, w);
	r = ept_walk(eptp12, gpa, w);
	if (!r && w->level == 1 && t->filled && !t->owner)
		*last = (struct walked){ t, t->gen, gpa >> EPT_SHIFT(2), w->table, w->above };
	return r;
}

static enum ept_result violation(struct vm_ept *t, u64 eptp12, u64 gpa, u64 *qual)
{
	struct ept_walk w;
	enum ept_result r;

	if (walk(t, eptp12, gpa, &w) || w.misconfigured)
		return EPT_REFLECT_MISCONFIG;
	*qual = (*qual & ~(EPT_RWX << 3)) | (u64)w.access << 3;
	if (!w.access || *qual & EPT_RWX & ~w.access)
		return EPT_REFLECT;
	if (t->owner)
		return vm_fill(t->owner, &w, gpa);
	r = shadow_fill(t, &w, gpa);
	/* The pool is empty, and no table is out of use: this one has to shrink. */
	return r == EPT_NOMEM && shadow_shrink(t) ? shadow_fill(t, &w, gpa) : r;
}

enum ept_result vm_ept_violation(struct vm_ept *t, u64 eptp12, u64 gpa, u64 *qual)
{
	struct ept_cpu *cpu = &this_cpu()->ept;
	enum ept_result r;

	up_assert(t->owner || t->eptp12 == eptp12);
	spin_lock(&frames_lock);
	ept_reap();
	r = violation(t, eptp12, gpa, qual);
	spin_unlock(&frames_lock);
	if (r == EPT_REFLECT) {
		cpu->reflected.table = t;
		cpu->reflected.gpa = gpa;
		cpu->reflected.eptp12 = eptp12;
	}
	return r;
}

/* KVM has answered a violation, probably: save the second exit for it. */
static void prefill(struct vm_ept *t, u64 eptp12, u64 gpa)
{
	struct ept_walk w;

	spin_lock(&frames_lock);
	if (!walk(t, eptp12, gpa, &w) && !w.misconfigured && w.access) {
		if (t->owner)
			vm_fill(t->owner, &w, gpa);
		else
			shadow_fill(t, &w, gpa);
	}
	spin_unlock(&frames_lock);
}

void vm_ept_prepare(struct vm_ept *t)
{
	struct ept_cpu *cpu = &this_cpu()->ept;
	u64 gen;

	if (cpu->reflected.table == t && (t->owner || t->eptp12 == cpu->reflected.eptp12))
		prefill(t, cpu->reflected.eptp12, cpu->reflected.gpa);
	cpu->reflected.table = NULL;
	gen = READ_ONCE(t->gen);
	if (cpu->seen[t->index] != gen) {
		invept(INVEPT_SINGLE, vm_ept_eptp(t));
		cpu->seen[t->index] = gen;
	}
}
