// SPDX-License-Identifier: GPL-2.0
/*
 * vmx/sign/ against RFC 8032, Wycheproof's vectors and OpenSSL.  Prints TAP.
 *
 * ed25519 ROUNDS VECTORS
 */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jobs.h"
#include "peer.h"
#include "vmx/sign/sha512.h"

static int count;

static void result(bool ok, const char *what)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", ++count, what);
}

static int unhex(u8 *bytes, const char *hex)
{
	int n;

	if (!strcmp(hex, "-"))
		return 0;
	for (n = 0; hex[2 * n]; n++)
		if (sscanf(hex + 2 * n, "%2hhx", &bytes[n]) != 1)
			abort();
	return n;
}

/* --- the peer --- */

static void peer_signs(const u8 seed[32], const void *message, u32 len, u8 public[32],
		       u8 signature[64])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = 64, public_size = 32;

	EVP_PKEY_get_raw_public_key(key, public, &public_size);
	EVP_DigestSignInit(context, NULL, NULL, NULL, key);
	EVP_DigestSign(context, signature, &size, message, len);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
}

/* --- SHA-512 --- */

static void test_sha512(void)
{
	u8 bytes[400], ours[64], theirs[64];
	bool same = true;
	u32 len, cut;

	RAND_bytes(bytes, sizeof(bytes));
	for (len = 0; len <= sizeof(bytes); len++) {
		cut = len ? bytes[len % 7] % len : 0;
		sha512(ours, (struct span[]){ { bytes, cut }, { bytes + cut, len - cut } }, 2);
		SHA512(bytes, len, theirs);
		same &= !memcmp(ours, theirs, 64);
		sha384(ours, (struct span[]){ { bytes, cut }, { bytes + cut, len - cut } }, 2);
		SHA384(bytes, len, theirs);
		same &= !memcmp(ours, theirs, 48);
	}
	result(same, "SHA-512 and SHA-384 of 0 to 400 bytes, cut anywhere, is OpenSSL's");
}

/* --- RFC 8032, 7.1 --- */

static const struct {
	const char *seed, *public, *message, *signature;
} rfc[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "-",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
	},
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
	},
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
	},
};

static void test_rfc(void)
{
	u8 seed[32], public[32], message[4], wanted[64], made[64];
	struct ed25519_key key;
	u32 i, len;

	for (i = 0; i < ARRAY_SIZE(rfc); i++) {
		unhex(seed, rfc[i].seed);
		unhex(public, rfc[i].public);
		unhex(wanted, rfc[i].signature);
		len = unhex(message, rfc[i].message);
		key_of(&key, seed);
		sign(&key, message, len, made);
		result(!memcmp(key.public, public, 32) && !memcmp(made, wanted, 64) &&
		       verify(public, message, len, made), "RFC 8032, 7.1: key and signature");
	}
}

/* --- Wycheproof --- */

static void test_vectors(const char *path)
{
	static char line[8192], id[16], verdict[16], public[80], message[4200], signature[800];
	static u8 p[40], m[2100], s[400];
	int len, size, rows = 0, wrong = 0;
	FILE *file = fopen(path, "r");

	while (file && fgets(line, sizeof(line), file)) {
		if (*line == '#' || sscanf(line, "%15s %15s %79s %4199s %799s", id, verdict, public,
					   message, signature) != 5)
			continue;
		rows++;
		unhex(p, public);
		len = unhex(m, message);
		size = unhex(s, signature);
		/* The layer's form is fixed: a signature of another size cannot be handed in. */
		if ((size == 64 && verify(p, m, len, s)) != !strcmp(verdict, "valid")) {
			printf("# vector %s: should be %s\n", id, verdict);
			wrong++;
		}
	}
	printf("# %d vectors\n", rows);
	result(rows >= 150 && !wrong, "Wycheproof's vectors are judged as they should be");
	if (file)
		fclose(file);
}

/* --- OpenSSL, both ways --- */

static u8 byte_below(u8 n)
{
	u8 byte;

	RAND_bytes(&byte, 1);
	return byte % n;
}

static void flip_one(u8 *bytes, u32 len)
{
	bytes[byte_below(len)] ^= 1 << byte_below(8);
}

/* What is refused by ours: false if it was not, or if the peer takes it. */
static bool both_refuse(const u8 *public, const u8 *message, u32 len, const u8 *signature)
{
	return !verify(public, message, len, signature) &&
	       !peer_verifies(public, message, len, signature);
}

