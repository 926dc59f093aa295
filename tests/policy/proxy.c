// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bad network between two daemons: passes TCP bytes on, and
 *
 *   proxy LISTEN PORT TARGET PORT delay MS       each piece late, both ways
 *   proxy ... drop-request N                     cut when N request bytes came
 *   proxy ... drop-answer N                      cut when N answer bytes came
 *
 * Bytes are counted per connection. Serves until it is killed.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in target;
static const char *mode;
static long amount;

static int passes(int way, long bytes)
{
	if (!strcmp(mode, "delay"))
		usleep(amount * 1000);
	if (!strcmp(mode, "drop-request") && way == 0 && bytes >= amount)
		return 0;
	return strcmp(mode, "drop-answer") || way == 0 || bytes < amount;
}

/* Moves one piece from @from to @to: 0 when the connection is over. */
static int move(int from, int to, int way, long *bytes)
{
	char buf[16384];
	ssize_t n = read(from, buf, sizeof(buf)), done = 0, w;

	if (n <= 0)
		return 0;
	*bytes += n;
	if (!passes(way, *bytes))
		return 0;
	while (done < n) {
		w = write(to, buf + done, n - done);
		if (w <= 0)
			return 0;
		done += w;
	}
	return 1;
}

static void *serve(void *arg)
{
	int a = (intptr_t)arg, b = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd p[2] = { { a, POLLIN, 0 }, { b, POLLIN, 0 } };
	long bytes[2] = { 0, 0 };

	if (!connect(b, (struct sockaddr *)&target, sizeof(target)))
		while (poll(p, 2, 60000) > 0) {
			if (p[0].revents && !move(a, b, 0, &bytes[0]))
				break;
			if (p[1].revents && !move(b, a, 1, &bytes[1]))
				break;
		}
	close(a);
	close(b);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, c;
	pthread_t t;

	if (argc != 7) {
		fprintf(stderr, "usage: proxy LISTEN PORT TARGET PORT delay|drop-request|drop-answer N\n");
		return 2;
	}
	target.sin_family = AF_INET;
	at.sin_port = htons(atoi(argv[2]));
	target.sin_port = htons(atoi(argv[4]));
	mode = argv[5];
	amount = atol(argv[6]);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (inet_pton(AF_INET, argv[1], &at.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[3], &target.sin_addr) != 1 ||
	    bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 64)) {
		perror("proxy");
		return 1;
	}
	while ((c = accept(s, NULL, NULL)) >= 0)
		if (!pthread_create(&t, NULL, serve, (void *)(intptr_t)c))
			pthread_detach(t);
	return 0;
}
