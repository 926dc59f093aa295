// SPDX-License-Identifier: GPL-2.0
/* The host's evidence: a nonce goes there, as a line; what comes back is relayed to the broker. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "userspace/attest/report.h"
#include "userspace/cli/cli.h"
#include "userspace/unlock/unlock.h"

/* Evidence has one encoding (docs/attestation.md), and ends so where it has no VM's report. */
#define NO_VM		"\"vm\":null}"
#define VM_REPORT	"\"vm\":{\"report\":\""
#define VM_SIGNATURE	"\",\"signature\":\""
#define VM_END		"\"}}"
#define VM_SIZE		(sizeof(VM_REPORT VM_SIGNATURE VM_END) + 2 * UNLOCK_PROOF)

static long ask(const struct address *host, const uint8_t nonce[UNLOCK_NONCE], char *text)
{
	int fd = address_call(host);
	char line[2 * UNLOCK_NONCE + 2];
	long n = -1;

	cli_hex(line, nonce, UNLOCK_NONCE);
	strcat(line, "\n");
	if (fd >= 0 && !drain(fd, line, strlen(line)))
		n = fill(fd, text, UNLOCK_MAX);
	if (n < 0)
		cli_error("the host's evidence: %s; does \"underpin attest quote --nonce -\" answer there?",
			  strerror(errno));
	if (fd >= 0)
		close(fd);
	return n;
}

static size_t put_report(char *at, const uint8_t proof[UNLOCK_PROOF])
{
	char *p = stpcpy(at, VM_REPORT);

	cli_hex(p, proof, REPORT_SIZE);
	p = stpcpy(p + 2 * REPORT_SIZE, VM_SIGNATURE);
	cli_hex(p, proof + REPORT_SIZE, SIGNATURE_SIZE);
	p = stpcpy(p + 2 * SIGNATURE_SIZE, VM_END);
	return (size_t)(p - at);
}

char *host_evidence(const struct address *host, const uint8_t nonce[UNLOCK_NONCE],
		    const uint8_t proof[UNLOCK_PROOF], size_t *len)
{
	char *text = malloc(UNLOCK_MAX + VM_SIZE), *end;
	long n = text ? ask(host, nonce, text) : -1;

	if (n > 0 && text[n - 1] == '\n')
		n--;
	end = n >= (long)strlen(NO_VM) ? text + n - strlen(NO_VM) : NULL;
	if (end && !memcmp(end, NO_VM, strlen(NO_VM))) {
		*len = (size_t)(end - text) + put_report(end, proof);
		return text;
	}
	if (n >= 0)
		cli_error("the host's evidence: it is none, or has a VM's report already");
	free(text);
	return NULL;
}
