/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is at the other end of a connection, as its certificate proves. */
#ifndef SENDER_H
#define SENDER_H

#include <stddef.h>

#include "conf.h"

enum sender_kind {
	SENDER_NONE,		/* a certificate that means nothing here */
	SENDER_USER,
	SENDER_UPPER,		/* a daemon of this cloud */
	SENDER_REMOTE,		/* a daemon of another cloud */
};

struct sender {
	enum sender_kind kind;
	char issuer[256], subject[256], fingerprint[65];
	char org[64], unit[64];
	enum pol_layer layer;			/* of a daemon */
	const struct conf_peer *peer;		/* of SENDER_REMOTE */
	int64_t from, until;			/* the certificate is good in [from, until) */
};

/* The authorities of this cloud and of the others. */
struct senders;

/**
 * senders_load() - read every authority's certificates and its lists of revoked ones
 * @c: what names the files; an authority's has its certificate, or the old one and the new
 *     one while it changes its key
 * @e: what is wrong with which file
 *
 * Return: the authorities, or NULL.
 */
struct senders *senders_load(const struct conf *c, struct pol_err *e);
void senders_free(struct senders *s);

/**
 * sender_identify() - whose certificate is this?
 * @s: the authorities
 * @c: as of senders_load(), or what conf_change() made of it; @out points into it
 * @der: the certificate, untrusted
 * @len: bytes of it
 * @out: filled; SENDER_NONE if nobody known here issued it, or it is not fit: not of this
 *	 time, revoked, an authority's own, not for clients, or too weak
 *
 * Which authority's key made the signature says whose it is; names prove nothing. The
 * authority must have issued it directly: with chains, one cloud's authority could name a
 * subordinate like another's. A daemon's certificate has O=underpind and OU=LAYER.
 */
void sender_identify(const struct senders *s, const struct conf *c, const void *der, size_t len,
		     struct sender *out);

#endif
