// SPDX-License-Identifier: GPL-2.0
/*
 * The guest side of the GHCI on the whole root image: conformance, row by row, and what
 * neither the guest nor its host can do by it.
 *
 * Expected values are those of public specifications: "TDX Module ABI" (348551, chapter
 * "ABI Reference: Guest-Side Interface Functions", completion codes in its table 3),
 * "Guest-Host Communication Interface" (344426, chapter 3), and SDM vol. 3, 26.5.7.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>

#include "ghci_world.h"
#include "vmx/base/x86.h"
#include "vmx/attest/key.h"
#include "vmx/sign/sha512.h"
#include "vmx/verify/verify.h"
#include "vmx/vm/ghci.h"
#include "ept/table.h"

#define S		(1ULL << (W_MAXPHYADDR - 1))	/* the shared bit */
#define OK		0ULL
#define INVALID		0xc000010000000000ULL		/* TDX_OPERAND_INVALID, operand RAX */
#define INVALID_RCX	0xc000010000000001ULL
#define NO_VE_INFO	0xc000070400000000ULL
#define SIZE_MISMATCH	0xc0000b0b00000000ULL
#define FIELD_INCORRECT	0xc0000c0000000000ULL
#define NOT_WRITABLE	0xc0000c0100000000ULL
#define V_INVALID	0x8000000000000000ULL		/* TDG.VP.VMCALL_INVALID_OPERAND */
#define V_ALIGN		0x8000000000000002ULL
#define V_UNSUPPORTED	0x8000000000000003ULL
#define EXPOSE		0xfcccULL			/* R8 to R15, RBX, RDX, RSI, RDI */
#define KEPT		0x1234567890abcdefULL		/* in registers that no row names */
#define NMI		(INTR_VALID | INTR_TYPE_NMI << 8 | VEC_NMI)
#define INTERRUPT	(INTR_VALID | 0x51)
#define VE		(INTR_VALID | INTR_TYPE_HARD_EXC << 8 | 20)
#define DOUBLE_FAULT	(INTR_VALID | INTR_HAS_ERROR | INTR_TYPE_HARD_EXC << 8 | 8)
#define PROTECTION_FAULT (INTR_VALID | INTR_HAS_ERROR | INTR_TYPE_HARD_EXC << 8 | VEC_GP)
#define UNDEFINED_INSN	(INTR_VALID | INTR_TYPE_HARD_EXC << 8 | VEC_UD)

static long id;

static int vm_runs(void **state)
{
	(void)state;
	r_init();
	r_quiet(true);
	id = g_start();
	assert_true(id >= 0);
	return 0;
}

static void speak_ghci(void)
{
	assert_int_equal(g_enable(G_STUB), 0);
	g_long_mode();
}

static int ghci_runs(void **state)
{
	vm_runs(state);
	speak_ghci();
	return 0;
}

/* With a look at every promise of root_promises.c after each exit. */
static int ghci_watched(void **state)
{
	(void)state;
	r_init();
	r_quiet(false);
	id = g_start();
	assert_true(id >= 0);
	speak_ghci();
	return 0;
}

static struct vm *vm(void)
{
	return r_vm((u64)id);
}

static bool runs(void)
{
	return fake_cpu->nested.in_vm;
}

static bool ended(const char *why)
{
	return vm()->own.state == UP_VM_DEAD && strstr(vm()->death, why);
}

/* --- TDCALLs that the layer answers ------------------------------------------------- */

struct reg {
	u32 reg;
	u64 val;
};

#define REGS	6

static void call_with(const struct reg *in, u64 *regs)
{
	for (u32 i = 0; i < NR_GPRS; i++)
		regs[i] = KEPT;
	regs[RAX] = 0;
	for (u32 i = 0; i < REGS && (in[i].reg || in[i].val); i++)
		regs[in[i].reg] = in[i].val;
	memcpy(fake_cpu->gpr, regs, NR_GPRS * sizeof(u64));
	g_undefined(G_TEXT);
}

static void expect(const char *what, const char *of, u64 is, u64 want)
{
	if (is != want)
		fail_msg("%s: %s is %llx, not %llx", what, of, (unsigned long long)is,
			 (unsigned long long)want);
}

static void check_regs(const char *what, const u64 *want)
{
	static const char * const name[NR_GPRS] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11",
		"r12", "r13", "r14", "r15",
	};

	for (u32 i = 0; i < NR_GPRS; i++)
		if (i != RSP)
			expect(what, name[i], fake_cpu->gpr[i], want[i]);
}

struct answered {
	const char *what;
	struct reg in[REGS];	/* RAX is 0 where a row does not name it */
	struct reg out[REGS];	/* likewise; all others keep their values */
};

#define LEAF(n)		{ RAX, n }
#define VMCALL(n)	{ RCX, EXPOSE }, { R10, 0 }, { R11, n }

