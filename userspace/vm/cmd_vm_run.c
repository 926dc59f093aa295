// SPDX-License-Identifier: GPL-2.0
/*
 * underpin vm run: start QEMU stopped, protect its VM, let it go, and end as it
 * ends.  QEMU keeps the terminal and all it inherits; it is spoken to over a
 * socket of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "userspace/vm/admission.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"
#include "userspace/vm/protect.h"
#include "userspace/vm/qemu_args.h"
#include "userspace/vm/qmp.h"
#include "userspace/vm/vm.h"

#define DEFAULT_TIMEOUT	120	/* seconds; an emulated machine is slow */

struct run {
	/* options */
	unsigned long timeout;
	bool quiet, expecting, stay_stopped;
	unsigned char expect[32];
	struct admission admission;
	char **argv;
	/* state */
	int dev;
	pid_t pid;
	int pidfd;
	int signals;
	int monitor;
	struct qmp qmp;
	struct protected_vm vm;
	bool explained;			/* why the VM has ended */
	sigset_t old_mask;
	struct termios tty;
	bool have_tty;
};

static int parse_one(struct run *r, int opt)
{
	switch (opt) {
	case 't':
		return cli_number("--timeout", optarg, 1, 86400, &r->timeout);
	case 'q':
		r->quiet = true;
		return 0;
	case 'e':
		r->expecting = true;
		if (!cli_unhex(optarg, r->expect, sizeof(r->expect)))
			return 0;
		cli_usage_error("--expect: \"%s\" is not a SHA-256 in hexadecimal", optarg);
		return -1;
	}
	if (!admission_option(&r->admission, opt, optarg))
		return 0;
	cli_usage_error("vm run: see above");
	return -1;
}

/* All that stands in the way at once.  Return: 0 or -1 */
static int refuse_needs(char *const argv[])
{
	struct qemu_problems p;
	size_t i;

	qemu_needs(argv, &p);
	for (i = 0; i < p.n; i++)
		cli_error("vm run: %s", p.text[i]);
	return p.n ? -1 : 0;
}

static int parse(struct run *r, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "expect", required_argument, NULL, 'e' },
		ADMISSION_OPTIONS,
		{ }
	};
	int opt;

	*r = (struct run) { .timeout = DEFAULT_TIMEOUT, .vm.fd = -1 };
	optind = 0;
	while ((opt = getopt_long(argc, argv, "+q", longs, NULL)) != -1)
		if (parse_one(r, opt))
			return -1;
	r->argv = argv + optind;
	if (admission_usage(&r->admission))
		return -1;
	if (!r->argv[0]) {
		cli_usage_error("vm run: the QEMU command is missing");
		return -1;
	}
	if (refuse_needs(r->argv))
		return -1;
	r->stay_stopped = qemu_args_has(r->argv, "S");
	return 0;
}

/* In the child.  It goes when we go: an unattended VM must not stay half started. */
static void exec_qemu(struct run *r, int monitor, int report, pid_t parent)
{
	char **argv = qemu_args_stopped(r->argv, monitor);
	int err;

	sigprocmask(SIG_SETMASK, &r->old_mask, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent)
		execvp(argv[0], argv);
	err = errno;
	if (write(report, &err, sizeof(err)) < 0)
		_exit(CLI_RUN_FAILED);
	_exit(CLI_RUN_NO_EXEC);
}

/* Return: 0 once QEMU's program runs, or the errno of exec. */
static int await_exec(int report)
{
	int err = 0;
	ssize_t n;

	do {
		n = read(report, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? err : 0;
}

static int fork_qemu(struct run *r, int theirs)
{
	pid_t self = getpid();
	int report[2], err;

	if (pipe2(report, O_CLOEXEC))
		return errno;
	r->pid = fork();
	if (r->pid < 0)
		return errno;
	if (!r->pid)
		exec_qemu(r, theirs, report[1], self);
	close(report[1]);
	err = await_exec(report[0]);
	close(report[0]);
	if (!err) {
		r->pidfd = pidfd_open(r->pid, 0);
		return r->pidfd < 0 ? errno : 0;
	}
	waitpid(r->pid, NULL, 0);
	r->pid = 0;
	return err;
}

static int start_qemu(struct run *r)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) {
		cli_error("a socket for QEMU's monitor: %s", strerror(errno));
		return CLI_RUN_FAILED;
	}
	r->monitor = pair[0];
	fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	qmp_open(&r->qmp, r->monitor);
	err = fork_qemu(r, pair[1]);
	close(pair[1]);
	if (!err)
		return 0;
	cli_error("%s: %s", r->argv[0], strerror(err));
	return err == ENOENT ? CLI_RUN_NO_FILE : CLI_RUN_NO_EXEC;
}

/* Once the machine exists and waits, its monitor answers. */
static int await_machine(struct run *r)
{
	int ret = qmp_greet(&r->qmp, r->timeout);

	if (!ret)
		ret = qmp_command(&r->qmp, "query-status", NULL, r->timeout);
	if (ret == -1)
		cli_error("%s; a longer --timeout may help", r->qmp.error);
	return ret;
}

