// SPDX-License-Identifier: GPL-2.0
/*
 * The broker's side of the wire.  It is known by its certificate alone, byte for byte, which is
 * part of the measured initrd: names and dates would be those of the host's network and clock.
 */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "userspace/cli/cli.h"
#include "userspace/unlock/unlock.h"

#define HEADERS		4096

static X509 *read_certificate(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *x = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

	if (file)
		fclose(file);
	if (!x)
		cli_error("%s: it is no certificate in PEM", path);
	return x;
}

static int is_the_one(X509_STORE_CTX *ctx, void *wanted)
{
	X509 *got = X509_STORE_CTX_get0_cert(ctx);

	if (got && !X509_cmp(got, wanted))
		return 1;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_UNTRUSTED);
	return 0;
}

static SSL *begin(SSL_CTX *ctx, int fd)
{
	SSL *ssl = SSL_new(ctx);

	if (ssl && SSL_set_fd(ssl, fd) > 0 && SSL_connect(ssl) > 0)
		return ssl;
	cli_error("the broker: %s", ssl && SSL_get_verify_result(ssl) ?
		  "another one answers: its certificate is not the one that is given here" :
		  "there is no TLS 1.3 with it");
	SSL_free(ssl);
	return NULL;
}

/* To the connection's end; what is cut off is told by what it should have been. */
static long exchange(SSL *ssl, const char *path, const char *body, size_t len, char *all,
		     size_t size)
{
	size_t got = 0;
	int n = snprintf(all, size, "%s %s HTTP/1.1\r\nHost: broker\r\nConnection: close\r\n"
			 "Content-Length: %zu\r\n\r\n", body ? "POST" : "GET", path, len);

	if (n < 0 || (size_t)n >= size || SSL_write(ssl, all, n) <= 0 ||
	    (len && SSL_write(ssl, body, (int)len) <= 0))
		return -1;
	while (got < size - 1) {
		n = SSL_read(ssl, all + got, (int)(size - 1 - got));
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	all[got] = 0;
	return (long)got;
}

/* The body of an answer that is 200; the broker's own words, if it is another. */
static long body_of(const char *all, long got, uint8_t *answer, size_t size)
{
	const char *body = got > 0 ? strstr(all, "\r\n\r\n") : NULL;
	int status = 0;
	size_t len;

	if (!body || sscanf(all, "HTTP/1.%*1[01] %3d", &status) != 1) {
		cli_error("the broker: it does not answer as one");
		return -1;
	}
	body += 4;
	len = (size_t)(all + got - body);
	if (status != 200 || len > size) {
		cli_error("the broker refuses: %.256s", status != 200 ? body : "its answer is too long");
		return -1;
	}
	memcpy(answer, body, len);
	return (long)len;
}

static SSL_CTX *rules(X509 *certificate)
{
	SSL_CTX *ctx = certificate ? SSL_CTX_new(TLS_client_method()) : NULL;

	if (!ctx)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_cert_verify_callback(ctx, is_the_one, certificate);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return ctx;
}

long broker_call(const struct address *broker, const char *certificate, const char *path,
		 const char *body, size_t len, uint8_t *answer, size_t size)
{
	static char all[HEADERS + 8192];
	X509 *wanted = read_certificate(certificate);
	SSL_CTX *ctx = rules(wanted);
	int fd = ctx ? address_call(broker) : -1;
	SSL *ssl = fd >= 0 ? begin(ctx, fd) : NULL;
	long got = -1;

	if (ctx && fd < 0)
		cli_error("the broker: nobody answers there; is the network up?");
	if (ssl) {
		got = exchange(ssl, path, body, len, all, sizeof(all));
		got = body_of(all, got, answer, size);
		SSL_free(ssl);
	}
	if (fd >= 0)
		close(fd);
	SSL_CTX_free(ctx);
	X509_free(wanted);
	OPENSSL_cleanse(all, sizeof(all));
	return got;
}
