// SPDX-License-Identifier: GPL-2.0
/*
 * A ticket is looked at twice: when the host brings it, is it good here and now?  And when the
 * VM is measured, is it this VM's, and still good?
 */
#include "vmx/vm/ticket.h"
#include "vmx/vm/call.h"
#include "vmx/vm/vm.h"
#include "vmx/abi/errno.h"
#include "vmx/attest/challenge.h"
#include "vmx/attest/key.h"
#include "vmx/attest/pcr.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/verify/verify.h"
#include "ept/owner.h"

_Static_assert(sizeof(struct up_ticket) == 416, "docs/ticket.md");
_Static_assert(offsetof(struct up_ticket, signature) == UP_TICKET_SIGNED, "docs/ticket.md");

/* The signature that is being checked: of the host's one ticket that is on its way. */
static struct spinlock check_lock;
static struct {
	bool running;
	struct up_ticket ticket;	/* all of it: a signature alone says nothing of the rest */
	struct verify_job job;
} check;

long call_challenge(struct percpu *cpu)
{
	u8 *page = host_page(cpu->gpr[RBX]), value[32];

	if (!page)
		return -UP_EINVAL;
	if (!challenge_make(value))
		return -UP_EPERM;
	memcpy(page, value, sizeof(value));
	return 0;
}

/* The next piece; another ticket than before begins anew. */
static enum verify_result check_signature(const struct up_ticket *t)
{
	enum verify_result result;

	if (!spin_trylock(&check_lock))
		return VERIFY_MORE;
	if (check.running && !memcmp(&check.ticket, t, sizeof(*t))) {
		result = verify_step(&check.job);
	} else {
		check.ticket = *t;
		result = verify_begin(&check.job, launch_settings.authority, t, UP_TICKET_SIGNED,
				      t->signature);
	}
	check.running = result == VERIFY_MORE;
	spin_unlock(&check_lock);
	return result;
}

/* What the signature does not matter for. */
static const char *not_here(const struct up_ticket *t)
{
	u8 nonce[32];

	key_nonce(nonce);
	if (!tickets_wanted())
		return "no authority was named at the launch";
	if (t->magic != UP_TICKET_MAGIC || t->version != UP_TICKET_VERSION ||
	    t->size != sizeof(*t) || t->flags || t->reserved)
		return "no ticket of version 2";
	if (memcmp(t->host, launch_settings.host, sizeof(t->host)))
		return "for another host";
	if (memcmp(t->image, up_config.image_sha256, sizeof(t->image)))
		return "for another root image";
	if (memcmp(t->nonce, nonce, sizeof(t->nonce)))
		return "for another launch";
	return t->lifetime < UP_TICKET_LIFETIME ? NULL : "its lifetime is too long";
}

static long take(struct vm *vm, const struct up_ticket *t)
{
	const char *why = not_here(t);
	enum verify_result result;
	u64 made;

	if (vm->own.state != UP_VM_BUILDING && vm->own.state != UP_VM_MEASURING)
		return -UP_EBUSY;
	if (!why) {
		result = check_signature(t);
		if (result == VERIFY_MORE)
			return -UP_EAGAIN;
		if (result == VERIFY_BAD)
			why = "not signed by the authority";
		else if (!challenge_use(t->challenge, &made))
			why = "its challenge is not outstanding: used, old, or another's";
		else if (!challenge_lives(made, t->lifetime))
			why = "too late";
	}
	if (why) {
		up_log("VM %u: ticket refused: %s", vm->own.id, why);
		return -UP_EPERM;
	}
	vm->ticket = *t;
	vm->ticket_made = made;
	vm->ticketed = true;
	return 0;
}

/* rbx: id, rcx: page with a ticket */
long call_vm_ticket(struct percpu *cpu)
{
	const struct up_ticket *page = host_page(cpu->gpr[RCX]);
	struct up_ticket ticket;
	struct vm *vm;
	long err;

	if (!page)
		return -UP_EINVAL;
	memcpy(&ticket, page, sizeof(ticket));
	vm = vm_lock(cpu->gpr[RBX]);
	if (!vm)
		return -UP_ENOENT;
	err = take(vm, &ticket);
	vm_unlock(vm);
	return err;
}

bool ticket_has_room(const struct vm *vm)
{
	return !vm->ticketed || vm->own.frames < vm->ticket.frames;
}

bool ticket_admits(const struct vm *vm, const u8 measurement[32])
{
	const struct up_ticket *t = &vm->ticket;
	const char *why = NULL;

	if (!tickets_wanted())
		return true;
	if (!vm->ticketed)
		why = "it has none";
	else if (memcmp(t->measurement, measurement, sizeof(t->measurement)))
		why = "for a VM of another measurement";
	else if (t->vcpus != vm->nvcpus)
		why = "for another number of vCPUs";
	else if (vm->own.frames > t->frames)
		why = "for less memory";
	else if (!challenge_lives(vm->ticket_made, t->lifetime))
		why = "too late";
	if (why)
		up_log("VM %u: may not run: ticket: %s", vm->own.id, why);
	return !why;
}
