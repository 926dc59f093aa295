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

#define KEYS_MAX	2	/* of an authority: the old one and the new one, while it changes */
#define OWN		(-1)

struct authority {
	gnutls_x509_trust_list_t list;
	gnutls_x509_crt_t crt;		/* the list's */
	int of;				/* conf->peer[of], or OWN */
	unsigned char key[32];		/* SHA-256 of its key */
	bool revokes;			/* there is a list of what it has revoked */
};

struct senders {
	struct authority ca[(CONF_PEERS_MAX + 1) * KEYS_MAX];
	int n;
};

static const struct conf_peer *cloud_at(const struct conf *c, int of)
{
	return of == OWN ? &c->own : &c->peer[of];
}

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
static int take_authority(struct senders *s, const struct conf *c, int of,
			  gnutls_x509_crt_t crt, struct pol_err *e)
{
	const struct conf_peer *p = cloud_at(c, of);
	struct authority *a = &s->ca[s->n];
	size_t n = sizeof(a->key);
	int i, ret = check_name(p, crt, e);

	if (!ret && gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a->key, &n))
		ret = pol_fail(e, EINVAL, "%s: its key cannot be read", p->ca);
	for (i = 0; !ret && i < s->n; i++)
		if (!memcmp(s->ca[i].key, a->key, sizeof(a->key)))
			ret = pol_fail(e, EINVAL, "%s: its key is also that of %s: a cloud needs "
				       "an authority of its own", p->ca,
				       cloud_at(c, s->ca[i].of)->ca);
	if (!ret && gnutls_x509_trust_list_init(&a->list, 1))
		ret = pol_fail(e, ENOMEM, "out of memory");
	if (ret) {
		gnutls_x509_crt_deinit(crt);
		return ret;
	}
	a->of = of;
	a->crt = crt;
	s->n++;
	if (gnutls_x509_trust_list_add_cas(a->list, &crt, 1, 0) == 1)
		return 0;
	return pol_fail(e, EINVAL, "%s: is no authority's certificate", p->ca);
}

/* Takes over those of @crt that it does not free. */
static int take_all(struct senders *s, const struct conf *c, int of, gnutls_x509_crt_t *crt,
		    unsigned int n, struct pol_err *e)
{
	int ret = n <= KEYS_MAX ? 0 : pol_fail(e, EINVAL, "%s: an authority has at most %d "
					       "certificates, the old one and the new one",
					       cloud_at(c, of)->ca, KEYS_MAX);
	unsigned int i;

	for (i = 0; i < n; i++)
		if (ret)
			gnutls_x509_crt_deinit(crt[i]);
		else
			ret = take_authority(s, c, of, crt[i], e);
	return ret;
}

static int load_authority(struct senders *s, const struct conf *c, int of, struct pol_err *e)
{
	const struct conf_peer *p = cloud_at(c, of);
	gnutls_datum_t pem = { NULL, 0 };
	gnutls_x509_crt_t *crt = NULL;
	unsigned int n = 0;
	int ret;

	if (gnutls_load_file(p->ca, &pem))
		return pol_fail(e, EIO, "%s: cannot be read: %m", p->ca);
	ret = gnutls_x509_crt_list_import2(&crt, &n, &pem, GNUTLS_X509_FMT_PEM, 0);
	gnutls_free(pem.data);
	ret = ret < 0 || !n ? pol_fail(e, EINVAL, "%s: no certificate in PEM", p->ca) :
			      take_all(s, c, of, crt, n, e);
	gnutls_free(crt);
	return ret;
}

static bool signed_by(gnutls_x509_crl_t crl, const struct authority *a)
{
	unsigned int status;

	return !gnutls_x509_crl_verify(crl, &a->crt, 1, STRENGTH, &status) && !status;
}

