// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands between two daemons with the keys of both, and does to each message
 *
 *   middle LISTEN PORT TARGET PORT SERVER-CERT SERVER-KEY CLIENT-CERT CLIENT-KEY
 *	double 0		sends it twice at once, on connections of their own,
 *				and once more when it was answered
 *	lose-request 0		does not send it
 *	lose-answer 0		does not pass on the answer
 *	late MS			sends it late, whether or not anybody waits
 *
 * Prints each message, the bodies of its answers, and then the mode. Serves until it
 * is killed.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LATER_MS	100

struct copy {
	pthread_t thread;
	const char *request;
	int length;
	char answer[131072];
};

static struct sockaddr_in target;
static const char *mode;
static long amount;
static SSL_CTX *server, *client;

/* Reads headers and a body of the Content-Length that they give. */
static int read_http(SSL *ssl, char *buf, int size)
{
	int n = 0, got, want = -1;
	char *end, *length;

	while (want < 0 || n < want) {
		got = n < size - 1 ? SSL_read(ssl, buf + n, size - 1 - n) : 0;
		if (got <= 0)
			return -1;
		n += got;
		buf[n] = 0;
		end = strstr(buf, "\r\n\r\n");
		length = strcasestr(buf, "\r\nContent-Length:");
		if (want < 0 && end)
			want = end + 4 - buf + (length ? atoi(length + 17) : 0);
	}
	return n;
}

static void *send_copy(void *arg)
{
	struct copy *c = arg;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL *ssl = SSL_new(client);

	*c->answer = 0;
	SSL_set_fd(ssl, fd);
	if (connect(fd, (struct sockaddr *)&target, sizeof(target)) || SSL_connect(ssl) != 1 ||
	    SSL_write(ssl, c->request, c->length) != c->length ||
	    read_http(ssl, c->answer, sizeof(c->answer)) < 0)
		*c->answer = 0;
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static void print_body(const char *what, const char *http)
{
	const char *body = strstr(http, "\r\n\r\n");

	printf("%s %s\n", what, body ? body + 4 : "none");
}

static int pass_on(SSL *ssl, const struct copy *c)
{
	int n = strlen(c->answer);

	return n && SSL_write(ssl, c->answer, n) == n;
}

static int send_thrice(SSL *ssl, struct copy *c)
{
	int i, ok;

	for (i = 0; i < 2; i++)
		pthread_create(&c[i].thread, NULL, send_copy, &c[i]);
	for (i = 0; i < 2; i++)
		pthread_join(c[i].thread, NULL);
	ok = pass_on(ssl, &c[0]);
	usleep(LATER_MS * 1000);
	send_copy(&c[2]);
	for (i = 0; i < 3; i++)
		print_body("answer", c[i].answer);
	return ok;
}

/* 0: the connection ends. */
static int treat(SSL *ssl, const char *request, int length)
{
	struct copy *c = calloc(3, sizeof(*c));
	int i, ok = 0;

	print_body("request", request);
	for (i = 0; i < 3; i++)
		c[i] = (struct copy){ .request = request, .length = length };
	if (!strcmp(mode, "double")) {
		ok = send_thrice(ssl, c);
	} else if (strcmp(mode, "lose-request")) {
		usleep(amount * 1000);
		send_copy(&c[0]);
		print_body("answer", c[0].answer);
		ok = strcmp(mode, "lose-answer") && pass_on(ssl, &c[0]);
	}
	printf("%s\n", mode);
	free(c);
	return ok;
}

static void *serve(void *arg)
{
	char *request = malloc(131072);
	int fd = (intptr_t)arg, n;
	SSL *ssl = SSL_new(server);

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		while ((n = read_http(ssl, request, 131072)) > 0 && treat(ssl, request, n))
			;
	SSL_free(ssl);
	close(fd);
	free(request);
	return NULL;
}

static SSL_CTX *tls(const SSL_METHOD *method, char **files)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (SSL_CTX_use_certificate_file(ctx, files[0], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, files[1], SSL_FILETYPE_PEM) != 1)
		exit(2);
	return ctx;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, c;
	pthread_t t;

	if (argc != 11 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[3], &target.sin_addr) != 1)
		return 2;
	setlinebuf(stdout);
	signal(SIGPIPE, SIG_IGN);
	target.sin_family = AF_INET;
	at.sin_port = htons(atoi(argv[2]));
	target.sin_port = htons(atoi(argv[4]));
	mode = argv[9];
	amount = atol(argv[10]);
	server = tls(TLS_server_method(), argv + 5);
	client = tls(TLS_client_method(), argv + 7);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 64))
		return 1;
	printf("ready\n");
	while ((c = accept(s, NULL, NULL)) >= 0)
		if (!pthread_create(&t, NULL, serve, (void *)(intptr_t)c))
			pthread_detach(t);
	return 0;
}
