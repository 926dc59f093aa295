// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "vrm/jwt.h"

struct jwt_keys {
	uint32_t n;
	struct jwt_key {
		EVP_PKEY *pkey;
		bool p256;
		char id[128];		/* or empty */
	} key[JWT_KEYS_MAX];
};

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

/* --- keys --- */

/* Takes @pkey over if it is of a kind that is used here. */
static bool add_key(struct jwt_keys *k, EVP_PKEY *pkey, const char *id)
{
	struct jwt_key *to = &k->key[k->n];
	int kind = pkey ? EVP_PKEY_get_id(pkey) : 0;

	to->p256 = kind == EVP_PKEY_EC && EVP_PKEY_get_bits(pkey) == 256;
	if ((kind != EVP_PKEY_ED25519 && !to->p256) ||
	    (size_t)snprintf(to->id, sizeof(to->id), "%s", id ? id : "") >= sizeof(to->id)) {
		EVP_PKEY_free(pkey);
		return false;
	}
	to->pkey = pkey;
	k->n++;
	return true;
}

static const char *member(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s ? s : "";
}

static EVP_PKEY *p256_of(const json_t *j)
{
	uint8_t point[65] = { POINT_CONVERSION_UNCOMPRESSED };
	const char *x = member(j, "x"), *y = member(j, "y");
	char group[] = "P-256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group) - 1),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_END,
	};
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *out = NULL;

	if (c && decode(x, strlen(x), point + 1, 32) == 32 &&
	    decode(y, strlen(y), point + 33, 32) == 32 && EVP_PKEY_fromdata_init(c) == 1)
		EVP_PKEY_fromdata(c, &out, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(c);
	return out;
}

static EVP_PKEY *key_of(const json_t *j)
{
	const char *x = member(j, "x");
	uint8_t raw[32];

	if (!strcmp(member(j, "kty"), "OKP") && !strcmp(member(j, "crv"), "Ed25519") &&
	    decode(x, strlen(x), raw, sizeof(raw)) == sizeof(raw))
		return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
	if (!strcmp(member(j, "kty"), "EC") && !strcmp(member(j, "crv"), "P-256"))
		return p256_of(j);
	return NULL;
}

static void add_set(struct jwt_keys *k, const json_t *set)
{
	const json_t *list = json_object_get(set, "keys"), *j;
	const char *use;
	size_t i;

	json_array_foreach(list, i, j) {
		use = member(j, "use");
		if (k->n < JWT_KEYS_MAX && (!*use || !strcmp(use, "sig")))
			add_key(k, key_of(j), member(j, "kid"));
	}
}

struct jwt_keys *jwt_keys_load(const char *path, struct pol_err *e)
{
	struct jwt_keys *k = calloc(1, sizeof(*k));
	json_t *set = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	FILE *f = set ? NULL : fopen(path, "re");

	if (k && set)
		add_set(k, set);
	else if (k && f)
		add_key(k, PEM_read_PUBKEY(f, NULL, NULL, NULL), NULL);
	if (f)
		fclose(f);
	json_decref(set);
	if (k && k->n)
		return k;
	pol_fail(e, EINVAL, "%s: no Ed25519 or P-256 public key in PEM, nor a set of such in JSON",
		 path);
	jwt_keys_free(k);
	return NULL;
}

void jwt_keys_free(struct jwt_keys *k)
{
	while (k && k->n)
		EVP_PKEY_free(k->key[--k->n].pkey);
	free(k);
}

/* --- signatures --- */

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

/* May this key have signed what has such a header? */
static bool header_fits(const json_t *h, const struct jwt_key *k)
{
	const char *alg = member(h, "alg");
	const json_t *id = json_object_get(h, "kid");

	return !strcmp(alg, k->p256 ? "ES256" : "EdDSA") &&
	       (!id || !*k->id || (json_is_string(id) && !strcmp(json_string_value(id), k->id)));
}

/* RFC 7519, section 7.2: the header, and the signature that it announces. */
static int check_signature(const char *token, const char *dot, const char *dot2,
			   const struct jwt_keys *keys, struct pol_err *e)
{
	json_t *h = part(token, dot - token);
	const struct jwt_key *k;
	bool fits = false, good = false, whole;
	uint8_t sig[64];

	if (!json_is_object(h) || json_object_get(h, "crit")) {
		json_decref(h);
		return pol_fail(e, EINVAL, "assertion: its header is no JSON object, or asks for "
				"what is not known here");
	}
	whole = decode(dot2 + 1, strlen(dot2 + 1), sig, sizeof(sig)) == sizeof(sig);
	for (k = keys->key; !good && k < keys->key + keys->n; k++)
		if (header_fits(h, k)) {
			fits = true;
			good = whole && signature_ok(k, token, dot2 - token, sig);
		}
	json_decref(h);
	if (good)
		return 0;
	return fits ? pol_fail(e, EINVAL, "assertion: its signature is not the issuer's") :
		      pol_fail(e, EINVAL, "assertion: not signed with EdDSA or ES256 by a key of "
			       "the issuer's");
}

/* --- claims --- */

