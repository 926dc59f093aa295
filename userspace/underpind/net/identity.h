/* SPDX-License-Identifier: GPL-2.0-only */
/* What the server shows in handshakes, while it may be replaced. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "base/err.h"

/* A certificate, its key, and the authorities whose names clients are shown. */
struct identity;

/**
 * identity_load() - read what is to be shown
 * @cert: PEM files: the certificate,
 * @key: its key,
 * @trust: the authorities
 * @e: what is wrong
 *
 * Return: it, to be given back with identity_put(), or NULL.
 */
struct identity *identity_load(const char *cert, const char *key, const char *trust,
			       struct pol_err *e);

/**
 * identity_show() - let a connection's handshake, which has not begun, show it, and ask
 *
 * The other side's certificate is asked for, and need not be shown.
 *
 * Return: @i, held for as long as the connection lives.
 */
struct identity *identity_show(struct identity *i, gnutls_session_t s);
void identity_put(struct identity *i);

/*
 * For libmicrohttpd, which wants one before there are connections: a
 * gnutls_certificate_retrieve_function2 that has nothing to show.
 */
int identity_none(gnutls_session_t s, const gnutls_datum_t *names, int n_name,
		  const gnutls_pk_algorithm_t *algorithms, int n_algorithm,
		  gnutls_pcert_st **pcert, unsigned int *n_pcert, gnutls_privkey_t *key);

#endif