static const struct answered answers[] = {
	/* TDG.VP.INFO: GPA width, attributes SEPT_VE_DISABLE, vCPUs and their bound, index */
	{ "VP.INFO", { LEAF(1) }, { { RCX, 39 }, { RDX, 1 << 28 }, { R8, 2ULL << 32 | 2 },
				    { R9, 0 }, { R10, 0 }, { R11, 0 } } },
	{ "VP.INFO, version 1", { LEAF(1 | 1 << 16) }, { { RAX, INVALID } } },
	{ "VP.INFO, reserved bit", { LEAF(1 | 1ULL << 24) }, { { RAX, INVALID } } },
	{ "leaf 5, VP.CPUIDVE.SET", { LEAF(5) }, { { RAX, INVALID } } },
	{ "leaf 0xffff", { LEAF(0xffff) }, { { RAX, INVALID } } },
	{ "MR.REPORT, subtype 1", { LEAF(4), { RCX, G_DATA << 12 }, { RDX, G_DATA << 12 },
				    { R8, 1 } }, { { RAX, INVALID | R8 } } },
	{ "MR.REPORT, not aligned", { LEAF(4), { RCX, G_DATA << 12 | 512 }, { RDX, G_DATA << 12 },
				      { R8, 0 } }, { { RAX, INVALID_RCX } } },
	{ "MR.REPORT, data unbound", { LEAF(4), { RCX, G_DATA << 12 }, { RDX, G_UNBOUND },
				       { R8, 0 } }, { { RAX, INVALID | RDX } } },
	{ "MR.REPORT, data shared", { LEAF(4), { RCX, G_DATA << 12 }, { RDX, G_STUB << 12 },
				      { R8, 0 } }, { { RAX, INVALID | RDX } } },
	{ "RTMR.EXTEND", { LEAF(2), { RCX, G_DATA << 12 }, { RDX, 3 } }, { } },
	{ "RTMR.EXTEND, RTMR 4", { LEAF(2), { RCX, G_DATA << 12 }, { RDX, 4 } },
	  { { RAX, INVALID | RDX } } },
	{ "RTMR.EXTEND, unbound", { LEAF(2), { RCX, G_UNBOUND }, { RDX, 3 } },
	  { { RAX, INVALID_RCX } } },
	{ "RTMR.EXTEND, shared", { LEAF(2), { RCX, G_STUB << 12 }, { RDX, 3 } },
	  { { RAX, INVALID_RCX } } },
	{ "RTMR.EXTEND, across a page", { LEAF(2), { RCX, (G_DATA << 12) + 0xfd1 }, { RDX, 3 } },
	  { { RAX, INVALID_RCX } } },
	{ "VEINFO.GET, none", { LEAF(3) }, { { RAX, NO_VE_INFO } } },
	{ "PAGE.ACCEPT", { LEAF(6), { RCX, G_DATA << 12 } }, { } },
	{ "PAGE.ACCEPT, 2 MiB", { LEAF(6), { RCX, 1 } }, { { RAX, SIZE_MISMATCH } } },
	{ "PAGE.ACCEPT, 1 GiB", { LEAF(6), { RCX, 2 } }, { { RAX, SIZE_MISMATCH } } },
	{ "PAGE.ACCEPT, level 3", { LEAF(6), { RCX, 3 } }, { { RAX, INVALID_RCX } } },
	{ "PAGE.ACCEPT, reserved bit", { LEAF(6), { RCX, G_DATA << 12 | 8 } },
	  { { RAX, INVALID_RCX } } },
	{ "PAGE.ACCEPT, unbound", { LEAF(6), { RCX, G_UNBOUND } }, { { RAX, INVALID_RCX } } },
	{ "PAGE.ACCEPT, shared bit", { LEAF(6), { RCX, S | G_DATA << 12 } },
	  { { RAX, INVALID_RCX } } },
	{ "PAGE.ACCEPT, of a shared page", { LEAF(6), { RCX, G_STUB << 12 } },
	  { { RAX, INVALID_RCX } } },
	{ "PAGE.ACCEPT, beyond", { LEAF(6), { RCX, 1ULL << 52 } }, { { RAX, INVALID_RCX } } },
	{ "VM.RD, NOTIFY_ENABLES", { LEAF(7), { RCX, 0 }, { RDX, 0x9100000000000010 } },
	  { { R8, 0 } } },
	{ "VM.RD, another field", { LEAF(7), { RCX, 0 }, { RDX, 0x1110000300000016 } },
	  { { RAX, FIELD_INCORRECT }, { R8, 0 } } },
	{ "VM.RD, of another TD", { LEAF(7), { RCX, 1 }, { RDX, 0x9100000000000010 } },
	  { { RAX, INVALID_RCX } } },
	{ "VM.WR, NOTIFY_ENABLES", { LEAF(8), { RCX, 0 }, { RDX, 0x9100000000000010 }, { R8, 0 },
				     { R9, ~0ULL } }, { { R8, 0 } } },
	{ "VM.WR, NOTIFY_ENABLES set", { LEAF(8), { RCX, 0 }, { RDX, 0x9100000000000010 },
					 { R8, 1 }, { R9, 1 } },
	  { { RAX, NOT_WRITABLE }, { R8, 0 } } },
	{ "VM.WR, another field", { LEAF(8), { RCX, 0 }, { RDX, 0x1110000300000017 }, { R8, 2 },
				    { R9, 2 } }, { { RAX, FIELD_INCORRECT }, { R8, 0 } } },
	{ "VM.WR, of another TD", { LEAF(8), { RCX, 1 }, { RDX, 0x9100000000000010 }, { R8, 0 } },
	  { { RAX, INVALID_RCX } } },

	/* TDG.VP.VMCALL: RAX is the module's word, R10 that of who answers */
	{ "VMCALL, RCX with RSP", { { RCX, EXPOSE | 1 << RSP } }, { { RAX, INVALID_RCX } } },
	{ "VMCALL, RCX with RAX", { { RCX, EXPOSE | 1 } }, { { RAX, INVALID_RCX } } },
	{ "VMCALL, RCX reserved", { { RCX, EXPOSE | 1ULL << 32 } }, { { RAX, INVALID_RCX } } },
	{ "VMCALL, KVM's hypercall", { { RCX, EXPOSE }, { R10, 9 }, { R11, 0 } },
	  { { R10, -1000ULL } } },
	{ "VMCALL, no such function", { VMCALL(0x12345) }, { { R10, V_UNSUPPORTED } } },
	{ "GetQuote, bound and private", { VMCALL(0x10002), { R12, S | G_DATA << 12 },
					   { R13, 4096 } }, { { R10, V_INVALID } } },
	{ "GetQuote, its private number", { VMCALL(0x10002), { R12, G_STUB << 12 }, { R13, 4096 } },
	  { { R10, V_INVALID } } },
	{ "GetQuote, unbound", { VMCALL(0x10002), { R12, S | G_UNBOUND }, { R13, 4096 } },
	  { { R10, V_INVALID } } },
	{ "GetQuote, above the shared bit", { VMCALL(0x10002), { R12, S << 1 | S }, { R13, 4096 } },
	  { { R10, V_INVALID } } },
	{ "GetQuote, too short", { VMCALL(0x10002), { R12, S | G_STUB << 12 }, { R13, 4095 } },
	  { { R10, V_INVALID } } },
	{ "GetQuote, not aligned", { VMCALL(0x10002), { R12, S | G_STUB << 12 | 8 },
				     { R13, 4096 } }, { { R10, V_ALIGN } } },
	{ "VMCALL, SetupEventNotifyInterrupt", { VMCALL(0x10004), { R12, 64 } },
	  { { R10, V_UNSUPPORTED } } },
	{ "IO, 0 bytes", { VMCALL(30), { R12, 0 }, { R13, 0 }, { R14, 0x60 } },
	  { { R10, V_INVALID } } },
	{ "IO, 3 bytes", { VMCALL(30), { R12, 3 }, { R13, 0 }, { R14, 0x60 } },
	  { { R10, V_INVALID } } },
	{ "IO, 8 bytes", { VMCALL(30), { R12, 8 }, { R13, 0 }, { R14, 0x60 } },
	  { { R10, V_INVALID } } },
	{ "IO, direction 2", { VMCALL(30), { R12, 1 }, { R13, 2 }, { R14, 0x60 } },
	  { { R10, V_INVALID } } },
	{ "IO, port 0x10000", { VMCALL(30), { R12, 1 }, { R13, 0 }, { R14, 0x10000 } },
	  { { R10, V_INVALID } } },
	{ "IO, the last port and beyond", { VMCALL(30), { R12, 2 }, { R13, 0 }, { R14, 0xffff } },
	  { { R10, V_INVALID } } },
	{ "IO, port -1", { VMCALL(30), { R12, 1 }, { R13, 0 }, { R14, ~0ULL } },
	  { { R10, V_INVALID } } },
	{ "RDMSR, above 32 bits", { VMCALL(31), { R12, 1ULL << 32 } }, { { R10, V_INVALID } } },
	{ "RDMSR, EFER", { VMCALL(31), { R12, MSR_EFER } }, { { R10, V_INVALID } } },
	{ "RDMSR, LSTAR", { VMCALL(31), { R12, 0xc0000082 } }, { { R10, V_INVALID } } },
	{ "RDMSR, x2APIC id", { VMCALL(31), { R12, 0x802 } }, { { R10, V_INVALID } } },
	{ "RDMSR, APIC_BASE", { VMCALL(31), { R12, 0x1b } }, { { R10, V_INVALID } } },
	{ "WRMSR, APIC_BASE", { VMCALL(32), { R12, 0x1b }, { R13, 0xfee00d00 } },
	  { { R10, V_INVALID } } },
	{ "WRMSR, above 32 bits", { VMCALL(32), { R12, 1ULL << 32 | 0x830 } },
	  { { R10, V_INVALID } } },
	{ "WRMSR, TSC_ADJUST", { VMCALL(32), { R12, 0x3b }, { R13, 1 } }, { { R10, V_INVALID } } },
	{ "WRMSR, XSS", { VMCALL(32), { R12, MSR_XSS }, { R13, 1 } }, { { R10, V_INVALID } } },
	{ "MMIO, 0 bytes", { VMCALL(48), { R12, 0 }, { R13, 0 }, { R14, S | G_UNBOUND } },
	  { { R10, V_INVALID } } },
	{ "MMIO, 3 bytes", { VMCALL(48), { R12, 3 }, { R13, 0 }, { R14, S | G_UNBOUND } },
	  { { R10, V_INVALID } } },
	{ "MMIO, 16 bytes", { VMCALL(48), { R12, 16 }, { R13, 0 }, { R14, S | G_UNBOUND } },
	  { { R10, V_INVALID } } },
	{ "MMIO, -1 bytes", { VMCALL(48), { R12, ~0ULL }, { R13, 0 }, { R14, S | G_UNBOUND } },
	  { { R10, V_INVALID } } },
	{ "MMIO, 8 bytes across a page", { VMCALL(48), { R12, 8 }, { R13, 1 },
					   { R14, S | G_UNBOUND | 0xffc } },
	  { { R10, V_INVALID } } },
	{ "MMIO, direction 2", { VMCALL(48), { R12, 4 }, { R13, 2 }, { R14, S | G_UNBOUND } },
	  { { R10, V_INVALID } } },
	{ "MMIO, private", { VMCALL(48), { R12, 4 }, { R13, 0 }, { R14, G_UNBOUND } },
	  { { R10, V_INVALID } } },
	{ "MMIO, across a page", { VMCALL(48), { R12, 4 }, { R13, 0 },
				   { R14, S | G_UNBOUND | 0xffe } },
	  { { R10, V_INVALID } } },
	{ "MMIO, bound and private", { VMCALL(48), { R12, 4 }, { R13, 0 },
				       { R14, S | G_DATA << 12 } },
	  { { R10, V_INVALID } } },
	{ "MMIO, bound and shared", { VMCALL(48), { R12, 4 }, { R13, 0 },
				      { R14, S | G_STUB << 12 } },
	  { { R10, V_INVALID } } },
	{ "MMIO, above the shared bit", { VMCALL(48), { R12, 4 }, { R13, 0 },
					  { R14, S | S << 1 | G_UNBOUND } },
	  { { R10, V_INVALID } } },
	{ "MapGPA, not aligned", { VMCALL(0x10001), { R12, S | 0x8010 }, { R13, 4096 } },
	  { { R10, V_ALIGN } } },
	{ "MapGPA, size not aligned", { VMCALL(0x10001), { R12, S | 0x8000 }, { R13, 100 } },
	  { { R10, V_ALIGN } } },
	{ "MapGPA, nothing", { VMCALL(0x10001), { R12, S | 0x8000 }, { R13, 0 } },
	  { { R10, V_INVALID } } },
	{ "MapGPA, into the shared half", { VMCALL(0x10001), { R12, S - 4096 }, { R13, 8192 } },
	  { { R10, V_INVALID } } },
	{ "MapGPA, wraps", { VMCALL(0x10001), { R12, 0x8000 }, { R13, -4096ULL } },
	  { { R10, V_INVALID } } },
	{ "MapGPA, above", { VMCALL(0x10001), { R12, S << 1 }, { R13, 4096 } },
	  { { R10, V_INVALID } } },
	{ "MapGPA, unbound", { VMCALL(0x10001), { R12, S | G_UNBOUND }, { R13, 4096 } },
	  { { R10, V_INVALID }, { R11, S | G_UNBOUND } } },
	{ "MapGPA, private already", { VMCALL(0x10001), { R12, 0x8000 }, { R13, 8192 } },
	  { { R10, OK } } },
	{ "MapGPA, shared already", { VMCALL(0x10001), { R12, S | G_STUB << 12 }, { R13, 4096 } },
	  { { R10, OK } } },
	/* Leaves that the layer answers: KVM is not asked. */
	{ "CPUID, TDX's signature", { VMCALL(10), { R12, 0x21 }, { R13, 0 } },
	  { { R10, OK }, { R12, 0 }, { R13, 0x65746e49 }, { R14, 0x20202020 },
	    { R15, 0x5844546c } } },
	{ "CPUID, KVM's signature", { VMCALL(10), { R12, 0x40000000 }, { R13, 0 } },
	  { { R10, OK }, { R12, 0x40000001 }, { R13, 0x4b4d564b }, { R14, 0x564b4d56 },
	    { R15, 0x4d } } },
	{ "CPUID, KVM's features", { VMCALL(10), { R12, 0x40000001 }, { R13, 0 } },
	  { { R10, OK }, { R12, 0 }, { R13, 0 }, { R14, 0 }, { R15, 0 } } },
};

