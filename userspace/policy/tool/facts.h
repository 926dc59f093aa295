/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy says, a line a fact: for telling two apart without asking them anything. */
#ifndef POL_FACTS_H
#define POL_FACTS_H

#include "base/image.h"

struct facts {
	POL_VEC(char *, line);		/* sorted */
};

/**
 * facts_collect() - every fact of a policy, but where in the sheets it stands
 * @f: zeroed, filled; facts_free() it in any case
 *
 * Two policies with the same facts decide every request alike, but for the order of
 * rules, which decides which role is taken first.
 *
 * Return: 0 or -ENOMEM.
 */
int facts_collect(struct facts *f, const struct pol_image *p);
void facts_free(struct facts *f);

#endif
