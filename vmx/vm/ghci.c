// SPDX-License-Identifier: GPL-2.0
/*
 * TDG.VP.VMCALL (GHCI, chapter 3): what the guest wants of the host.  Most of it becomes
 * the exit that an instruction of the same meaning would have caused, so that the host
 * sees and sets what exit_rows[] says and KVM needs no change.
 */
#include "vmx/vm/ghci.h"
#include "vmx/vm/exits.h"
#include "vmx/vm/guestmem.h"
#include "vmx/abi/errno.h"
#include "vmx/base/asm.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/event.h"
#include "vmx/intercept/msr.h"
#include "vmx/vm/vm.h"
#include "vmx/vmcs/vvmcs.h"
#include "ept/binding.h"
#include "ept/protected.h"
#include "ept/transition.h"
#include "ept/walk.h"

#define GHCI_ALIGN_ERROR	(BIT(63) | 2)
#define GHCI_UNSUPPORTED	(BIT(63) | 3)

#define KVM_ENOSYS		1000	/* as Linux has it */

#define MAP_BATCH		2048	/* pages taken away before one flush */
#define MAP_ZEROED		64	/* by one call */

/*
 * KVM emulates an MMIO access by an instruction that it fetches itself, at the CS base and
 * RIP that it is shown, in the real mode that it believes in: MOV between [bx] and al, ax
 * or eax, all of one length by a prefix.  It takes the exit's address where the low 12 bits
 * match.
 */
#define STUB_SPACING		16
#define STUB_WRITES		3
static const u8 stub[][STUB_SPACING] = {
	{ 0x3e, 0x8a, 0x07 }, { 0x3e, 0x8b, 0x07 }, { 0x66, 0x8b, 0x07 },
	{ 0x3e, 0x88, 0x07 }, { 0x3e, 0x89, 0x07 }, { 0x66, 0x89, 0x07 },
};

long ghci_enable(struct vm *vm, u64 gfn)
{
	long err;

	if (vm->ghci)
		return -UP_EEXIST;
	/* KVM's emulator wraps addresses of code at 4 GiB. */
	if (gfn >= BIT(32) >> PAGE_SHIFT)
		return -UP_EINVAL;
	if (vm->own.frames_shared && !vm->own.aliased)
		return -UP_EBUSY;
	vm->own.aliased = true;
	err = vm_share_host(&vm->own, gfn);
	if (err)
		return err;
	vm->stub = gfn;
	spin_lock(&frames_lock);
	memcpy(phys(*binding_entry(&vm->own, gfn) & EPT_ADDR), stub, sizeof(stub));
	spin_unlock(&frames_lock);
	vm->ghci = true;
	vmwrite(VMCS_EXCEPTION_BITMAP, vmread(VMCS_EXCEPTION_BITMAP) | BIT(VEC_UD));
	return 0;
}

static enum tdcall_end answer(u64 *g, u64 status)
{
	g[R10] = status;
	g[RAX] = TDX_SUCCESS;
	return TDCALL_DONE;
}

void ghci_forget(struct vcpu *v)
{
	memset(&v->ghci.ask, 0, sizeof(v->ghci.ask));
}

static enum tdcall_end ask(struct vcpu *v, u32 reason)
{
	ghci_forget(v);
	v->ghci.ask.reason = reason;
	return TDCALL_HOST;
}

void ghci_turn(struct vcpu *v)
{
	ask(v, EXIT_REASON_INTR_WINDOW);
}

static enum tdcall_end answer_cpuid(struct vcpu *v, u64 *g)
{
	u32 r[4];

	protect_cpuid(v, (u32)g[R12], (u32)g[R13], r);
	g[R12] = r[0];
	g[R13] = r[1];
	g[R14] = r[2];
	g[R15] = r[3];
	return answer(g, GHCI_SUCCESS);
}

/* The guest calls with RFLAGS.IF clear, and says in R12 whether interrupts end it. */
static enum tdcall_end ask_hlt(struct vcpu *v, u64 *g)
{
	if (v->held_nmi || (v->held_intr && !g[R12]))
		return answer(g, GHCI_SUCCESS);
	ask(v, EXIT_REASON_HLT);
	v->ghci.ask.wakes = !g[R12];
	return TDCALL_HOST;
}

static enum tdcall_end ask_io(struct vcpu *v, u64 *g)
{
	u64 size = g[R12], out = g[R13], port = g[R14];

	if ((size != 1 && size != 2 && size != 4) || out > 1 || port > BIT(16) - size)
		return answer(g, GHCI_INVALID_OPERAND);
	ask(v, EXIT_REASON_IO);
	v->ghci.ask.qual = (size - 1) | (out ? 0 : IO_IN) | port << 16;
	v->ghci.ask.gpr[RAX] = out ? g[R15] : 0;
	return TDCALL_HOST;
}

/* What the processor or the layer keeps for the guest it reads and writes itself. */
static enum tdcall_end ask_msr(struct vcpu *v, u64 *g)
{
	const struct msr_row *r = msr_row((u32)g[R12]);