static void check_answer(const struct answered *a)
{
	u64 want[NR_GPRS];
	u32 i;

	call_with(a->in, want);
	want[RAX] = 0;		/* what a row does not name is a success */
	for (i = 0; i < REGS && (a->out[i].reg || a->out[i].val); i++)
		want[a->out[i].reg] = a->out[i].val;
	if (!runs())
		fail_msg("%s: the host gets exit %u", a->what, (u32)w_read(VMCS_EXIT_REASON));
	expect(a->what, "exception", vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID, 0);
	expect(a->what, "RIP", vmread(VMCS_GUEST_RIP), G_TEXT + TDCALL_LEN);
	check_regs(a->what, want);
}

static void the_layer_answers_as_specified(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(answers); i++) {
		g_long_mode();
		check_answer(&answers[i]);
	}
	print_message("# %zu rows\n", ARRAY_SIZE(answers));
}

/* --- TDCALLs that the host serves ----------------------------------------------------- */

struct served {
	const char *what;
	struct reg in[REGS];
	u32 reason;		/* what the host is shown */
	u64 qual, gpa, rax, rbx, rcx, rdx;
	u32 rip, len;
	struct reg host[4];	/* what it sets */
	struct reg out[REGS];
};

#define SHOWN_RIP	0xfff0
#define AT		(S | G_UNBOUND | 0x124)
#define MMIO(which)	.gpa = G_UNBOUND | 0x124, .rbx = 0x124, .rip = 16 * (which), .len = 3
#define INSN		.rip = SHOWN_RIP, .len = 4

/* KVM's table has nothing there: an EPT violation.  IN is qualification bit 3. */
static const struct served serves[] = {
	{ "HLT", { VMCALL(12), { R12, 0 } }, EXIT_REASON_HLT, INSN, .out = { { R10, OK } } },
	{ "HLT, blocked", { VMCALL(12), { R12, 1 } }, EXIT_REASON_HLT, INSN,
	  .out = { { R10, OK } } },
	{ "OUT, 1 byte", { VMCALL(30), { R12, 1 }, { R13, 1 }, { R14, 0x3f8 } }, EXIT_REASON_IO,
	  .qual = 0x3f80000, .rax = KEPT & 0xff, INSN, .out = { { R10, OK } } },
	{ "OUT, 2 bytes", { VMCALL(30), { R12, 2 }, { R13, 1 }, { R14, 0x1f0 } }, EXIT_REASON_IO,
	  .qual = 0x1f00001, .rax = KEPT & 0xffff, INSN, .out = { { R10, OK } } },
	{ "OUT, 4 bytes, the last port", { VMCALL(30), { R12, 4 }, { R13, 1 }, { R14, 0xfffc } },
	  EXIT_REASON_IO, .qual = 0xfffc0003, .rax = KEPT & 0xffffffff, INSN,
	  .out = { { R10, OK } } },
	{ "IN, 1 byte", { VMCALL(30), { R12, 1 }, { R13, 0 }, { R14, 0x64 } }, EXIT_REASON_IO,
	  .qual = 0x640008, INSN, .host = { { RAX, 0xffff55 } },
	  .out = { { R10, OK }, { R11, 0x55 } } },
	{ "IN, 2 bytes", { VMCALL(30), { R12, 2 }, { R13, 0 }, { R14, 0x1f0 } }, EXIT_REASON_IO,
	  .qual = 0x1f00009, INSN, .host = { { RAX, 0xfedcba98 } },
	  .out = { { R10, OK }, { R11, 0xba98 } } },
	{ "IN, 4 bytes", { VMCALL(30), { R12, 4 }, { R13, 0 }, { R14, 0xcfc } }, EXIT_REASON_IO,
	  .qual = 0xcfc000b, INSN, .host = { { RAX, 0xfedcba9876543210 } },
	  .out = { { R10, OK }, { R11, 0x76543210 } } },
	{ "RDMSR", { VMCALL(31), { R12, 0x8b } }, EXIT_REASON_RDMSR, .rcx = 0x8b, INSN,
	  .host = { { RAX, 0x1111111122222222 }, { RDX, 0x3333333344444444 } },
	  .out = { { R10, OK }, { R11, 0x4444444422222222 } } },
	{ "WRMSR", { VMCALL(32), { R12, 0x830 }, { R13, 0x5555555566666666 } }, EXIT_REASON_WRMSR,
	  .rcx = 0x830, .rax = 0x66666666, .rdx = 0x55555555, INSN, .out = { { R10, OK } } },
	{ "MMIO read, 1 byte", { VMCALL(48), { R12, 1 }, { R13, 0 }, { R14, AT } },
	  EXIT_REASON_EPT_VIOLATION, .qual = 1, MMIO(0), .host = { { RAX, 0xabcdef } },
	  .out = { { R10, OK }, { R11, 0xef } } },
	{ "MMIO read, 2 bytes", { VMCALL(48), { R12, 2 }, { R13, 0 }, { R14, AT } },
	  EXIT_REASON_EPT_VIOLATION, .qual = 1, MMIO(1), .host = { { RAX, 0xabcdef } },
	  .out = { { R10, OK }, { R11, 0xcdef } } },
	{ "MMIO read, 4 bytes", { VMCALL(48), { R12, 4 }, { R13, 0 }, { R14, AT } },
	  EXIT_REASON_EPT_VIOLATION, .qual = 1, MMIO(2), .host = { { RAX, ~0ULL } },
	  .out = { { R10, OK }, { R11, 0xffffffff } } },
	{ "MMIO write, 1 byte", { VMCALL(48), { R12, 1 }, { R13, 1 }, { R14, AT } },
	  EXIT_REASON_EPT_VIOLATION, .qual = 2, .rax = KEPT & 0xff, MMIO(3),
	  .out = { { R10, OK } } },
	{ "MMIO write, 2 bytes", { VMCALL(48), { R12, 2 }, { R13, 1 }, { R14, AT } },
	  EXIT_REASON_EPT_VIOLATION, .qual = 2, .rax = KEPT & 0xffff, MMIO(4),
	  .out = { { R10, OK } } },
	{ "MMIO write, 4 bytes", { VMCALL(48), { R12, 4 }, { R13, 1 }, { R14, AT } },
	  EXIT_REASON_EPT_VIOLATION, .qual = 2, .rax = KEPT & 0xffffffff, MMIO(5),
	  .out = { { R10, OK } } },
};

