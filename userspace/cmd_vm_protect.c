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
#include "cli.h"
#include "device.h"
#include "protect.h"

struct options {
	unsigned long pid;
	bool by_pid, json, expecting;
	unsigned char expect[32];
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
	return 0;
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

int cmd_vm_protect(int argc, char **argv)
{
	struct protected_vm vm;
	struct options o;
	int dev, ret = CLI_FAILED;

	if (parse(&o, argc, argv))
		return CLI_USAGE;
	dev = device_open();
	if (dev < 0)
		return CLI_NOT_READY;
	if ((!o.by_pid || !fds_of_pid(&o)) &&
	    !protect_vm(dev, &o.fds, UNDERPIN_VM_DETACHED, o.expecting ? o.expect : NULL, &vm)) {
		print(&vm, o.json);
		close(vm.fd);
		ret = CLI_OK;
	}
	if (o.by_pid)
		procfd_close(&o.fds);
	close(dev);
	return ret;
}
