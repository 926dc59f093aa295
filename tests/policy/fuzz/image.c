// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a compiled policy: what the parser takes, the engine can be asked. */
#include <stdlib.h>

#include "pdp.h"
#include "sla.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct pol_image *p, uint32_t user, uint32_t inst)
{
	struct pol_query q = { .authenticated = true, .user = user, .mapped = POL_NONE,
			       .want = POL_NONE, .inst = inst, .now = 1795340000 };
	struct pol_decision d;
	struct pol_reason r;
	char text[1400];
	uint32_t i, role, action;

	q.type = p->inst[inst].type;
	for (action = 0; action < p->n_action && action < 4; action++) {
		q.action = action;
		pep_decide(p, &q, &d);
		for (i = 0; i < d.n; i++)
			reason_text(p, &q, &d.reason[i], text, sizeof(text));
		for (i = 0; i < p->n_sla && i < 4; i++)
			sla_provide(p, &q, i, "east", "guest", false, &role, &r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pol_err e;
	struct pol_image *p = pol_image_parse(data, size, &e);
	uint32_t u, i;

	if (!p)
		return 0;
	for (u = 0; u < p->n_user && u < 8; u++)
		for (i = 0; i < p->n_inst && i < 8; i++)
			ask(p, u, i);
	pol_free(p);
	return 0;
}