/* A list of what one of the authority's keys, the last ones loaded, has revoked. */
static int take_revoked(struct senders *s, const struct conf_peer *p, int of,
			gnutls_x509_crl_t crl, struct pol_err *e)
{
	struct authority *a = &s->ca[s->n - 1];

	while (a > s->ca && a[-1].of == of && !signed_by(crl, a))
		a--;
	if (!signed_by(crl, a)) {
		gnutls_x509_crl_deinit(crl);
		return pol_fail(e, EINVAL, "%s: not signed by %s, or past its next update", p->crl,
				p->ca);
	}
	a->revokes = true;
	if (gnutls_x509_trust_list_add_crls(a->list, &crl, 1, 0, 0) == 1)
		return 0;
	return pol_fail(e, EINVAL, "%s: another list is newer", p->crl);
}

/* Each of an authority's keys has its list, or none has. */
static int load_revoked(struct senders *s, const struct conf_peer *p, int of, struct pol_err *e)
{
	gnutls_datum_t pem = { NULL, 0 };
	gnutls_x509_crl_t *crl = NULL;
	unsigned int n = 0, i;
	int ret, k;

	if (!*p->crl)
		return 0;
	if (gnutls_load_file(p->crl, &pem))
		return pol_fail(e, EIO, "%s: cannot be read: %m", p->crl);
	ret = gnutls_x509_crl_list_import2(&crl, &n, &pem, GNUTLS_X509_FMT_PEM, 0);
	gnutls_free(pem.data);
	ret = ret < 0 || !n ? pol_fail(e, EINVAL, "%s: no list of revoked certificates in PEM",
				       p->crl) : 0;
	for (i = 0; i < n; i++)
		if (ret)
			gnutls_x509_crl_deinit(crl[i]);
		else
			ret = take_revoked(s, p, of, crl[i], e);
	gnutls_free(crl);
	for (k = s->n - 1; !ret && k >= 0 && s->ca[k].of == of; k--)
		if (!s->ca[k].revokes)
			ret = pol_fail(e, EINVAL, "%s: %s has a certificate of whose key no list "
				       "is in it: add one", p->crl, p->ca);
	return ret;
}

static int load(struct senders *s, const struct conf *c, int of, struct pol_err *e)
{
	int ret = load_authority(s, c, of, e);

	return ret ? ret : load_revoked(s, cloud_at(c, of), of, e);
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
	ret = load(s, c, OWN, e);
	for (i = 0; !ret && i < c->n_peer; i++)
		if (*c->peer[i].ca)
			ret = load(s, c, i, e);
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

static const struct authority *issued_by(const struct senders *s, gnutls_x509_crt_t crt)
{
	gnutls_typed_vdata_st for_what = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
					   .data = (void *)GNUTLS_KP_TLS_WWW_CLIENT };
	unsigned int status;
	int i;

	for (i = 0; i < s->n; i++)
		if (!gnutls_x509_trust_list_verify_crt2(s->ca[i].list, &crt, 1, &for_what, 1,
							STRENGTH, &status, NULL) && !status)
			return &s->ca[i];
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

static void classify(const struct conf *c, int of, struct sender *out)
{
	bool daemon = !strcmp(out->org, "underpind");
	int layer = layer_of(out->unit);

	if (daemon && layer < 0)
		return;
	out->layer = daemon ? layer : L_APPLICATION;
	if (of == OWN) {
		out->kind = daemon ? SENDER_UPPER : SENDER_USER;
	} else if (daemon) {
		out->kind = SENDER_REMOTE;
		out->peer = &c->peer[of];
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

void sender_identify(const struct senders *s, const struct conf *c, const void *der, size_t len,
		     struct sender *out)
{
	gnutls_datum_t data = { (unsigned char *)der, len };
	const struct authority *by = NULL;
	gnutls_x509_crt_t crt;

	memset(out, 0, sizeof(*out));
	if (gnutls_x509_crt_init(&crt))
		return;
	if (!gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER) && fit(crt))
		by = issued_by(s, crt);
	if (by) {
		describe(crt, out);
		name(by->crt, out->issuer, sizeof(out->issuer));
		classify(c, by->of, out);
	}
	gnutls_x509_crt_deinit(crt);
}