static void check_shown(const struct served *s)
{
	u64 g[NR_GPRS];
	u32 i;

	memcpy(g, fake_cpu->gpr, sizeof(g));
	if (runs())
		fail_msg("%s: the host is not asked", s->what);
	expect(s->what, "rax", g[RAX], s->rax);
	expect(s->what, "rbx", g[RBX], s->rbx);
	expect(s->what, "rcx", g[RCX], s->rcx);
	expect(s->what, "rdx", g[RDX], s->rdx);
	for (i = RSP; i < NR_GPRS; i++)
		expect(s->what, "a register that it does not need", g[i], 0);
	expect(s->what, "exit reason", w_read(VMCS_EXIT_REASON), s->reason);
	expect(s->what, "qualification", w_read(VMCS_EXIT_QUAL), s->qual);
	expect(s->what, "address", w_read(VMCS_GUEST_PHYS_ADDR), s->gpa);
	expect(s->what, "length", w_read(VMCS_EXIT_INSN_LEN), s->len);
	expect(s->what, "RIP", w_read(VMCS_GUEST_RIP), s->rip);
	expect(s->what, "CS base", w_read(VMCS_GUEST_CS_BASE),
	       s->gpa ? G_STUB << 12 : 0xffff0000);
	expect(s->what, "RFLAGS.IF", !!(w_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF),
	       s->reason == EXIT_REASON_HLT && !s->in[3].val);
	expect(s->what, "vectoring", w_read(VMCS_IDT_VECTORING_INFO), 0);
}

static void host_sets(u64 rip, const struct reg *host)
{
	w_write(VMCS_GUEST_RIP, rip);
	for (u32 i = 0; i < NR_GPRS; i++)
		fake_cpu->gpr[i] = 0x600d;
	for (u32 i = 0; i < 4 && (host[i].reg || host[i].val); i++)
		fake_cpu->gpr[host[i].reg] = host[i].val;
	assert_int_equal(w_enter(false), W_ENTERED);
}

/* Anything but the right RIP: the instruction was not done, and the guest tries again. */
static void check_not_done(const struct served *s)
{
	u64 regs[NR_GPRS], wrong[] = { s->rip, s->rip + 1, s->rip + s->len - 1, s->rip + s->len + 1,
				       0, ~0ULL, (u64)SHOWN_RIP + 2 };

	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		call_with(s->in, regs);
		check_shown(s);
		host_sets(wrong[i], s->host);
		expect(s->what, "RIP of what was not done", vmread(VMCS_GUEST_RIP), G_TEXT);
		check_regs(s->what, regs);
	}
}

static void check_served(const struct served *s)
{
	u64 regs[NR_GPRS];

	call_with(s->in, regs);
	check_shown(s);
	host_sets(s->rip + s->len, s->host);
	regs[RAX] = 0;
	for (u32 i = 0; i < REGS && (s->out[i].reg || s->out[i].val); i++)
		regs[s->out[i].reg] = s->out[i].val;
	expect(s->what, "RIP", vmread(VMCS_GUEST_RIP), G_TEXT + TDCALL_LEN);
	check_regs(s->what, regs);
	/* Once: what the host sets when it comes back to it is nothing. */
	r_exit(EXIT_REASON_EXTINT, 0);
	expect(s->what, "CS base afterwards", w_read(VMCS_GUEST_CS_BASE), 0xffff0000);
	host_sets(SHOWN_RIP + s->len, s->host);
	expect(s->what, "RIP afterwards", vmread(VMCS_GUEST_RIP), G_TEXT + TDCALL_LEN);
}

static void the_host_serves_as_specified(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(serves); i++) {
		g_long_mode();
		check_not_done(&serves[i]);
		check_served(&serves[i]);
	}
	print_message("# %zu rows\n", ARRAY_SIZE(serves));
}

/* KVM's table knows it as a device's: a misconfiguration, which takes its fast path. */
static void a_known_device_is_a_misconfiguration(void **state)
{
	static const struct served s = {
		"MMIO, known", { VMCALL(48), { R12, 4 }, { R13, 1 }, { R14, AT } },
		EXIT_REASON_EPT_MISCONFIG, .qual = 2, .rax = KEPT & 0xffffffff, MMIO(5),
		.out = { { R10, OK } },
	};
	u64 *pt = phys((W_EPTP & EPT_ADDR) + 3 * PAGE_SIZE);

	(void)state;
	pt[G_UNBOUND >> PAGE_SHIFT] = EPT_W | EPT_X;
	check_served(&s);
}

static void eight_bytes_are_two_accesses(void **state)
{
	static const struct reg rd[REGS] = { VMCALL(48), { R12, 8 }, { R13, 0 },
					     { R14, S | G_UNBOUND | 0x100 } };
	static const struct reg low[4] = { { RAX, 0x11112222 } }, high[4] = { { RAX, 0x33334444 } };
	static const struct reg wr[REGS] = { VMCALL(48), { R12, 8 }, { R13, 1 },
					     { R14, S | G_UNBOUND | 0x100 } };
	u64 regs[NR_GPRS];

	(void)state;
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_IF);
	call_with(rd, regs);
	assert_int_equal(w_read(VMCS_GUEST_PHYS_ADDR), G_UNBOUND | 0x100);
	w_write(VMCS_ENTRY_INTR_INFO, INTERRUPT);
	host_sets(16 * 2 + 3, low);
	/* Not done yet, and nothing comes between. */
	assert_int_equal(vmread(VMCS_GUEST_RIP), G_TEXT);
	assert_false(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID);
	g_undefined(G_TEXT);
	assert_int_equal(w_read(VMCS_GUEST_PHYS_ADDR), G_UNBOUND | 0x104);
	host_sets(16 * 2 + 3, high);
	assert_int_equal(vmread(VMCS_GUEST_RIP), G_TEXT + TDCALL_LEN);
	assert_true(fake_cpu->gpr[R11] == 0x3333444411112222);
	assert_true(vmread(VMCS_ENTRY_INTR_INFO) == INTERRUPT);

	call_with(wr, regs);
	assert_int_equal(fake_cpu->gpr[RAX], KEPT & 0xffffffff);
	host_sets(16 * 5 + 3, low);
	g_undefined(G_TEXT);
	assert_int_equal(fake_cpu->gpr[RAX], KEPT >> 32);
	host_sets(16 * 5 + 3, low);
	assert_int_equal(vmread(VMCS_GUEST_RIP), G_TEXT + TDCALL_LEN);
	assert_true(fake_cpu->gpr[R11] == 48);
}

static void a_refused_msr_is_an_invalid_operand(void **state)
{
	u64 regs[NR_GPRS], function;

	(void)state;
	for (function = 31; function <= 32; function++) {
		const struct reg in[REGS] = { VMCALL(function), { R12, 0x8b } };

		call_with(in, regs);
		w_write(VMCS_ENTRY_INTR_INFO, PROTECTION_FAULT);
		assert_int_equal(w_enter(false), W_ENTERED);
		assert_false(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID);
		assert_int_equal(vmread(VMCS_GUEST_RIP), G_TEXT + TDCALL_LEN);
		assert_true(fake_cpu->gpr[R10] == V_INVALID && fake_cpu->gpr[RAX] == 0);
		assert_true(fake_cpu->gpr[R11] == function);
	}
}

/* What came while the guest has interrupts off ends its HLT, now or before it began. */
static void an_event_that_is_held_ends_hlt(void **state)
{
	static const struct reg in[REGS] = { VMCALL(12), { R12, 0 } };
	static const struct reg none[4];
	u64 regs[NR_GPRS];

	(void)state;
	call_with(in, regs);
	w_write(VMCS_ENTRY_INTR_INFO, INTERRUPT);
	host_sets(SHOWN_RIP + 4, none);
	assert_int_equal(vmread(VMCS_GUEST_RIP), G_TEXT + TDCALL_LEN);
	assert_false(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID);
	assert_true(vmread(VMCS_CPU_CTLS) & CPU_INTR_WINDOW);
	/* Held still: another HLT does not sleep over it. */
	call_with(in, regs);
	assert_true(runs());
	assert_true(fake_cpu->gpr[R10] == 0);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_IF);
	r_exit(EXIT_REASON_INTR_WINDOW, 0);
	assert_true(runs() && vmread(VMCS_ENTRY_INTR_INFO) == INTERRUPT);
}

static void last_words_are_kept(void **state)
{
	static const char text[64] =
		"TD misconf\x01guration: SEPT_VE_DISABLE attribute must be set";
	static const u8 order[] = { R14, R15, RBX, RDI, RSI, R8, R9, RDX };
	u64 *g = fake_cpu->gpr;

	(void)state;
	memset(g, 0, NR_GPRS * sizeof(u64));
	for (u32 i = 0; i < 8; i++)
		memcpy(&g[order[i]], text + 8 * i, 8);
	g[RCX] = EXPOSE;
	g[R11] = 0x10003;
	g_undefined(G_TEXT);
	assert_false(runs());
	assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_TRIPLE_FAULT);
	assert_string_equal(vm()->death,
			    "fatal: TD misconf?guration: SEPT_VE_DISABLE attribute must be s");
}

