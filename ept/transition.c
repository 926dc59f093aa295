// SPDX-License-Identifier: GPL-2.0
/*
 * The transitions of ownership (design, section 5; S1.4).  One shape: lock,
 * check every side's state, change, unlock.
 *
 * A frame that changes hands is PENDING until every CPU has flushed since the
 * old owner's mappings went: nobody's table maps it in that state.
 */

#include "ept/binding.h"
#include "ept/flush.h"
#include "ept/frames.h"
#include "ept/host.h"
#include "ept/pool.h"
#include "ept/shadow.h"
#include "ept/table.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/base/lib.h"
#include "vmx/vm/vm.h"

/* Work done by one call: some 100 us. */
#define COMMIT_FRAMES	4096	/* looked at */
#define COMMIT_ZEROED	64
#define NO_PFN		MASK(39, 0)

/* Donated to the layer, not usable yet: threaded through their table entries. */
static u64 donated = NO_PFN;
static u64 donated_ticket;

static u32 owner_of(const struct vm *vm)
{
	return OWNER_VM0 + vm->id;
}

/* The frame must be RAM with this owner and state. */
static int check_frame(u64 pfn, u32 owner, enum frame_state state)
{
	u64 e = frame_entry(pfn);

	if (!e)
		return -UP_ENOENT;
	if (FRAME_OWNER(e) != owner)
		return -UP_EPERM;
	return FRAME_STATE(e) == state ? 0 : -UP_EBUSY;
}

/* @gfn of @vm: its frame and state.  -UP_ENOENT when it is unbound. */
static int bound_frame(const struct vm *vm, u64 gfn, u64 **e, u64 *pfn, enum frame_state *state)
{
	u64 entry;

	if (gfn >= BINDING_GFNS)
		return -UP_EINVAL;
	*e = binding_entry(vm, gfn);
	if (!*e)
		return -UP_ENOENT;
	*pfn = (**e & EPT_ADDR) >> PAGE_SHIFT;
	entry = frame_entry(*pfn);
	if (FRAME_OWNER(entry) != owner_of(vm) || FRAME_GFN(entry) != gfn)
		return -UP_EPERM;
	*state = FRAME_STATE(entry);
	return 0;
}

/* The host can reach @pfn no more, through its own table or a VM's. */
static u64 host_lose(u64 pfn, u64 entry)
{
	frame_set(pfn, entry);
	host_ept_unmap(pfn);
	shadow_empty_all();
	return flush_ticket();
}

static void host_gain(u64 pfn)
{
	zero_page(phys(pfn << PAGE_SHIFT));
	frame_set(pfn, FRAME_ENTRY(OWNER_HOST, FRAME_OWNED, 0));
	host_ept_rejoin(pfn);
	ept_reap();
}

int host_donate_layer(u64 pfn)
{
	int err;

	spin_lock(&frames_lock);
	err = pfn ? check_frame(pfn, OWNER_HOST, FRAME_OWNED) : -UP_EINVAL;
	if (!err) {
		donated_to_pool();
		donated_ticket = host_lose(pfn, FRAME_ENTRY(OWNER_LAYER, FRAME_PENDING, donated));
		donated = pfn;
	}
	spin_unlock(&frames_lock);
	return err;
}

bool donated_to_pool(void)
{
	u64 pfn;
	u32 n;

	if (donated == NO_PFN || !flush_done(donated_ticket))
		return donated == NO_PFN;
	for (n = 0; donated != NO_PFN && n < COMMIT_FRAMES; n++) {
		pfn = donated;
		donated = FRAME_GFN(frame_entry(pfn));
		frame_set(pfn, FRAME_ENTRY(OWNER_LAYER, FRAME_OWNED, 0));
		pool_free(pfn << PAGE_SHIFT);
	}
	return donated == NO_PFN;
}

int pool_commit(void)
{
	bool all;

	spin_lock(&frames_lock);
	all = donated_to_pool();
	spin_unlock(&frames_lock);
	return all ? 0 : -UP_EAGAIN;
}

int layer_return_host(u64 pfn)
{
	int err;

	spin_lock(&frames_lock);
	err = check_frame(pfn, OWNER_LAYER, FRAME_OWNED);
	if (!err && !host_ept_clean(pfn))
		err = -UP_EAGAIN;
	if (!err)
		host_gain(pfn);
	spin_unlock(&frames_lock);
	return err;
}

static int check_donate_vm(const struct vm *vm, u64 pfn, u64 gfn)
{
	int err;

	if (gfn >= BINDING_GFNS)
		return -UP_EINVAL;
	err = check_frame(pfn, OWNER_HOST, FRAME_OWNED);
	if (err)
		return err;
	if (vm->unmapped || (vm->state != UP_VM_BUILDING && vm->state != UP_VM_RUNNABLE))
		return -UP_EBUSY;
	return binding_entry(vm, gfn) ? -UP_EEXIST : 0;
}

