// SPDX-License-Identifier: GPL-2.0
/* vmx/base/sha256.c gives the digests of FIPS 180-4, and OpenSSL's on anything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>

#include "vmx/base/sha256.h"

static void reference(const void *data, size_t len, uint8_t digest[32])
{
	unsigned int n;

	assert_int_equal(EVP_Digest(data, len, digest, &n, EVP_sha256(), NULL), 1);
	assert_int_equal(n, 32);
}

static void whole(const void *data, size_t len, uint8_t digest[32])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, data, len);
	sha256_final(&s, digest);
}

static void fips_vectors(void **state)
{
	/* the examples that NIST publishes beside FIPS 180-4 */
	static const struct {
		const char *text;
		const char *hex;
	} v[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	static const uint8_t million[32] = {
		0xcd, 0xc7, 0x6e, 0x5c, 0x99, 0x14, 0xfb, 0x92, 0x81, 0xa1, 0xc7,
		0xe2, 0x84, 0xd7, 0x3e, 0x67, 0xf1, 0x80, 0x9a, 0x48, 0xa4, 0x97,
		0x20, 0x0e, 0x04, 0x6d, 0x39, 0xcc, 0xc7, 0x11, 0x2c, 0xd0,
	};
	uint8_t digest[32];
	char hex[65], *a;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		whole(v[i].text, strlen(v[i].text), digest);
		for (j = 0; j < 32; j++)
			snprintf(hex + 2 * j, 3, "%02x", digest[j]);
		assert_string_equal(hex, v[i].hex);
	}
	a = malloc(1000000);
	assert_non_null(a);
	memset(a, 'a', 1000000);
	whole(a, 1000000, digest);
	assert_memory_equal(digest, million, 32);
	free(a);
}

/* Every length around the padding's edges, at every alignment of the data. */
static void every_short_length(void **state)
{
	uint8_t buf[208], got[32], want[32];
	size_t len, off;

	(void)state;
	for (len = 0; len < sizeof(buf); len++)
		buf[len] = (uint8_t)(len * 37 + 11);
	for (len = 0; len <= 200; len++) {
		for (off = 0; off < 8; off++) {
			whole(buf + off, len, got);
			reference(buf + off, len, want);
			assert_memory_equal(got, want, 32);
		}
	}
}

/* A stream cut anywhere hashes as one piece does. */
static void random_pieces(void **state)
{
	uint8_t got[32], want[32], *buf = malloc(100000);
	struct sha256 s;
	size_t at, n;
	int turn;

	(void)state;
	assert_non_null(buf);
	srand(20240607);
	for (turn = 0; turn < 200; turn++) {
		size_t len = (size_t)rand() % 100000;

		for (at = 0; at < len; at++)
			buf[at] = (uint8_t)rand();
		reference(buf, len, want);
		sha256_init(&s);
		for (at = 0; at < len; at += n) {
			n = (size_t)rand() % (turn % 2 ? 80 : 9000);
			if (n > len - at)
				n = len - at;
			sha256_update(&s, buf + at, n);
		}
		sha256_final(&s, got);
		assert_memory_equal(got, want, 32);
	}
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fips_vectors),
		cmocka_unit_test(every_short_length),
		cmocka_unit_test(random_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