/* --- what it is told of its processor (SDM vol. 2, CPUID) ------------------------------ */

#define ONES	0xffffffff

/* Of a processor whose registers are all ones, and of one whose are all zero. */
static const struct told {
	u32 leaf, sub, ones[4], zeros[4];
} told[] = {
	{ 0, 0, { 0x15, ONES, ONES, ONES }, { 0x15 } },
	{ 1, 0, { ONES, 0x0002ff00, 0xf7fa3203, 0x178bfbff },
		{ 0, 0x00020000, 0x81200000, 0x10000000 } },
	{ 2, 0, { ONES, ONES, ONES, ONES }, { } },
	{ 3, 0, { }, { } },
	{ 4, 3, { 0x04003fff, ONES, ONES, ONES }, { } },
	{ 5, 0, { }, { } },
	{ 6, 0, { 4 }, { } },
	{ 7, 0, { 1, 0xfdff27e9, 0x407f0e, 0xbc80451c }, { 1 } },
	{ 7, 1, { 0x1c30, 0, 0, 0x4430 }, { } },
	{ 7, 2, { }, { } },
	{ 0xa, 0, { }, { } },
	{ 0xb, 0, { 0, 1, 0x100, 0 }, { 0, 1, 0x100, 0 } },
	{ 0xb, 1, { 1, 2, 0x201, 0 }, { 1, 2, 0x201, 0 } },
	{ 0xb, 2, { 0, 0, 2, 0 }, { 0, 0, 2, 0 } },
	{ 0xf, 0, { }, { } },
	{ 0x12, 0, { }, { } },
	{ 0x14, 0, { }, { } },
	{ 0x15, 0, { 1, 2, 1700000000, 0 }, { 1, 2, 1700000000, 0 } },
	{ 0x16, 0, { }, { } },
	{ 0x1f, 0, { }, { } },
	{ 0x20000000, 0, { }, { } },
	{ 0x40000001, 0, { }, { } },
	{ 0x40000010, 0, { }, { } },
	{ 0x80000000, 0, { ONES }, { } },
	{ 0x80000001, 0, { 0, 0, 0x121, 0x2c100800 }, { } },
	{ 0x80000004, 0, { ONES, ONES, ONES, ONES }, { } },
	{ 0x80000005, 0, { }, { } },
	{ 0x80000006, 0, { 0, 0, ONES, 0 }, { } },
	{ 0x80000007, 0, { 0, 0, 0, 0x100 }, { } },
	{ 0x80000008, 0, { 48 << 8 | W_MAXPHYADDR }, { 48 << 8 | W_MAXPHYADDR } },
	{ 0x8000001e, 0, { }, { } },
	{ 0xffffffff, 0, { }, { } },
};

static void check_told(u32 leaf, u32 sub, const u32 want[4])
{
	const struct reg in[REGS] = { VMCALL(10), { R12, leaf }, { R13, sub } };
	static const u8 by_insn[] = { RAX, RBX, RCX, RDX };
	u64 regs[NR_GPRS], *g = fake_cpu->gpr;
	char what[32];
	u32 i;

	/* RDRAND was the launch's. */
	memset(w_cpuid1, 0, sizeof(w_cpuid1));
	snprintf(what, sizeof(what), "CPUID %x.%x", leaf, sub);
	g[RAX] = leaf | 1ULL << 40;
	g[RCX] = sub | 1ULL << 40;
	g[RBX] = g[RDX] = KEPT;
	r_exit(EXIT_REASON_CPUID, 0);
	assert_true(runs());
	for (i = 0; i < 4; i++)
		expect(what, "a register", g[by_insn[i]], want[i]);
	call_with(in, regs);
	assert_true(runs());
	for (i = 0; i < 4; i++)
		expect(what, "R12 to R15", g[R12 + i], want[i]);
}

static void the_processor_is_the_layers_word(void **state)
{
	(void)state;
	up_config.tsc_khz = 3400000;
	for (u32 i = 0; i < ARRAY_SIZE(told); i++) {
		w_cpuid_fill = ONES;
		check_told(told[i].leaf, told[i].sub, told[i].ones);
		w_cpuid_fill = 0;
		check_told(told[i].leaf, told[i].sub, told[i].zeros);
	}
	print_message("# %zu rows\n", ARRAY_SIZE(told));
}

static u64 read_msr(u32 msr)
{
	fake_cpu->gpr[RCX] = msr;
	fake_cpu->gpr[RAX] = fake_cpu->gpr[RDX] = KEPT;
	r_exit(EXIT_REASON_RDMSR, 0);
	return runs() ? fake_cpu->gpr[RDX] << 32 | fake_cpu->gpr[RAX] : ~0ULL;
}

static bool write_is_refused(u32 msr)
{
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	fake_cpu->gpr[RCX] = msr;
	fake_cpu->gpr[RAX] = 1;
	fake_cpu->gpr[RDX] = 0;
	r_exit(EXIT_REASON_WRMSR, 0);
	return runs() && vmread(VMCS_ENTRY_INTR_INFO) == PROTECTION_FAULT;
}

static void who_it_is_and_when_is_no_word_of_the_hosts(void **state)
{
	(void)state;
	assert_int_equal(read_msr(0x802), 0);
	assert_int_equal(read_msr(0x1b), 0xfee00d00);
	assert_int_equal(read_msr(0x3b), 0);
	assert_true(write_is_refused(0x10));
	assert_true(write_is_refused(0x3b));
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
}

/* --- TDCALL itself --------------------------------------------------------------------- */

static bool got_ud(void)
{
	return runs() && vmread(VMCS_ENTRY_INTR_INFO) == UNDEFINED_INSN;
}

static void info(u64 rip)
{
	memset(fake_cpu->gpr, 0, NR_GPRS * sizeof(u64));
	fake_cpu->gpr[RAX] = 1;
	g_undefined(rip);
}

static void who_may_call(void **state)
{
	(void)state;
	info(G_TEXT);
	assert_int_equal(vmread(VMCS_GUEST_RIP), G_TEXT + 4);
	vmwrite(VMCS_GUEST_SS_AR, 0xc093 | 3 << 5);
	info(G_TEXT);
	assert_true(got_ud() && vmread(VMCS_GUEST_RIP) == G_TEXT);
	vmwrite(VMCS_GUEST_SS_AR, 0xc093);
	vmwrite(VMCS_GUEST_CS_AR, 0xc09b);	/* compatibility mode */
	info(G_TEXT);
	assert_true(got_ud());
	vmwrite(VMCS_GUEST_CS_AR, 0xa09b);
	vmwrite(VMCS_GUEST_EFER, 0);
	info(G_TEXT);
	assert_true(got_ud());
	g_long_mode();
	/* A processor that has TDX exits by itself, with no #UD. */
	vmwrite(VMCS_GUEST_RIP, G_UD2);
	fake_cpu->gpr[RAX] = 1;
	r_exit(EXIT_REASON_TDCALL, 0);
	assert_true(runs() && vmread(VMCS_GUEST_RIP) == G_UD2 + 4);
	assert_int_equal(fake_cpu->gpr[RCX], 39);
}

static void without_opt_in_nothing_is_called(void **state)
{
	(void)state;
	assert_false(vmread(VMCS_EXCEPTION_BITMAP) & BIT(VEC_UD));
	info(G_TEXT);
	assert_true(got_ud());
	r_exit(EXIT_REASON_TDCALL, 0);
	assert_true(got_ud());
	/* What the host can map is reflected, not raised: as any protected VM. */
	r_vm_touch((S | G_UNBOUND) >> PAGE_SHIFT, 1);
	assert_false(runs());
	assert_int_equal(vm()->own.state, UP_VM_RUNNABLE);
	w_enter(false);
	fake_cpu->gpr[RAX] = 0x21;
	fake_cpu->gpr[RCX] = 0;
	r_exit(EXIT_REASON_CPUID, 0);
	assert_true(runs());
	assert_int_equal(fake_cpu->gpr[RBX], 0);
}

static void another_undefined_opcode_is_the_guests(void **state)
{
	(void)state;
	info(G_UD2);
	assert_true(got_ud() && vmread(VMCS_GUEST_RIP) == G_UD2);
	assert_int_equal(fake_cpu->gpr[RAX], 1);
	info(0x10000000);			/* not mapped */
	assert_true(got_ud());
	info(G_SPLIT);
	assert_int_equal(vmread(VMCS_GUEST_RIP), G_SPLIT + 4);
	info(G_SPLIT);
	assert_int_equal(vmread(VMCS_GUEST_RIP), G_SPLIT + 4);
}

