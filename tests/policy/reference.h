/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reference evaluator: slow, obvious, and written from the rules in
 * docs/access-control.md over the sheets' records alone. It shares no code
 * with the compiled engine but the records' declarations.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "../../userspace/policy/pdp.h"

/**
 * ref_valid() - does the policy base keep its static constraints?
 */
bool ref_valid(struct m_model *m);

/**
 * ref_decide() - the decision, as pdp_decide() must give it
 * @nodes: by model node: its number in the image
 */
void ref_decide(struct m_model *m, const struct pdp_request *in, struct pol_decision *d);

#endif
