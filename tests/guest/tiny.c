// SPDX-License-Identifier: GPL-2.0
/*
 * A tiny guest through the KVM API, and the cost of its exits in TSC ticks:
 *
 *	tiny [-n OPERATIONS] [-r ROUNDS] [cpuid|touch|out]...
 *
 * cpuid: an exit that kvm.ko handles; touch: first access to a 4 KiB page that
 * its user space already has; out: an exit to user space.  Prints one line each,
 * "NAME TICKS" a operation, the median of the rounds.  Each round is a new VM.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "kvm.h"

#define MEMORY		(16u << 20)
#define CODE		0x1000
#define RESULT		0x900	/* four u32: start low, high, end low, high */
#define ARENA		0x400000
#define PORT_WORK	0x10
#define PORT_DONE	0xf4

/* 32-bit code, flat segments, no paging; esi: number of operations. */
#define BEGIN	"rdtsc\n mov %eax, 0x900\n mov %edx, 0x904\n"
#define END	"dec %esi\n jnz 1b\n rdtsc\n mov %eax, 0x908\n mov %edx, 0x90c\n" \
		"out %al, $0xf4\n hlt\n"

extern const char cpuid_code[], touch_code[], out_code[], code_end[];

__asm__(".section .rodata\n .code32\n"
	"cpuid_code:\n" BEGIN "1: xor %eax, %eax\n xor %ecx, %ecx\n cpuid\n" END
	"touch_code:\n mov $0x400000, %edi\n" BEGIN
	"1: movb $1, (%edi)\n add $4096, %edi\n" END
	"out_code:\n" BEGIN "1: out %al, $0x10\n" END
	"code_end:\n .code64\n .text\n");

static const struct test {
	const char *name;
	const char *code;
} tests[] = {
	{ "cpuid", cpuid_code },
	{ "touch", touch_code },
	{ "out", out_code },
};

struct machine {
	int vm, vcpu;
	uint8_t *mem;
	struct kvm_run *run;
	size_t run_size;
};

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static void create(struct machine *m, int kvm)
{
	m->vm = create_vm(kvm, MEMORY, &m->mem);
	m->vcpu = create_vcpu(kvm, m->vm, 0, &m->run);
	m->run_size = run_size(kvm);
}

static void destroy(struct machine *m)
{
	munmap(m->run, m->run_size);
	munmap(m->mem, MEMORY);
	close(m->vcpu);
	close(m->vm);
}

static void set_registers(const struct machine *m, unsigned int operations)
{
	struct kvm_regs regs = { .rip = CODE, .rsi = operations, .rflags = 2 };
	struct kvm_segment flat = { .limit = 0xffffffff, .present = 1, .s = 1, .db = 1, .g = 1 };
	struct kvm_sregs sregs;

	must(ioctl(m->vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cr0 |= 1;
	flat.type = 3;
	flat.selector = 16;
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = flat;
	flat.type = 11;
	flat.selector = 8;
	sregs.cs = flat;
	must(ioctl(m->vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	must(ioctl(m->vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static void run(const struct machine *m, const char *name)
{
	for (;;) {
		must(ioctl(m->vcpu, KVM_RUN, 0), "KVM_RUN");
		if (m->run->exit_reason != KVM_EXIT_IO)
			errx(1, "%s: unexpected exit %u, %llx", name, m->run->exit_reason,
			     (unsigned long long)m->run->hw.hardware_exit_reason);
		if (m->run->io.port == PORT_DONE)
			return;
	}
}

static uint64_t measure(int kvm, const struct test *t, unsigned int operations)
{
	struct machine m;
	uint64_t stamp[2];

	create(&m, kvm);
	memcpy(m.mem + CODE, t->code, (size_t)(code_end - t->code));
	set_registers(&m, operations);
	run(&m, t->name);
	memcpy(stamp, m.mem + RESULT, sizeof(stamp));
	destroy(&m);
	return (stamp[1] - stamp[0]) / operations;
}

static void bench(int kvm, const struct test *t, unsigned int operations, unsigned int rounds)
{
	uint64_t ticks[MAX_ROUNDS];

	for (unsigned int i = 0; i < rounds; i++)
		ticks[i] = measure(kvm, t, operations);
	printf("%s %llu\n", t->name, (unsigned long long)median(ticks, rounds));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned int operations = 1000, rounds = 5;
	int opt, kvm;

	while ((opt = getopt(argc, argv, "n:r:")) != -1) {
		if (opt == 'n')
			operations = (unsigned int)atoi(optarg);
		else if (opt == 'r')
			rounds = (unsigned int)atoi(optarg);
		else
			errx(2, "usage: tiny [-n OPERATIONS] [-r ROUNDS] [cpuid|touch|out]...");
	}
	if (!operations || operations > (MEMORY - ARENA) / 4096 || !rounds || rounds > MAX_ROUNDS)
		errx(2, "operations or rounds out of range");
	kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		if (wanted(tests[i].name, argv + optind))
			bench(kvm, &tests[i], operations, rounds);
	return 0;
}
