// SPDX-License-Identifier: GPL-2.0-only
#include <curl/curl.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

static pthread_key_t handle_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void end_handle(void *h)
{
	curl_easy_cleanup(h);
}

static void init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	pthread_key_create(&handle_key, end_handle);
}

static CURL *handle(void)
{
	CURL *h;

	pthread_once(&once, init);
	h = pthread_getspecific(handle_key);
	if (!h) {
		h = curl_easy_init();
		pthread_setspecific(handle_key, h);
	}
	if (h)
		curl_easy_reset(h);	/* options only; connections are kept */
	return h;
}

static size_t take(char *data, size_t size, size_t n, void *ctx)
{
	struct http_answer *a = ctx;
	char *p;

	n *= size;
	if (a->len + n > HTTP_ANSWER_MAX)
		return 0;
	p = realloc(a->body, a->len + n + 1);
	if (!p)
		return 0;
	a->body = p;
	memcpy(p + a->len, data, n);
	a->len += n;
	p[a->len] = 0;
	return n;
}

static bool name_is(X509 *cert, int nid, const char *want)
{
	char text[64];
	int n = X509_NAME_get_text_by_NID(X509_get_subject_name(cert), nid, text, sizeof(text));

	return n > 0 && !strcmp(text, want);
}

/* An authority's certificates are users' too: the server must be that daemon. */
static int check_server(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const char *unit = ssl ? SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)) : NULL;
	X509 *cert = X509_STORE_CTX_get_current_cert(store);

	if (!ok || X509_STORE_CTX_get_error_depth(store))
		return ok;
	if (unit && name_is(cert, NID_organizationName, "underpind") &&
	    name_is(cert, NID_organizationalUnitName, unit))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static CURLcode on_ssl_ctx(CURL *h, void *ctx, void *unit)
{
	(void)h;
	SSL_CTX_set_app_data(ctx, unit);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, check_server);
	return CURLE_OK;
}

static void set_tls(CURL *h, const struct http_tls *tls)
{
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(h, CURLOPT_SSLCERT, tls->cert);
	curl_easy_setopt(h, CURLOPT_SSLKEY, tls->key);
	curl_easy_setopt(h, CURLOPT_CAINFO, tls->ca);
	curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
	if (tls->unit) {
		curl_easy_setopt(h, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
		curl_easy_setopt(h, CURLOPT_SSL_CTX_DATA, (void *)tls->unit);
	}
}

static int error_of(CURLcode c, struct pol_err *e, const char *url)
{
	int code = EIO;

	if (c == CURLE_OPERATION_TIMEDOUT)
		code = ETIMEDOUT;
	if (c == CURLE_COULDNT_CONNECT || c == CURLE_SSL_CONNECT_ERROR ||
	    c == CURLE_PEER_FAILED_VERIFICATION || c == CURLE_COULDNT_RESOLVE_HOST)
		code = ECONNREFUSED;
	return pol_fail(e, code, "%s: %s", url, curl_easy_strerror(c));
}

int http_post(const char *url, const struct http_tls *tls, const char *json, long timeout_ms,
	      struct http_answer *out, struct pol_err *e)
{
	struct curl_slist *headers = NULL;
	CURL *h = handle();
	CURLcode c;

	memset(out, 0, sizeof(*out));
	if (!h || timeout_ms <= 0)
		return pol_fail(e, ETIMEDOUT, "%s: no time left", url);
	headers = curl_slist_append(headers, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_POSTFIELDS, json);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L);
	if (tls)
		set_tls(h, tls);
	c = curl_easy_perform(h);
	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &out->status);
	curl_slist_free_all(headers);
	if (c == CURLE_OK && out->body)
		return 0;
	free(out->body);
	out->body = NULL;
	return c == CURLE_OK ? pol_fail(e, EIO, "%s: empty answer", url) : error_of(c, e, url);
}
