/* SPDX-License-Identifier: GPL-2.0 */
/* Parts of underpin-unlock. */
#ifndef UNLOCK_UNLOCK_H
#define UNLOCK_UNLOCK_H

#include <stddef.h>
#include <stdint.h>
#include "userspace/cli/address.h"

#define UNLOCK_NONCE	32
#define UNLOCK_ASKED	64		/* of a report: nonce and public key */
#define UNLOCK_PROOF	688		/* report and signature */
#define UNLOCK_MAX	(1 << 20)	/* of evidence */

/**
 * tsm_report() - the layer's report over 64 bytes, by the kernel's configfs-tsm
 * @entry: a folder there, which is made if it is missing, and then removed again
 * Return: 0, or -1 after a message.
 */
int tsm_report(const char *entry, const uint8_t asked[UNLOCK_ASKED],
	       uint8_t proof[UNLOCK_PROOF]);

/**
 * host_evidence() - the host's for a nonce, with a report put into it
 * Return: text, to be freed, or NULL after a message.
 */
char *host_evidence(const struct address *host, const uint8_t nonce[UNLOCK_NONCE],
		    const uint8_t proof[UNLOCK_PROOF], size_t *len);

/**
 * broker_call() - one request by TLS 1.3
 * @certificate: PEM file; the broker has exactly this one
 * @body: to be posted, or NULL: get
 * @answer: room for @size bytes
 *
 * Return: how many bytes the answer has, or -1 after a message.
 */
long broker_call(const struct address *broker, const char *certificate, const char *path,
		 const char *body, size_t len, uint8_t *answer, size_t size);

/** fill() - read to the end of a file.  Return: how many bytes, or -1: error, or more than @size */
long fill(int fd, void *buffer, size_t size);

/** drain() - write all.  Return: 0 or -1 */
int drain(int fd, const void *buffer, size_t len);

#endif /* UNLOCK_UNLOCK_H */
