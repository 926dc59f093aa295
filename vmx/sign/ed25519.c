// SPDX-License-Identifier: GPL-2.0
/* Ed25519 (RFC 8032) in pieces, each of them short. */
#include "vmx/base/lib.h"
#include "vmx/sign/ed25519.h"
#include "vmx/sign/sha512.h"

void ed25519_hash(struct num *r, const u8 *a, const u8 *b, const void *message, u32 len)
{
	const struct span spans[] = { { a, 32 }, { b, b ? 32 : 0 }, { message, len } };
	struct num digest[2];

	sha512((u8 *)digest, spans, ARRAY_SIZE(spans));
	/* The upper half counts 2^256 times what it says, as 2^512 does in Montgomery's form. */
	mod_mul(&digest[1], &digest[1], &mod_order.square, &mod_order);
	mod_mul(&digest[0], &digest[0], &mod_order.square, &mod_order);
	mod_leave(&digest[0], &digest[0], &mod_order);
	mod_add(r, &digest[0], &digest[1], &mod_order);
	erase(digest, sizeof(digest));
}

static u64 bit_of(const struct num *n, u32 i)
{
	return n->word[i / 64] >> i % 64 & 1;
}

bool product_step(struct product *p)
{
	struct point chosen;
	u32 i;

	for (i = 0; i < ED25519_PIECE && p->bits; i++) {
		p->bits--;
		point_select(&chosen, p->table,
			     bit_of(&p->a, p->bits) | bit_of(&p->b, p->bits) << 1);
		point_add(&p->sum, &p->sum, &p->sum);
		point_add(&p->sum, &p->sum, &chosen);
	}
	erase(&chosen, sizeof(chosen));
	return i;
}

/* To come: s * B, as two halves of it at once. */
static void begin(struct product *p, const struct num *s)
{
	*p = (struct product){ .table = point_base, .bits = 128, .sum = point_base[0] };
	memcpy(&p->a, &s->word[0], 16);
	memcpy(&p->b, &s->word[2], 16);
}

void ed25519_make_key(struct ed25519_key *key, const u8 seed[32])
{
	struct product public;
	struct num digest[2];

	sha512((u8 *)digest, &(struct span){ seed, 32 }, 1);
	digest[0].word[0] &= ~7ULL;
	digest[0].word[3] = (digest[0].word[3] & ~0ULL >> 1) | BIT(62);
	key->secret = digest[0];
	memcpy(key->prefix, &digest[1], 32);
	begin(&public, &key->secret);
	while (product_step(&public))
		;
	point_write(&digest[0], &public.sum);
	memcpy(key->public, &digest[0], 32);
	erase(digest, sizeof(digest));
	erase(&public, sizeof(public));
}

void ed25519_sign(struct ed25519_job *job, const struct ed25519_key *key, const void *message,
		  u32 len)
{
	*job = (struct ed25519_job){ .key = key, .message = message, .len = len };
	ed25519_hash(&job->nonce, key->prefix, NULL, message, len);
	begin(&job->product, &job->nonce);
}

bool ed25519_step(struct ed25519_job *job, u8 signature[64])
{
	struct num s;

	if (product_step(&job->product))
		return true;
	point_write(&s, &job->product.sum);
	memcpy(signature, &s, 32);
	ed25519_hash(&s, signature, job->key->public, job->message, job->len);
	mod_mul(&s, &s, &mod_order.square, &mod_order);
	mod_mul(&s, &job->key->secret, &s, &mod_order);
	mod_add(&s, &s, &job->nonce, &mod_order);
	memcpy(signature + 32, &s, 32);
	erase(job, sizeof(*job));
	return false;
}
