// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "vrm/sender.h"

/* RSA of 2048 bits, curves of 256, SHA-2: what GnuTLS calls medium, and NIST 112 bits. */
#define STRENGTH	GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM)

struct authority {
	gnutls_x509_trust_list_t list;
	gnutls_x509_crt_t crt;		/* the list's */
	const struct conf_peer *of;
	unsigned char key[32];		/* SHA-256 of its key */
};

struct senders {
	const struct conf *conf;
	struct authority ca[CONF_PEERS_MAX + 1];
	int n;
};

static int copy(const gnutls_datum_t *from, char *to, size_t size)
{
	if (from->size >= size || memchr(from->data, 0, from->size))
		return -EINVAL;
	memcpy(to, from->data, from->size);
	to[from->size] = 0;
	return 0;
}

/* In RFC 4514's order; a name that does not fit, or hides bytes, is nobody's. */
static void name(gnutls_x509_crt_t crt, char *buf, size_t size)
{
	gnutls_datum_t dn = { NULL, 0 };

	if (gnutls_x509_crt_get_dn3(crt, &dn, 0) || copy(&dn, buf, size))
		*buf = 0;
	gnutls_free(dn.data);
}

/* A part of the subject that is there once, or nothing. */
static void part(gnutls_x509_crt_t crt, const char *oid, char *buf, size_t size)
{
	size_t n = size, none = 0;

	if (gnutls_x509_crt_get_dn_by_oid(crt, oid, 0, 0, buf, &n) || strlen(buf) != n ||
	    gnutls_x509_crt_get_dn_by_oid(crt, oid, 1, 0, NULL, &none) !=
	    GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		*buf = 0;
}

/* --- the authorities --- */

/* Is the name in the configuration the certificate's? */
static int check_name(const struct conf_peer *p, gnutls_x509_crt_t crt, struct pol_err *e)
{
	char is[CONF_TEXT_MAX];

	name(crt, is, sizeof(is));
	if (!strcmp(is, p->issuer))
		return 0;
	return pol_fail(e, EINVAL, "%s: its name is '%s', the configuration's issuer '%s': write "
			"the former there", p->ca, is, p->issuer);
}

/* Takes @crt over. Two clouds with one authority could not be told apart. */
static int take_authority(struct senders *s, const struct conf_peer *p, gnutls_x509_crt_t crt,
			  struct pol_err *e)
{
	struct authority *a = &s->ca[s->n];
	size_t n = sizeof(a->key);
	int i, ret = check_name(p, crt, e);

	if (!ret && gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a->key, &n))
		ret = pol_fail(e, EINVAL, "%s: its key cannot be read", p->ca);
	for (i = 0; !ret && i < s->n; i++)
		if (!memcmp(s->ca[i].key, a->key, sizeof(a->key)))
			ret = pol_fail(e, EINVAL, "%s: its key is also that of %s: a cloud needs "
				       "an authority of its own", p->ca, s->ca[i].of->ca);
	if (!ret && gnutls_x509_trust_list_init(&a->list, 1))
		ret = pol_fail(e, ENOMEM, "out of memory");
	if (ret) {
		gnutls_x509_crt_deinit(crt);
		return ret;
	}
	a->of = p;
	a->crt = crt;
	s->n++;
	if (gnutls_x509_trust_list_add_cas(a->list, &crt, 1, 0) == 1)
		return 0;
	return pol_fail(e, EINVAL, "%s: is no authority's certificate", p->ca);
}

static int load_authority(struct senders *s, const struct conf_peer *p, struct pol_err *e)
{
	gnutls_datum_t pem = { NULL, 0 };
	gnutls_x509_crt_t crt;
	int ret;

	if (gnutls_load_file(p->ca, &pem) || gnutls_x509_crt_init(&crt)) {
		gnutls_free(pem.data);
		return pol_fail(e, EIO, "%s: cannot be read: %m", p->ca);
	}
	ret = gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM);
	gnutls_free(pem.data);
	if (!ret)
		return take_authority(s, p, crt, e);
	gnutls_x509_crt_deinit(crt);
	return pol_fail(e, EINVAL, "%s: no certificate in PEM", p->ca);
}

static bool signed_by(gnutls_x509_crl_t crl, const struct authority *a)
{
	unsigned int status;

	return !gnutls_x509_crl_verify(crl, &a->crt, 1, STRENGTH, &status) && !status;
}

