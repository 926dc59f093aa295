// SPDX-License-Identifier: GPL-2.0
/*
 * underpin vm serve: protects the VM of whoever connects, for VMMs that may not open
 * /dev/underpin, such as the QEMU that libvirt starts without privileges (userspace/preload/).
 *
 * A child serves each connection, and protects the peer's own VM, which the kernel names; a VM
 * stays protected until its process ends, whatever becomes of this one.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"
#include "userspace/vm/protect.h"
#include "userspace/vm/serve.h"
#include "userspace/vm/vm.h"

#define AT_ONCE		16	/* connections; others wait in the socket's queue */
#define ASK_SECONDS	10	/* for the question to come */
#define ACTIVATED_FD	3	/* sd_listen_fds(3) */

struct serve {
	const char *socket, *group;
	unsigned long max_mib;
	int dev, listening;
	unsigned int children;
	sigset_t mask;		/* signals come while we wait, and at no other time */
};

static volatile sig_atomic_t ending;

static void on_signal(int sig)
{
	ending |= sig != SIGCHLD;
}

/* --- one connection, in a child ----------------------------------------------- */

/* What protect_vm() says on stderr is the answer's text, and the log's. */
static int catch_words(void)
{
	int words[2];

	if (pipe2(words, O_CLOEXEC | O_NONBLOCK))
		return -1;
	dup2(words[1], STDERR_FILENO);
	close(words[1]);
	return words[0];
}

static void take_words(int words, struct serve_answer *answer)
{
	static const char name[] = "underpin: ";
	char *text = answer->text;
	ssize_t n = words < 0 ? 0 : read(words, text, sizeof(answer->text) - 1);

	text[n > 0 ? n : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	if (!strncmp(text, name, strlen(name)))
		memmove(text, text + strlen(name), strlen(text + strlen(name)) + 1);
}

static bool is_too_large(const struct serve *s, const struct protected_vm *vm)
{
	struct underpin_vm_release release = { .id = vm->id };
	uint64_t mib = vm->frames >> 8;

	if (!s->max_mib || mib <= s->max_mib)
		return false;
	ioctl(s->dev, UNDERPIN_VM_RELEASE, &release);
	cli_error("it has %" PRIu64 " MiB, and --max-memory allows %lu", mib, s->max_mib);
	return true;
}

/* A process that has gone may have given its number to another one. */
static bool still_there(int conn)
{
	struct pollfd p = { .fd = conn, .events = POLLIN };

	return !poll(&p, 1, 0);
}

static int protect_peer(const struct serve *s, int conn, pid_t pid, const struct serve_ask *ask,
			struct protected_vm *vm)
{
	int pidfd = pidfd_open(pid, 0);
	struct kvm_fds fds;
	char why[256];
	int ret;

	if (pidfd < 0 || procfd_copy(pid, pidfd, &fds, why, sizeof(why))) {
		cli_error("process %d: %s", (int)pid, pidfd < 0 ? strerror(errno) : why);
		return -1;
	}
	if (!still_there(conn)) {
		procfd_close(&fds);
		return -1;
	}
	/* It brings no ticket: where the layer asks for one the answer says so. */
	ret = protect_vm(s->dev, &fds, UNDERPIN_VM_DETACHED, NULL,
			 ask->flags & SERVE_EXPECT ? ask->expect : NULL, vm);
	procfd_close(&fds);
	return ret || is_too_large(s, vm) ? -1 : 0;
}

static bool receive(int conn, struct serve_ask *ask)
{
	struct timeval patience = { .tv_sec = ASK_SECONDS };

	setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return recv(conn, ask, sizeof(*ask), 0) == sizeof(*ask) &&
	       ask->version == SERVE_VERSION && !(ask->flags & ~SERVE_EXPECT);
}

static int serve_one(const struct serve *s, int conn)
{
	struct serve_answer answer = { .version = SERVE_VERSION };
	struct protected_vm vm = { .fd = -1 };
	int log = dup(STDERR_FILENO), words = catch_words();
	socklen_t len = sizeof(struct ucred);
	struct serve_ask ask;
	struct ucred peer;

	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &len) || !receive(conn, &ask))
		return 1;	/* it speaks something else, or nothing */
	answer.failed = !!protect_peer(s, conn, peer.pid, &ask, &vm);
	if (!answer.failed) {
		char hex[65];

		answer.id = vm.id;
		answer.frames = vm.frames;
		memcpy(answer.measurement, vm.measurement, sizeof(answer.measurement));
		cli_hex(hex, vm.measurement, sizeof(vm.measurement));
		cli_note("VM %u protected: %" PRIu64 " frames, measurement %s", vm.id, vm.frames,
			 hex);
	}
	take_words(words, &answer);
	dprintf(log, "underpin: process %d of user %u: %s\n", (int)peer.pid, peer.uid,
		answer.text);
	return send(conn, &answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer);
}

