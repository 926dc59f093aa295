// SPDX-License-Identifier: GPL-2.0-only
/*
 * Corrects how Debian's Bochs 2.7, into which this library is preloaded, exits from a
 * VM for INIT and SIPI. Without it no hypervisor's guest can restart a processor:
 *
 * - An INIT that causes a VM exit stays pending: every later entry to an active guest
 *   exits for the same INIT again.
 * - A SIPI that causes a VM exit leaves SMI, NMI and INIT masked, as they are while a
 *   processor waits: every later exit says "blocked by SMI", which no VM entry may.
 *
 * Each call of VMexit(), which does not return, gets one instruction before it. A Bochs
 * that is built differently is left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
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
}
