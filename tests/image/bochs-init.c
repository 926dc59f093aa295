// SPDX-License-Identifier: GPL-2.0-only
/*
 * Corrects how Debian's Bochs 2.7, into which this library is preloaded, exits from a VM.
 *
 * For INIT and SIPI. Without it no hypervisor's guest can restart a processor:
 *
 * - An INIT that causes a VM exit stays pending: every later entry to an active guest
 *   exits for the same INIT again.
 * - A SIPI that causes a VM exit leaves SMI, NMI and INIT masked, as they are while a
 *   processor waits: every later exit says "blocked by SMI", which no VM entry may.
 *
 * Each call of VMexit(), which does not return, gets one instruction before it.
 *
 * With RFLAGS.TF set. Bochs notes the single-step trap (BS) before it executes an
 * instruction, and saves it as pending although the instruction exited and did not
 * complete. A processor saves pending debug exceptions as zero but for few exits (SDM
 * vol. 3, 28.3.4), so that a hypervisor which completes an instruction and forgets the
 * trap loses it there, and here did not. The call of VMexitSaveGuestState() goes by way
 * of save_guest_state() below.
 *
 * A Bochs that is built differently is left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEARCH	0x800
#define ANY	-1
#define SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* BX_CPU_C::deliver_INIT(): if (!(masked & INIT)) pending |= INIT */
static const int16_t deliver_init[] = {
	0xf6, 0x87, ANY, ANY, ANY, ANY, 0x04,		/* testb $4, masked(%rdi) */
	0x75, 0x11,					/* jne */
	0x83, 0x8f, ANY, ANY, ANY, ANY, 0x04,		/* orl $4, pending(%rdi) */
};

#define MASKED_AT	2
#define PENDING_AT	11

/* In BX_CPU_C::handleAsyncEvent(): VMexit(VMX_VMEXIT_INIT, 0) */
static const int16_t exit_init[] = {
	0x31, 0xd2,					/* xor %edx, %edx */
	0xbe, 0x03, 0x00, 0x00, 0x00,			/* mov $3, %esi */
	0x48, 0x89, 0xdf,				/* mov %rbx, %rdi */
	0xe8, ANY, ANY, ANY, ANY,			/* call VMexit */
	0xe9, ANY, ANY, ANY, ANY,			/* jmp */
	0x0f, 0x1f, 0x40, 0x00,				/* nopl */
};

static const uint8_t new_exit_init[] = {
	0x31, 0xd2,					/* xor %edx, %edx */
	0x6a, 0x03, 0x5e,				/* push $3; pop %rsi */
	0x48, 0x89, 0xdf,				/* mov %rbx, %rdi */
	0x83, 0xa3, 0, 0, 0, 0, 0xfb,			/* andl $~4, pending(%rbx) */
	0xe8, 0, 0, 0, 0,				/* call VMexit */
	0x0f, 0x0b,					/* ud2 */
};

/* In BX_CPU_C::deliver_SIPI(): VMexit(VMX_VMEXIT_SIPI, vector) */
static const int16_t exit_sipi[] = {
	0x89, 0xf2,					/* mov %esi, %edx */
	0xbe, 0x04, 0x00, 0x00, 0x00,			/* mov $4, %esi */
	0xe8, ANY, ANY, ANY, ANY,			/* call VMexit */
	0xe9, ANY, ANY, ANY, ANY,			/* jmp */
	0x90, 0x66, 0x66, 0x2e, 0x0f, 0x1f,		/* nop; nopw */
};

static const uint8_t new_exit_sipi[] = {
	0x89, 0xf2,					/* mov %esi, %edx */
	0x6a, 0x04, 0x5e,				/* push $4; pop %rsi */
	0x83, 0xa7, 0, 0, 0, 0, 0xf8,			/* andl $~7, masked(%rdi) */
	0xe8, 0, 0, 0, 0,				/* call VMexit */
	0x0f, 0x0b,					/* ud2 */
};

static const struct correction {
	const char *function;
	const int16_t *old;
	const uint8_t *new;
	uint8_t old_size, new_size;
	uint8_t old_call, new_call;	/* where the call's distance is */
	uint8_t field, field_at;	/* where the event word's offset goes, and is found */
} corrections[] = {
	{ "_ZN8BX_CPU_C16handleAsyncEventEv", exit_init, new_exit_init, SIZE(exit_init),
	  SIZE(new_exit_init), 11, 16, 10, PENDING_AT },
	{ "_ZN8BX_CPU_C12deliver_SIPIEj", exit_sipi, new_exit_sipi, SIZE(exit_sipi),
	  SIZE(new_exit_sipi), 8, 13, 7, MASKED_AT },
};

static uint8_t *find(const char *function, const int16_t *pattern, size_t n)
{
	uint8_t *code = dlsym(NULL, function);
	size_t at, i;

	for (at = 0; code && at < SEARCH; at++) {
		for (i = 0; i < n && (pattern[i] == ANY || pattern[i] == code[at + i]); i++)
			;
		if (i == n)
			return code + at;
	}
	return NULL;
}

static int correct(const struct correction *c, const uint8_t *source)
{
	uint8_t *at = find(c->function, c->old, c->old_size), code[32];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *start = (uint8_t *)((uintptr_t)at & ~(page - 1));
	int32_t distance;

	if (!at || mprotect(start, 2 * page, PROT_READ | PROT_WRITE | PROT_EXEC))
		return -1;
	memcpy(&distance, at + c->old_call, sizeof(distance));
	distance += c->old_call - c->new_call;
	memcpy(code, c->new, c->new_size);
	memcpy(code + c->field, source + c->field_at, 4);
	memcpy(code + c->new_call, &distance, sizeof(distance));
	memcpy(at, code, c->new_size);
	return mprotect(start, 2 * page, PROT_READ | PROT_EXEC);
}

