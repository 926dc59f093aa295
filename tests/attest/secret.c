// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a key and signs with it, with the seed undefined in memcheck's eyes: a branch or an
 * address that depends on it is an error there (valgrind --error-exitcode=1).
 *
 * secret [LEN]: of the message
 */
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/memcheck.h>
#include "jobs.h"

#ifdef LEAKS
void __wrap_point_select(struct point *r, const struct point table[4], u64 index);

void __wrap_point_select(struct point *r, const struct point table[4], u64 index)
{
	*r = table[index];
}
#endif

int main(int argc, char **argv)
{
	static u8 message[ED25519_MESSAGE];
	u8 seed[32] = { 1, 2, 3 }, signature[64];
	u32 len = argc > 1 ? (u32)atoi(argv[1]) : 64;
	struct ed25519_key key;
	u32 i;

	VALGRIND_MAKE_MEM_UNDEFINED(seed, sizeof(seed));
	key_of(&key, seed);
	sign(&key, message, len, signature);
	/* What is published is no secret: from here on verify() may look at it. */
	VALGRIND_MAKE_MEM_DEFINED(key.public, sizeof(key.public));
	VALGRIND_MAKE_MEM_DEFINED(signature, sizeof(signature));
	for (i = 0; i < sizeof(signature); i++)
		printf("%02x", signature[i]);
	putchar('\n');
	return !verify(key.public, message, len, signature);
}
