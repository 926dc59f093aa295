/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ticket: what an authorised request ends in (docs/ticket.md).
 *
 * A fixed layout that a small verifier can check. This header and ticket.c use
 * nothing but fixed-size integers: no allocation, no library, no pointers into
 * the ticket's bytes, so that the layer can compile them too. Integers are
 * little-endian. The signature is Ed25519 over all bytes before it.
 *
 * Version 1 is checked by a program of the host's; version 2 by the layer itself, and names
 * what the layer can see (struct up_ticket, vmx/abi/call.h). Both have the same size.
 */
#ifndef TICKET_H
#define TICKET_H

#include <stdint.h>

#define TICKET_SIZE		416
#define TICKET_SIGNED		352	/* bytes that the signature covers */
#define TICKET_NAME_MAX		63
#define TICKET_LIFETIME_MAX	3600	/* seconds */
#define TICKET_TICKS_MAX	(1ULL << 44)	/* version 2: less than this */

/* Byte offsets; ticket.md has the table. */
enum {
	TICKET_AT_MAGIC = 0,
	TICKET_AT_VERSION = 8,
	TICKET_AT_SIZE = 10,
	TICKET_AT_FLAGS = 12,
	TICKET_AT_VM = 16,
	TICKET_AT_DEFINITION = 32,
	TICKET_AT_HOST = 64,
	TICKET_AT_IMAGE = 96,
	TICKET_AT_NONCE = 128,
	TICKET_AT_ISSUED = 312,
	TICKET_AT_ISSUER = 320,
	TICKET_AT_SIGNATURE = 352,
	/* version 1 */
	TICKET_AT_ID = 160,
	TICKET_AT_LIFETIME = 176,
	TICKET_AT_RESERVED = 180,
	TICKET_AT_ROLE = 184,
	TICKET_AT_SLA = 248,
	/* version 2 */
	TICKET2_AT_CHALLENGE = 160,
	TICKET2_AT_MEASUREMENT = 192,
	TICKET2_AT_TICKS = 224,
	TICKET2_AT_FRAMES = 232,
	TICKET2_AT_VCPUS = 240,
	TICKET2_AT_RESERVED = 244,
	TICKET2_AT_ROLE = 248,
};

struct ticket {
	uint8_t layer;			/* version 2: for the layer itself; else version 1 */
	uint8_t vm[16];			/* UUID of the VM */
	uint8_t definition[32];		/* SHA-256 of its definition */
	uint8_t host[32];		/* identity of the host */
	uint8_t image[32];		/* SHA-256 of the root image that must run there */
	uint8_t nonce[32];		/* of the layer's current launch */
	uint8_t id[16];			/* version 1: serves once */
	uint32_t lifetime;		/* version 1: seconds from its acceptance */
	uint8_t challenge[32];		/* version 2, and all up to vcpus: the layer made it; */
	uint8_t measurement[32];	/* of the VM */
	uint64_t ticks;			/* TSC ticks from the challenge on */
	uint64_t frames;		/* that the VM may have, at most */
	uint32_t vcpus;
	char role[TICKET_NAME_MAX + 1];
	char sla[TICKET_NAME_MAX + 1];	/* version 1; empty within one cloud */
	uint64_t issued;		/* seconds since 1970; for people, not for checks */
	uint8_t issuer[32];		/* SHA-256 of the issuer's public key */
	uint8_t signature[64];
};

enum ticket_error {
	TICKET_OK,
	TICKET_BAD_SIZE,
	TICKET_BAD_MAGIC,
	TICKET_BAD_VERSION,
	TICKET_BAD_RESERVED,
	TICKET_BAD_LIFETIME,
	TICKET_BAD_NAME,
	TICKET_BAD_SIGNATURE,
	TICKET_OTHER_HOST,
	TICKET_OTHER_IMAGE,
	TICKET_OTHER_LAUNCH,
	TICKET_OTHER_VM,
	TICKET_OTHER_DEFINITION,
	TICKET_EXPIRED,
	TICKET_NERRORS
};

/* What the one who checks a ticket knows for itself. NULL is not compared. */
struct ticket_expect {
	const uint8_t *host;
	const uint8_t *image;
	const uint8_t *nonce;
	const uint8_t *vm;
	const uint8_t *definition;
	uint64_t age;			/* version 1: seconds since the ticket was accepted */
};

/**
 * ticket_parse() - take a ticket's bytes apart
 * @buf: untrusted bytes
 * @size: how many
 * @t: filled on success
 *
 * Every byte is accounted for: there is one encoding of a ticket. Freestanding.
 *
 * Return: TICKET_OK, or what is wrong.
 */
enum ticket_error ticket_parse(const uint8_t *buf, uint32_t size, struct ticket *t);

/* Can a ticket carry this name? 1 to TICKET_NAME_MAX printable ASCII characters, no space. */
int ticket_name_ok(const char *name);

/**
 * ticket_write() - the bytes of a ticket, its signature included
 * @buf: TICKET_SIZE bytes
 */
void ticket_write(const struct ticket *t, uint8_t *buf);

/**
 * ticket_match() - does a parsed and verified ticket fit here and now?
 *
 * Freestanding.
 *
 * Return: TICKET_OK, or the first thing that does not fit.
 */
enum ticket_error ticket_match(const struct ticket *t, const struct ticket_expect *x);

/* What is wrong, and the cure. */
const char *ticket_message(enum ticket_error error);

#endif
