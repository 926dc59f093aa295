// SPDX-License-Identifier: GPL-2.0
/* SHA-512 (FIPS 180-4), as the standard writes it: no byte chooses a branch or an index. */
#include "vmx/base/lib.h"
#include "vmx/sign/sha512.h"

#define BLOCK	128u

/* FIPS 180-4, 4.2.3 */
static const u64 k512[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
	0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
	0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
	0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static inline u64 ror(u64 x, unsigned int n)
{
	return x >> n | x << (64 - n);
}

static inline u64 load_be64(const u8 *p)
{
	u64 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

static inline void store_be64(u8 *p, u64 v)
{
	v = __builtin_bswap64(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

/* The schedule, 6.4.2 step 1, as a ring of 16 words: word i takes the place of word i - 16. */
static u64 extend(u64 w[16], unsigned int i)
{
	u64 w2 = w[(i - 2) & 15], w15 = w[(i - 15) & 15];

	w[i & 15] += (ror(w2, 19) ^ ror(w2, 61) ^ w2 >> 6) + w[(i - 7) & 15] +
		     (ror(w15, 1) ^ ror(w15, 8) ^ w15 >> 7);
	return w[i & 15];
}

void erase(void *secret, size_t len)
{
	memset(secret, 0, len);
	__asm__ volatile("" : : "r"(secret) : "memory");
}

static void sha512_block(u64 state[8], const u8 *p)
{
	u64 w[16], v[8], t1, t2;
	unsigned int i, j;

	for (i = 0; i < 16; i++)
		w[i] = load_be64(p + 8 * i);
	memcpy(v, state, sizeof(v));
	for (i = 0; i < 80; i++) {
		t1 = v[7] + (ror(v[4], 14) ^ ror(v[4], 18) ^ ror(v[4], 41)) +
		     (((v[5] ^ v[6]) & v[4]) ^ v[6]) + k512[i] + (i < 16 ? w[i] : extend(w, i));
		t2 = (ror(v[0], 28) ^ ror(v[0], 34) ^ ror(v[0], 39)) +
		     ((v[0] & v[1]) | ((v[0] | v[1]) & v[2]));
		for (j = 7; j > 0; j--)
			v[j] = v[j - 1];
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		state[i] += v[i];
	erase(w, sizeof(w));
	erase(v, sizeof(v));
}

/* From an initial value to a digest, whose bytes are then in their order in memory. */
static void hash(u64 state[8], const struct span *spans, u32 count)
{
	u8 block[BLOCK];
	u64 len = 0;
	u32 i, at;

	for (i = 0; i < count; i++)
		for (at = 0; at < spans[i].len; at++) {
			block[len++ % BLOCK] = ((const u8 *)spans[i].bytes)[at];
			if (len % BLOCK == 0)
				sha512_block(state, block);
		}
	/* 5.1.2: a 1, zeros, and the length in 128 bits, of which 64 suffice */
	at = len % BLOCK;
	memset(block + at, 0, BLOCK - at);
	block[at] = 0x80;
	if (at >= BLOCK - 16) {
		sha512_block(state, block);
		memset(block, 0, BLOCK);
	}
	store_be64(block + BLOCK - 8, len * 8);
	sha512_block(state, block);
	for (i = 0; i < 8; i++)
		store_be64((u8 *)&state[i], state[i]);
	erase(block, sizeof(block));
}

void sha512(u8 digest[64], const struct span *spans, u32 count)
{
	/* FIPS 180-4, 5.3.5 */
	u64 state[8] = {
		0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
		0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
	};

	hash(state, spans, count);
	memcpy(digest, state, sizeof(state));
	erase(state, sizeof(state));
}

void sha384(u8 digest[48], const struct span *spans, u32 count)
{
	/* FIPS 180-4, 5.3.4 */
	u64 state[8] = {
		0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
		0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
	};

	hash(state, spans, count);
	memcpy(digest, state, 48);
}
