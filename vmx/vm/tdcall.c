// SPDX-License-Identifier: GPL-2.0
/*
 * TDCALL (TDX Module ABI, "Guest-Side (TDCALL) Interface Functions").  Without TDX the
 * instruction raises #UD: the layer intercepts that, and looks whether it was one.
 */
#include "vmx/vm/ghci.h"
#include "vmx/vm/exits.h"
#include "vmx/base/asm.h"
#include "vmx/base/log.h"
#include "vmx/cpu/event.h"
#include "vmx/vm/guestmem.h"
#include "vmx/vm/report.h"
#include "vmx/abi/errno.h"
#include "ept/binding.h"
#include "ept/protected.h"

#define TDX_NO_VE_INFO		0xc000070400000000ULL
#define TDX_PAGE_SIZE_MISMATCH	0xc0000b0b00000000ULL
#define TDX_FIELD_INCORRECT	0xc0000c0000000000ULL
#define TDX_FIELD_NOT_WRITABLE	0xc0000c0100000000ULL

/* "#VE for a private page is off": there is none in any case, and Linux insists on it. */
#define TD_ATTRIBUTES		BIT(28)

#define TDREPORT_SIZE		1024		/* and its alignment */

#define ACCEPT_LEVEL		MASK(2, 0)
#define ACCEPT_ADDRESS		MASK(51, 12)

static enum tdcall_end done(u64 *g, u64 status)
{
	g[RAX] = status;
	return TDCALL_DONE;
}

static enum tdcall_end vp_info(struct vcpu *v, u64 *g)
{
	g[RCX] = (u64)__builtin_ctzll(shared_bit()) + 1;
	g[RDX] = TD_ATTRIBUTES;
	g[R8] = (u64)v->vm->nvcpus << 32 | v->vm->nvcpus;
	g[R9] = v->index;
	g[R10] = g[R11] = 0;
	return done(g, TDX_SUCCESS);
}

static enum tdcall_end veinfo_get(struct vcpu *v, u64 *g)
{
	struct vcpu_ghci *c = &v->ghci;

	if (!c->ve)
		return done(g, TDX_NO_VE_INFO);
	g[RCX] = EXIT_REASON_EPT_VIOLATION;
	g[RDX] = c->ve_qual;
	g[R8] = c->ve_gla;
	g[R9] = c->ve_gpa;
	g[R10] = 0;
	c->ve = false;
	protect_windows(v);	/* an NMI may have waited for this */
	return done(g, TDX_SUCCESS);
}

/* Every private page was accepted when it arrived, zeroed; pages of 4 KiB are all there are. */
static enum tdcall_end page_accept(struct vcpu *v, u64 *g)
{
	u64 gpa = g[RCX] & ACCEPT_ADDRESS, level = g[RCX] & ACCEPT_LEVEL;

	if (g[RCX] & ~(ACCEPT_ADDRESS | ACCEPT_LEVEL) || level > 2 || gpa >= shared_bit() ||
	    (!level && vm_address(&v->vm->own, gpa) != VM_ADDRESS_PRIVATE))
		return done(g, TDX_OPERAND_INVALID(RCX));
	return done(g, level ? TDX_PAGE_SIZE_MISMATCH : TDX_SUCCESS);
}

/*
 * The one field of a TD's metadata that is here: whether the host may be told to notify
 * the guest.  Nothing is to be notified of; older kernels insist on writing that.
 */
#define NOTIFY_ENABLES		0x9100000000000010ULL

static enum tdcall_end vm_rd(struct vcpu *v, u64 *g)
{
	if (g[RCX])
		return done(g, TDX_OPERAND_INVALID(RCX));
	g[R8] = 0;
	return done(g, g[RDX] == NOTIFY_ENABLES ? TDX_SUCCESS : TDX_FIELD_INCORRECT);
}

static enum tdcall_end vm_wr(struct vcpu *v, u64 *g)
{
	bool set = g[R8] & g[R9];

	vm_rd(v, g);
	return set && g[RAX] == TDX_SUCCESS ? done(g, TDX_FIELD_NOT_WRITABLE) : TDCALL_DONE;
}