	if (g[R12] >> 32 || g[R12] == MSR_APIC_BASE || (r && r->guest != GUEST_KVM))
		return answer(g, GHCI_INVALID_OPERAND);
	ask(v, (u32)g[R11]);
	v->ghci.ask.gpr[RCX] = g[R12];
	v->ghci.ask.gpr[RAX] = (u32)g[R13];
	v->ghci.ask.gpr[RDX] = g[R13] >> 32;
	return TDCALL_HOST;
}

/* How KVM's own table has this address: as it would have been told of an access. */
static u32 mmio_exit(struct vcpu *v, u64 gpa)
{
	struct ept_walk w;
	int r;

	spin_lock(&frames_lock);
	r = ept_walk(v->vv->f[ROW_EPTP], gpa, &w);
	spin_unlock(&frames_lock);
	return !r && w.misconfigured ? EXIT_REASON_EPT_MISCONFIG : EXIT_REASON_EPT_VIOLATION;
}

static bool mmio_valid(const struct vcpu *v, const u64 *g)
{
	u64 size = g[R12], gpa = g[R14] & ~shared_bit();

	if (!size || size > 8 || size & (size - 1) || g[R13] > 1)
		return false;
	if (!(g[R14] & shared_bit()) || gpa >= shared_bit() ||
	    (gpa & (PAGE_SIZE - 1)) + size > PAGE_SIZE)
		return false;
	return vm_address(&v->vm->own, gpa) == VM_ADDRESS_UNBOUND;
}

/*
 * KVM's real mode knows no 8 bytes: they are two accesses, of which the first ends with
 * RIP where it was.  Nothing is delivered in between.
 */
static enum tdcall_end ask_mmio(struct vcpu *v, u64 *g)
{
	u64 size = g[R12], write = g[R13], gpa = g[R14] & ~shared_bit(), n, which;
	bool second = v->ghci.half && size == 8;

	v->ghci.half = second;
	if (!mmio_valid(v, g))
		return answer(g, GHCI_INVALID_OPERAND);
	if (second)
		gpa += 4;
	n = size < 4 ? size : 4;
	which = n / 2 + (write ? STUB_WRITES : 0);
	ask(v, mmio_exit(v, gpa));
	v->ghci.ask.qual = write ? EPT_VIOL_WRITE : EPT_VIOL_READ;
	v->ghci.ask.gpa = gpa;
	v->ghci.ask.stub = (v->vm->stub << PAGE_SHIFT) + which * STUB_SPACING;
	v->ghci.ask.gpr[RAX] = write ? g[R15] >> (second ? 32 : 0) & MASK(8 * n - 1, 0) : 0;
	v->ghci.ask.gpr[RBX] = gpa & (PAGE_SIZE - 1);
	return TDCALL_HOST;
}

/* First all of a batch are taken away, then one flush serves them all. */
static int convert(struct vcpu *v, bool share, u64 gfn, u64 count, u64 *done)
{
	int err = 0, first = 0;
	u64 i, zeroed = 0;

	spin_lock(&v->vm->lock);
	for (i = 0; i < count && zeroed < MAP_ZEROED && (!err || err == -UP_EAGAIN); i++) {
		err = share ? vm_share_host(&v->vm->own, gfn + i) :
			      vm_unshare_host(&v->vm->own, gfn + i);
		if (err == -UP_EBUSY)
			err = 0;	/* it is so already */
		zeroed += !err;
		first = first ? first : err;
		*done += !first;
	}
	spin_unlock(&v->vm->lock);
	return first;		/* what stops it counts when all before it is done */
}

/*
 * The host gets a turn after each batch: it has to make every CPU flush, and a guest that
 * changes pages without end empties other VMs' tables no faster than it lets it.
 */
static enum tdcall_end map_gpa(struct vcpu *v, u64 *g)
{
	u64 at = g[R12] & ~shared_bit(), size = g[R13], left;
	struct vcpu_ghci *c = &v->ghci;
	int err;

	if ((at | size) & (PAGE_SIZE - 1))
		return answer(g, GHCI_ALIGN_ERROR);
	if (!size || at >= shared_bit() || size > shared_bit() - at)
		return answer(g, GHCI_INVALID_OPERAND);
	if (c->map_at != g[R12] || c->map_size != size) {
		c->map_at = g[R12];
		c->map_size = size;
		c->map_done = 0;
	}
	left = (size >> PAGE_SHIFT) - c->map_done;
	err = convert(v, g[R12] & shared_bit(), (at >> PAGE_SHIFT) + c->map_done,
		      left < MAP_BATCH ? left : MAP_BATCH, &c->map_done);
	if (err == -UP_EAGAIN || (!err && c->map_done < size >> PAGE_SHIFT)) {
		ghci_turn(v);
		return TDCALL_HOST;
	}
	c->map_size = 0;
	if (!err)
		return answer(g, GHCI_SUCCESS);
	g[R11] = g[R12] + (c->map_done << PAGE_SHIFT);
	return answer(g, GHCI_INVALID_OPERAND);
}

