/* SPDX-License-Identifier: GPL-2.0 */
/* Does a ticket admit this VM, here and now?  See docs/ticket.md. */
#ifndef USERSPACE_ADMISSION_H
#define USERSPACE_ADMISSION_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "ioctl/underpin.h"

#define ADMISSION_ISSUER	"/etc/underpin/ticket.pub"
#define ADMISSION_IDENTITY	"/etc/underpin/identity"
#define ADMISSION_USED		"/run/underpin/tickets"

/* The files that the user named; no ticket: nothing is checked. */
struct admission {
	const char *ticket;
	const char *issuer;		/* the issuer's public key, PEM */
	const char *definition;		/* of the VM: the very bytes that were hashed */
	const char *identity;		/* 64 hexadecimal digits: who this host is */
	/* once claimed */
	char used[160];			/* the file that says that the ticket has served */
	bool layer;			/* version 2: the layer checks it, ... */
	unsigned char bytes[UNDERPIN_TICKET];	/* ... and gets it as it is */
};

/* The options, for a command's own list; their values are 0x100 and on. */
#define ADMISSION_OPTIONS \
	{ "ticket", required_argument, NULL, 0x100 }, \
	{ "issuer", required_argument, NULL, 0x101 }, \
	{ "definition", required_argument, NULL, 0x102 }, \
	{ "identity", required_argument, NULL, 0x103 }

/** admission_option() - take one option.  Return: 0, or -1: it is none of these */
int admission_option(struct admission *a, int opt, const char *arg);

/** admission_usage() - do the options make sense together?  Return: 0, or -1 after a message */
int admission_usage(const struct admission *a);

/**
 * admission_claim() - check a ticket and use it up
 * @a: the options
 * @dev: /dev/underpin
 * @argv: QEMU's command line, whose -uuid says which VM it is
 *
 * In this order: form, signature, host, root image, launch, VM, definition,
 * expiry, and whether it served before.  Without a ticket, nothing is done; and one of
 * version 2 is kept for the layer.
 * Return: 0, or -1 after a message.
 */
int admission_claim(struct admission *a, int dev, char *const argv[]);

/** admission_ticket() - what the layer has to be brought, or NULL.  After admission_claim() */
const unsigned char *admission_ticket(const struct admission *a);

/** admission_undo() - the VM was not protected: the ticket has not served */
void admission_undo(const struct admission *a);

#endif /* USERSPACE_ADMISSION_H */
