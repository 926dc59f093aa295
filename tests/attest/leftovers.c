// SPDX-License-Identifier: GPL-2.0
/*
 * What key_make() and key_sign() leave on the stack, in the root image's own objects: on a
 * stack of its own, all that they wrote beneath their caller's frame is zero again, and none
 * of the rest is a part of a secret. Exit status: 0 so, 1 not, 77 no random numbers here.
 */
#include <asm/prctl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "vmx/attest/key.h"
#include "vmx/abi/errno.h"
#include "vmx/base/cpus.h"
#include "vmx/base/log.h"
#include "vmx/sign/ed25519.h"

#define STACK		65536u
#define FILL		0xa5
#define FRAME		512u	/* of run_piece() and what is above erase_stack() */
#define CALLS		32u	/* return addresses of what erases, beneath what is erased */

struct up_config up_config;
struct percpu *cpus[UP_MAX_CPUS];
u32 ncpus;

/* key.o's own, made visible by objcopy. */
extern struct ed25519_key key;

static _Alignas(16) u8 stack[STACK];
static ucontext_t here, there;
static struct percpu cpu = { .self = &cpu };
static u8 signature[64];
static long result;
static bool making;

void up_log(const char *fmt, ...)
{
	(void)fmt;
}

void up_panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

static void run_piece(void)
{
	static const u8 message[KEY_MESSAGE];

	if (making)
		key_make();
	else
		result = key_sign(KEY_HOST, message, sizeof(message), signature);
}

/* Is a word of the secret in [from, to)? */
static bool has(const void *secret, const u8 *from, const u8 *to)
{
	u32 i;

	for (; from + 8 <= to; from++)
		for (i = 0; i < 32; i += 8)
			if (!memcmp(from, (const u8 *)secret + i, 8))
				return true;
	return false;
}

/* Return: what is wrong, or NULL; *@depth: how deep it went */
static const char *look(u32 *depth)
{
	const u8 *end = stack + STACK, *at = stack;

	memset(stack, FILL, sizeof(stack));
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = STACK;
	there.uc_link = &here;
	makecontext(&there, run_piece, 0);
	swapcontext(&here, &there);
	while (at < end && *at == FILL)
		at++;
	*depth = (u32)(end - at);
	if (has(&key.secret, at, end) || has(key.prefix, at, end))
		return "a part of the key is left";
	for (at += CALLS; at < end - FRAME; at++)
		if (*at && *at != FILL)
			return "something is left, further down than is erased";
	return NULL;
}

int main(void)
{
	u32 depth = 0, deepest = 0, pieces = 0;
	const char *wrong;

	syscall(SYS_arch_prctl, ARCH_SET_GS, &cpu);
	making = true;
	wrong = look(&deepest);
	if (!key_public()) {
		puts("# this processor has no random numbers");
		return 77;
	}
	making = false;
	do {
		wrong = wrong ? wrong : look(&depth);
		deepest = depth > deepest ? depth : deepest;
		pieces++;
	} while (!wrong && result == -UP_EAGAIN);
	printf("# %u pieces, %u bytes of stack; %s\n", pieces, deepest, wrong ? wrong : "clean");
	return wrong || result || pieces < 5;
}
