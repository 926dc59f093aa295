/* SPDX-License-Identifier: GPL-2.0-only */
/* The certificate and key that the server shows, while they may be replaced. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <gnutls/abstract.h>

#include "base/err.h"

/**
 * identity_load() - show this certificate from the next handshake on
 * @cert: PEM files
 * @key: its key
 * @e: what is wrong; then the one before stays
 *
 * The one before is kept for the handshakes that have begun with it.
 *
 * Return: 0 or -EINVAL.
 */
int identity_load(const char *cert, const char *key, struct pol_err *e);
void identity_free(void);

/* For GnuTLS: a gnutls_certificate_retrieve_function2. It has no place for a context. */
int identity_retrieve(gnutls_session_t s, const gnutls_datum_t *names, int n_name,
		      const gnutls_pk_algorithm_t *algorithms, int n_algorithm,
		      gnutls_pcert_st **pcert, unsigned int *n_pcert, gnutls_privkey_t *key);

#endif
