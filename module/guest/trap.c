// SPDX-License-Identifier: GPL-2.0
/* Exceptions, and the ways out: every failure ends in a reset of the machine. */
#include "vmx/abi/errno.h"
#include "fw.h"

#define VEC_NMI		2
#define VEC_UD		6
#define VMCALL_LEN	3
#define KBD_COMMAND	0x64
#define KBD_RESET	0xfe
#define GATE_INTERRUPT	0x8e00

/* As trap_common in start.S pushes it. */
struct trap {
	u64 rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

struct gate {
	u16 offset_low;
	u16 selector;
	u16 flags;
	u16 offset_mid;
	u32 offset_high;
	u32 zero;
};

static struct gate idt[32];

/** trap_init() - load the IDT; interrupts stay off for the firmware's whole life */
void trap_init(void)
{
	struct __packed {
		u16 limit;
		u64 base;
	} idtr = { sizeof(idt) - 1, (u64)idt };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(idt); i++) {
		u64 entry = (u64)trap_entries[i];

		idt[i].offset_low = (u16)entry;
		idt[i].selector = FW_CS;
		idt[i].flags = GATE_INTERRUPT;
		idt[i].offset_mid = (u16)(entry >> 16);
		idt[i].offset_high = (u32)(entry >> 32);
	}
	__asm__ __volatile__("lidt %0" : : "m" (idtr));
}

static void __noreturn reset(void)
{
	outb(KBD_COMMAND, KBD_RESET);
	triple_fault();
}

void __noreturn fail(const char *what, const char *why)
{
	say("underpin-fw: FAILED: ");
	say(what);
	say(": ");
	say(why);
	say("\n");
	reset();
}

/* Called by trap_common; returns where the exception was expected. */
void trap(struct trap *t)
{
	if (t->vector == VEC_UD && t->rip == (u64)guest_call_insn) {
		t->rip += VMCALL_LEN;
		t->rax = (u64)-UP_ENOSYS;
		return;
	}
	if (t->vector == VEC_NMI)	/* the host may send one; nothing here waits for it */
		return;
	say("underpin-fw: exception ");
	say_dec(t->vector);
	say(" error ");
	say_hex(t->error, 8);
	say(" at ");
	say_hex(t->rip, 16);
	say("\n");
	fail("firmware", "unexpected exception");
}
