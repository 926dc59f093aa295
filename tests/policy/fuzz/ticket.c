// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a ticket: what parses, writes back to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "trust/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ticket_expect x = { .age = size };
	uint8_t again[TICKET_SIZE];
	struct ticket t;

	if (ticket_parse(data, size, &t) != TICKET_OK)
		return 0;
	ticket_write(&t, again);
	if (size != TICKET_SIZE || memcmp(again, data, size))
		abort();
	ticket_match(&t, &x);
	return 0;
}
