// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a request or as an answer. */
#include <stdlib.h>

#include "net/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg_request rq;
	struct msg_answer a;
	struct pol_err e;
	char *text;

	if (!msg_parse((const char *)data, size, &rq, &e)) {
		if (strlen(rq.id) != 32 || rq.n_hop > MSG_HOPS_MAX)
			abort();
		msg_free(&rq);
	}
	msg_answer_init(&a);
	if (!msg_answer_parse((const char *)data, size, NULL, &a, size & 1 ? "peer" : NULL)) {
		text = msg_answer_text(&a, "00000000000000000000000000000000");
		if (!text)
			abort();
		free(text);
	}
	msg_answer_free(&a);
	return 0;
}
