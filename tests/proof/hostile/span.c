// SPDX-License-Identifier: GPL-2.0
/* Numbers and text out of what TXT left, at each distance from its end. */
#include "tests/proof/hostile/any.h"
#include "userspace/txt/span.c"

void hostile(void)
{
	static u8 bytes[16];
	static struct txt t;
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = any;
	for (i = 0; i <= sizeof(bytes); i++) {
		txt_number((struct txt_span){ bytes, sizeof(bytes) }, i, any);
		t.facts = any % (TXT_FACTS + 1);
		txt_add_bytes(&t, "text", TXT_TEXT,
			      (struct txt_span){ bytes + i, sizeof(bytes) - i });
	}
	txt_number((struct txt_span){ bytes, any % sizeof(bytes) }, sizeof(bytes) + any % 256, any);
}
