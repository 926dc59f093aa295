// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a compiled policy: what the parser takes, the engine can be asked. */
#include <stdlib.h>

#include "engine/pdp.h"
#include "engine/sla.h"
#include "base/store.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An image begins with a magic, a cloud and a count; then sections: offset, count, size. */
#define SECTIONS_AT	16
#define SECTION_SIZE	16

static uint32_t u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* A field of a record that exists becomes something that an index or a count could be. */
static void change_field(uint8_t *data, size_t size, uint32_t *rnd)
{
	const uint8_t *s = data + SECTIONS_AT + next(rnd) % STORE_NSECTIONS * SECTION_SIZE;
	uint32_t off = u32(s), n = u32(s + 8), width = u32(s + 12);
	uint32_t values[] = { next(rnd) % 8, POL_NONE, n, n + 1, next(rnd), 1u << 31 };
	uint32_t v = values[next(rnd) % 6], bytes = width >= 4 && next(rnd) % 4 ? 4 : 1;
	uint64_t at;

	if (!n || !width)
		return;
	at = off + (uint64_t)(next(rnd) % n) * width + next(rnd) % (width / bytes) * bytes;
	if (at + bytes <= size)
		memcpy(data + at, &v, bytes);
}

/* Bytes at random almost never pass the header's check: mostly, change fields instead. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	uint32_t rnd = seed, i;

	if (next(&rnd) % 4 == 0 || size < SECTIONS_AT + STORE_NSECTIONS * SECTION_SIZE)
		return LLVMFuzzerMutate(data, size, max);
	for (i = next(&rnd) % 3 + 1; i; i--)
		change_field(data, size, &rnd);
	return size;
}

static void explain(const struct pol_image *p, const struct pol_query *q,
		    const struct pol_reason *r)
{
	char text[1400];

	reason_text(p, q, r, text, sizeof(text));
}

static void ask_slas(const struct pol_image *p, const struct pol_query *q)
{
	struct pol_reason r;
	uint32_t i, k, remote;

	for (i = 0; i < p->n_sla && i < 4; i++) {
		if (!sla_provide(p, q, i, "east", "guest", false, &k, &r))
			explain(p, q, &r);
		for (k = 0; k < p->n_role && k < 4; k++) {
			if (!sla_consume(p, q, i, "east", k, false, &remote, &r))
				explain(p, q, &r);
		}
	}
}

static void ask(const struct pol_image *p, uint32_t user, uint32_t inst)
{
	struct pol_query q = { .authenticated = true, .user = user, .mapped = POL_NONE,
			       .want = POL_NONE, .inst = inst, .now = 1795340000 };
	struct pol_decision d;
	uint32_t i, action;

	q.type = p->inst[inst].type;
	for (action = 0; action < p->n_action && action < 4; action++) {
		q.action = action;
		pep_decide(p, &q, &d);
		for (i = 0; i < d.n; i++)
			explain(p, &q, &d.reason[i]);
		ask_slas(p, &q);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pol_err e;
	struct pol_image *p = pol_image_parse(data, size, &e);
	uint32_t u, i;

	if (!p)
		return 0;
	for (i = 0; i < p->n_str && i < 64; i++)
		for (u = P_USER; u <= P_ZONE; u++)
			pol_find(p, u, pol_str(p, i));
	for (u = 0; u < p->n_user && u < 8; u++)
		for (i = 0; i < p->n_inst && i < 8; i++)
			ask(p, u, i);
	pol_free(p);
	return 0;
}
