/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom a client of this project believes: what a TLS library lets pass by default, it does not. */
#ifndef POL_TLS_H
#define POL_TLS_H

#include <openssl/x509.h>
#include <stdbool.h>

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

/**
 * tls_name_is() - is this the one value of a part of a certificate's subject?
 * @cert: the certificate
 * @nid: the part, like NID_organizationName
 * @want: the value; bytes after a NUL belong to a value too
 */
bool tls_name_is(const X509 *cert, int nid, const char *want);

#endif