static void test_random(int rounds)
{
	u8 seed[32], public[32], message[ED25519_MESSAGE], ours[64], theirs[64], bent[64];
	bool keys = true, signatures = true, good = true, bad = true;
	struct ed25519_key key;
	u16 len;
	int i;

	for (i = 0; i < rounds; i++) {
		RAND_bytes(seed, sizeof(seed));
		RAND_bytes(message, sizeof(message));
		RAND_bytes((u8 *)&len, sizeof(len));
		len = i % 8 ? len % 300 : len % (sizeof(message) + 1);
		key_of(&key, seed);
		sign(&key, message, len, ours);
		peer_signs(seed, message, len, public, theirs);
		keys &= !memcmp(key.public, public, 32);
		signatures &= !memcmp(ours, theirs, 64);
		good &= verify(public, message, len, theirs) &&
			peer_verifies(key.public, message, len, ours);
		memcpy(bent, ours, 64);
		flip_one(bent, 64);
		bad &= both_refuse(public, message, len, bent);
		flip_one(public, 32);
		bad &= both_refuse(public, message, len, ours);
		if (len) {
			bad &= both_refuse(key.public, message, len - 1, ours);
			flip_one(message, len > 255 ? 255 : len);
			bad &= both_refuse(key.public, message, len, ours);
		}
	}
	printf("# %d rounds\n", rounds);
	result(keys, "public keys are OpenSSL's");
	result(signatures, "signatures are OpenSSL's, byte for byte");
	result(good, "each verifies the other's");
	result(bad, "a bit of signature, key or message, or its last byte: both refuse");
}

/* --- what is malformed on purpose --- */

/* n += L, as 32 bytes. */
static void add_order(u8 n[32])
{
	const u8 *order = (const u8 *)&mod_order.m;
	u32 sum = 0, i;

	for (i = 0; i < 32; i++) {
		sum += n[i] + order[i];
		n[i] = (u8)sum;
		sum >>= 8;
	}
}

static void test_second_forms(void)
{
	u8 seed[32] = { 7 }, signature[64];
	struct ed25519_key key;
	bool refused = true;
	int i;

	key_of(&key, seed);
	sign(&key, "x", 1, signature);
	for (i = 0; i < 14; i++) {		/* 16 L is more than 2^256 */
		add_order(signature + 32);
		refused &= !verify(key.public, "x", 1, signature);
	}
	result(refused, "S + L to S + 14 L are refused");
}

/* Of order 1, 2, 4 and 8, and forms of them that are not below p or have a sign of 0. */
static const char * const small[] = {
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
};

static const char * const second[] = {
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static void test_points(void)
{
	bool points = true, refused = true, malformed = true, peer = false;
	u8 public[32], signature[64] = { 1 };	/* R = 0, S = 0: right if the key is 0, too */
	struct point p;
	u8 i, m;

	for (i = 0; i < ARRAY_SIZE(small); i++) {
		unhex(public, small[i]);
		points &= point_read(&p, public);
		for (m = 0; m < 16; m++) {
			refused &= !verify(public, &m, 1, signature);
			peer |= peer_verifies(public, &m, 1, signature);
		}
	}
	for (i = 0; i < ARRAY_SIZE(second); i++) {
		unhex(public, second[i]);
		malformed &= !point_read(&p, public) && !verify(public, "", 0, signature);
	}
	result(points && refused, "a key of small order is refused, whatever it signs");
	result(peer, "which OpenSSL accepts for some message");
	result(malformed, "a second encoding of a point is none");
}

static void test_random_points(int rounds)
{
	int i, decoded = 0;
	struct num again;
	u8 bytes[32];
	bool same = true;
	struct point p;

	for (i = 0; i < rounds; i++) {
		RAND_bytes(bytes, 32);
		if (!point_read(&p, bytes))
			continue;
		decoded++;
		point_write(&again, &p);
		same &= !memcmp(&again, bytes, 32);
	}
	printf("# %d of %d random encodings are points\n", decoded, rounds);
	result(same && decoded > rounds / 3 && decoded < rounds * 2 / 3,
	       "half of all encodings are points, and they are encoded as they were");
}

/* --- secrets --- */

static bool has_secret(const void *where, size_t size, const void *secret)
{
	return memmem(where, size, secret, 16);
}

static void test_erased(void)
{
	u8 seed[32], signature[64], zero[sizeof(struct ed25519_job)] = { };
	struct ed25519_job job;
	struct ed25519_key key;
	bool held;
	int pieces = 1;

	RAND_bytes(seed, sizeof(seed));
	key_of(&key, seed);
	ed25519_sign(&job, &key, "m", 1);
	held = !has_secret(&job, sizeof(job), zero) || memcmp(&job, zero, sizeof(job));
	while (ed25519_step(&job, signature))
		pieces++;
	result(held && !memcmp(&job, zero, sizeof(job)), "a job that is done holds nothing");
	printf("# a signature is made in %d pieces and a beginning\n", pieces);
	result(pieces == 128 / ED25519_PIECE + 1, "a job goes on in pieces of ED25519_PIECE bits");
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 100;

	test_sha512();
	test_rfc();
	test_vectors(argc > 2 ? argv[2] : "tests/attest/ed25519-vectors.txt");
	test_random(rounds);
	test_second_forms();
	test_points();
	test_random_points(1000);
	test_erased();
	printf("1..%d\n", count);
	return 0;
}