/* A list of texts, or one text (RFC 7519, section 4.1.3). */
static int check_audience(const json_t *aud, const char *audience, struct pol_err *e)
{
	bool found = json_is_string(aud) && !strcmp(json_string_value(aud), audience);
	const json_t *v;
	size_t i;

	if (!json_is_string(aud) && !json_is_array(aud))
		return pol_fail(e, EINVAL, "assertion: has no audience");
	json_array_foreach(aud, i, v) {
		if (!json_is_string(v))
			return pol_fail(e, EINVAL, "assertion: its audience is no list of texts");
		found |= !strcmp(json_string_value(v), audience);
	}
	return found ? 0 : pol_fail(e, EINVAL, "assertion: for another audience");
}

/* Times are numbers, not always whole ones (RFC 7519, section 2). */
static int check_times(const json_t *body, const struct jwt_rules *r, struct pol_err *e)
{
	static const char *const names[] = { "exp", "nbf", "iat" };
	const json_t *v[3];
	int i;

	for (i = 0; i < 3; i++) {
		v[i] = json_object_get(body, names[i]);
		if (v[i] && !json_is_number(v[i]))
			return pol_fail(e, EINVAL, "assertion: its '%s' is no number", names[i]);
	}
	if (!v[0])
		return pol_fail(e, EINVAL, "assertion: does not say when it expires");
	if (json_number_value(v[0]) <= r->now)
		return pol_fail(e, EINVAL, "assertion: expired");
	if (v[1] && json_number_value(v[1]) > r->now + r->skew)
		return pol_fail(e, EINVAL, "assertion: not yet valid");
	return 0;
}

static int check_body(const json_t *body, const struct jwt_rules *r, struct jwt *out,
		      struct pol_err *e)
{
	const char *iss = member(body, "iss"), *sub = member(body, "sub");
	const json_t *jti = json_object_get(body, "jti");
	int ret;

	if (strcmp(iss, r->issuer))
		return pol_fail(e, EINVAL, "assertion: of another issuer");
	ret = check_audience(json_object_get(body, "aud"), r->audience, e);
	ret = ret ? ret : check_times(body, r, e);
	if (ret)
		return ret;
	if (!*sub || strlen(sub) >= sizeof(out->subject))
		return pol_fail(e, EINVAL, "assertion: has no subject, or one of more than "
				"%zu bytes", sizeof(out->subject) - 1);
	if (jti && !json_is_string(jti))
		return pol_fail(e, EINVAL, "assertion: its 'jti' is no text");
	strcpy(out->subject, sub);
	return 0;
}

static char *list_text(const json_t *v)
{
	char text[POL_STR_MAX + 1];
	const json_t *m;
	size_t i, n = 0;

	*text = 0;
	json_array_foreach(v, i, m) {
		if (!json_is_string(m) || strpbrk(json_string_value(m), " \t\r\n"))
			return NULL;
		n += snprintf(text + n, sizeof(text) - n, "%s%s", i ? " " : "",
			      json_string_value(m));
		if (n >= sizeof(text))
			return NULL;
	}
	return strdup(text);
}

static char *value_text(const json_t *v)
{
	char number[32];

	if (json_is_string(v))
		return json_string_length(v) > POL_STR_MAX ? NULL : strdup(json_string_value(v));
	if (json_is_boolean(v))
		return strdup(json_is_true(v) ? "true" : "false");
	if (json_is_array(v))
		return list_text(v);
	snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
	return json_is_integer(v) ? strdup(number) : NULL;
}

/*
 * Claims that are no text, whole number, truth or list of words are left out: no policy
 * can ask for them. One of more than are taken is not: which of them would be left out?
 */
static int take_claims(json_t *body, struct jwt *out, struct pol_err *e)
{
	const char *name;
	char *value;
	json_t *v;

	json_object_foreach(body, name, v) {
		value = strlen(name) > POL_STR_MAX - 8 ? NULL : value_text(v);
		if (!value)
			continue;
		if (out->n_claim == JWT_CLAIMS_MAX ||
		    asprintf(&out->name[out->n_claim], "claim.%s", name) < 0) {
			free(value);
			return pol_fail(e, EINVAL, "assertion: has more than %d claims",
					JWT_CLAIMS_MAX);
		}
		out->value[out->n_claim++] = value;
	}
	return 0;
}

int jwt_verify(const char *token, const struct jwt_keys *k, const struct jwt_rules *rules,
	       struct jwt *out, struct pol_err *e)
{
	const char *dot = strchr(token, '.'), *dot2 = dot ? strchr(dot + 1, '.') : NULL;
	json_t *body;
	int ret;

	memset(out, 0, sizeof(*out));
	if (!dot2 || strlen(token) > JWT_MAX || strchr(dot2 + 1, '.'))
		return pol_fail(e, EINVAL, "assertion: not three parts of at most %d bytes",
				JWT_MAX);
	ret = check_signature(token, dot, dot2, k, e);
	if (ret)
		return ret;
	body = part(dot + 1, dot2 - dot - 1);
	if (!json_is_object(body))
		ret = pol_fail(e, EINVAL, "assertion: its claims are no JSON object");
	else
		ret = check_body(body, rules, out, e);
	ret = ret ? ret : take_claims(body, out, e);
	json_decref(body);
	return ret;
}

void jwt_free(struct jwt *j)
{
	while (j->n_claim--) {
		free(j->name[j->n_claim]);
		free(j->value[j->n_claim]);
	}
	j->n_claim = 0;
}