/* In VMexit(): VMexitSaveGuestState(), then StoreMSRs(count, address) */
static const int16_t call_save[] = {
	0x48, 0x89, 0xdf,				/* mov %rbx, %rdi */
	0xe8, ANY, ANY, ANY, ANY,			/* call VMexitSaveGuestState */
	0x48, 0x8b, 0x93, ANY, ANY, ANY, ANY,		/* mov address(%rbx), %rdx */
	0x8b, 0xb3, ANY, ANY, ANY, ANY,			/* mov count(%rbx), %esi */
	0x48, 0x89, 0xdf,				/* mov %rbx, %rdi */
	0xe8, ANY, ANY, ANY, ANY,			/* call StoreMSRs */
};

#define SAVE_DISTANCE_AT	4

/* In BX_CPU_C::VMexitSaveGuestState(): the pending debug exceptions */
static const int16_t save_pending[] = {
	0x8b, 0x83, ANY, ANY, ANY, ANY,			/* mov debug_trap(%rbx), %eax */
	0xbe, 0x22, 0x68, 0x00, 0x00,			/* mov $0x6822, %esi */
	0x48, 0x89, 0xdf,				/* mov %rbx, %rdi */
	0x89, 0xc2,					/* mov %eax, %edx */
	0x81, 0xe2, 0x0f, 0x40, 0x00, 0x00,		/* and $0x400f, %edx */
};

#define DEBUG_TRAP_AT	2

#define VMCS_EXIT_REASON	0x4402
#define INHIBIT_DEBUG		2	/* BX_INHIBIT_DEBUG: behind MOV SS */

static void (*bochs_save_guest_state)(void *cpu);
static uint32_t (*bochs_vmread32)(void *cpu, unsigned int field);
static bool (*bochs_inhibited)(void *cpu, unsigned int mask);
static uint32_t debug_trap_at;

/*
 * INIT, SMI, monitor trap flag, TPR below threshold, virtualised EOI, APIC write: between
 * two instructions, so that what is pending then is true.
 */
static bool between_instructions(uint32_t reason)
{
	static const uint8_t reasons[] = { 3, 5, 6, 37, 43, 45, 56 };

	return memchr(reasons, (int)(reason & 0xffff), sizeof(reasons));
}

static void save_guest_state(void *cpu)
{
	if (!between_instructions(bochs_vmread32(cpu, VMCS_EXIT_REASON)) &&
	    !bochs_inhibited(cpu, INHIBIT_DEBUG))
		memset((char *)cpu + debug_trap_at, 0, sizeof(uint32_t));
	bochs_save_guest_state(cpu);
}

/* A jump to save_guest_state() that a near call at @from reaches. */
static uint8_t *near_jump(uint8_t *from)
{
	static const uint8_t jump[] = { 0xff, 0x25, 0, 0, 0, 0 };	/* jmp *(%rip) */
	void (*target)(void *cpu) = save_guest_state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t hint = (uintptr_t)from & ~(page - 1);
	uint8_t *code = MAP_FAILED;
	int tries;

	for (tries = 0; code == MAP_FAILED && tries < 4096; tries++) {
		hint -= 16 * page;
		code = mmap((void *)hint, page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	}
	if (code == MAP_FAILED)
		return NULL;
	memcpy(code, jump, sizeof(jump));
	memcpy(code + sizeof(jump), &target, sizeof(target));
	return mprotect(code, page, PROT_READ | PROT_EXEC) ? NULL : code;
}

static int correct_pending(void)
{
	const char *name = "_ZN8BX_CPU_C20VMexitSaveGuestStateEv";
	const uint8_t *pending = find(name, save_pending, SIZE(save_pending));
	uint8_t *call = find("_ZN8BX_CPU_C6VMexitEjm", call_save, SIZE(call_save)), *jump;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *start = (uint8_t *)((uintptr_t)call & ~(page - 1));
	int32_t distance;

	bochs_save_guest_state = (void (*)(void *))dlsym(NULL, name);
	bochs_vmread32 = (uint32_t (*)(void *, unsigned int))
			 dlsym(NULL, "_ZN8BX_CPU_C8VMread32Ej");
	bochs_inhibited = (bool (*)(void *, unsigned int))
			  dlsym(NULL, "_ZN8BX_CPU_C20interrupts_inhibitedEj");
	if (!call || !pending || !bochs_vmread32 || !bochs_inhibited)
		return -1;
	memcpy(&debug_trap_at, pending + DEBUG_TRAP_AT, sizeof(debug_trap_at));
	jump = near_jump(call);
	if (!jump || mprotect(start, 2 * page, PROT_READ | PROT_WRITE | PROT_EXEC))
		return -1;
	distance = (int32_t)(jump - (call + SAVE_DISTANCE_AT + 4));
	memcpy(call + SAVE_DISTANCE_AT, &distance, sizeof(distance));
	return mprotect(start, 2 * page, PROT_READ | PROT_EXEC);
}

static void __attribute__((constructor)) correct_all(void)
{
	const uint8_t *source = find("_ZN8BX_CPU_C12deliver_INITEv", deliver_init,
				     SIZE(deliver_init));
	size_t i;

	if (!dlsym(NULL, corrections[0].function))
		return;		/* a program that Bochs starts */
	for (i = 0; i < SIZE(corrections); i++)
		if (!source || correct(&corrections[i], source))
			fprintf(stderr, "bochs-init: this Bochs is built differently\n");
	if (correct_pending())
		fprintf(stderr, "bochs-init: this Bochs saves debug traps differently\n");
}
