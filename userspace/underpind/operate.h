/* SPDX-License-Identifier: GPL-2.0-only */
/* What those who run a daemon see of it, and do (docs/access-control.md, "See and act"). */
#ifndef OPERATE_H
#define OPERATE_H

#include "daemon.h"

#define OPERATE_MAX	65536	/* bytes of a question */
#define OPERATE_LIMIT	1000	/* things in an answer */

/**
 * operate_start() - answer a question of an operator, or do what he wants
 * @s: who asks: a user who holds the configuration's operator-role, or it is refused
 * @body: untrusted bytes, not needed any more on return
 * @answer: as of vrm_start()
 *
 * What changes anything is in the audit log, with who wanted it and why.
 */
void operate_start(struct daemon *d, const struct sender *s, const char *body, size_t len,
		   void (*answer)(void *ctx, char *text, int status), void *ctx);

/**
 * operate_view() - what another cloud may see of this one (S2.6)
 * @peer: its name
 *
 * Of each SLA that is in force: the roles that it may take, what is visible, and what
 * may be done with it.
 *
 * Return: JSON text, to be freed, or NULL without memory.
 */
char *operate_view(struct daemon *d, const char *peer);

/**
 * operate_holder() - the user who asks, if he holds a role
 * @role: its name
 *
 * Return: his name in the user sheet, or NULL.
 */
const char *operate_holder(const struct pol_image *p, const struct sender *s, const char *role);

#endif
