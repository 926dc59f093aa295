// SPDX-License-Identifier: GPL-2.0-only
/* The policy enforcement point (S2.2): credential evaluator, then semantic evaluator. */
#include "engine/decide.h"

void pep_decide(const struct pol_image *p, const struct pol_query *q, struct pol_decision *d)
{
	struct pol_held held;

	d->permit = false;
	d->n = d->more = 0;
	d->role = POL_NONE;
	if (credential_evaluate(p, q, &held, d))
		semantic_evaluate(p, q, &held, d);
}
