// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/terms.h"
#include "trust/tls.h"

#define FILE_MAX	(4 << 20)	/* bytes of PEM; a list of 30,000 has half of it */

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

/* --- what a client has of its own --- */

static int slurp(const char *path, struct tls_bytes *b, struct pol_err *e)
{
	FILE *f = fopen(path, "re");
	struct stat st = { .st_size = 0 };
	int ret = 0;

	if (!f)
		return pol_fail(e, EINVAL, "%s: %m", path);
	if (!fstat(fileno(f), &st) && st.st_size <= FILE_MAX)
		b->data = malloc(st.st_size + 1);
	b->len = b->data ? fread(b->data, 1, st.st_size, f) : 0;
	if (!b->data || ferror(f))
		ret = pol_fail(e, EINVAL, "%s: cannot be read, or has more than %d bytes", path,
			       FILE_MAX);
	fclose(f);
	return ret;
}

static X509 *first_crt(const struct tls_bytes *b)
{
	BIO *in = BIO_new_mem_buf(b->data, b->len);
	X509 *crt = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

	BIO_free(in);
	return crt;
}

static int check_pair(const struct tls_files *f, const char *cert, const char *key,
		      struct pol_err *e)
{
	BIO *in = BIO_new_mem_buf(f->key.data, f->key.len);
	EVP_PKEY *k = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, (void *)"") : NULL;
	X509 *crt = first_crt(&f->cert);
	bool ok = k && crt && X509_check_private_key(crt, k) == 1;

	EVP_PKEY_free(k);
	X509_free(crt);
	BIO_free(in);
	return ok ? 0 : pol_fail(e, EINVAL, "%s, %s: no certificate and its key in PEM", cert, key);
}

static int check_authority(const struct tls_files *f, const char *ca, struct pol_err *e)
{
	X509 *crt = first_crt(&f->ca);

	X509_free(crt);
	return crt ? 0 : pol_fail(e, EINVAL, "%s: no certificate in PEM", ca);
}

static int take_lists(struct tls_files *f, const char *path, struct pol_err *e)
{
	struct tls_bytes b = { NULL, 0 };
	int ret = slurp(path, &b, e);
	BIO *in = ret ? NULL : BIO_new_mem_buf(b.data, b.len);
	X509_CRL *crl;

	f->revoked = sk_X509_CRL_new_null();
	while (in && f->revoked && (crl = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL)))
		if (!sk_X509_CRL_push(f->revoked, crl))
			X509_CRL_free(crl);
	/* A list that is cut short is no end of the file. */
	if (!ret && (sk_X509_CRL_num(f->revoked) < 1 ||
		     ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE))
		ret = pol_fail(e, EINVAL, "%s: no list of revoked certificates in PEM", path);
	BIO_free(in);
	free(b.data);
	return ret;
}

struct tls_files *tls_load(const char *cert, const char *key, const char *ca, const char *crl,
			   struct pol_err *e)
{
	struct tls_files *f = calloc(1, sizeof(*f));
	int ret;

	if (!f) {
		pol_say(e, "out of memory");
		return NULL;
	}
	f->refs = 1;
	ret = slurp(cert, &f->cert, e);
	ret = ret ? ret : slurp(key, &f->key, e);
	ret = ret ? ret : slurp(ca, &f->ca, e);
	ret = ret ? ret : check_pair(f, cert, key, e);
	ret = ret ? ret : check_authority(f, ca, e);
	ret = ret || !crl ? ret : take_lists(f, crl, e);
	ERR_clear_error();	/* of the files' ends */
	if (!ret)
		return f;
	tls_put(f);
	return NULL;
}

struct tls_files *tls_hold(struct tls_files *f)
{
	if (f)
		f->refs++;
	return f;
}

void tls_put(struct tls_files *f)
{
	if (!f || --f->refs)
		return;
	free(f->cert.data);
	if (f->key.data)
		OPENSSL_cleanse(f->key.data, f->key.len);
	free(f->key.data);
	free(f->ca.data);
	sk_X509_CRL_pop_free(f->revoked, X509_CRL_free);
	free(f);
}

bool tls_refuse_revoked(void *ssl_ctx, const struct tls_files *f)
{
	X509_STORE *s = SSL_CTX_get_cert_store(ssl_ctx);
	int i;

	if (!f->revoked)
		return true;
	for (i = 0; i < sk_X509_CRL_num(f->revoked); i++)
		if (!X509_STORE_add_crl(s, sk_X509_CRL_value(f->revoked, i)))
			return false;
	X509_VERIFY_PARAM_clear_flags(X509_STORE_get0_param(s), X509_V_FLAG_PARTIAL_CHAIN);
	return X509_STORE_set_flags(s, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}