static enum tdcall_end rtmr_extend(struct vcpu *v, u64 *g)
{
	long err;

	spin_lock(&v->vm->lock);
	err = report_extend(v->vm, g[RDX], g[RCX]);
	spin_unlock(&v->vm->lock);
	return done(g, err ? TDX_OPERAND_INVALID(g[RDX] < UP_VM_RTMRS ? RCX : RDX) : TDX_SUCCESS);
}

/*
 * Where a TD gets a report by Intel's module it gets the layer's, signed, with zeros behind
 * it: another magic, another layout.  It is made in pieces, with a turn for the host each.
 */
static enum tdcall_end mr_report(struct vcpu *v, u64 *g)
{
	static const u8 zero[TDREPORT_SIZE - sizeof(struct up_vm_proof)];
	long err;

	if (g[R8] || g[RCX] & (TDREPORT_SIZE - 1))
		return done(g, TDX_OPERAND_INVALID(g[R8] ? R8 : RCX));
	spin_lock(&v->vm->lock);
	err = report_vm(v->vm, g[RDX], g[RCX]);
	if (!err)
		guest_write(v->vm, g[RCX] + sizeof(struct up_vm_proof), zero, sizeof(zero));
	spin_unlock(&v->vm->lock);
	if (err == -UP_EAGAIN) {
		ghci_turn(v);
		return TDCALL_HOST;
	}
	return done(g, err ? TDX_OPERAND_INVALID(RDX) : TDX_SUCCESS);
}

static const struct {
	u64 leaf;		/* version 0: the only one of each */
	enum tdcall_end (*fn)(struct vcpu *v, u64 *g);
} leaves[] = {
	{ 0, ghci_vmcall },
	{ 1, vp_info },
	{ 2, rtmr_extend },
	{ 3, veinfo_get },
	{ 4, mr_report },
	{ 6, page_accept },
	{ 7, vm_rd },
	{ 8, vm_wr },
};

static enum tdcall_end call_leaf(struct vcpu *v, u64 *g)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++)
		if (leaves[i].leaf == g[RAX])
			return leaves[i].fn(v, g);
	up_log_seldom("VM %u: TDCALL leaf %lx: not known", v->vm->own.id, g[RAX]);
	return done(g, TDX_OPERAND_INVALID(RAX));
}

static bool may_call(const struct vcpu *v)
{
	return v->vm->ghci && guest_64bit() && !guest_cpl();
}

bool tdcall(struct percpu *cpu, struct vcpu *v)
{
	if (!may_call(v)) {
		inject_ud();
		return true;
	}
	if (call_leaf(v, cpu->gpr) == TDCALL_HOST)
		return false;
	retire(TDCALL_LEN, 0, 0);
	return true;
}

#define OPCODE		0xcc010f66u	/* 66 0f 01 cc */

/*
 * The CPU fetched from a private page: an alias is not executable.  If what the tables
 * say now is another, somebody changed it beneath the instruction.
 */
static bool is_tdcall(struct vm *vm, u64 rip)
{
	u32 bytes = 0, i, n;
	u64 gpa;

	for (i = 0; i < TDCALL_LEN; i += n) {
		n = (u32)(PAGE_SIZE - ((rip + i) & (PAGE_SIZE - 1)));
		n = n < TDCALL_LEN - i ? n : TDCALL_LEN - i;
		gpa = guest_translate(vm, rip + i);
		if (gpa == NO_GPA)
			return false;
		if (vm_address(&vm->own, gpa) == VM_ADDRESS_SHARED)
			vm_kill(vm, "TDCALL in memory that it shares");
		if (!guest_read(vm, gpa, (u8 *)&bytes + i, n))
			return false;
	}
	return bytes == OPCODE;
}

bool tdcall_undefined(struct percpu *cpu, struct vcpu *v)
{
	if (may_call(v) && is_tdcall(v->vm, vmread(VMCS_GUEST_RIP)))
		return tdcall(cpu, v);
	inject_ud();
	return true;
}
