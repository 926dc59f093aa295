// SPDX-License-Identifier: GPL-2.0
/*
 * ask SOCKET WHAT: what a taken-over VMM may say to "underpin vm serve".
 *
 *  right	a question as it should be, from a process without a VM
 *  version, flags, short, empty	malformed ones
 *  silent N	N connections that say nothing, until standard input ends
 *
 * Prints the answer's text, or "no answer".
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "userspace/vm/serve.h"

static int connection(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (s < 0 || connect(s, (struct sockaddr *)&at, sizeof(at)))
		err(1, "%s", path);
	return s;
}

static void silent(const char *path, int n)
{
	char word[16];

	while (n-- > 0)
		connection(path);
	puts("connected");
	fflush(stdout);
	while (fgets(word, sizeof(word), stdin))
		;
}

int main(int argc, char **argv)
{
	struct serve_ask ask = { .version = SERVE_VERSION };
	struct serve_answer answer = { 0 };
	size_t len = sizeof(ask);
	int s;

	if (argc < 3)
		errx(2, "usage: ask SOCKET WHAT");
	if (!strcmp(argv[2], "silent") && argc == 4) {
		silent(argv[1], atoi(argv[3]));
		return 0;
	}
	if (!strcmp(argv[2], "version"))
		ask.version = 99;
	else if (!strcmp(argv[2], "flags"))
		ask.flags = ~0u;
	else if (!strcmp(argv[2], "short"))
		len = 7;
	else if (!strcmp(argv[2], "empty"))
		len = 0;
	s = connection(argv[1]);
	if (send(s, &ask, len, MSG_NOSIGNAL) != (ssize_t)len)
		err(1, "send");
	if (recv(s, &answer, sizeof(answer), 0) != sizeof(answer))
		puts("no answer");
	else
		printf("%u %s\n", answer.failed, answer.text);
	return 0;
}
