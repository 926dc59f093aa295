/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reference evaluator: slow, obvious, and written from the rules in
 * docs/access-control.md over the sheets' records alone. It shares no code
 * with the compiled engine but the records' declarations.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "engine/pdp.h"
#include "sheets/model.h"

/**
 * ref_valid() - does the policy base keep its static constraints?
 */
bool ref_valid(struct m_model *m);

/* A question to an SLA module. */
struct ref_sla {
	const char *id, *peer;
	bool provider;
	bool chained;
	uint32_t held;		/* the consumer's role */
	const char *name;	/* the provider's: as it was sent */
};

/**
 * ref_sla() - what the SLA module must say
 * @role: the provider's local role, by its number in the model
 * @remote: the consumer's role there
 */
bool ref_sla(struct m_model *m, const struct pdp_request *in, const struct ref_sla *x,
	     uint32_t *role, const char **remote, struct pol_reason *r);

/**
 * ref_decide() - the decision, as pdp_decide() must give it
 * @nodes: by model node: its number in the image
 */
void ref_decide(struct m_model *m, const struct pdp_request *in, struct pol_decision *d);

#endif
