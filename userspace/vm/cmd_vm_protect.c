// SPDX-License-Identifier: GPL-2.0
/* underpin vm protect: a VM that another process has started, stopped. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>
#include "userspace/vm/admission.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"
#include "userspace/vm/protect.h"
#include "userspace/vm/vm.h"

struct options {
	unsigned long pid;
	bool by_pid, json, expecting;
	unsigned char expect[32];
	struct admission admission;
	struct kvm_fds fds;	/* inherited ones */
};

static int parse_fd(const char *what, const char *arg, int *fd)
{
	unsigned long n;

	if (cli_number(what, arg, 0, 1 << 20, &n))
		return -1;
	*fd = n;
	return 0;
}

static int parse_vcpus(struct options *o, char *arg)
{
	char *word;

	for (word = strtok(arg, ","); word; word = strtok(NULL, ",")) {
		if (o->fds.vcpus == UNDERPIN_MAX_VCPUS) {
			cli_usage_error("--vcpu-fds: a protected VM has at most %d vCPUs",
					UNDERPIN_MAX_VCPUS);
			return -1;
		}
		if (parse_fd("--vcpu-fds", word, &o->fds.vcpu[o->fds.vcpus++]))
			return -1;
	}
	return 0;
}

static int parse_one(struct options *o, int opt)
{
	switch (opt) {
	case 'p':
		o->by_pid = true;
		return cli_number("--pid", optarg, 1, 1 << 22, &o->pid);
	case 'k':
		return parse_fd("--vm-fd", optarg, &o->fds.vm);
	case 'c':
		return parse_vcpus(o, optarg);
	case 'e':
		o->expecting = true;
		if (!cli_unhex(optarg, o->expect, sizeof(o->expect)))
			return 0;
		cli_usage_error("--expect: \"%s\" is not a SHA-256 in hexadecimal", optarg);
		return -1;
	case 'o':
		return cli_parse_output(optarg, &o->json);
	}
	if (!admission_option(&o->admission, opt, optarg))
		return 0;
	cli_usage_error("vm protect: see above");
	return -1;
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "vm-fd", required_argument, NULL, 'k' },
		{ "vcpu-fds", required_argument, NULL, 'c' },
		{ "expect", required_argument, NULL, 'e' },
		{ "output", required_argument, NULL, 'o' },
		ADMISSION_OPTIONS,
		{ }
	};
	int opt;

	*o = (struct options) { .fds.vm = -1 };
	optind = 0;
	while ((opt = getopt_long(argc, argv, "o:", longs, NULL)) != -1)
		if (parse_one(o, opt))
			return -1;
	if (optind < argc) {
		cli_usage_error("vm protect: \"%s\" is too much", argv[optind]);
		return -1;
	}
	if (o->by_pid == (o->fds.vm >= 0 && o->fds.vcpus)) {
		cli_usage_error("vm protect: needs either --pid, or --vm-fd and --vcpu-fds");
		return -1;
	}
	if (o->admission.ticket && !o->by_pid) {
		cli_usage_error("vm protect: --ticket needs --pid, to see which VM it is");
		return -1;
	}
	return admission_usage(&o->admission);
}

static int fds_of_pid(struct options *o)
{
	int pidfd = pidfd_open(o->pid, 0);
	char why[256];
	int ret;

	if (pidfd < 0) {
		cli_error("process %lu: %s", o->pid, strerror(errno));
		return -1;
	}
	ret = procfd_copy(o->pid, pidfd, &o->fds, why, sizeof(why));
	if (ret)
		cli_error("process %lu: %s", o->pid, why);
	close(pidfd);
	return ret;
}

static void print(const struct protected_vm *vm, bool json)
{
	char hex[65];

	cli_hex(hex, vm->measurement, sizeof(vm->measurement));
	if (json)
		printf("{ \"id\": %u, \"frames\": %" PRIu64 ", \"measurement\": \"%s\" }\n",
		       vm->id, vm->frames, hex);
	else
		printf("VM %u protected: %" PRIu64 " frames, measurement %s\n", vm->id,
		       vm->frames, hex);
}

/* QEMU's command line, as /proc has it: QEMU does not change its own. */
static int claim(struct options *o, int dev)
{
	char path[40], text[16384], *argv[256];
	size_t n, i, words = 0;
	FILE *f;

	if (!o->admission.ticket)
		return 0;
	snprintf(path, sizeof(path), "/proc/%lu/cmdline", o->pid);
	f = fopen(path, "re");
	n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = 0;
	for (i = 0; i < n && words < ARRAY_SIZE(argv) - 1; i += strlen(text + i) + 1)
		argv[words++] = text + i;
	argv[words] = NULL;
	return admission_claim(&o->admission, dev, argv);
}

static int protect(struct options *o, int dev)
{
	const unsigned char *expect = o->expecting ? o->expect : NULL;
	struct protected_vm vm;

	if ((o->by_pid && fds_of_pid(o)) || claim(o, dev))
		return CLI_FAILED;
	if (protect_vm(dev, &o->fds, UNDERPIN_VM_DETACHED, admission_ticket(&o->admission), expect,
		       &vm)) {
		admission_undo(&o->admission);
		return CLI_FAILED;
	}
	print(&vm, o->json);
	close(vm.fd);
	return CLI_OK;
}

int cmd_vm_protect(int argc, char **argv)
{
	struct options o;
	int dev, ret;

	if (parse(&o, argc, argv))
		return CLI_USAGE;
	dev = device_open();
	if (dev < 0)
		return CLI_NOT_READY;
	ret = protect(&o, dev);
	if (o.by_pid)
		procfd_close(&o.fds);
	close(dev);
	return ret;
}
