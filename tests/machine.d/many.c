// SPDX-License-Identifier: GPL-2.0
/*
 * many protect COUNT		so many small VMs, one after another: made, protected, run, ended
 * many [-p] migrate COUNT	one VM (protected) whose vCPU goes to the other CPU so many times
 * many [-p] run FILE		one, wherever the kernel puts it, until FILE is there
 * many timer SECONDS		a deadline each 100 ms; how many came, the latest of them in us
 *
 * A VM runs tiny-fw.bin (tests/guest/tiny-fw.S), which checks its memory and registers again and
 * again and says what it finds. Prints one line of numbers for what it did; ends with 1 and says
 * why when a VM was not well.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "ioctl/underpin.h"
#include "tests/guest/kvm.h"

#define MEMORY		(4u << 20)
#define ROM		65536u
#define ROM_AT		0xffff0000u
#define COM1		0x3f8
#define COM1_LSR	0x3fd
#define PATIENCE	10000000u	/* exits until a VM that says nothing new is not well */
#define PERIOD		100000000	/* ns */

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

struct vm {
	int vm, vcpu, layer;	/* layer: the protected VM's descriptor, or -1 */
	uint8_t *mem, *rom;
	struct kvm_run *run;
	unsigned long checks;	/* that found all intact */
};

static int kvm, device = -1;

static uint8_t *add_rom(int vm)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1, .guest_phys_addr = ROM_AT, .memory_size = ROM,
	};
	int fd = must(open("tiny-fw.bin", O_RDONLY), "tiny-fw.bin");
	uint8_t *rom = mmap(NULL, ROM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(rom == MAP_FAILED ? -1 : 0, "mmap");
	if (read(fd, rom, ROM) != ROM)
		errx(1, "tiny-fw.bin: not %u bytes", ROM);
	close(fd);
	region.userspace_addr = (uintptr_t)rom;
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	return rom;
}

/* The guest looks there for long mode and AVX. */
static void set_cpuid(int vcpu)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[100];
	} id;

	id.head.nent = 100;
	must(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &id), "KVM_GET_SUPPORTED_CPUID");
	must(ioctl(vcpu, KVM_SET_CPUID2, &id), "KVM_SET_CPUID2");
}

static void protect(struct vm *m)
{
	struct underpin_vm_create create = {
		.kvm_fd = m->vm, .vcpus = 1, .vcpu_fds = (uintptr_t)&m->vcpu,
	};
	struct underpin_vm_protect how = { 0 };

	must(ioctl(device, UNDERPIN_VM_CREATE, &create), "UNDERPIN_VM_CREATE");
	must(ioctl(create.vm_fd, UNDERPIN_VM_PROTECT, &how), "UNDERPIN_VM_PROTECT");
	m->layer = create.vm_fd;
}

static void create(struct vm *m, int protected)
{
	*m = (struct vm){ .layer = -1 };
	m->vm = create_vm(kvm, MEMORY, &m->mem);
	m->rom = add_rom(m->vm);
	m->vcpu = create_vcpu(kvm, m->vm, 0, &m->run);
	set_cpuid(m->vcpu);
	if (protected)
		protect(m);
}

static void destroy(struct vm *m)
{
	munmap(m->run, run_size(kvm));
	close(m->vcpu);
	close(m->vm);
	if (m->layer >= 0)
		close(m->layer);
	munmap(m->mem, MEMORY);
	munmap(m->rom, ROM);
}

/* What the guest says: 'X' and 'E' are of one that found something changed, or was hit. */
static void hear(struct vm *m, char c)
{
	if (c == 'X' || c == 'E')
		errx(1, "the guest says %c after %lu checks", c, m->checks);
	if (c == (m->layer >= 0 ? 'U' : 'P'))
		errx(1, "the guest says %c: is it protected?", c);
	m->checks += c == 'S';
}

static void handle(struct vm *m)
{
	struct kvm_run *run = m->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (run->exit_reason != KVM_EXIT_IO)
		errx(1, "exit %u after %lu checks", run->exit_reason, m->checks);
	if (run->io.direction == KVM_EXIT_IO_IN)
		*data = run->io.port == COM1_LSR ? 0x20 : 0xff;
	else if (run->io.port == COM1)
		hear(m, (char)*data);
}

static void step(struct vm *m)
{
	if (!ioctl(m->vcpu, KVM_RUN, 0))
		handle(m);
	else if (errno != EINTR && errno != EAGAIN)
		err(1, "KVM_RUN after %lu checks", m->checks);
}

/* Until the guest has found all intact once more. */
static void next_check(struct vm *m)
{
	unsigned long before = m->checks;
	unsigned int exits;

	for (exits = 0; m->checks == before; exits++) {
		if (exits == PATIENCE)
			errx(1, "no check in %u exits", exits);
		step(m);
	}
}

static void many_protect(unsigned long count)
{
	struct vm m;
	unsigned long i;

	for (i = 0; i < count; i++) {
		create(&m, 1);
		next_check(&m);
		destroy(&m);
	}
	printf("%lu\n", i);
}

static void go_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

/* A few exits on each CPU, so that it leaves at each of the guest's places in turn. */
static void migrate(int protected, unsigned long count)
{
	struct vm m;
	unsigned long i;
	unsigned int exits;

	create(&m, protected);
	for (i = 0; i < count; i++) {
		go_to(i % 2);
		for (exits = 0; exits <= i % 5; exits++)
			step(&m);
	}
	next_check(&m);
	printf("%lu %lu\n", i, m.checks);
	destroy(&m);
}

static void run(int protected, const char *until)
{
	struct vm m;

	create(&m, protected);
	while (access(until, F_OK))
		next_check(&m);
	printf("%lu\n", m.checks);
	destroy(&m);
}

static void timer(unsigned long seconds)
{
	unsigned long deadlines = seconds * (1000000000 / PERIOD), i;
	struct timespec at, now;
	long late, latest = 0;

	clock_gettime(CLOCK_MONOTONIC, &at);
	for (i = 0; i < deadlines; i++) {
		at.tv_nsec += PERIOD;
		at.tv_sec += at.tv_nsec / 1000000000;
		at.tv_nsec %= 1000000000;
		errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		if (errno)
			err(1, "clock_nanosleep");
		clock_gettime(CLOCK_MONOTONIC, &now);
		late = (now.tv_sec - at.tv_sec) * 1000000 + (now.tv_nsec - at.tv_nsec) / 1000;
		latest = late > latest ? late : latest;
	}
	printf("%lu %ld\n", i, latest);
}

int main(int argc, char **argv)
{
	int protected = argc > 1 && !strcmp(argv[1], "-p");
	const char *what = argc == 3 + protected ? argv[1 + protected] : "";
	const char *arg = argv[argc - 1];
	unsigned long count = argc > 1 ? strtoul(arg, NULL, 10) : 0;

	if (!strcmp(what, "timer")) {
		timer(count);
		return 0;
	}
	kvm = must(open("/dev/kvm", O_RDWR), "/dev/kvm");
	if (protected || !strcmp(what, "protect"))
		device = must(open("/dev/underpin", O_RDWR), "/dev/underpin");
	if (!strcmp(what, "protect") && !protected)
		many_protect(count);
	else if (!strcmp(what, "migrate"))
		migrate(protected, count);
	else if (!strcmp(what, "run"))
		run(protected, arg);
	else
		errx(2, "usage: many protect COUNT | [-p] migrate COUNT | [-p] run FILE | timer SECONDS");
	return 0;
}
