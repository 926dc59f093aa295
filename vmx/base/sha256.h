/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SHA-256 (FIPS 180-4).  Freestanding; the guest firmware compiles it too.
 * Written here since neither has a library to call.
 */
#ifndef VMX_SHA256_H
#define VMX_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t h[8];
	uint64_t len;
	uint8_t buf[64];
};

/* Any context, no lock.  A state may be copied, to go on from it twice. */

/** sha256_init() - begin a hash */
void sha256_init(struct sha256 *s);

/** sha256_update() - hash @len more bytes */
void sha256_update(struct sha256 *s, const void *data, size_t len);

/** sha256_final() - the digest of all bytes; @s must be initialised again after it */
void sha256_final(struct sha256 *s, uint8_t digest[32]);

#endif /* VMX_SHA256_H */