/* A verified place is looked at again each time. */
static void text_that_changed_is_no_tdcall(void **state)
{
	u8 *text = phys((R_VM_PFN << PAGE_SHIFT) + G_TEXT);

	(void)state;
	info(G_TEXT);
	assert_int_equal(vmread(VMCS_GUEST_RIP), G_TEXT + 4);
	text[3] = 0xcd;
	info(G_TEXT);
	assert_true(got_ud());
	text[3] = 0xcc;
	info(G_TEXT);
	assert_int_equal(vmread(VMCS_GUEST_RIP), G_TEXT + 4);
}

static long map_gpa(u64 gpa, u64 size)
{
	const struct reg in[REGS] = { VMCALL(0x10001), { R12, gpa }, { R13, size } };
	u64 regs[NR_GPRS];
	u32 turns;

	for (turns = 0; turns < 64; turns++) {
		call_with(in, regs);
		if (runs())
			return r_answer(R10) ? -1 : (long)turns;
		if (vm()->own.state == UP_VM_DEAD)
			return -2;
		/* RIP stays, and the host sees a turn of its own. */
		assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_INTR_WINDOW);
		r_flush_all();
		assert_int_equal(w_enter(false), W_ENTERED);
		assert_int_equal(vmread(VMCS_GUEST_RIP), G_TEXT);
	}
	return -3;
}

/* TDCALL until it is done.  Return: turns that the host got, or less than 0 */
static long report(u64 to, u64 data)
{
	const struct reg in[REGS] = { LEAF(4), { RCX, to }, { RDX, data }, { R8, 0 } };
	u64 regs[NR_GPRS];
	long turns;

	for (turns = 0; turns < 64; turns++) {
		call_with(in, regs);
		if (runs())
			return r_answer(RAX) ? -1 : turns;
		assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_INTR_WINDOW);
		assert_int_equal(w_enter(false), W_ENTERED);
		assert_int_equal(vmread(VMCS_GUEST_RIP), G_TEXT);
	}
	return -2;
}

static bool signed_by_the_launch(const struct up_vm_proof *p)
{
	struct verify_job job;
	enum verify_result result = verify_begin(&job, key_public(), &p->report,
						 sizeof(p->report), p->signature);

	while (result == VERIFY_MORE)
		result = verify_step(&job);
	return result == VERIFY_GOOD;
}

static void the_report_is_the_layers(void **state)
{
	static const u8 zero[1024];
	u8 *page = phys((R_VM_PFN + G_DATA) << PAGE_SHIFT);
	u8 *quote = phys((R_VM_PFN + G_STUB) << PAGE_SHIFT), rtmr[48];
	const struct up_vm_proof *p = (void *)(page + 1024);
	const struct reg extend[REGS] = { LEAF(2), { RCX, G_DATA << 12 | 64 }, { RDX, 1 } };
	const struct reg quoted[REGS] = { VMCALL(0x10002), { R12, S | G_STUB << 12 },
					  { R13, 4096 } };
	u64 regs[NR_GPRS];

	(void)state;
	memset(page, 0xee, PAGE_SIZE);
	memset(page, 0x42, 64);
	memset(page + 64, 0x17, 48);
	call_with(extend, regs);
	assert_int_equal(r_answer(RAX), 0);
	sha384(rtmr, (struct span[]){ { zero, 48 }, { page + 64, 48 } }, 2);
	assert_true(report(G_DATA << 12 | 1024, G_DATA << 12) > 4);
	assert_true(signed_by_the_launch(p));
	assert_memory_equal(&p->report, "UPREPORT", 8);
	assert_memory_equal(p->report.data, page, 64);
	assert_memory_equal(p->report.rtmr[0], zero, 48);
	assert_memory_equal(p->report.rtmr[1], rtmr, 48);
	assert_int_equal(p->report.vm_flags, UP_VM_GHCI | UP_VM_ASKED);
	assert_memory_equal(p + 1, zero, 1024 - sizeof(*p));
	assert_int_equal(page[2048], 0xee);
	/* The guest puts it behind a header that says "version 1, in flight". */
	memset(quote, 0xff, 24);
	call_with(quoted, regs);
	assert_int_equal(r_answer(R10), 0);
	assert_memory_equal(quote + 8, zero, 8);
	assert_int_equal(*(u32 *)(quote + 20), sizeof(*p));
	assert_int_equal(*(u32 *)(quote + 16), ~0u);
	assert_int_equal(*(u64 *)quote, ~0ULL);
}

static void tdcall_in_shared_memory_ends_the_vm(void **state)
{
	(void)state;
	/* The text's own page, while the CPU is made to believe that it fetched there. */
	assert_true(map_gpa(S | G_DATA << 12, 4096) > 0);
	memcpy(phys((R_VM_PFN + G_DATA) << PAGE_SHIFT), "\x66\x0f\x01\xcc", 4);
	info(G_DATA << 12);
	assert_true(ended("TDCALL in memory that it shares"));
}

/* --- shared memory ---------------------------------------------------------------------- */

static u64 alias_entry(u64 gfn)
{
	u64 *e = ept_find(vm()->own.gfn_root, S | gfn << PAGE_SHIFT, 1);

	return e ? *e : 0;
}

static u64 private_entry(u64 gfn)
{
	return *ept_find(vm()->own.gfn_root, gfn << PAGE_SHIFT, 1);
}

static enum frame_state state_of(u64 gfn)
{
	return FRAME_STATE(frame_entry(R_VM_PFN + gfn));
}

static void map_gpa_shares_and_takes_back(void **state)
{
	u64 *page = phys((R_VM_PFN + G_DATA) << PAGE_SHIFT);

	(void)state;
	r_vm_touch(G_DATA, 1);
	assert_true(private_entry(G_DATA) & EPT_RWX);
	page[0] = 0x5ec2e7;
	assert_int_equal(map_gpa(S | G_DATA << 12, 4096), 1);
	assert_int_equal(state_of(G_DATA), FRAME_SHARED);
	assert_int_equal(page[0], 0);
	assert_false(private_entry(G_DATA) & EPT_RWX);
	/* The alias: read and write, write-back whatever the guest's PAT says, no execution. */
	r_vm_touch(S >> 12 | G_DATA, 2);
	assert_true(runs());
	assert_int_equal(alias_entry(G_DATA) & 0xfff, EPT_R | EPT_W | 6 << 3 | EPT_IPAT);
	page[0] = 0x7e57;
	assert_int_equal(map_gpa(G_DATA << 12, 4096), 1);
	assert_int_equal(state_of(G_DATA), FRAME_OWNED);
	assert_int_equal(page[0], 0);
	assert_int_equal(alias_entry(G_DATA), 0);
	r_vm_touch(G_DATA, 2);
	assert_true(runs() && private_entry(G_DATA) & EPT_RWX);
}

/* Nobody reaches a frame on the way, and the host not before the guest's CPUs flushed. */
static void a_conversion_waits_for_the_flush(void **state)
{
	const struct reg in[REGS] = { VMCALL(0x10001), { R12, S | G_DATA << 12 }, { R13, 4096 } };
	u64 regs[NR_GPRS], *page = phys((R_VM_PFN + G_DATA) << PAGE_SHIFT);

	(void)state;
	page[0] = 0x5ec2e7;
	call_with(in, regs);
	assert_false(runs());
	assert_int_equal(state_of(G_DATA), FRAME_SHARING);
	assert_false(r_hosts(R_VM_PFN + G_DATA));
	assert_int_equal(page[0], 0x5ec2e7);
	assert_int_equal(w_enter(false), W_ENTERED);
	/* CPU 1 has not exited: the call does not get on, however often it is tried. */
	for (u32 i = 0; i < 3; i++) {
		g_undefined(G_TEXT);
		assert_false(runs());
		assert_int_equal(state_of(G_DATA), FRAME_SHARING);
		assert_int_equal(w_enter(false), W_ENTERED);
	}
	r_flush_all();
	assert_int_equal(w_enter(false), W_ENTERED);
	g_undefined(G_TEXT);
	assert_true(runs() && fake_cpu->gpr[R10] == 0);
	assert_true(r_hosts(R_VM_PFN + G_DATA));
}

