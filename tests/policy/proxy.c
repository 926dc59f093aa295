// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bad network between two daemons: passes TCP bytes on, and
 *
 *   proxy LISTEN PORT TARGET PORT count 0         does nothing else
 *   proxy ... delay MS                            each piece late, both ways
 *   proxy ... drop-request N                      cut after N request bytes
 *   proxy ... drop-answer N                       cut after N answer bytes
 *   proxy ... hold-request N MS                   what follows N request bytes, late
 *
 * Bytes are counted per connection. Says what it did, a line each: "request N" or
 * "answer N" when so many bytes have come, "cut N" when N were passed and no more,
 * "late" for a piece that waited. Serves until it is killed.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const ways[] = { "request", "answer" };
static struct sockaddr_in target;
static const char *mode;
static long amount, hold_ms;

static void late(long ms)
{
	usleep(ms * 1000);
	printf("late\n");
}

/* Delays a piece of @n bytes after @before others, or says how much of it passes. */
static ssize_t passes(int way, long before, ssize_t n)
{
	if (!strcmp(mode, "delay"))
		late(amount);
	if (!strcmp(mode, "hold-request") && !way && before <= amount && before + n > amount)
		late(hold_ms);
	if (strncmp(mode, "drop-", 5) || strcmp(mode + 5, ways[way]) || before + n <= amount)
		return n;
	printf("cut %ld\n", amount);
	return amount - before;
}

/* Moves one piece from @from to @to: 0 when the connection is over. */
static int move(int from, int to, int way, long *bytes)
{
	char buf[16384];
	ssize_t n = read(from, buf, sizeof(buf)), done = 0, pass, w;

	if (n <= 0)
		return 0;
	pass = passes(way, *bytes, n);
	*bytes += n;
	printf("%s %ld\n", ways[way], *bytes);
	while (done < pass) {
		w = write(to, buf + done, pass - done);
		if (w <= 0)
			return 0;
		done += w;
	}
	return pass == n;
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

static int listen_at(const char *address, const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (inet_pton(AF_INET, address, &at.sin_addr) != 1 ||
	    bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 64)) {
		perror("proxy");
		return -1;
	}
	return s;
}

int main(int argc, char **argv)
{
	pthread_t t;
	int s, c;

	if (argc < 7 || inet_pton(AF_INET, argv[3], &target.sin_addr) != 1) {
		fprintf(stderr, "usage: proxy LISTEN PORT TARGET PORT count|delay|drop-request|"
			"drop-answer|hold-request N [MS]\n");
		return 2;
	}
	setlinebuf(stdout);
	signal(SIGPIPE, SIG_IGN);
	target.sin_family = AF_INET;
	target.sin_port = htons(atoi(argv[4]));
	mode = argv[5];
	amount = atol(argv[6]);
	hold_ms = argc > 7 ? atol(argv[7]) : 0;
	s = listen_at(argv[1], argv[2]);
	if (s < 0)
		return 1;
	printf("ready\n");
	while ((c = accept(s, NULL, NULL)) >= 0)
		if (!pthread_create(&t, NULL, serve, (void *)(intptr_t)c))
			pthread_detach(t);
	return 0;
}
