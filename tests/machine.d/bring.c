// SPDX-License-Identifier: GPL-2.0
/*
 * bring [-c N] TICKET...: tickets for a VM of this program's own, given to the layer by root as
 * they are; "underpin" has no part in it.
 *
 *  -c N	have N challenges made first
 *  -C		print one, in hexadecimal, and bring nothing
 *
 * Says of each ticket its file's name, the error's name or "taken", and the last line of the
 * layer's log that is about one.  Behind one that is taken the VM is protected, which is said
 * likewise.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "ioctl/underpin.h"
#include "tests/guest/kvm.h"

#define MEMORY	(1 << 20)
#define LOG	"/sys/kernel/underpin/log"

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static void print_challenge(const struct underpin_challenge *c)
{
	size_t i;

	for (i = 0; i < sizeof(c->challenge); i++)
		printf("%02x", c->challenge[i]);
	printf("\n");
}

static struct underpin_challenge challenge(int layer)
{
	struct underpin_challenge c = { 0 };

	must(ioctl(layer, UNDERPIN_CHALLENGE, &c), "UNDERPIN_CHALLENGE");
	return c;
}

/* A VM that could be protected.  Return: its descriptor of the layer's */
static int make_vm(int layer)
{
	int kvm = must(open("/dev/kvm", O_RDWR), "/dev/kvm");
	struct underpin_vm_create create = { .vcpus = 1 };
	struct kvm_run *run;
	uint8_t *mem;
	int vcpu;

	create.kvm_fd = create_vm(kvm, MEMORY, &mem);
	vcpu = create_vcpu(kvm, create.kvm_fd, 0, &run);
	create.vcpu_fds = (uintptr_t)&vcpu;
	must(ioctl(layer, UNDERPIN_VM_CREATE, &create), "UNDERPIN_VM_CREATE");
	return create.vm_fd;
}

static void say(const char *what, int failed)
{
	static char line[512], last[512];
	FILE *log = fopen(LOG, "r");

	while (log && fgets(line, sizeof(line), log))
		if (strstr(line, "ticket"))
			memcpy(last, line, sizeof(last));
	if (log)
		fclose(log);
	printf("%s %s %s", what, failed ? strerrorname_np(failed) : "taken", last);
}

static int read_ticket(const char *path, struct underpin_vm_ticket *t)
{
	FILE *file = fopen(path, "r");
	size_t size;

	memset(t, 0, sizeof(*t));
	if (!file)
		err(1, "%s", path);
	size = fread(t->ticket, 1, sizeof(t->ticket), file);
	fclose(file);
	return size ? 0 : -1;
}

/* Return: has the layer taken it? */
static int bring(int vm, const char *path)
{
	struct underpin_vm_protect protect = { 0 };
	struct underpin_vm_ticket ticket;

	must(read_ticket(path, &ticket), path);
	if (ioctl(vm, UNDERPIN_VM_TICKET, &ticket)) {
		say(path, errno);
		return 0;
	}
	say(path, 0);
	say("protect", ioctl(vm, UNDERPIN_VM_PROTECT, &protect) ? errno : 0);
	return 1;
}

int main(int argc, char **argv)
{
	int layer = must(open("/dev/underpin", O_RDWR), "/dev/underpin"), challenges = 0, opt, vm;
	struct underpin_challenge c;

	while ((opt = getopt(argc, argv, "c:C")) != -1) {
		if (opt == 'C') {
			c = challenge(layer);
			print_challenge(&c);
			return 0;
		}
		if (opt != 'c')
			errx(2, "usage: bring [-c N] TICKET... | bring -C");
		challenges = atoi(optarg);
	}
	while (challenges-- > 0)
		challenge(layer);
	vm = make_vm(layer);
	while (optind < argc && !bring(vm, argv[optind]))
		optind++;
	return 0;
}
