// SPDX-License-Identifier: GPL-2.0
/* Ed25519 (RFC 8032) in pieces, each of them short. */
#include "vmx/base/lib.h"
#include "vmx/sign/ed25519.h"
#include "vmx/sign/sha512.h"

/* SHA-512 of two times 32 bytes, of which the second may be missing, and a message. */
static void hash(struct num digest[2], const u8 *a, const u8 *b, const u8 *message, u32 len)
{
	const struct span spans[] = { { a, 32 }, { b, b ? 32 : 0 }, { message, len } };

	sha512((u8 *)digest, spans, ARRAY_SIZE(spans));
}

/* The same modulo L. */
static void hash_mod(struct num *r, const u8 *a, const u8 *b, const struct ed25519_job *job)
{
	struct num digest[2];

	hash(digest, a, b, job->message, job->len);
	/* The upper half counts 2^256 times what it says, as 2^512 does in Montgomery's form. */
	mod_mul(&digest[1], &digest[1], &mod_order.square, &mod_order);
	mod_mul(&digest[0], &digest[0], &mod_order.square, &mod_order);
	mod_leave(&digest[0], &digest[0], &mod_order);
	mod_add(r, &digest[0], &digest[1], &mod_order);
	erase(digest, sizeof(digest));
}

/* To come: scalar[0] * B + scalar[1] * other, of so many bits. */
static void begin(struct ed25519_job *job, const struct point *other, u32 bits)
{
	job->bit = bits;
	job->sum = point_zero;
	job->table[0] = point_zero;
	job->table[1] = point_base;
	job->table[2] = *other;
	point_add(&job->table[3], &point_base, other);
}

/* To come: s * B, as two halves of it at once. */
static void begin_base(struct ed25519_job *job, const struct num *s)
{
	memcpy(&job->scalar[0], &s->word[0], 16);
	memcpy(&job->scalar[1], &s->word[2], 16);
	begin(job, &point_base_high, 128);
}

static u64 bit_of(const struct num *n, u32 i)
{
	return n->word[i / 64] >> i % 64 & 1;
}

enum ed25519_result ed25519_step(struct ed25519_job *job)
{
	enum ed25519_result result;
	struct point chosen;
	u32 i;

	for (i = 0; i < ED25519_PIECE && job->bit; i++) {
		job->bit--;
		point_select(&chosen, job->table, bit_of(&job->scalar[0], job->bit) |
			     bit_of(&job->scalar[1], job->bit) << 1);
		point_add(&job->sum, &job->sum, &job->sum);
		point_add(&job->sum, &job->sum, &chosen);
	}
	erase(&chosen, sizeof(chosen));
	if (i)
		return ED25519_MORE;
	result = job->finish(job);
	erase(job, sizeof(*job));
	return result;
}

static enum ed25519_result finish_key(struct ed25519_job *job)
{
	struct num public;

	point_write(&public, &job->sum);
	memcpy(job->key->public, &public, 32);
	return ED25519_DONE;
}

void ed25519_make_key(struct ed25519_job *job, struct ed25519_key *key, const u8 seed[32])
{
	struct num digest[2];

	hash(digest, seed, NULL, NULL, 0);
	digest[0].word[0] &= ~7ULL;
	digest[0].word[3] = (digest[0].word[3] & ~0ULL >> 1) | BIT(62);
	key->secret = digest[0];
	memcpy(key->prefix, &digest[1], 32);
	erase(digest, sizeof(digest));
	*job = (struct ed25519_job){ .finish = finish_key, .key = key };
	begin_base(job, &key->secret);
}

static enum ed25519_result finish_signature(struct ed25519_job *job)
{
	struct num s;

	point_write(&s, &job->sum);
	memcpy(job->signature, &s, 32);
	hash_mod(&s, job->signature, job->key->public, job);
	mod_mul(&s, &s, &mod_order.square, &mod_order);
	mod_mul(&s, &job->key->secret, &s, &mod_order);
	mod_add(&s, &s, &job->nonce, &mod_order);
	memcpy(job->signature + 32, &s, 32);
	return ED25519_DONE;
}

void ed25519_sign(struct ed25519_job *job, struct ed25519_key *key, const void *message,
		  u32 len, u8 signature[64])
{
	*job = (struct ed25519_job){
		.finish = finish_signature, .key = key, .message = message, .len = len,
		.signature = signature,
	};
	hash_mod(&job->nonce, key->prefix, NULL, job);
	begin_base(job, &job->nonce);
}

static enum ed25519_result finish_verify(struct ed25519_job *job)
{
	struct num bits;

	point_write(&bits, &job->sum);
	return num_is_equal(&bits, &job->expected) ? ED25519_DONE : ED25519_BAD;
}

/* 8 times such a point is 0. */
static bool small_order(const struct point *p)
{
	struct point eight;

	point_add(&eight, p, p);
	point_add(&eight, &eight, &eight);
	point_add(&eight, &eight, &eight);
	return point_is_zero(&eight);
}

enum ed25519_result ed25519_verify(struct ed25519_job *job, const u8 public[32],
				   const void *message, u32 len, const u8 signature[64])
{
	struct point key;

	*job = (struct ed25519_job){ .finish = finish_verify, .message = message, .len = len };
	memcpy(&job->expected, signature, 32);
	memcpy(&job->scalar[0], signature + 32, 32);
	if (!num_is_less(&job->scalar[0], &mod_order.m) || !point_read(&key, public) ||
	    small_order(&key))
		return ED25519_BAD;
	hash_mod(&job->scalar[1], signature, public, job);
	point_negate(&key, &key);
	begin(job, &key, 256);
	return ED25519_MORE;
}
