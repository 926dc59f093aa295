// SPDX-License-Identifier: GPL-2.0
/*
 * A nonce is the time (8 bytes), 8 random ones, and 16 of an HMAC over both, by a key of this
 * broker's run.  A table of them could be filled up by anybody who asks.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>
#include "userspace/broker/nonce.h"

#define SIGNED	16
#define MAC	(NONCE_SIZE - SIGNED)

static uint8_t key[32];

/* Of a clock that goes on while the machine sleeps, and that nobody sets. */
static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec;
}

static bool mac(const uint8_t nonce[NONCE_SIZE], uint8_t out[MAC])
{
	uint8_t whole[EVP_MAX_MD_SIZE];

	if (!HMAC(EVP_sha256(), key, sizeof(key), nonce, SIGNED, whole, NULL))
		return false;
	memcpy(out, whole, MAC);
	return true;
}

bool nonce_begin(void)
{
	return RAND_priv_bytes(key, sizeof(key)) > 0;
}

bool nonce_make(uint8_t nonce[NONCE_SIZE])
{
	uint64_t time = now();

	memcpy(nonce, &time, sizeof(time));
	return RAND_bytes(nonce + sizeof(time), SIGNED - sizeof(time)) > 0 &&
	       mac(nonce, nonce + SIGNED);
}

const char *nonce_wrong(const uint8_t nonce[NONCE_SIZE], unsigned long seconds)
{
	uint8_t wanted[MAC];
	uint64_t time;

	if (!mac(nonce, wanted) || CRYPTO_memcmp(wanted, nonce + SIGNED, MAC))
		return "this broker has not made the nonce, or was started again since";
	memcpy(&time, nonce, sizeof(time));
	return now() - time > seconds ? "the nonce is too old: ask for another" : NULL;
}
