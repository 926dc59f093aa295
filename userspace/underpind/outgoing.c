// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "outgoing.h"

static struct tls_files *load(const struct conf *c, const struct conf_peer *p, struct pol_err *e)
{
	return tls_load(c->cert, c->key, p->ca, *p->crl ? p->crl : NULL, e);
}

int outgoing_load(struct outgoing *o, const struct conf *c, struct pol_err *e)
{
	const char *ca = *c->directory_ca ? c->directory_ca : c->own.ca;
	bool ok;
	uint32_t i;

	memset(o, 0, sizeof(*o));
	o->own = load(c, &c->own, e);
	ok = o->own && (o->directory.files = tls_load(c->cert, c->key, ca, NULL, e));
	for (i = 0; ok && i < c->n_peer; i++)
		if (*c->peer[i].ca)
			ok = (o->peer[i] = load(c, &c->peer[i], e));
	if (ok)
		return 0;
	outgoing_free(o);
	return -EINVAL;
}

void outgoing_free(struct outgoing *o)
{
	uint32_t i;

	tls_put(o->own);
	tls_put(o->directory.files);
	for (i = 0; i < CONF_PEERS_MAX; i++)
		tls_put(o->peer[i]);
	memset(o, 0, sizeof(*o));
}
