// SPDX-License-Identifier: GPL-2.0
/* Tables of protected VMs: see protected.h. */

#include "ept/protected.h"
#include "ept/binding.h"
#include "ept/pool.h"
#include "ept/shadow.h"
#include "ept/transition.h"
#include "vmx/abi/errno.h"

#define FREE_MAX	256	/* table frames freed in one go */

static struct vm_ept vm_tables[UP_MAX_VMS];

/*
 * The stored mapping: whatever KVM proposes, the frame is the one bound to this
 * gfn.  So swapping, aliasing and replaying frames has no effect but a count.
 */
enum ept_result vm_fill(struct owner *o, const struct ept_walk *w, u64 gpa)
{
	u64 gfn = gpa >> PAGE_SHIFT;
	u64 *e = binding_entry(o, gfn);

	if (o->unmapped || READ_ONCE(o->state) != UP_VM_RUNNABLE)
		return EPT_REFLECT;
	if (!e || (*e ^ w->hpa) & EPT_ADDR)
		o->mismatches++;
	if (!e || !frame_ready(o, (*e & EPT_ADDR) >> PAGE_SHIFT, gfn))
		return EPT_REFLECT;
	/* Else the host's text would be executable at this address. */
	if (o->aliased && FRAME_STATE(frame_entry((*e & EPT_ADDR) >> PAGE_SHIFT)) != FRAME_OWNED)
		return EPT_REFLECT;
	ept_set(e, *e | EPT_RWX);
	return EPT_FILLED;
}

static enum vm_address address(const struct owner *o, u64 e)
{
	enum frame_state state = FRAME_STATE(frame_entry((e & EPT_ADDR) >> PAGE_SHIFT));

	if (o->unmapped || state == FRAME_PENDING || state == FRAME_SHARING)
		return VM_ADDRESS_CHANGING;
	return state == FRAME_SHARED ? VM_ADDRESS_SHARED : VM_ADDRESS_PRIVATE;
}

enum vm_address vm_address(struct owner *o, u64 gpa)
{
	u64 gfn = (gpa & ~shared_bit()) >> PAGE_SHIFT, *e, *alias;
	enum vm_address a = VM_ADDRESS_UNBOUND;

	spin_lock(&frames_lock);
	e = binding_entry(o, gfn);
	if (e)
		a = address(o, *e);
	if (a == VM_ADDRESS_SHARED && gpa & shared_bit()) {
		alias = ept_slot(o->gfn_root, gpa, 1, table_alloc);
		if (alias)
			ept_set(alias, (*e & ~(u64)EPT_RWX) | EPT_R | EPT_W);
		else
			a = VM_ADDRESS_CHANGING;
	}
	spin_unlock(&frames_lock);
	return a;
}

struct vm_ept *vm_ept_create(struct owner *o)
{
	struct vm_ept *t = &vm_tables[o->id];

	spin_lock(&frames_lock);
	t->root = binding_root(o);
	t->index = SHADOW_TABLES + o->id;
	t->owner = t->root ? o : NULL;
	t->gen++;	/* the root may have been another table's */
	spin_unlock(&frames_lock);
	return t->owner ? t : NULL;
}

int vm_ept_destroy(struct vm_ept *t)
{
	u32 budget = FREE_MAX;
	int err = 0;

	spin_lock(&frames_lock);
	if (t->owner->frames) {
		err = -UP_EBUSY;
	} else if (!ept_free_below(t->root, EPT_LEVELS, &budget, pool_free)) {
		err = -UP_EAGAIN;
	} else {
		pool_free(t->root);
		t->owner->gfn_root = 0;
		t->root = 0;
		t->owner = NULL;
	}
	spin_unlock(&frames_lock);
	return err;
}
