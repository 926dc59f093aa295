// SPDX-License-Identifier: GPL-2.0
/*
 * SHA-256 (FIPS 180-4), scalar.
 *
 * Every frame of a protected VM passes through here, and on an emulator each
 * instruction costs the same, so this counts instructions, not latencies:
 *
 *  - the three rotations of a Sigma are nested, ror(ror(ror(x, i) ^ x, j) ^ x, k),
 *    which needs one copy of x where three rotations side by side need three;
 *  - Maj(a, b, c) is ((a ^ b) & (b ^ c)) ^ b, and this round's a ^ b is the next
 *    round's b ^ c;
 *  - the schedule is a ring of 16 words, each made in the round that uses it.
 *
 * No vector registers: in root mode they hold a guest's values.
 */
#include "vmx/base/lib.h"
#include "vmx/base/sha256.h"

#define BLOCK	64u

/* FIPS 180-4, 4.2.2 */
static const u32 k256[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline u32 ror(u32 x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static inline u32 load_be32(const u8 *p)
{
	u32 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline void store_be32(u8 *p, u32 v)
{
	v = __builtin_bswap32(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

/* The rotations of 4.1.2, nested: 6-11-25, 2-13-22, 7-18 and 17-19. */
#define BIG1(x)		ror(ror(ror(x, 14) ^ (x), 5) ^ (x), 6)
#define BIG0(x)		ror(ror(ror(x, 9) ^ (x), 11) ^ (x), 2)
#define SMALL0(x)	(ror(ror(x, 11) ^ (x), 7) ^ (x) >> 3)
#define SMALL1(x)	(ror(ror(x, 2) ^ (x), 17) ^ (x) >> 10)

/* Schedule word i: read from the block, or made of the ring. */
#define FETCH(i)	(w[i] = load_be32(p + 4 * (i)))
#define EXTEND(i)	(w[i] += SMALL0(w[((i) + 1) & 15]) + w[((i) + 9) & 15] + \
				 SMALL1(w[((i) + 14) & 15]))

#define ROUND(a, b, c, d, e, f, g, h, k, word) do {		\
	u32 ab = (a) ^ (b);				\
								\
	(h) += (k) + (word);					\
	(h) += (((f) ^ (g)) & (e)) ^ (g);			\
	(h) += BIG1(e);						\
	(d) += (h);						\
	(h) += (bc & ab) ^ (b);					\
	(h) += BIG0(a);						\
	bc = ab;						\
} while (0)

#define ROUNDS_8(k, i, W) do {					\
	ROUND(a, b, c, d, e, f, g, h, (k)[(i) + 0], W((i) + 0));	\
	ROUND(h, a, b, c, d, e, f, g, (k)[(i) + 1], W((i) + 1));	\
	ROUND(g, h, a, b, c, d, e, f, (k)[(i) + 2], W((i) + 2));	\
	ROUND(f, g, h, a, b, c, d, e, (k)[(i) + 3], W((i) + 3));	\
	ROUND(e, f, g, h, a, b, c, d, (k)[(i) + 4], W((i) + 4));	\
	ROUND(d, e, f, g, h, a, b, c, (k)[(i) + 5], W((i) + 5));	\
	ROUND(c, d, e, f, g, h, a, b, (k)[(i) + 6], W((i) + 6));	\
	ROUND(b, c, d, e, f, g, h, a, (k)[(i) + 7], W((i) + 7));	\
} while (0)

static void sha256_block(u32 s[8], const u8 *p)
{
	u32 a = s[0], b = s[1], c = s[2], d = s[3];
	u32 e = s[4], f = s[5], g = s[6], h = s[7];
	u32 bc = b ^ c, w[16];
	const u32 *k = k256;

	ROUNDS_8(k, 0, FETCH);
	ROUNDS_8(k, 8, FETCH);
	for (k = k256 + 16; k < k256 + 64; k += 16) {
		ROUNDS_8(k, 0, EXTEND);
		ROUNDS_8(k, 8, EXTEND);
	}

	s[0] += a;
	s[1] += b;
	s[2] += c;
	s[3] += d;
	s[4] += e;
	s[5] += f;
	s[6] += g;
	s[7] += h;
}

/** sha256_init() - start a hash */
void sha256_init(struct sha256 *s)
{
	/* FIPS 180-4, 5.3.3 */
	static const u32 start[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(s->h, start, sizeof(start));
	s->len = 0;
}

/**
 * sha256_update() - hash @len more bytes
 *
 * Whole blocks are taken from @data where they lie, without a copy: the caller
 * owns @data alone until this returns.
 */
void sha256_update(struct sha256 *s, const void *data, size_t len)
{
	const u8 *p = data;
	size_t used = s->len % BLOCK, n;

	s->len += len;
	if (used) {
		n = len < BLOCK - used ? len : BLOCK - used;
		memcpy(s->buf + used, p, n);
		if (used + n < BLOCK)
			return;
		sha256_block(s->h, s->buf);
		p += n;
		len -= n;
	}
	for (; len >= BLOCK; p += BLOCK, len -= BLOCK)
		sha256_block(s->h, p);
	memcpy(s->buf, p, len);
}

/** sha256_final() - pad (FIPS 180-4, 5.1.1) and give the digest */
void sha256_final(struct sha256 *s, u8 digest[32])
{
	size_t used = s->len % BLOCK;
	u64 bits = s->len * 8;
	int i;

	s->buf[used++] = 0x80;
	if (used > BLOCK - 8) {
		memset(s->buf + used, 0, BLOCK - used);
		sha256_block(s->h, s->buf);
		used = 0;
	}
	memset(s->buf + used, 0, BLOCK - 8 - used);
	store_be32(s->buf + BLOCK - 8, (u32)(bits >> 32));
	store_be32(s->buf + BLOCK - 4, (u32)bits);
	sha256_block(s->h, s->buf);
	for (i = 0; i < 8; i++)
		store_be32(digest + 4 * i, s->h[i]);
}
