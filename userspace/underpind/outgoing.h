/* SPDX-License-Identifier: GPL-2.0-only */
/* What a daemon shows to others that it asks, and whom of them it believes. */
#ifndef OUTGOING_H
#define OUTGOING_H

#include "conf.h"
#include "net/http.h"

/* Each as it was read. Of a cloud that is named no more there is nothing. */
struct outgoing {
	struct tls_files *own, *peer[CONF_PEERS_MAX];
	struct http_tls directory;
};

/**
 * outgoing_load() - read certificate, key, authorities and lists of revoked certificates
 * @o: filled on success
 * @c: what names the files
 * @e: what is wrong with which
 *
 * Return: 0 or -EINVAL.
 */
int outgoing_load(struct outgoing *o, const struct conf *c, struct pol_err *e);
void outgoing_free(struct outgoing *o);

/* For a cloud that is @c->own or one of @c->peer; NULL if it was not read. */
static inline struct tls_files *outgoing_to(const struct outgoing *o, const struct conf *c,
					    const struct conf_peer *to)
{
	return to == &c->own ? o->own : o->peer[to - c->peer];
}

#endif