/* The list of what the authority, which was loaded last, has revoked. */
static int load_revoked(struct senders *s, const struct conf_peer *p, struct pol_err *e)
{
	struct authority *a = &s->ca[s->n - 1];
	gnutls_datum_t pem = { NULL, 0 };
	gnutls_x509_crl_t crl;
	int ret = 0;

	if (!*p->crl)
		return 0;
	if (gnutls_load_file(p->crl, &pem) || gnutls_x509_crl_init(&crl)) {
		gnutls_free(pem.data);
		return pol_fail(e, EIO, "%s: cannot be read: %m", p->crl);
	}
	if (gnutls_x509_crl_import(crl, &pem, GNUTLS_X509_FMT_PEM))
		ret = pol_fail(e, EINVAL, "%s: no list of revoked certificates in PEM", p->crl);
	else if (!signed_by(crl, a))
		ret = pol_fail(e, EINVAL, "%s: not signed by %s, or past its next update", p->crl,
			       p->ca);
	gnutls_free(pem.data);
	if (ret)
		gnutls_x509_crl_deinit(crl);
	else if (gnutls_x509_trust_list_add_crls(a->list, &crl, 1, 0, 0) != 1)
		ret = pol_fail(e, EINVAL, "%s: another list is newer", p->crl);
	return ret;
}

static int load(struct senders *s, const struct conf_peer *p, struct pol_err *e)
{
	int ret = load_authority(s, p, e);

	return ret ? ret : load_revoked(s, p, e);
}

struct senders *senders_load(const struct conf *c, struct pol_err *e)
{
	struct senders *s = calloc(1, sizeof(*s));
	uint32_t i;
	int ret;

	if (!s) {
		pol_say(e, "out of memory");
		return NULL;
	}
	s->conf = c;
	ret = load(s, &c->own, e);
	for (i = 0; !ret && i < c->n_peer; i++)
		if (*c->peer[i].ca)
			ret = load(s, &c->peer[i], e);
	if (!ret)
		return s;
	senders_free(s);
	return NULL;
}

void senders_free(struct senders *s)
{
	while (s && s->n)
		gnutls_x509_trust_list_deinit(s->ca[--s->n].list, 1);
	free(s);
}

/* --- who is there --- */

/* Fit to be shown by a client, whoever issued it. */
static bool fit(gnutls_x509_crt_t crt)
{
	unsigned int usage;

	if (gnutls_x509_crt_get_ca_status(crt, NULL) == 1)
		return false;
	return gnutls_x509_crt_get_key_usage(crt, &usage, NULL) ||
	       usage & GNUTLS_KEY_DIGITAL_SIGNATURE;
}

static const struct conf_peer *issued_by(const struct senders *s, gnutls_x509_crt_t crt)
{
	gnutls_typed_vdata_st for_what = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
					   .data = (void *)GNUTLS_KP_TLS_WWW_CLIENT };
	unsigned int status;
	int i;

	for (i = 0; i < s->n; i++)
		if (!gnutls_x509_trust_list_verify_crt2(s->ca[i].list, &crt, 1, &for_what, 1,
							STRENGTH, &status, NULL) && !status)
			return s->ca[i].of;
	return NULL;
}

static int layer_of(const char *unit)
{
	int i;

	for (i = 0; i < L_NLAYERS; i++)
		if (!strcmp(unit, pol_layer_name[i]))
			return i;
	return -1;
}

static void classify(const struct senders *s, const struct conf_peer *of, struct sender *out)
{
	bool daemon = !strcmp(out->org, "underpind"), own = of == &s->conf->own;
	int layer = layer_of(out->unit);

	if (daemon && layer < 0)
		return;
	out->layer = daemon ? layer : L_APPLICATION;
	if (own) {
		out->kind = daemon ? SENDER_UPPER : SENDER_USER;
	} else if (daemon) {
		out->kind = SENDER_REMOTE;
		out->peer = of;
	}
}

static void describe(gnutls_x509_crt_t crt, struct sender *out)
{
	unsigned char print[32];
	size_t n = sizeof(print);

	name(crt, out->subject, sizeof(out->subject));
	part(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, out->org, sizeof(out->org));
	part(crt, GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, out->unit, sizeof(out->unit));
	if (!gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, print, &n))
		pol_hex(print, n, out->fingerprint);
	out->from = gnutls_x509_crt_get_activation_time(crt);
	out->until = gnutls_x509_crt_get_expiration_time(crt) + 1ll;
}

void sender_identify(const struct senders *s, const void *der, size_t len, struct sender *out)
{
	gnutls_datum_t data = { (unsigned char *)der, len };
	const struct conf_peer *of = NULL;
	gnutls_x509_crt_t crt;

	memset(out, 0, sizeof(*out));
	if (gnutls_x509_crt_init(&crt))
		return;
	if (!gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER) && fit(crt))
		of = issued_by(s, crt);
	if (of) {
		describe(crt, out);
		snprintf(out->issuer, sizeof(out->issuer), "%s", of->issuer);
		classify(s, of, out);
	}
	gnutls_x509_crt_deinit(crt);
}
