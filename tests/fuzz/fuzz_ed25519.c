// SPDX-License-Identifier: GPL-2.0
/*
 * A signature as an adversary may hand it over: what is accepted here is accepted by
 * OpenSSL; and what OpenSSL accepts and this refuses has a key of small order or of a
 * second encoding.  Half of the inputs begin with a good signature, and bend it.
 */
#include <stdlib.h>
#include <string.h>
#include "../attest/jobs.h"
#include "../attest/peer.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Of small order, or not the one encoding of a point. */
static bool weak(const u8 public[32])
{
	struct point p;

	if (!point_read(&p, public))
		return true;
	point_add(&p, &p, &p);
	point_add(&p, &p, &p);
	point_add(&p, &p, &p);
	return point_is_zero(&p);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 public[32], signature[64];
	struct ed25519_key key;
	bool ours, theirs;
	size_t i;

	if (size < 97)
		return 0;
	if (data[0] & 1) {
		key_of(&key, data + 1);
		sign(&key, data + 97, size - 97, signature);
		memcpy(public, key.public, 32);
		for (i = 0; i < 64; i++)
			signature[i] ^= data[33 + i];
	} else {
		memcpy(public, data + 1, 32);
		memcpy(signature, data + 33, 64);
	}
	ours = verify(public, data + 97, size - 97, signature);
	theirs = peer_verifies(public, data + 97, size - 97, signature);
	if (ours != theirs && (ours || !weak(public)))
		abort();
	return 0;
}