/* A batch is taken away at once: one flush serves it. */
static void a_batch_takes_one_flush(void **state)
{
	(void)state;
	assert_int_equal(map_gpa(S | G_DATA << 12, 12 * 4096), 1);
	assert_int_equal(vm()->own.frames_shared, 1 + 12);
	assert_int_equal(map_gpa(G_DATA << 12, 12 * 4096), 1);
	assert_int_equal(vm()->own.frames_shared, 1);
	/* 64 are zeroed by one call; the host gets a turn before the rest, and no new flush. */
	assert_int_equal(map_gpa(S | G_DATA << 12, 70 * 4096), 2);
	assert_int_equal(vm()->own.frames_shared, 1 + 70);
	assert_int_equal(map_gpa(G_DATA << 12, 70 * 4096), 2);
	assert_int_equal(vm()->own.frames_shared, 1);
}

/* What lies before the page at fault is done; R11 says which that is. */
static void map_gpa_stops_at_what_is_unbound(void **state)
{
	(void)state;
	assert_int_equal(map_gpa(S | (G_FRAMES - 2) << 12, 4 * 4096), -1);
	assert_true(fake_cpu->gpr[R10] == V_INVALID);
	assert_true(fake_cpu->gpr[R11] == (S | G_FRAMES << 12));
	assert_int_equal(state_of(G_FRAMES - 2), FRAME_SHARED);
	assert_int_equal(state_of(G_FRAMES - 1), FRAME_SHARED);
}

/* Half of the way to be shared, the guest thinks better of it. */
static void a_conversion_can_be_turned_back(void **state)
{
	const struct reg in[REGS] = { VMCALL(0x10001), { R12, S | G_DATA << 12 }, { R13, 4096 } };
	u64 regs[NR_GPRS];

	(void)state;
	call_with(in, regs);
	assert_int_equal(state_of(G_DATA), FRAME_SHARING);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(map_gpa(G_DATA << 12, 4096), 1);
	assert_int_equal(state_of(G_DATA), FRAME_OWNED);
	assert_int_equal(vm()->own.frames_shared, 1);
}

static void the_old_calls_of_sharing_are_refused(void **state)
{
	(void)state;
	assert_int_equal(r_call(UP_GUEST_SHARE, G_DATA, 1, 0), -UP_EPERM);
	assert_int_equal(r_call(UP_GUEST_UNSHARE, G_STUB, 1, 0), -UP_EPERM);
	assert_int_equal(r_call(UP_GUEST_GHCI, G_DATA, 0, 0), -UP_EEXIST);
}

static void opting_in_asks_for_nothing_shared(void **state)
{
	(void)state;
	assert_int_equal(r_call(UP_GUEST_SHARE, G_DATA, 1, 0), 0);
	assert_int_equal(r_call(UP_GUEST_GHCI, G_STUB, 0, 0), -UP_EBUSY);
	while (r_call(UP_GUEST_UNSHARE, G_DATA, 1, 0) == -UP_EAGAIN) {
		r_flush_all();
		w_enter(false);
	}
	assert_int_equal(r_call(UP_GUEST_GHCI, BIT(20), 0, 0), -UP_EINVAL);
	assert_int_equal(r_call(UP_GUEST_GHCI, G_FRAMES, 0, 0), -UP_ENOENT);
	assert_int_equal(g_enable(G_STUB), 0);
	assert_int_equal(fake_cpu->gpr[RBX], G_VCPUS);
	assert_memory_equal(phys((R_VM_PFN + G_STUB) << PAGE_SHIFT), "\x3e\x8a\x07", 3);
}

/* --- accesses ----------------------------------------------------------------------------- */

static void touch(u64 gpa, u64 access)
{
	vmwrite(VMCS_GUEST_PHYS_ADDR, gpa);
	vmwrite(VMCS_GUEST_LINEAR, 0xffff888000000000 + (gpa & ~S));
	r_exit(EXIT_REASON_EPT_VIOLATION, access | BIT(7) | BIT(8));
}

static void a_device_raises_ve(void **state)
{
	u64 *g = fake_cpu->gpr;

	(void)state;
	vmwrite(VMCS_GUEST_RIP, 0x2000);
	touch(S | G_UNBOUND | 0x80, 2);
	assert_true(runs() && vmread(VMCS_ENTRY_INTR_INFO) == VE);
	assert_int_equal(vmread(VMCS_GUEST_RIP), 0x2000);
	assert_true(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_RF);
	memset(g, 0, NR_GPRS * sizeof(u64));
	g[RAX] = 3;
	g_undefined(G_TEXT);
	assert_int_equal(g[RAX], 0);
	assert_int_equal(g[RCX], EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(g[RDX], 2 | BIT(7) | BIT(8));
	assert_true(g[R8] == 0xffff888000000000 + (G_UNBOUND | 0x80));
	assert_true(g[R9] == (S | G_UNBOUND | 0x80));
	/* Read once. */
	g[RAX] = 3;
	g_undefined(G_TEXT);
	assert_true(g[RAX] == NO_VE_INFO);
}

static void a_second_ve_is_a_double_fault(void **state)
{
	(void)state;
	touch(S | G_UNBOUND, 1);
	touch(S | (G_UNBOUND + 4096), 1);
	assert_true(runs() && vmread(VMCS_ENTRY_INTR_INFO) == DOUBLE_FAULT);
	/* And one in the delivery of that ends the VM. */
	vmwrite(VMCS_GUEST_PHYS_ADDR, S | G_UNBOUND);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	vmwrite(VMCS_EXIT_QUAL, 2);
	vmwrite(VMCS_IDT_VECTORING_INFO, DOUBLE_FAULT);
	w_root(EXIT_REASON_EPT_VIOLATION);
	assert_true(ended("triple fault"));
}

static void no_nmi_before_a_ve_is_read(void **state)
{
	(void)state;
	touch(S | G_UNBOUND, 1);
	r_exit(EXIT_REASON_EXTINT, 0);
	w_write(VMCS_ENTRY_INTR_INFO, NMI);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_false(vmread(VMCS_ENTRY_INTR_INFO) == NMI);
	assert_false(vmread(VMCS_CPU_CTLS) & CPU_NMI_WINDOW);
	fake_cpu->gpr[RAX] = 3;
	g_undefined(G_TEXT);
	assert_true(runs());
	assert_true(vmread(VMCS_CPU_CTLS) & CPU_NMI_WINDOW);
	r_exit(EXIT_REASON_NMI_WINDOW, 0);
	assert_true(runs() && vmread(VMCS_ENTRY_INTR_INFO) == NMI);
}

static void wrong_accesses_end_the_vm(void **state)
{
	static const struct { u64 gpa, access; const char *why; } wrong[] = {
		{ G_UNBOUND, 1, "private access where it has no memory" },
		{ G_STUB << 12, 1, "private access to a page that it shares" },
		{ S | G_DATA << 12, 1, "shared access to a private page" },
		{ S | G_STUB << 12, 4, "execution of memory that it shares" },
		{ S | G_UNBOUND, 4, "execution of memory that it shares" },
		{ S | G_DATA << 12, 4, "execution of memory that it shares" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (i) {
			r_end_and_forget(state);
			ghci_runs(state);
		}
		touch(wrong[i].gpa, wrong[i].access);
		assert_false(runs());
		assert_true(ended(wrong[i].why));
		/* KVM is told of a shutdown, and of no address to emulate. */
		assert_int_equal(w_read(VMCS_EXIT_REASON), EXIT_REASON_TRIPLE_FAULT);
		assert_int_equal(w_read(VMCS_GUEST_PHYS_ADDR), 0);
	}
}

/* KVM proposes what it likes at a number that the guest shared: the frame is not executable. */
static void a_shared_page_is_not_mapped_at_its_number(void **state)
{
	(void)state;
	touch(S | G_STUB << 12, 1);
	assert_true(runs() && alias_entry(G_STUB));
	r_exit(EXIT_REASON_EXTINT, 0);
	fake_cpu->ept.reflected.table = vm()->ept;
	fake_cpu->ept.reflected.gpa = G_STUB << 12;
	fake_cpu->ept.reflected.eptp12 = W_EPTP;
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_false(private_entry(G_STUB) & EPT_RWX);
}

/* --- vCPUs ---------------------------------------------------------------------------------- */

static void use_second_vcpu(void)
{
	w_use_cpu(1);
	w_insn_mem(EXIT_REASON_VMXON, W_VMXON);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, r_vmcs12[1]), W_SUCCEED);
}

/* CPU 0 lets go of the second vCPU's VMCS, which it bound. */
static void release_second_vcpu(void)
{
	r_to_host();
	assert_int_equal(w_insn_mem(EXIT_REASON_VMCLEAR, r_vmcs12[1]), W_SUCCEED);
	assert_int_equal(w_insn_mem(EXIT_REASON_VMPTRLD, r_vmcs12[0]), W_SUCCEED);
	assert_int_equal(w_enter(false), W_ENTERED);
}

