// SPDX-License-Identifier: GPL-2.0
/*
 * A client of a guest's web server: client PORT PATH N.  It asks N times, by a connection each,
 * puts the first answer's body into the file "body", and says how many answers were the same.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX	(1 << 20)

/* Return: length of the whole answer, or -1 */
static long ask(unsigned short port, const char *path, char *answer)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_STREAM, 0);
	char request[256];
	long n = -1, len = 0;

	snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
	if (!connect(s, (struct sockaddr *)&to, sizeof(to)) &&
	    write(s, request, strlen(request)) == (ssize_t)strlen(request)) {
		do {
			n = read(s, answer + len, (size_t)(ANSWER_MAX - len));
			len += n > 0 ? n : 0;
		} while (n > 0);
	}
	close(s);
	answer[len] = '\0';
	return n ? -1 : len;
}

static const char *body_of(const char *answer, long len)
{
	const char *end = len > 0 ? strstr(answer, "\r\n\r\n") : NULL;

	return end && !strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) ? end + 4 : NULL;
}

int main(int argc, char **argv)
{
	static char first[ANSWER_MAX + 1], next[ANSWER_MAX + 1];
	const char *want, *body;
	long len, n, same = 1;
	FILE *f;

	if (argc != 4) {
		fprintf(stderr, "usage: client PORT PATH N\n");
		return 2;
	}
	len = ask((unsigned short)atoi(argv[1]), argv[2], first);
	want = body_of(first, len);
	if (!want) {
		printf("0 (%s)\n", len < 0 ? "no answer" : strtok(first, "\r\n"));
		return 1;
	}
	len -= want - first;
	f = fopen("body", "w");
	fwrite(want, 1, (size_t)len, f);
	fclose(f);
	for (n = 1; n < atol(argv[3]); n++) {
		long got = ask((unsigned short)atoi(argv[1]), argv[2], next);

		body = body_of(next, got);
		same += body && got - (body - next) == len && !memcmp(body, want, (size_t)len);
	}
	printf("%ld\n", same);
	return same != n;
}
