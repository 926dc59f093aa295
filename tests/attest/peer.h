/* SPDX-License-Identifier: GPL-2.0 */
/* Ed25519 as OpenSSL has it. */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include <openssl/evp.h>
#include "vmx/base/types.h"

static inline bool peer_verifies(const u8 public[32], const void *message, u32 len,
				 const u8 *signature)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, 32);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good;

	EVP_DigestVerifyInit(context, NULL, NULL, NULL, key);
	good = EVP_DigestVerify(context, signature, 64, message, len) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}

#endif /* TESTS_PEER_H */