static void others_start_at_the_reset_vector(void **state)
{
	(void)state;
	release_second_vcpu();
	use_second_vcpu();
	/* As KVM has it behind a SIPI: RIP 0, CS by the vector.  None of it counts. */
	w_write(VMCS_GUEST_RIP, 0);
	w_write(VMCS_GUEST_CS_SEL, 0x9f00);
	w_write(VMCS_GUEST_CS_BASE, 0x9f000);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_int_equal(vmread(VMCS_GUEST_RIP), 0xfff0);
	assert_int_equal(vmread(VMCS_GUEST_CS_BASE), 0xffff0000);
	assert_int_equal(fake_cpu->gpr[RSI], 1);
	assert_true(vmread(VMCS_EXCEPTION_BITMAP) & BIT(VEC_UD));
	g_long_mode();
	info(G_TEXT);
	assert_int_equal(fake_cpu->gpr[R9], 1);
	check_told(1, 0, (u32[]){ 0, 0x01020000, 0x81200000, BIT(28) });
	check_told(0xb, 1, (u32[]){ 1, 2, 0x201, 1 });
	assert_int_equal(read_msr(0x802), 1);
	assert_int_equal(read_msr(0x1b), 0xfee00c00);
	vmwrite(VMCS_GUEST_RIP, G_TEXT + 4);
	/* INIT and SIPI again, and it goes on where it was. */
	r_exit(EXIT_REASON_EXTINT, 0);
	w_write(VMCS_GUEST_RIP, 0);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_int_equal(vmread(VMCS_GUEST_RIP), G_TEXT + 4);
}

/* Offsets that differ would let the host show a vCPU what has not happened yet. */
static void all_vcpus_have_one_time(void **state)
{
	u64 offset = vmread(VMCS_TSC_OFFSET);

	(void)state;
	release_second_vcpu();
	use_second_vcpu();
	w_write(VMCS_TSC_OFFSET, offset - 1000000);
	assert_int_equal(w_enter(true), W_ENTERED);
	assert_true(vmread(VMCS_TSC_OFFSET) == offset);
}

/*
 * All that decides whether an event can be delivered (SDM vol. 3, 27.3.1.4 and 26.5.7; without
 * PE there is no IDT): each instruction of firmware and kernel is at one of these places.
 */
static const struct place {
	const char *what;
	u64 pe, flag, blocking;
	bool unread, half;	/* #VE; MMIO of 8 bytes */
	bool nmi, intr;		/* what is delivered here */
} places[] = {
	{ "real mode", 0, 0, 0, .nmi = false },
	{ "real mode, RFLAGS.IF", 0, RFLAGS_IF, 0, .nmi = false },
	{ "protected mode, before and behind LIDT", CR0_PE, 0, 0, .nmi = true },
	{ "RFLAGS.IF", CR0_PE, RFLAGS_IF, 0, .nmi = true, .intr = true },
	{ "behind STI", CR0_PE, RFLAGS_IF, BLOCKED_BY_STI, .nmi = false },
	{ "behind MOV SS", CR0_PE, RFLAGS_IF, BLOCKED_BY_MOV_SS, .nmi = false },
	{ "in an NMI's handler", CR0_PE, 0, BLOCKED_BY_NMI, .nmi = false },
	{ "there, RFLAGS.IF", CR0_PE, RFLAGS_IF, BLOCKED_BY_NMI, .intr = true },
	{ "in #VE's handler", CR0_PE, 0, 0, .unread = true },
	{ "there, RFLAGS.IF", CR0_PE, RFLAGS_IF, 0, .unread = true, .intr = true },
	{ "between two halves", CR0_PE, RFLAGS_IF, 0, .half = true },
};

static void go_to(const struct place *p)
{
	vmwrite(VMCS_GUEST_CR0, (vmread(VMCS_GUEST_CR0) & ~(CR0_PE | CR0_PG)) | p->pe |
		(p->pe ? CR0_PG : 0));
	vmwrite(VMCS_GUEST_EFER, p->pe ? EFER_LME | EFER_LMA | EFER_NXE : 0);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | p->flag);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, p->blocking);
	vm()->vcpu[0]->ghci.ve = p->unread;
	vm()->vcpu[0]->ghci.half = p->half;
}

/*
 * Of all types and vectors: interrupts of devices and processors, NMI, where they can be
 * delivered.  All else is dropped; #GP for an MSR is another test's.
 */
static void the_host_injects_nothing_else(void **state)
{
	u32 event, type, vector;
	bool may;
	u64 is;

	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		r_end_and_forget(state);
		ghci_runs(state);
		for (event = 0; event < 8 * 256; event++) {
			type = event / 256;
			vector = event % 256;
			go_to(&places[i]);
			r_exit(EXIT_REASON_EXTINT, 0);
			w_write(VMCS_ENTRY_INTR_INFO, INTR_VALID | type << 8 | vector);
			assert_int_equal(w_enter(false), W_ENTERED);
			is = vmread(VMCS_ENTRY_INTR_INFO);
			may = type ? places[i].nmi && type == 2 && vector == 2 :
				     places[i].intr && vector >= 32 && vector != 0x80;
			if (is != (may ? INTR_VALID | type << 8 | vector : 0))
				fail_msg("%s: type %u, vector %u: %llx", places[i].what, type,
					 vector, (unsigned long long)is);
			vmwrite(VMCS_ENTRY_INTR_INFO, 0);
		}
	}
	print_message("# %zu places\n", ARRAY_SIZE(places));
}

static void others_do_not_run_before_it_asked(void **state)
{
	(void)state;
	assert_int_equal(fake_cpu->gpr[RSI], 0);
	release_second_vcpu();
	use_second_vcpu();
	assert_int_equal(w_enter(true), W_FAIL_VALID);
	assert_false(runs());
}

/* Two vCPUs convert the same page, each its own way: it ends as one of them asked. */
static void conversions_race(void **state)
{
	const struct reg share[REGS] = { VMCALL(0x10001), { R12, S | G_DATA << 12 },
					 { R13, 4096 } };
	u64 regs[NR_GPRS];

	(void)state;
	release_second_vcpu();
	call_with(share, regs);
	assert_int_equal(state_of(G_DATA), FRAME_SHARING);
	use_second_vcpu();
	assert_int_equal(w_enter(true), W_ENTERED);
	g_long_mode();
	assert_true(map_gpa(G_DATA << 12, 4096) >= 0);
	w_use_cpu(0);
	assert_int_equal(w_enter(false), W_ENTERED);
	assert_true(map_gpa(S | G_DATA << 12, 4096) >= 0);
	assert_int_equal(state_of(G_DATA), FRAME_SHARED);
}

int main(void)
{
#define GHCI(name) cmocka_unit_test_setup_teardown(name, ghci_runs, r_end_and_forget)
#define WATCHED(name) cmocka_unit_test_setup_teardown(name, ghci_watched, r_end_and_forget)
#define PLAIN(name) cmocka_unit_test_setup_teardown(name, vm_runs, r_end_and_forget)
	const struct CMUnitTest tests[] = {
		GHCI(the_layer_answers_as_specified),
		GHCI(the_host_serves_as_specified),
		GHCI(a_known_device_is_a_misconfiguration),
		GHCI(eight_bytes_are_two_accesses),
		GHCI(a_refused_msr_is_an_invalid_operand),
		GHCI(an_event_that_is_held_ends_hlt),
		GHCI(last_words_are_kept),
		GHCI(the_processor_is_the_layers_word),
		GHCI(who_it_is_and_when_is_no_word_of_the_hosts),
		GHCI(the_host_injects_nothing_else),
		GHCI(who_may_call),
		PLAIN(without_opt_in_nothing_is_called),
		GHCI(another_undefined_opcode_is_the_guests),
		GHCI(text_that_changed_is_no_tdcall),
		GHCI(the_report_is_the_layers),
		GHCI(tdcall_in_shared_memory_ends_the_vm),
		WATCHED(map_gpa_shares_and_takes_back),
		GHCI(a_conversion_waits_for_the_flush),
		GHCI(a_batch_takes_one_flush),
		GHCI(map_gpa_stops_at_what_is_unbound),
		WATCHED(a_conversion_can_be_turned_back),
		GHCI(the_old_calls_of_sharing_are_refused),
		PLAIN(opting_in_asks_for_nothing_shared),
		GHCI(a_device_raises_ve),
		GHCI(a_second_ve_is_a_double_fault),
		GHCI(no_nmi_before_a_ve_is_read),
		GHCI(wrong_accesses_end_the_vm),
		WATCHED(a_shared_page_is_not_mapped_at_its_number),
		GHCI(others_start_at_the_reset_vector),
		GHCI(all_vcpus_have_one_time),
		PLAIN(others_do_not_run_before_it_asked),
		WATCHED(conversions_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
