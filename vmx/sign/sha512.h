/* SPDX-License-Identifier: GPL-2.0 */
/* SHA-512 (FIPS 180-4), which Ed25519 is made of, and SHA-384, which RTMRs are. */
#ifndef VMX_SHA512_H
#define VMX_SHA512_H

#include "vmx/base/types.h"

struct span {
	const void *bytes;
	u32 len;
};

/** sha512() - the digest of @count spans, one behind the other */
void sha512(u8 digest[64], const struct span *spans, u32 count);

/** sha384() - see sha512(); @digest may be one of the spans */
void sha384(u8 digest[48], const struct span *spans, u32 count);

/** erase() - zero what was secret, also where a compiler thinks that nobody looks again */
void erase(void *secret, size_t len);

#endif /* VMX_SHA512_H */
