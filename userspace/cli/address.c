// SPDX-License-Identifier: GPL-2.0
/* Addresses of TCP servers. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "userspace/cli/address.h"

static bool read_port(const char *text, in_port_t *port)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*port = htons((in_port_t)number);
	return *text >= '0' && *text <= '9' && !*end && number < 65536;
}

bool address_read(struct address *a, const char *text)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a->at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a->at;
	const char *port = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	size_t len = port ? (size_t)(port - text) : 0;

	memset(a, 0, sizeof(*a));
	if (!len || len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = 0;
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = 0;
		v6->sin6_family = AF_INET6;
		a->len = sizeof(*v6);
		return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 &&
		       read_port(port + 1, &v6->sin6_port);
	}
	v4->sin_family = AF_INET;
	a->len = sizeof(*v4);
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 && read_port(port + 1, &v4->sin_port);
}

int address_call(const struct address *a)
{
	int fd = socket(a->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&a->at, a->len)) {
		close(fd);
		return -1;
	}
	return fd;
}