/* Its text goes through the registers in this order (GHCI, 3.4). */
static enum tdcall_end fatal_error(struct vcpu *v, u64 *g)
{
	static const u8 order[] = { R14, R15, RBX, RDI, RSI, R8, R9, RDX };
	char text[64] = "fatal: ";
	u32 i;
	u8 c;

	for (i = 0; i < sizeof(text) - 8; i++) {
		c = (u8)(g[order[i / 8]] >> i % 8 * 8);
		if (!c)
			break;
		text[7 + i] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	vm_kill(v->vm, text);
	return TDCALL_DONE;
}

/*
 * GetQuote (GHCI, 3.3): the guest has put what MR.REPORT gave it into a page that it shares.
 * It is signed already, and by the layer: all that is missing is the header's word.
 */
#define QUOTE_STATUS		8	/* offset; 0: success */
#define QUOTE_OUT_LEN		20

static enum tdcall_end get_quote(struct vcpu *v, u64 *g)
{
	u64 at = g[R12] & ~shared_bit(), status = 0;
	u32 len = sizeof(struct up_vm_proof);

	if (at & (PAGE_SIZE - 1))
		return answer(g, GHCI_ALIGN_ERROR);
	if (!(g[R12] & shared_bit()) || at >= shared_bit() || g[R13] < PAGE_SIZE ||
	    !guest_write_shared(v->vm, at + QUOTE_OUT_LEN, &len, sizeof(len)) ||
	    !guest_write_shared(v->vm, at + QUOTE_STATUS, &status, sizeof(status)))
		return answer(g, GHCI_INVALID_OPERAND);
	return answer(g, GHCI_SUCCESS);
}

/* RCX: registers that the host may see.  The layer shows what it must, and no other. */
#define VMCALL_RCX_RESERVED	(MASK(63, 32) | BIT(RAX) | BIT(RCX) | BIT(RSP))

/* SetupEventNotifyInterrupt is not here: nothing is late. */
static const struct {
	u64 number;
	enum tdcall_end (*fn)(struct vcpu *v, u64 *g);
} subfunctions[] = {
	{ EXIT_REASON_CPUID, answer_cpuid },
	{ EXIT_REASON_HLT, ask_hlt },
	{ EXIT_REASON_IO, ask_io },
	{ EXIT_REASON_RDMSR, ask_msr },
	{ EXIT_REASON_WRMSR, ask_msr },
	{ EXIT_REASON_EPT_VIOLATION, ask_mmio },
	{ 0x10001, map_gpa },
	{ 0x10002, get_quote },
	{ 0x10003, fatal_error },
};

enum tdcall_end ghci_vmcall(struct vcpu *v, u64 *g)
{
	u32 i;

	if (g[RCX] & VMCALL_RCX_RESERVED) {
		g[RAX] = TDX_OPERAND_INVALID(RCX);
		return TDCALL_DONE;
	}
	if (g[R10])		/* a hypercall of KVM's; it has none for this VM */
		return answer(g, -(u64)KVM_ENOSYS);
	if (g[R11] != EXIT_REASON_EPT_VIOLATION)
		v->ghci.half = false;
	for (i = 0; i < ARRAY_SIZE(subfunctions); i++)
		if (subfunctions[i].number == g[R11])
			return subfunctions[i].fn(v, g);
	up_log_seldom("VM %u: TDG.VP.VMCALL %lx: not known", v->vm->own.id, g[R11]);
	return answer(g, GHCI_UNSUPPORTED);
}

void ghci_end(struct vcpu *v, u64 status)
{
	answer(v->gpr, status);
	retire(TDCALL_LEN, 0, 0);
	ghci_forget(v);
}

static void mmio_served(struct vcpu *v)
{
	u64 *g = v->gpr, val = v->ghci.ask.gpr[RAX], size = g[R12];
	struct vcpu_ghci *c = &v->ghci;

	if (size == 8 && !c->half) {
		c->half = true;
		c->low = (u32)val;
		ghci_forget(v);		/* and the TDCALL again */
		return;
	}
	if (!g[R13])
		g[R11] = size == 8 ? val << 32 | c->low : val & MASK(8 * size - 1, 0);
	c->half = false;
	ghci_end(v, GHCI_SUCCESS);
}

void ghci_served(struct vcpu *v)
{
	const u64 *r = v->ghci.ask.gpr;
	u64 *g = v->gpr;

	switch (v->ghci.ask.reason) {
	case EXIT_REASON_EPT_VIOLATION:
	case EXIT_REASON_EPT_MISCONFIG:
		mmio_served(v);
		return;
	case EXIT_REASON_IO:
		if (!g[R13])
			g[R11] = r[RAX];
		break;
	case EXIT_REASON_RDMSR:
		g[R11] = r[RDX] << 32 | r[RAX];
		break;
	}
	ghci_end(v, GHCI_SUCCESS);
}
