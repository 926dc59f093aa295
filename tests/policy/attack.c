// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hostile client does to a daemon, for a bounded time:
 *
 *   attack ADDRESS PORT connect COUNT SECONDS      TCP connections, silent
 *   attack ADDRESS PORT half COUNT SECONDS         half of a TLS hello each
 *   attack ADDRESS PORT loris COUNT SECONDS CERT KEY   TLS, a header byte a second
 *
 * Prints how many connections were still open at the end.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	int fd;
	SSL *ssl;
};

static struct sockaddr_in target = { .sin_family = AF_INET };

static int open_one(struct client *c, SSL_CTX *ctx)
{
	struct timeval t = { 2, 0 };

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&target, sizeof(target)))
		return -1;
	if (!ctx)
		return 0;
	c->ssl = SSL_new(ctx);
	SSL_set_fd(c->ssl, c->fd);
	return SSL_connect(c->ssl) == 1 ? 0 : -1;
}

static int is_open(struct client *c)
{
	struct pollfd p = { c->fd, POLLIN, 0 };
	char b;

	if (c->fd < 0)
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

int main(int argc, char **argv)
{
	struct rlimit lim = { 65536, 65536 };
	int n = argc > 4 ? atoi(argv[4]) : 0, seconds = argc > 5 ? atoi(argv[5]) : 0, i, s, left;
	struct client *c = calloc(n + 1, sizeof(*c));
	SSL_CTX *ctx = NULL;

	if (argc < 6 || inet_pton(AF_INET, argv[1], &target.sin_addr) != 1)
		return 2;
	target.sin_port = htons(atoi(argv[2]));
	setrlimit(RLIMIT_NOFILE, &lim);
	signal(SIGPIPE, SIG_IGN);
	if (argc > 7) {
		ctx = SSL_CTX_new(TLS_client_method());
		if (SSL_CTX_use_certificate_file(ctx, argv[6], SSL_FILETYPE_PEM) != 1 ||
		    SSL_CTX_use_PrivateKey_file(ctx, argv[7], SSL_FILETYPE_PEM) != 1)
			return 2;
	}
	for (i = 0, left = 0; i < n; i++)
		left += !open_one(&c[i], ctx);
	printf("connected %d\n", left);
	fflush(stdout);
	for (s = 0; s < seconds; s++) {
		for (i = 0; i < n; i++)
			poke(&c[i], argv[3], s);
		sleep(1);
	}
	for (i = 0, left = 0; i < n; i++)
		left += is_open(&c[i]);
	printf("open %d\n", left);
	return 0;
}
