// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into a VMM that knows nothing of the layer, such as the QEMU that libvirt starts:
 * at the first KVM_RUN of any vCPU, before the kernel sees it, has "underpin vm serve" protect
 * the VM.  Nothing of it has run by then, whoever said "cont".  A VM that cannot be protected
 * ends with its VMM, which says why.
 *
 * This is no boundary of trust: with the library left out the VM runs unprotected, and whoever
 * releases its secrets learns that from its evidence.
 *
 *  UNDERPIN_SOCKET	where the service listens (default SERVE_SOCKET)
 *  UNDERPIN_EXPECT	the measurement that the VM must have, in hexadecimal
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/kvm.h>

#include "userspace/cli/cli.h"
#include "userspace/vm/serve.h"

#define EXIT_UNPROTECTED	125	/* as "underpin vm run" has it */

typedef int (*ioctl_fn)(int fd, unsigned long request, ...);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool done;

/* Of the whole VMM: no vCPU has run. */
static void give_up(const char *what, const char *why)
{
	fprintf(stderr, "underpin: the VM is not protected, and does not run: %s%s%s\n", what,
		*why ? ": " : "", why);
	_exit(EXIT_UNPROTECTED);
}

static void expectation(struct serve_ask *ask, const char *hex)
{
	if (!hex || !*hex)
		return;
	if (cli_unhex(hex, ask->expect, sizeof(ask->expect)))
		give_up("UNDERPIN_EXPECT is not a SHA-256 in hexadecimal", "");
	ask->flags |= SERVE_EXPECT;
}

static int service(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *path = getenv("UNDERPIN_SOCKET");
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (!path || !*path)
		path = SERVE_SOCKET;
	if (strlen(path) >= sizeof(at.sun_path))
		give_up(path, "too long for a socket's name");
	strcpy(at.sun_path, path);
	if (s >= 0 && !connect(s, (struct sockaddr *)&at, sizeof(at)))
		return s;
	if (errno == ENOENT || errno == ECONNREFUSED)
		give_up(path, "nobody serves there: systemctl start underpin-protect");
	give_up(path, strerror(errno));
	return -1;
}

static ssize_t receive(int s, struct serve_answer *answer)
{
	ssize_t n;

	do {
		n = recv(s, answer, sizeof(*answer), 0);
	} while (n < 0 && errno == EINTR);
	return n;
}

static void protect(void)
{
	struct serve_ask ask = { .version = SERVE_VERSION };
	struct serve_answer answer;
	char hex[2 * sizeof(answer.measurement) + 1];
	int s;

	expectation(&ask, getenv("UNDERPIN_EXPECT"));
	s = service();
	if (send(s, &ask, sizeof(ask), MSG_NOSIGNAL) != sizeof(ask) ||
	    receive(s, &answer) != sizeof(answer))
		give_up("the service has ended the conversation", "see its log");
	answer.text[sizeof(answer.text) - 1] = 0;
	if (answer.version != SERVE_VERSION)
		give_up("the service speaks another version of this", "install both anew");
	if (answer.failed)
		give_up(answer.text, "");
	close(s);
	cli_hex(hex, answer.measurement, sizeof(answer.measurement));
	fprintf(stderr, "underpin: VM %u protected: %llu frames, measurement %s\n", answer.id,
		(unsigned long long)answer.frames, hex);
}

/* Other vCPUs wait for the first one. */
static void protect_once(void)
{
	pthread_mutex_lock(&lock);
	if (!done)
		protect();
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&lock);
}

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
	static ioctl_fn next;
	ioctl_fn fn = __atomic_load_n(&next, __ATOMIC_RELAXED);
	va_list args;
	void *arg;

	if (!fn) {
		fn = (ioctl_fn)dlsym(RTLD_NEXT, "ioctl");
		__atomic_store_n(&next, fn, __ATOMIC_RELAXED);
	}
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == KVM_RUN && !__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		protect_once();
	return fn(fd, request, arg);
}