/* --- the service ------------------------------------------------------------------ */

static void reap(struct serve *s, int options)
{
	while (s->children && waitpid(-1, NULL, options) > 0)
		s->children--;
}

static void take(struct serve *s, int conn)
{
	pid_t pid = fork();

	if (!pid) {
		close(s->listening);
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		sigprocmask(SIG_SETMASK, &s->mask, NULL);
		_exit(serve_one(s, conn));
	}
	if (pid < 0)
		cli_error("a connection is refused: %s", strerror(errno));
	else
		s->children++;
	close(conn);
}

static void attend(struct serve *s)
{
	struct pollfd p = { .fd = s->listening };
	int conn;

	while (!ending) {
		reap(s, WNOHANG);
		p.events = s->children < AT_ONCE ? POLLIN : 0;
		if (ppoll(&p, 1, NULL, &s->mask) < 0)
			continue;	/* a signal */
		if (!(p.revents & POLLIN))
			continue;
		conn = accept4(s->listening, NULL, NULL, SOCK_CLOEXEC);
		if (conn >= 0)
			take(s, conn);
	}
	reap(s, 0);
}

static int open_to_group(const char *path, const char *name)
{
	struct group *g = name ? getgrnam(name) : NULL;

	if (name && !g) {
		cli_error("--group: there is no group \"%s\"", name);
		return -1;
	}
	if (!chmod(path, g ? 0660 : 0600) && (!g || !chown(path, 0, g->gr_gid)))
		return 0;
	cli_error("%s: %s", path, strerror(errno));
	return -1;
}

/* Of two services the second one finds out; what a killed one has left is in nobody's way. */
static int listen_at(const struct serve *s)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	mode_t mask;
	int ret;

	if (strlen(s->socket) >= sizeof(at.sun_path)) {
		cli_error("--socket: %s is too long for a socket's name", s->socket);
		return -1;
	}
	strcpy(at.sun_path, s->socket);
	if (!connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		cli_error("%s: somebody serves there already", s->socket);
		return -1;
	}
	unlink(s->socket);
	mkdir("/run/underpin", 0755);
	mask = umask(0177);
	ret = bind(fd, (struct sockaddr *)&at, sizeof(at));
	umask(mask);
	if (!ret)
		ret = listen(fd, AT_ONCE);
	if (ret) {
		cli_error("%s: %s", s->socket, strerror(errno));
		return -1;
	}
	return open_to_group(s->socket, s->group) ? -1 : fd;
}

/* The socket is systemd's, where that has made one. */
static int get_socket(const struct serve *s)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	if (pid && fds && atoi(pid) == getpid() && atoi(fds) == 1) {
		fcntl(ACTIVATED_FD, F_SETFD, FD_CLOEXEC);
		return ACTIVATED_FD;
	}
	return listen_at(s);
}

static int parse(struct serve *s, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "group", required_argument, NULL, 'g' },
		{ "max-memory", required_argument, NULL, 'm' },
		{ }
	};
	int opt;

	*s = (struct serve) { .socket = SERVE_SOCKET };
	optind = 0;
	while ((opt = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (opt == 's')
			s->socket = optarg;
		else if (opt == 'g')
			s->group = optarg;
		else if (opt != 'm')
			return cli_usage_error("vm serve: see above");
		else if (cli_number("--max-memory", optarg, 1, 1UL << 32, &s->max_mib))
			return -1;
	}
	if (!argv[optind])
		return 0;
	cli_usage_error("vm serve: \"%s\" is too much", argv[optind]);
	return -1;
}

static void take_signals(struct serve *s)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGCHLD };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaddset(&set, signals[i]);
		sigaction(signals[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, &s->mask);
}

int cmd_vm_serve(int argc, char **argv)
{
	struct serve s;

	if (parse(&s, argc, argv))
		return CLI_USAGE;
	s.dev = device_open();
	if (s.dev < 0)
		return CLI_NOT_READY;
	s.listening = get_socket(&s);
	if (s.listening < 0)
		return CLI_FAILED;
	take_signals(&s);
	cli_note("protecting the VMs of those who connect to %s", s.socket);
	attend(&s);
	return CLI_OK;
}
