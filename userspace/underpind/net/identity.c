// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "net/identity.h"

#define CERTS_MAX	4

struct identity {
	gnutls_pcert_st pcert[CERTS_MAX];
	unsigned int n;
	gnutls_privkey_t key;
};

static struct identity current, before;

static void drop(struct identity *i)
{
	while (i->n)
		gnutls_pcert_deinit(&i->pcert[--i->n]);
	if (i->key)
		gnutls_privkey_deinit(i->key);
	memset(i, 0, sizeof(*i));
}

static int load_cert(struct identity *i, const char *path, struct pol_err *e)
{
	gnutls_datum_t pem = { NULL, 0 };
	int ret;

	if (gnutls_load_file(path, &pem))
		return pol_fail(e, EINVAL, "%s: cannot be read: %m", path);
	i->n = CERTS_MAX;
	ret = gnutls_pcert_list_import_x509_raw(i->pcert, &i->n, &pem, GNUTLS_X509_FMT_PEM, 0);
	gnutls_free(pem.data);
	if (!ret)
		return 0;
	i->n = 0;
	return pol_fail(e, EINVAL, "%s: no certificate in PEM", path);
}

static int load_key(struct identity *i, const char *path, struct pol_err *e)
{
	gnutls_datum_t pem = { NULL, 0 };
	int ret;

	if (gnutls_load_file(path, &pem))
		return pol_fail(e, EINVAL, "%s: cannot be read: %m", path);
	ret = gnutls_privkey_init(&i->key);
	ret = ret ? ret : gnutls_privkey_import_x509_raw(i->key, &pem, GNUTLS_X509_FMT_PEM, NULL,
							 0);
	gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	return ret ? pol_fail(e, EINVAL, "%s: no private key in PEM", path) : 0;
}

int identity_load(const char *cert, const char *key, struct pol_err *e)
{
	struct identity new = { .n = 0 };
	int ret = load_cert(&new, cert, e);

	ret = ret ? ret : load_key(&new, key, e);
	if (ret) {
		drop(&new);
		return ret;
	}
	drop(&before);
	before = current;
	current = new;
	return 0;
}

void identity_free(void)
{
	drop(&before);
	drop(&current);
}

int identity_retrieve(gnutls_session_t s, const gnutls_datum_t *names, int n_name,
		      const gnutls_pk_algorithm_t *algorithms, int n_algorithm,
		      gnutls_pcert_st **pcert, unsigned int *n_pcert, gnutls_privkey_t *key)
{
	(void)s;
	(void)names;
	(void)n_name;
	(void)algorithms;
	(void)n_algorithm;
	*pcert = current.pcert;
	*n_pcert = current.n;
	*key = current.key;
	return 0;
}