static int protect(struct run *r)
{
	struct kvm_fds fds;
	char why[256], hex[65];
	int ret;

	if (procfd_copy(r->pid, r->pidfd, &fds, why, sizeof(why))) {
		cli_error("QEMU, process %d: %s", (int)r->pid, why);
		return -1;
	}
	ret = protect_vm(r->dev, &fds, 0, admission_ticket(&r->admission),
			 r->expecting ? r->expect : NULL, &r->vm);
	procfd_close(&fds);
	if (ret || r->quiet)
		return ret;
	cli_hex(hex, r->vm.measurement, sizeof(r->vm.measurement));
	cli_note("VM %u protected: %" PRIu64 " frames, measurement %s", r->vm.id, r->vm.frames,
		 hex);
	return 0;
}

static int let_go(struct run *r)
{
	if (r->stay_stopped || !qmp_command(&r->qmp, "cont", NULL, r->timeout))
		return 0;
	cli_error("letting the VM run: %s", r->qmp.error);
	return -1;
}

static bool event_is(json_object *event, const char *name)
{
	json_object *is;

	return json_object_object_get_ex(event, "event", &is) &&
	       !strcmp(json_object_get_string(is), name);
}

/* A guest's reset ends QEMU: there is nothing measured that it could start from. */
static bool is_reset(json_object *event)
{
	json_object *data, *reason;

	return event_is(event, "SHUTDOWN") && json_object_object_get_ex(event, "data", &data) &&
	       json_object_object_get_ex(data, "reason", &reason) &&
	       !strcmp(json_object_get_string(reason), "guest-reset");
}

/* A stopped VM may be a dead one: say why, once, since QEMU cannot know. */
static void look_at_event(struct run *r, json_object *event)
{
	struct underpin_vm_info info;
	bool reset = is_reset(event);

	if (r->explained || (!reset && !event_is(event, "STOP")) ||
	    device_vm_info(r->dev, r->vm.id, &info))
		return;
	r->explained = reset || info.state == UNDERPIN_VM_DEAD;
	if (info.state == UNDERPIN_VM_DEAD)
		cli_error("VM %u is dead: %s", r->vm.id, (const char *)info.death);
	else if (reset)
		cli_note("VM %u has ended: its guest reboots; start it again for a fresh one",
			 r->vm.id);
}

static void drain_monitor(struct run *r)
{
	json_object *event;

	while ((event = qmp_event(&r->qmp))) {
		look_at_event(r, event);
		json_object_put(event);
	}
}

/* What is sent to us is meant for QEMU; what the terminal sends, it gets itself. */
static void pass_signal(struct run *r)
{
	struct signalfd_siginfo info;

	if (read(r->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGCHLD && info.ssi_code <= 0)
		kill(r->pid, info.ssi_signo);
}

static void attend(struct run *r)
{
	struct pollfd p[] = {
		{ .fd = r->pidfd, .events = POLLIN },
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = r->monitor, .events = POLLIN },
	};

	while (!(p[0].revents & POLLIN)) {
		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return;
		if (p[1].revents & POLLIN)
			pass_signal(r);
		if (p[2].revents & POLLIN)
			drain_monitor(r);
		if (p[2].revents & (POLLHUP | POLLERR))
			p[2].fd = -1;
	}
	drain_monitor(r);	/* its last words may come with its end */
}

static int reap(struct run *r)
{
	int status = 0;

	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r->have_tty) {
		signal(SIGTTOU, SIG_IGN);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &r->tty);
	}
	return WIFSIGNALED(status) ? CLI_RUN_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_started(struct run *r)
{
	int ret = await_machine(r);

	if (ret == -2) {
		cli_error("QEMU ended before its VM could be protected");
		return reap(r);
	}
	if (!ret && !protect(r) && !let_go(r)) {
		attend(r);
		return reap(r);
	}
	kill(r->pid, SIGKILL);
	reap(r);
	return CLI_RUN_FAILED;
}

static void prepare(struct run *r)
{
	static const int passed[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	sigset_t set;
	size_t i;

	r->have_tty = !tcgetattr(STDIN_FILENO, &r->tty);
	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(passed); i++)
		sigaddset(&set, passed[i]);
	sigprocmask(SIG_BLOCK, &set, &r->old_mask);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC);
}

int cmd_vm_run(int argc, char **argv)
{
	struct run r;
	int ret;

	if (parse(&r, argc, argv))
		return CLI_USAGE;
	r.dev = device_open();
	if (r.dev < 0)
		return CLI_RUN_FAILED;
	prepare(&r);
	ret = admission_claim(&r.admission, r.dev, r.argv) ? CLI_RUN_FAILED : start_qemu(&r);
	if (!ret)
		ret = run_started(&r);
	if (r.vm.fd < 0)
		admission_undo(&r.admission);
	qmp_close(&r.qmp);
	if (r.vm.fd >= 0)
		close(r.vm.fd);	/* waits until the frames are back */
	return ret;
}
