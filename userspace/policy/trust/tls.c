// SPDX-License-Identifier: GPL-2.0-only
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/terms.h"
#include "trust/tls.h"

bool tls_name_is(const X509 *cert, int nid, const char *want)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(name, nid, -1), n;
	unsigned char *text = NULL;
	bool same;

	if (at < 0 || X509_NAME_get_index_by_NID(name, nid, at) >= 0)
		return false;
	n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	same = n >= 0 && (size_t)n == strlen(want) && !memcmp(text, want, n);
	OPENSSL_free(text);
	return same;
}

static bool is_layer(const X509 *cert, const char *unit)
{
	int i;

	if (*unit)
		return tls_name_is(cert, NID_organizationalUnitName, unit);
	for (i = 0; i < L_NLAYERS; i++)
		if (tls_name_is(cert, NID_organizationalUnitName, pol_layer_name[i]))
			return true;
	return false;
}

/* An authority's certificates are users' too: the server must be that daemon. */
static int check_server(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const char *unit = ssl ? SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)) : NULL;
	X509 *cert = X509_STORE_CTX_get_current_cert(store);

	if (!ok || X509_STORE_CTX_get_error_depth(store))
		return ok;
	if (unit && X509_check_ca(cert) != 1 &&
	    tls_name_is(cert, NID_organizationName, "underpind") && is_layer(cert, unit))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

void tls_client(void *ssl_ctx, const char *unit)
{
	SSL_CTX *c = ssl_ctx;

	SSL_CTX_set_security_level(c, 2);
	SSL_CTX_set_purpose(c, X509_PURPOSE_SSL_SERVER);
	if (!unit)
		return;
	/* With chains, one cloud's authority could name a subordinate like another's. */
	SSL_CTX_set_verify_depth(c, 0);
	SSL_CTX_set_app_data(c, (void *)unit);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, check_server);
}
