// SPDX-License-Identifier: GPL-2.0-only
/* Freestanding: fixed-size integers and loops only. */
#include "trust/ticket.h"

/* The last byte is the version, as a digit. */
static const uint8_t magic[7] = { 'U', 'P', 'T', 'I', 'C', 'K', 'T' };

static void copy(void *to, const void *from, uint32_t n)
{
	const uint8_t *f = from;
	uint8_t *t = to;

	while (n--)
		*t++ = *f++;
}

static int differs(const uint8_t *a, const uint8_t *b, uint32_t n)
{
	uint8_t d = 0;

	while (n--)
		d |= *a++ ^ *b++;
	return d;
}

static uint64_t get(const uint8_t *p, int n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static void put(uint8_t *p, int n, uint64_t v)
{
	for (; n--; v >>= 8)
		*p++ = v;
}

/* How many of the first TICKET_NAME_MAX are printable ASCII. */
static int printable(const uint8_t *p)
{
	int i = 0;

	while (i < TICKET_NAME_MAX && p[i] > ' ' && p[i] < 127)
		i++;
	return i;
}

int ticket_name_ok(const char *name)
{
	int n = printable((const uint8_t *)name);

	return n && !name[n];
}

/* Printable ASCII, then zeros to the end; at least one zero. */
static int name_ok(const uint8_t *p)
{
	int i = printable(p);

	for (; i <= TICKET_NAME_MAX; i++)
		if (p[i])
			return 0;
	return 1;
}

static enum ticket_error parse_1(const uint8_t *b, struct ticket *t)
{
	if (get(b + TICKET_AT_RESERVED, 4))
		return TICKET_BAD_RESERVED;
	t->lifetime = get(b + TICKET_AT_LIFETIME, 4);
	if (!t->lifetime || t->lifetime > TICKET_LIFETIME_MAX)
		return TICKET_BAD_LIFETIME;
	if (!name_ok(b + TICKET_AT_ROLE) || !b[TICKET_AT_ROLE] || !name_ok(b + TICKET_AT_SLA))
		return TICKET_BAD_NAME;
	copy(t->id, b + TICKET_AT_ID, 16);
	copy(t->role, b + TICKET_AT_ROLE, TICKET_NAME_MAX + 1);
	copy(t->sla, b + TICKET_AT_SLA, TICKET_NAME_MAX + 1);
	return TICKET_OK;
}

static enum ticket_error parse_2(const uint8_t *b, struct ticket *t)
{
	if (get(b + TICKET2_AT_RESERVED, 4))
		return TICKET_BAD_RESERVED;
	t->ticks = get(b + TICKET2_AT_TICKS, 8);
	if (!t->ticks || t->ticks >= TICKET_TICKS_MAX)
		return TICKET_BAD_LIFETIME;
	if (!name_ok(b + TICKET2_AT_ROLE) || !b[TICKET2_AT_ROLE])
		return TICKET_BAD_NAME;
	copy(t->challenge, b + TICKET2_AT_CHALLENGE, 32);
	copy(t->measurement, b + TICKET2_AT_MEASUREMENT, 32);
	t->frames = get(b + TICKET2_AT_FRAMES, 8);
	t->vcpus = get(b + TICKET2_AT_VCPUS, 4);
	copy(t->role, b + TICKET2_AT_ROLE, TICKET_NAME_MAX + 1);
	return TICKET_OK;
}

enum ticket_error ticket_parse(const uint8_t *b, uint32_t size, struct ticket *t)
{
	if (size != TICKET_SIZE || get(b + TICKET_AT_SIZE, 2) != TICKET_SIZE)
		return TICKET_BAD_SIZE;
	if (differs(b + TICKET_AT_MAGIC, magic, sizeof(magic)) || (b[7] != '1' && b[7] != '2'))
		return TICKET_BAD_MAGIC;
	if (get(b + TICKET_AT_VERSION, 2) != b[7] - (uint64_t)'0')
		return TICKET_BAD_VERSION;
	if (get(b + TICKET_AT_FLAGS, 4))
		return TICKET_BAD_RESERVED;
	*t = (struct ticket){ 0 };
	t->layer = b[7] == '2';
	copy(t->vm, b + TICKET_AT_VM, 16);
	copy(t->definition, b + TICKET_AT_DEFINITION, 32);
	copy(t->host, b + TICKET_AT_HOST, 32);
	copy(t->image, b + TICKET_AT_IMAGE, 32);
	copy(t->nonce, b + TICKET_AT_NONCE, 32);
	t->issued = get(b + TICKET_AT_ISSUED, 8);
	copy(t->issuer, b + TICKET_AT_ISSUER, 32);
	copy(t->signature, b + TICKET_AT_SIGNATURE, 64);
	return t->layer ? parse_2(b, t) : parse_1(b, t);
}

static void write_1(const struct ticket *t, uint8_t *b)
{
	copy(b + TICKET_AT_ID, t->id, 16);
	put(b + TICKET_AT_LIFETIME, 4, t->lifetime);
	put(b + TICKET_AT_RESERVED, 4, 0);
	copy(b + TICKET_AT_ROLE, t->role, TICKET_NAME_MAX + 1);
	copy(b + TICKET_AT_SLA, t->sla, TICKET_NAME_MAX + 1);
}

static void write_2(const struct ticket *t, uint8_t *b)
{
	copy(b + TICKET2_AT_CHALLENGE, t->challenge, 32);
	copy(b + TICKET2_AT_MEASUREMENT, t->measurement, 32);
	put(b + TICKET2_AT_TICKS, 8, t->ticks);
	put(b + TICKET2_AT_FRAMES, 8, t->frames);
	put(b + TICKET2_AT_VCPUS, 4, t->vcpus);
	put(b + TICKET2_AT_RESERVED, 4, 0);
	copy(b + TICKET2_AT_ROLE, t->role, TICKET_NAME_MAX + 1);
}

void ticket_write(const struct ticket *t, uint8_t *b)
{
	copy(b + TICKET_AT_MAGIC, magic, sizeof(magic));
	b[7] = t->layer ? '2' : '1';
	put(b + TICKET_AT_VERSION, 2, t->layer ? 2 : 1);
	put(b + TICKET_AT_SIZE, 2, TICKET_SIZE);
	put(b + TICKET_AT_FLAGS, 4, 0);
	copy(b + TICKET_AT_VM, t->vm, 16);
	copy(b + TICKET_AT_DEFINITION, t->definition, 32);
	copy(b + TICKET_AT_HOST, t->host, 32);
	copy(b + TICKET_AT_IMAGE, t->image, 32);
	copy(b + TICKET_AT_NONCE, t->nonce, 32);
	if (t->layer)
		write_2(t, b);
	else
		write_1(t, b);
	put(b + TICKET_AT_ISSUED, 8, t->issued);
	copy(b + TICKET_AT_ISSUER, t->issuer, 32);
	copy(b + TICKET_AT_SIGNATURE, t->signature, 64);
}

enum ticket_error ticket_match(const struct ticket *t, const struct ticket_expect *x)
{
	if (x->host && differs(t->host, x->host, 32))
		return TICKET_OTHER_HOST;
	if (x->image && differs(t->image, x->image, 32))
		return TICKET_OTHER_IMAGE;
	if (x->nonce && differs(t->nonce, x->nonce, 32))
		return TICKET_OTHER_LAUNCH;
	if (x->vm && differs(t->vm, x->vm, 16))
		return TICKET_OTHER_VM;
	if (x->definition && differs(t->definition, x->definition, 32))
		return TICKET_OTHER_DEFINITION;
	if (!t->layer && x->age >= t->lifetime)
		return TICKET_EXPIRED;
	return TICKET_OK;
}

static const char *const messages[TICKET_NERRORS] = {
	[TICKET_OK] = "the ticket is good",
	[TICKET_BAD_SIZE] = "not 416 bytes: the file is no ticket, or cut short",
	[TICKET_BAD_MAGIC] = "does not begin with UPTICKT1 or UPTICKT2: the file is no ticket",
	[TICKET_BAD_VERSION] = "of another version: ask for a new ticket",
	[TICKET_BAD_RESERVED] = "reserved bytes are not zero: of a later version, or damaged",
	[TICKET_BAD_LIFETIME] = "its lifetime is not 1 to 3600 seconds, or that many ticks",
	[TICKET_BAD_NAME] = "its role or SLA is no printable, zero-padded name",
	[TICKET_BAD_SIGNATURE] = "its signature is not the issuer's: forged, or another key",
	[TICKET_OTHER_HOST] = "for another host",
	[TICKET_OTHER_IMAGE] = "for another root image than the one that runs here",
	[TICKET_OTHER_LAUNCH] = "for another launch of the layer: ask for a new ticket",
	[TICKET_OTHER_VM] = "for another VM",
	[TICKET_OTHER_DEFINITION] = "the VM's definition has changed since: ask anew",
	[TICKET_EXPIRED] = "expired: ask for a new ticket",
};

const char *ticket_message(enum ticket_error error)
{
	return error < TICKET_NERRORS ? messages[error] : "unknown error";
}
