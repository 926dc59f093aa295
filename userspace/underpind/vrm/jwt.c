// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "vrm/jwt.h"

struct jwt_key {
	EVP_PKEY *pkey;
	bool p256;
};

struct jwt_key *jwt_key_load(const char *path, struct pol_err *e)
{
	FILE *f = fopen(path, "re");
	struct jwt_key *k = calloc(1, sizeof(*k));
	int id;

	if (f && k)
		k->pkey = PEM_read_PUBKEY(f, NULL, NULL, NULL);
	if (f)
		fclose(f);
	id = k && k->pkey ? EVP_PKEY_get_id(k->pkey) : 0;
	if (id == EVP_PKEY_ED25519)
		return k;
	if (id == EVP_PKEY_EC && EVP_PKEY_get_bits(k->pkey) == 256) {
		k->p256 = true;
		return k;
	}
	pol_fail(e, EINVAL, "%s: no Ed25519 or P-256 public key in PEM", path);
	jwt_key_free(k);
	return NULL;
}

void jwt_key_free(struct jwt_key *k)
{
	if (k)
		EVP_PKEY_free(k->pkey);
	free(k);
}

static int digit(char c)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *p = c ? strchr(set, c) : NULL;

	return p ? p - set : -1;
}

/* Base64url without padding; unused bits must be zero. Bytes, or -EINVAL. */
static int decode(const char *s, size_t len, uint8_t *out, size_t size)
{
	uint32_t acc = 0;
	int bits = 0, d;
	size_t n = 0;

	if (len % 4 == 1)
		return -EINVAL;
	for (; len; len--) {
		d = digit(*s++);
		if (d < 0)
			return -EINVAL;
		acc = acc << 6 | d;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n == size)
			return -EINVAL;
		out[n++] = acc >> bits;
		acc &= (1u << bits) - 1;
	}
	return acc ? -EINVAL : (int)n;
}

/* JWS carries r and s; OpenSSL takes them in DER. */
static int to_der(const uint8_t *raw, uint8_t **der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, 32, NULL), *s = BN_bin2bn(raw + 32, 32, NULL);
	int n = -1;

	*der = NULL;
	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL;
		n = i2d_ECDSA_SIG(sig, der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return n;
}

static bool signature_ok(const struct jwt_key *k, const char *data, size_t len,
			 const uint8_t *raw)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t *der = NULL;
	int n = 64;
	bool ok = c && EVP_DigestVerifyInit(c, NULL, k->p256 ? EVP_sha256() : NULL, NULL,
					    k->pkey) == 1;

	if (ok && k->p256) {
		n = to_der(raw, &der);
		raw = der;
	}
	ok = ok && n > 0 && EVP_DigestVerify(c, raw, n, (const uint8_t *)data, len) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(c);
	return ok;
}

static json_t *part(const char *s, size_t len)
{
	static __thread uint8_t buf[JWT_MAX];
	int n = decode(s, len, buf, sizeof(buf));

	return n < 0 ? NULL : json_loadb((char *)buf, n, JSON_REJECT_DUPLICATES, NULL);
}

static bool header_ok(const char *s, size_t len, const struct jwt_key *k)
{
	json_t *h = part(s, len);
	const char *alg = json_string_value(json_object_get(h, "alg"));
	bool ok = alg && !strcmp(alg, k->p256 ? "ES256" : "EdDSA") &&
		  !json_object_get(h, "crit");

	json_decref(h);
	return ok;
}

static bool has_audience(json_t *aud, const char *audience)
{
	json_t *v;
	size_t i;

	if (json_is_string(aud))
		return !strcmp(json_string_value(aud), audience);
	json_array_foreach(aud, i, v)
		if (json_is_string(v) && !strcmp(json_string_value(v), audience))
			return true;
	return false;
}

static bool put_value(char *to, size_t size, json_t *v)
{
	size_t i, n = 0;
	json_t *m;

	if (json_is_string(v))
		return (size_t)snprintf(to, size, "%s", json_string_value(v)) < size;
	if (json_is_integer(v))
		return snprintf(to, size, "%lld", (long long)json_integer_value(v)) > 0;
	if (json_is_boolean(v))
		return snprintf(to, size, "%s", json_is_true(v) ? "true" : "false") > 0;
	if (!json_is_array(v))
		return false;
	*to = 0;
	json_array_foreach(v, i, m) {
		if (!json_is_string(m) || strchr(json_string_value(m), ' '))
			return false;
		n += snprintf(to + n, size - n, "%s%s", i ? " " : "", json_string_value(m));
		if (n >= size)
			return false;
	}
	return true;
}

/* Claims that are no text, number, truth or list of texts are left out. */
static void take_claims(json_t *body, struct jwt *out)
{
	const char *name;
	json_t *v;

	json_object_foreach(body, name, v) {
		if (out->n_claim == JWT_CLAIMS_MAX)
			return;
		if (strlen(name) > 48 ||
		    !put_value(out->value[out->n_claim], sizeof(out->value[0]), v))
			continue;
		snprintf(out->name[out->n_claim++], sizeof(out->name[0]), "claim.%s", name);
	}
}

static int body_ok(json_t *body, const char *issuer, const char *audience, int64_t now,
		   struct jwt *out, struct pol_err *e)
{
	const char *iss = json_string_value(json_object_get(body, "iss"));
	const char *sub = json_string_value(json_object_get(body, "sub"));
	json_t *exp = json_object_get(body, "exp"), *nbf = json_object_get(body, "nbf");

	if (!iss || strcmp(iss, issuer))
		return pol_fail(e, EINVAL, "assertion: of another issuer");
	if (!has_audience(json_object_get(body, "aud"), audience))
		return pol_fail(e, EINVAL, "assertion: for another audience");
	if (!json_is_integer(exp) || json_integer_value(exp) <= now)
		return pol_fail(e, EINVAL, "assertion: expired");
	if (nbf && (!json_is_integer(nbf) || json_integer_value(nbf) > now))
		return pol_fail(e, EINVAL, "assertion: not yet valid");
	if (!sub || strlen(sub) >= sizeof(out->subject))
		return pol_fail(e, EINVAL, "assertion: has no subject");
	strcpy(out->subject, sub);
	take_claims(body, out);
	return 0;
}

int jwt_verify(const char *token, const struct jwt_key *k, const char *issuer,
	       const char *audience, int64_t now, struct jwt *out, struct pol_err *e)
{
	const char *dot = strchr(token, '.'), *dot2 = dot ? strchr(dot + 1, '.') : NULL;
	uint8_t sig[64];
	json_t *body;
	int ret;

	memset(out, 0, sizeof(*out));
	if (!dot2 || strlen(token) > JWT_MAX || strchr(dot2 + 1, '.'))
		return pol_fail(e, EINVAL, "assertion: not three parts of at most %d bytes",
				JWT_MAX);
	if (!header_ok(token, dot - token, k))
		return pol_fail(e, EINVAL, "assertion: not signed with %s",
				k->p256 ? "ES256" : "EdDSA");
	if (decode(dot2 + 1, strlen(dot2 + 1), sig, sizeof(sig)) != 64 ||
	    !signature_ok(k, token, dot2 - token, sig))
		return pol_fail(e, EINVAL, "assertion: its signature is not the issuer's");
	body = part(dot + 1, dot2 - dot - 1);
	if (!json_is_object(body))
		ret = pol_fail(e, EINVAL, "assertion: its claims are no JSON object");
	else
		ret = body_ok(body, issuer, audience, now, out, e);
	json_decref(body);
	return ret;
}
