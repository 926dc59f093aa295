/* SPDX-License-Identifier: GPL-2.0-only */
/* The OpenID AuthZEN Authorization API 1.0: this layer's decisions, for others to enforce. */
#ifndef AUTHZEN_H
#define AUTHZEN_H

#include "daemon.h"

#define AUTHZEN_PREFIX		"/access/v1/"
#define AUTHZEN_METADATA	"/.well-known/authzen-configuration"

/**
 * authzen_start() - answer a question
 * @s: must be a user who holds the configuration's authzen-role: he vouches for what he says of
 *     others
 * @path: behind AUTHZEN_PREFIX
 * @body: untrusted bytes, not needed any more on return
 * @answer: as of vrm_start()
 *
 * Decides as vrm_start() would for that user at this instant, in a session of its own, and
 * allocates nothing. An evaluation is answered when it is in the audit log.
 */
void authzen_start(struct daemon *d, const struct sender *s, const char *path, const char *body,
		   size_t len, void (*answer)(void *ctx, char *text, int status), void *ctx);

/* What there is and where: JSON text to be freed, or NULL if it is not offered here. */
char *authzen_metadata(const struct daemon *d);

#endif
