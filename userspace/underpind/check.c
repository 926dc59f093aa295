// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "trust/tls.h"

static X509 *read_crt(const char *path, struct pol_err *e)
{
	FILE *f = fopen(path, "re");
	X509 *crt = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;

	if (!f)
		pol_say(e, "%s: %m", path);
	else if (!crt)
		pol_say(e, "%s: no certificate in PEM", path);
	if (f)
		fclose(f);
	return crt;
}

static int check_key(const struct conf *c, X509 *crt, struct pol_err *e)
{
	FILE *f = fopen(c->key, "re");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	int ret = 0;

	if (!f)
		ret = pol_fail(e, EINVAL, "%s: %m", c->key);
	else if (!key)
		ret = pol_fail(e, EINVAL, "%s: no private key in PEM without a password", c->key);
	else if (X509_check_private_key(crt, key) != 1)
		ret = pol_fail(e, EINVAL, "%s: is not the key of %s", c->key, c->cert);
	if (f)
		fclose(f);
	EVP_PKEY_free(key);
	return ret;
}

/* Calls @is with each certificate of a file, until it says yes: does it of any? */
static bool any_crt(const char *path, bool (*is)(X509 *of, X509 *crt), X509 *crt)
{
	FILE *f = fopen(path, "re");
	bool yes = false;
	X509 *of;

	while (f && !yes && (of = PEM_read_X509(f, NULL, NULL, NULL))) {
		yes = is(of, crt);
		X509_free(of);
	}
	if (f)
		fclose(f);
	ERR_clear_error();	/* of the file's end */
	return yes;
}

static bool issued(X509 *ca, X509 *crt)
{
	return X509_verify(crt, X509_get0_pubkey(ca)) == 1;
}

/* An authority has two certificates while it changes its key. */
static int check_issuer(const struct conf *c, X509 *crt, struct pol_err *e)
{
	X509 *ca = read_crt(c->own.ca, e);

	if (!ca)
		return -EINVAL;
	X509_free(ca);
	if (any_crt(c->own.ca, issued, crt))
		return 0;
	return pol_fail(e, EINVAL, "%s: not issued by %s", c->cert, c->own.ca);
}

static int check_time(const struct conf *c, X509 *crt, struct pol_err *e)
{
	if (X509_cmp_current_time(X509_get0_notBefore(crt)) > 0)
		return pol_fail(e, EINVAL, "%s: is not yet valid: look at the clock", c->cert);
	if (X509_cmp_current_time(X509_get0_notAfter(crt)) < 0)
		return pol_fail(e, EINVAL, "%s: has ended: renew it", c->cert);
	return 0;
}

static int check_role(const struct conf *c, X509 *crt, struct pol_err *e)
{
	if (!tls_name_is(crt, NID_organizationName, "underpind") ||
	    !tls_name_is(crt, NID_organizationalUnitName, pol_layer_name[c->layer]))
		return pol_fail(e, EINVAL, "%s: a daemon's certificate has O=underpind and OU=%s",
				c->cert, pol_layer_name[c->layer]);
	if (X509_check_ca(crt) == 1 || X509_check_purpose(crt, X509_PURPOSE_SSL_SERVER, 0) != 1 ||
	    X509_check_purpose(crt, X509_PURPOSE_SSL_CLIENT, 0) != 1)
		return pol_fail(e, EINVAL, "%s: is to be for TLS servers and clients, and no "
				"authority's", c->cert);
	return 0;
}

/* The host that the others ask for this layer is one of the certificate's. */
static int check_host(const struct conf *c, X509 *crt, struct pol_err *e)
{
	const char *url = c->own.url[c->layer], *host = url + strlen("https://");
	char name[CONF_TEXT_MAX];
	size_t n;

	if (!*url)
		return 0;
	n = *host == '[' ? strcspn(host, "]") - 1 : strcspn(host, ":");
	snprintf(name, sizeof(name), "%.*s", (int)n, host + (*host == '['));
	if (X509_check_ip_asc(crt, name, 0) == 1 || X509_check_host(crt, name, 0, 0, NULL) == 1)
		return 0;
	return pol_fail(e, EINVAL, "%s: is not for '%s', at which own.%s is: name it as subject "
			"alternative name", c->cert, name, pol_layer_name[c->layer]);
}

static bool same_crt(X509 *a, X509 *b)
{
	return !X509_cmp(a, b);
}

static int check_trusted(const struct conf *c, const struct conf_peer *p, struct pol_err *e)
{
	X509 *ca = read_crt(p->ca, e);
	FILE *f;
	int ret = ca ? 0 : -EINVAL;

	X509_free(ca);
	f = ret ? NULL : fopen(p->ca, "re");
	while (f && !ret && (ca = PEM_read_X509(f, NULL, NULL, NULL))) {
		if (!any_crt(c->trust, same_crt, ca))
			ret = access(c->trust, R_OK) ? pol_fail(e, EINVAL, "%s: %m", c->trust) :
			      pol_fail(e, EINVAL, "%s: the certificate of %s is not in it",
				       c->trust, p->ca);
		X509_free(ca);
	}
	if (f)
		fclose(f);
	ERR_clear_error();
	return ret;
}

int check_identity(const struct conf *c, struct pol_err *e)
{
	static int (*const checks[])(const struct conf *c, X509 *crt, struct pol_err *e) = {
		check_key, check_time, check_issuer, check_role, check_host,
	};
	X509 *crt = read_crt(c->cert, e);
	int ret = crt ? 0 : -EINVAL;
	uint32_t i;

	for (i = 0; !ret && i < sizeof(checks) / sizeof(checks[0]); i++)
		ret = checks[i](c, crt, e);
	X509_free(crt);
	if (!ret)
		ret = check_trusted(c, &c->own, e);
	for (i = 0; !ret && i < c->n_peer; i++)
		if (*c->peer[i].ca)
			ret = check_trusted(c, &c->peer[i], e);
	return ret;
}
