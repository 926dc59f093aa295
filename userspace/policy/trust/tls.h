/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom a client of this project believes: what a TLS library lets pass by default, it does not. */
#ifndef POL_TLS_H
#define POL_TLS_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define TLS_LAYER_ANY	""

/**
 * tls_client() - hold a client's context to one authority and one kind of server
 * @ssl_ctx: an SSL_CTX that has the authority's certificate
 * @unit: the layer that the server must be of, TLS_LAYER_ANY, or NULL if it is no
 *	  daemon; outlives the context
 *
 * The server's certificate must be for servers, with keys and digests of today's
 * strength; a daemon's is issued by the authority itself, and has O=underpind and OU=@unit.
 */
void tls_client(void *ssl_ctx, const char *unit);

struct tls_bytes {
	char *data;
	size_t len;
};

/* What a client shows, and whom it believes, as it was when it was read. One thread has them. */
struct tls_files {
	unsigned int refs;
	struct tls_bytes cert, key, ca;		/* PEM */
	struct stack_st_X509_CRL *revoked;	/* STACK_OF(X509_CRL); NULL: there is no list */
};

/**
 * tls_load() - read the files of a client
 * @cert: PEM files: the certificate that is shown,
 * @key: its key,
 * @ca: the authority that is believed, and
 * @crl: its lists of revoked certificates, or NULL
 * @e: what is wrong with which
 *
 * What becomes of the files afterwards changes nothing.
 *
 * Return: them, to be given back with tls_put(), or NULL.
 */
struct tls_files *tls_load(const char *cert, const char *key, const char *ca, const char *crl,
			   struct pol_err *e);
struct tls_files *tls_hold(struct tls_files *f);
void tls_put(struct tls_files *f);

/**
 * tls_refuse_revoked() - let a client's context believe no certificate that is in a list
 * @ssl_ctx: an SSL_CTX that has the authority's certificate
 *
 * Nor any whose authority has no list in it, or one past its next update.
 *
 * Return: false without memory: the context is not to be used.
 */
bool tls_refuse_revoked(void *ssl_ctx, const struct tls_files *f);

/**
 * tls_name_is() - is this the one value of a part of a certificate's subject?
 * @cert: the certificate
 * @nid: the part, like NID_organizationName
 * @want: the value; bytes after a NUL belong to a value too
 */
bool tls_name_is(const X509 *cert, int nid, const char *want);

#endif
