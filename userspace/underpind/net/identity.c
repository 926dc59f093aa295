// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "net/identity.h"

struct identity {
	gnutls_certificate_credentials_t cred;
	unsigned int refs;		/* one thread has them all */
};

static int fill(struct identity *i, const char *cert, const char *key, const char *trust,
		struct pol_err *e)
{
	int ret = gnutls_certificate_allocate_credentials(&i->cred);

	if (ret) {
		i->cred = NULL;
		return pol_fail(e, ENOMEM, "out of memory");
	}
	ret = gnutls_certificate_set_x509_key_file(i->cred, cert, key, GNUTLS_X509_FMT_PEM);
	if (ret < 0)
		return pol_fail(e, EINVAL, "%s, %s: no certificate and its key in PEM: %s", cert,
				key, gnutls_strerror(ret));
	if (gnutls_certificate_set_x509_trust_file(i->cred, trust, GNUTLS_X509_FMT_PEM) < 1)
		return pol_fail(e, EINVAL, "%s: no certificate in PEM", trust);
	return 0;
}

struct identity *identity_load(const char *cert, const char *key, const char *trust,
			       struct pol_err *e)
{
	struct identity *i = calloc(1, sizeof(*i));

	if (!i) {
		pol_say(e, "out of memory");
		return NULL;
	}
	i->refs = 1;
	if (!fill(i, cert, key, trust, e))
		return i;
	identity_put(i);
	return NULL;
}

struct identity *identity_show(struct identity *i, gnutls_session_t s)
{
	gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, i->cred);
	gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUEST);
	i->refs++;
	return i;
}

void identity_put(struct identity *i)
{
	if (!i || --i->refs)
		return;
	if (i->cred)
		gnutls_certificate_free_credentials(i->cred);
	free(i);
}

int identity_none(gnutls_session_t s, const gnutls_datum_t *names, int n_name,
		  const gnutls_pk_algorithm_t *algorithms, int n_algorithm,
		  gnutls_pcert_st **pcert, unsigned int *n_pcert, gnutls_privkey_t *key)
{
	(void)s;
	(void)names;
	(void)n_name;
	(void)algorithms;
	(void)n_algorithm;
	(void)pcert;
	(void)n_pcert;
	(void)key;
	return -1;
}
