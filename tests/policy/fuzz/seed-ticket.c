// SPDX-License-Identifier: GPL-2.0-only
/* Writes a well-formed ticket, as a fuzzer's seed. */
#include <stdio.h>

#include "trust/ticket.h"

int main(void)
{
	struct ticket t = { .lifetime = 60, .role = "operator", .sla = "main", .vm = { 1 } };
	uint8_t buf[TICKET_SIZE];

	ticket_write(&t, buf);
	return fwrite(buf, 1, sizeof(buf), stdout) != sizeof(buf);
}
