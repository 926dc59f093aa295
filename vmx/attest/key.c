// SPDX-License-Identifier: GPL-2.0
/* The launch's key, and the signatures that are on their way: see key.h. */
#include "vmx/attest/key.h"
#include "vmx/abi/errno.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/base/sha256.h"
#include "vmx/base/x86.h"
#include "vmx/sign/ed25519.h"
#include "vmx/sign/sha512.h"

#define RANDOM_WORDS	8u		/* twice as many bits as the seed has */
#define RANDOM_TRIES	1000u		/* for a word: the SDM says 10, RDSEED takes longer */
#define ERASE_SPINS	(1u << 24)	/* for others' pieces, each of them 100 us */
#define STACK_USED	2000u		/* beneath key_sign(): tests/attest/leftovers.c */

static struct ed25519_key key;
static bool have_key;
static u8 public[32];		/* outlives the key; without one, random all the same */

static struct signing {
	bool running;
	u32 len;
	struct ed25519_job job;
	u8 message[KEY_MESSAGE];
} slots[KEY_SLOTS];

_Static_assert(KEY_MESSAGE <= ED25519_MESSAGE, "hashed in one piece");

/* What was called left its working on the stack, beneath the caller's frame. */
static __attribute__((noinline)) void erase_stack(void)
{
	u8 below[STACK_USED];

	erase(below, sizeof(below));
}

/* A source that says the same twice is broken, whatever it is that it says. */
static bool random_words(bool (*source)(u64 *word), u64 words[RANDOM_WORDS])
{
	u32 i, j, tries;

	for (i = 0; i < RANDOM_WORDS; i++) {
		for (tries = 0; !source(&words[i]); tries++)
			if (tries == RANDOM_TRIES)
				return false;
		for (j = 0; j < i; j++)
			if (words[j] == words[i])
				return false;
	}
	return true;
}

/* RDSEED, else RDRAND (SDM vol. 1, 7.3.17). */
static bool hardware_random(u64 words[RANDOM_WORDS])
{
	u32 r[4];

	cpuid(7, 0, r);
	if (r[1] & CPUID7_EBX_RDSEED && random_words(rdseed, words))
		return true;
	cpuid(1, 0, r);
	return r[2] & CPUID1_ECX_RDRAND && random_words(rdrand, words);
}

bool key_random(u8 bytes[32])
{
	u64 words[RANDOM_WORDS];
	struct sha256 s;

	if (!hardware_random(words))
		return false;
	sha256_init(&s);
	sha256_update(&s, words, sizeof(words));
	sha256_final(&s, bytes);
	return true;
}

void key_make(void)
{
	u64 words[RANDOM_WORDS] = { };
	const struct span spans[] = {
		{ words, sizeof(words) }, { up_config.entropy, sizeof(up_config.entropy) },
	};
	u8 digest[64];

	have_key = hardware_random(words);
	sha512(digest, spans, ARRAY_SIZE(spans));
	if (have_key)
		ed25519_make_key(&key, digest);
	else
		up_log("launch: no key: the processor has no random numbers, or always the same");
	memcpy(public, have_key ? key.public : digest, sizeof(public));
	erase(words, sizeof(words));
	erase(digest, sizeof(digest));
	erase(up_config.entropy, sizeof(up_config.entropy));
	erase_stack();
}

const u8 *key_public(void)
{
	return have_key ? public : NULL;
}

void key_nonce(u8 nonce[32])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, public, sizeof(public));
	sha256_final(&s, nonce);
}

static long step(struct signing *s, const void *message, u32 len, u8 signature[64])
{
	if (!s->running || s->len != len || memcmp(s->message, message, len)) {
		memcpy(s->message, message, len);
		s->len = len;
		s->running = true;
		ed25519_sign(&s->job, &key, s->message, len);
		return -UP_EAGAIN;
	}
	s->running = ed25519_step(&s->job, signature);
	return s->running ? -UP_EAGAIN : 0;
}

/*
 * key_erase() of another CPU waits for those that sign.  Either this CPU sees that there is
 * no key any more, or that one sees that this one signs: both stores precede both loads.
 */
long key_sign(u32 slot, const void *message, u32 len, u8 signature[64])
{
	struct percpu *cpu = this_cpu();
	long err = -UP_EPERM;

	__atomic_store_n(&cpu->signing, true, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&have_key, __ATOMIC_SEQ_CST)) {
		err = step(&slots[slot], message, len, signature);
		erase_stack();
	}
	__atomic_store_n(&cpu->signing, false, __ATOMIC_RELEASE);
	return err;
}

void key_erase(void)
{
	u32 i, spins = 0;

	__atomic_store_n(&have_key, false, __ATOMIC_SEQ_CST);
	for (i = 0; i < ncpus; i++)
		while (cpus[i] && __atomic_load_n(&cpus[i]->signing, __ATOMIC_SEQ_CST)) {
			if (++spins == ERASE_SPINS)
				up_panic("CPU %u: signs without end", i);
			cpu_relax();
		}
	erase(&key, sizeof(key));
	erase(slots, sizeof(slots));
}