int host_donate_vm(struct vm *vm, u64 pfn, u64 gfn)
{
	int err;

	spin_lock(&frames_lock);
	err = check_donate_vm(vm, pfn, gfn);
	if (!err)
		err = binding_set(vm, gfn, pfn);
	if (!err) {
		vm->flush_ticket = host_lose(pfn, FRAME_ENTRY(owner_of(vm), FRAME_PENDING, gfn));
		vm->frames++;
		vm->frames_pending++;
		if (vm->commit_cursor > gfn)
			vm->commit_cursor = gfn;
	}
	spin_unlock(&frames_lock);
	return err;
}

/* Complete a pending donation or unsharing.  False while a flush is outstanding. */
static bool commit_frame(struct vm *vm, u64 pfn, u64 gfn)
{
	if (!flush_done(vm->flush_ticket))
		return false;
	if (vm->state != UP_VM_BUILDING && vm->state != UP_VM_MEASURING)
		zero_page(phys(pfn << PAGE_SHIFT));
	frame_set(pfn, FRAME_ENTRY(owner_of(vm), FRAME_OWNED, gfn));
	vm->frames_pending--;
	return true;
}

bool frame_ready(struct vm *vm, u64 pfn, u64 gfn)
{
	u64 e = frame_entry(pfn);

	if (FRAME_OWNER(e) != owner_of(vm) || FRAME_GFN(e) != gfn)
		return false;
	return FRAME_STATE(e) != FRAME_PENDING || commit_frame(vm, pfn, gfn);
}

int vm_commit(struct vm *vm)
{
	u32 looked = 0, zeroed = 0;
	u64 pfn;
	int err;

	spin_lock(&frames_lock);
	while (vm->frames_pending && looked++ < COMMIT_FRAMES && zeroed < COMMIT_ZEROED &&
	       binding_next(vm, &vm->commit_cursor, &pfn)) {
		if (FRAME_STATE(frame_entry(pfn)) == FRAME_PENDING) {
			if (!commit_frame(vm, pfn, vm->commit_cursor))
				break;
			zeroed += vm->state != UP_VM_BUILDING && vm->state != UP_VM_MEASURING;
		}
		vm->commit_cursor++;
	}
	err = vm->frames_pending ? -UP_EAGAIN : 0;
	spin_unlock(&frames_lock);
	return err;
}

int vm_return_host(struct vm *vm, u64 gfn, u64 *pfn)
{
	enum frame_state state;
	u64 *e;
	int err;

	spin_lock(&frames_lock);
	err = bound_frame(vm, gfn, &e, pfn, &state);
	if (!err && vm->state != UP_VM_DEAD)
		err = -UP_EBUSY;
	if (!err && !vm->unmapped) {
		binding_cut(vm);
		vm->flush_ticket = flush_ticket();
	}
	if (!err && (!flush_done(vm->flush_ticket) || !host_ept_clean(*pfn)))
		err = -UP_EAGAIN;
	if (!err) {
		binding_clear(vm, gfn);
		vm->frames--;
		vm->frames_pending -= state == FRAME_PENDING;
		vm->frames_shared -= state == FRAME_SHARED;
		host_gain(*pfn);
	}
	spin_unlock(&frames_lock);
	return err;
}

int vm_share_host(struct vm *vm, u64 gfn)
{
	enum frame_state state;
	u64 *e, pfn;
	int err;

	spin_lock(&frames_lock);
	err = bound_frame(vm, gfn, &e, &pfn, &state);
	if (!err && (state != FRAME_OWNED || vm->state != UP_VM_RUNNABLE))
		err = -UP_EBUSY;
	if (!err && !host_ept_clean(pfn))
		err = -UP_EAGAIN;
	if (!err) {
		zero_page(phys(pfn << PAGE_SHIFT));
		frame_set(pfn, FRAME_ENTRY(owner_of(vm), FRAME_SHARED, gfn));
		vm->frames_shared++;
	}
	spin_unlock(&frames_lock);
	return err;
}

int vm_unshare_host(struct vm *vm, u64 gfn)
{
	enum frame_state state;
	u64 *e, pfn;
	int err;

	spin_lock(&frames_lock);
	err = bound_frame(vm, gfn, &e, &pfn, &state);
	if (!err && (state == FRAME_OWNED || vm->state != UP_VM_RUNNABLE))
		err = -UP_EBUSY;
	if (!err && state == FRAME_SHARED) {
		ept_set(e, *e & ~(u64)EPT_RWX);
		vm->flush_ticket = host_lose(pfn, FRAME_ENTRY(owner_of(vm), FRAME_PENDING, gfn));
		vm->frames_shared--;
		vm->frames_pending++;
		if (vm->commit_cursor > gfn)
			vm->commit_cursor = gfn;
	}
	if (!err && !commit_frame(vm, pfn, gfn))
		err = -UP_EAGAIN;
	spin_unlock(&frames_lock);
	return err;
}
