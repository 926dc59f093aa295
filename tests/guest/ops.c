// SPDX-License-Identifier: GPL-2.0
/*
 * What single operations of a guest cost, in TSC ticks:
 *
 *	ops [-n OPERATIONS] [-r ROUNDS] [-t SECONDS] [-l] [OPERATION]...
 *
 * Prints a line for each: "op NAME TICKS EXITS", ticks the median of the rounds, exits as
 * KVM counts them, an operation; or "failed NAME REASON", and goes on with the next: -t is
 * for all rounds of one of them.  -l lists the names, how many CPUs each needs, and what it
 * is.  Each operation runs in a process of its own, each
 * round in a new VM: 64-bit, KVM's own PIC and APICs, x2APIC, TSC deadline.  Its code is
 * ops.S.  Status 1: one of them failed.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm.h"
#include "ops.h"

#define WARM		10	/* operations before those that count */
#define MAX_OPERATIONS	100000
#define MAX_SECONDS	3600
#define MAX_LEAVES	256
#define MAX_STATS	65536
#define PAUSE_US	300	/* longer than KVM polls before a vCPU sleeps: 200 */

#define X2APIC_ON	(0xfee00000ull | 1 << 11 | 1 << 10)
#define APIC_BSP	(1 << 8)
#define CPUID1_C_X2APIC	(1u << 21)
#define CPUID1_C_TSCDL	(1u << 24)
#define LEAF_TABLE	0x3ull	/* present, writable */
#define LEAF_PAGE	0x83ull	/* and 2 MiB */
#define GATE_PRESENT	0x8e00

extern const char ops_begin[], ops_end[], ops_stubs[], ops_on_fault[], ops_on_interrupt[];

/* label, what the second vCPU does, exits to user space, interrupts or faults, the least exits */
#define OPERATIONS(X) \
	X(nothing, NULL, 0, 0, 0, "1,000 times DEC and JNZ: nothing exits") \
	X(vmcall, NULL, 0, 0, 1, "VMCALL") \
	X(port_kernel, NULL, 0, 0, 1, "IN that KVM's PIC answers") \
	X(port_user, NULL, 1, 0, 1, "IN that user space answers") \
	X(timer, NULL, 0, 1, 1, "timer by TSC deadline, already over: to its interrupt") \
	X(self_ipi, NULL, 0, 1, 0, "self-IPI") \
	X(self_ipi_hlt, NULL, 0, 1, 0, "self-IPI, HLT") \
	X(eoi, NULL, 0, 0, 0, "EOI") \
	X(ipi, ops_other_runs, 0, 1, 0, "IPI to a vCPU that runs") \
	X(ipi_hlt, ops_other_sleeps, 0, 1, 0, "IPI to a vCPU that sleeps in HLT") \
	X(msr, NULL, 0, 0, 1, "RDMSR of TSC_ADJUST") \
	X(cr0_wp, NULL, 0, 0, 0, "CR0.WP off and on") \
	X(mmio_user, NULL, 1, 0, 1, "MMIO read that user space answers") \
	X(mmio_eventfd, NULL, 0, 0, 1, "MMIO write to an eventfd") \
	X(hlt, NULL, 0, 1, 1, "HLT: from a deadline to running again") \
	X(fault, NULL, 0, 1, 0, "page fault of the guest's own") \
	X(cr3, NULL, 0, 0, 0, "context switch: MOV to CR3")

#define DECLARE(name, ...) extern const char ops_##name[];
OPERATIONS(DECLARE)
extern const char ops_other_runs[], ops_other_sleeps[];

static const struct operation {
	const char *name, *code, *other;
	unsigned int to_user, events, exits;	/* an operation */
	const char *what;
} operations[] = {
#define ROW(name, other, ...) { #name, ops_##name, other, __VA_ARGS__ },
	OPERATIONS(ROW)
};

struct vcpu {
	int fd;
	struct kvm_run *run;
	unsigned long to_user;
	pthread_t thread;
};

struct machine {
	int kvm, vm, eventfd;
	uint8_t *mem;
	struct vcpu vcpu[2];
};

static const char *operation_name;

/* The process is the operation's own; what it has said no other thread says again. */
static __attribute__((noreturn, format(printf, 1, 2))) void failed(const char *format, ...)
{
	va_list args;

	flockfile(stdout);
	printf("failed %s ", operation_name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

static int must(int ret, const char *what)
{
	if (ret < 0)
		failed("%s: %m", what);
	return ret;
}

static uint64_t *word(const struct machine *m, uint32_t address)
{
	return (uint64_t *)(m->mem + address);
}

static uint64_t at(const char *code)
{
	return OPS_CODE + (uint64_t)(code - ops_begin);
}

static void set_gate(const struct machine *m, unsigned int vector, const char *code)
{
	uint64_t rip = at(code);

	*word(m, OPS_IDT + vector * 16) = (rip & 0xffff) | 8 << 16 | (uint64_t)GATE_PRESENT << 32 |
					  (rip >> 16 & 0xffff) << 48;
}

/* The first GiB one to one; the 2 MiB at OPS_FAULT by small pages that are not present. */
static void fill_memory(const struct machine *m)
{
	memcpy(m->mem + OPS_CODE, ops_begin, (size_t)(ops_end - ops_begin));
	*word(m, OPS_PML4) = *word(m, OPS_PML4 + 0x1000) = OPS_PDPT | LEAF_TABLE;
	*word(m, OPS_PDPT) = OPS_PD | LEAF_TABLE;
	for (uint64_t i = 0; i < 512; i++)
		*word(m, OPS_PD + i * 8) = i << 21 | LEAF_PAGE;
	*word(m, OPS_PD + (OPS_FAULT >> 21) * 8) = OPS_PT | LEAF_TABLE;
	*word(m, OPS_PT) = OPS_FAULT | (LEAF_TABLE & ~1ull);
	*word(m, OPS_GDT + 8) = 0x00209b0000000000;	/* 64-bit code */
	*word(m, OPS_GDT + 16) = 0x00cf93000000ffff;	/* data */
	for (unsigned int vector = 0; vector < 32; vector++)
		set_gate(m, vector, ops_stubs + vector * OPS_STUB);
	set_gate(m, 14, ops_on_fault);
	set_gate(m, OPS_VECTOR, ops_on_interrupt);
}

static void set_cpuid(const struct machine *m, const struct vcpu *v)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
					  MAX_LEAVES * sizeof(cpuid->entries[0]));

	if (!cpuid)
		failed("no memory");
	cpuid->nent = MAX_LEAVES;
	must(ioctl(m->kvm, KVM_GET_SUPPORTED_CPUID, cpuid), "KVM_GET_SUPPORTED_CPUID");
	for (unsigned int i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1)
			cpuid->entries[i].ecx |= CPUID1_C_X2APIC | CPUID1_C_TSCDL;
	must(ioctl(v->fd, KVM_SET_CPUID2, cpuid), "KVM_SET_CPUID2");
	free(cpuid);
}

static void set_system(const struct vcpu *v, unsigned int id)
{
	struct kvm_segment data = { .limit = 0xffffffff, .selector = 16, .type = 3, .present = 1,
				    .s = 1, .db = 1, .g = 1 };
	struct kvm_segment code = { .limit = 0xffffffff, .selector = 8, .type = 11, .present = 1,
				    .s = 1, .l = 1, .g = 1 };
	struct kvm_mp_state runs = { KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs sregs;

	must(ioctl(v->fd, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
	sregs.gdt = (struct kvm_dtable){ .base = OPS_GDT, .limit = 23 };
	sregs.idt = (struct kvm_dtable){ .base = OPS_IDT, .limit = 0xfff };
	sregs.cr0 = 0x80010033;		/* PG WP NE ET MP PE */
	sregs.cr3 = OPS_PML4;
	sregs.cr4 = 0x20;		/* PAE */
	sregs.efer = 0x500;		/* LMA LME */
	sregs.apic_base = X2APIC_ON | (id ? 0 : APIC_BSP);
	must(ioctl(v->fd, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	must(ioctl(v->fd, KVM_SET_MP_STATE, &runs), "KVM_SET_MP_STATE");
}

static void begin_at(const struct vcpu *v, const char *code, unsigned int count, uint64_t stack)
{
	struct kvm_regs regs = { .rip = at(code), .rsp = stack, .r12 = count, .rflags = 2 };

	must(ioctl(v->fd, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static void create(struct machine *m, unsigned int vcpus)
{
	struct kvm_ioeventfd io = { .addr = OPS_EVENTFD };	/* of any length */

	m->vm = create_vm(m->kvm, OPS_MEMORY, &m->mem);
	must(ioctl(m->vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	m->eventfd = must(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
	io.fd = m->eventfd;
	must(ioctl(m->vm, KVM_IOEVENTFD, &io), "KVM_IOEVENTFD");
	fill_memory(m);
	for (unsigned int i = 0; i < vcpus; i++) {
		m->vcpu[i].fd = create_vcpu(m->kvm, m->vm, i, &m->vcpu[i].run);
		set_cpuid(m, &m->vcpu[i]);
		set_system(&m->vcpu[i], i);
	}
	*word(m, OPS_PAUSE) = (uint64_t)must(ioctl(m->vcpu[0].fd, KVM_GET_TSC_KHZ, 0),
					     "KVM_GET_TSC_KHZ") * PAUSE_US / 1000;
}

static void destroy(struct machine *m, unsigned int vcpus)
{
	for (unsigned int i = 0; i < vcpus; i++) {
		munmap(m->vcpu[i].run, run_size(m->kvm));
		close(m->vcpu[i].fd);
	}
	munmap(m->mem, OPS_MEMORY);
	close(m->eventfd);
	close(m->vm);
}

/* KVM_RUN until it leaves for user space; false: another thread ends it (immediate_exit). */
static bool left(const struct vcpu *v)
{
	while (ioctl(v->fd, KVM_RUN, 0) < 0) {
		if (errno != EINTR)
			failed("KVM_RUN: %m");
		if (v->run->immediate_exit)
			return false;
	}
	return true;
}

/* To the guest's word that it is done. */
static void run(const struct machine *m, struct vcpu *v)
{
	const uint64_t *saw = word(m, OPS_SAW);

	while (left(v)) {
		unsigned int reason = v->run->exit_reason;
		unsigned int port = reason == KVM_EXIT_IO ? v->run->io.port : 0;

		if (port == OPS_PORT_DONE)
			return;
		if (port == OPS_PORT_SAW)
			failed("exception %llu in the guest, on its stack %llx %llx",
			       (unsigned long long)saw[0], (unsigned long long)saw[1],
			       (unsigned long long)saw[2]);
		if (port != OPS_PORT && reason != KVM_EXIT_MMIO)
			failed("unexpected exit %u, %llx", reason,
			       (unsigned long long)v->run->hw.hardware_exit_reason);
		v->to_user++;
	}
}

static void pin(unsigned int nth)
{
	cpu_set_t all, one;

	sched_getaffinity(0, sizeof(all), &all);
	if (nth >= (unsigned int)CPU_COUNT(&all))
		failed("needs two CPUs");
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all) || nth--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		must(sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
		return;
	}
}

static void *run_other(void *machine)
{
	struct machine *m = machine;

	pin(1);
	run(m, &m->vcpu[1]);
	return NULL;
}

static void ignore(int signal)
{
	(void)signal;
}

static void start_other(struct machine *m, const struct operation *op)
{
	struct sigaction action = { .sa_handler = ignore };

	sigaction(SIGUSR1, &action, NULL);
	begin_at(&m->vcpu[1], op->other, 0, OPS_STACK + 0x1000);
	if (pthread_create(&m->vcpu[1].thread, NULL, run_other, m))
		failed("no thread for the second vCPU");
	pin(0);
}

static void end_other(struct machine *m)
{
	m->vcpu[1].run->immediate_exit = 1;
	pthread_kill(m->vcpu[1].thread, SIGUSR1);
	pthread_join(m->vcpu[1].thread, NULL);
}

/* A vCPU's counter of exits: KVM's binary statistics. */
static uint64_t exits(const struct vcpu *v)
{
	static union {
		struct kvm_stats_header header;
		uint8_t bytes[MAX_STATS];
	} stats;
	int fd = must(ioctl(v->fd, KVM_GET_STATS_FD, 0), "KVM_GET_STATS_FD");
	ssize_t got = pread(fd, stats.bytes, sizeof(stats), 0);
	size_t step = sizeof(struct kvm_stats_desc) + stats.header.name_size;
	uint64_t value;

	close(fd);
	for (uint32_t i = 0; got > 0 && i < stats.header.num_desc; i++) {
		const struct kvm_stats_desc *desc =
			(void *)(stats.bytes + stats.header.desc_offset + i * step);

		if (strcmp(desc->name, "exits"))
			continue;
		memcpy(&value, stats.bytes + stats.header.data_offset + desc->offset,
		       sizeof(value));
		return value;
	}
	failed("KVM counts no exits");
}

struct result {
	uint64_t ticks, exits;
};

static void must_be(uint64_t got, uint64_t want, const char *what)
{
	if (got != want)
		failed("%llu %s, not %llu", (unsigned long long)got, what,
		       (unsigned long long)want);
}

static struct result run_times(struct machine *m, const struct operation *op, unsigned int n)
{
	struct vcpu *v = &m->vcpu[0];
	uint64_t before = exits(v), doorbell = 0;
	struct result result;

	v->to_user = 0;
	*word(m, OPS_COUNT) = 0;
	begin_at(v, op->code, n, OPS_STACK);
	run(m, v);
	result = (struct result){ *word(m, OPS_TICKS), exits(v) - before };
	must_be(v->to_user, (uint64_t)n * op->to_user, "exits to user space");
	must_be(*word(m, OPS_COUNT), (uint64_t)n * op->events, "interrupts or faults");
	if (op->code == ops_mmio_eventfd && read(m->eventfd, &doorbell, sizeof(doorbell)) < 0)
		failed("nothing came to the eventfd: %m");
	must_be(doorbell, op->code == ops_mmio_eventfd ? n : 0, "came to the eventfd");
	if (result.exits < (uint64_t)n * op->exits)
		failed("%llu exits of %u operations: it does not exit",
		       (unsigned long long)result.exits, n);
	return result;
}

static struct result one_round(int kvm, const struct operation *op, unsigned int n)
{
	unsigned int vcpus = op->other ? 2 : 1;
	struct machine m = { .kvm = kvm };
	struct result result;

	create(&m, vcpus);
	if (op->other)
		start_other(&m, op);
	run_times(&m, op, WARM);
	result = run_times(&m, op, n);
	if (op->other)
		end_other(&m);
	destroy(&m, vcpus);
	return result;
}

static void measure(const struct operation *op, unsigned int n, unsigned int rounds)
{
	uint64_t ticks[MAX_ROUNDS], count[MAX_ROUNDS];
	int kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");

	for (unsigned int i = 0; i < rounds; i++) {
		struct result result = one_round(kvm, op, n);

		ticks[i] = result.ticks;
		count[i] = result.exits;
	}
	printf("op %s %llu %.2f\n", op->name, (unsigned long long)median(ticks, rounds) / n,
	       (double)median(count, rounds) / n);
	fflush(stdout);
	_exit(0);
}

/* In a process of its own: neither a failure nor a guest that hangs ends the others. */
static bool apart(const struct operation *op, unsigned int n, unsigned int rounds,
		  unsigned int seconds)
{
	pid_t child = must(fork(), "fork");
	int status;

	operation_name = op->name;
	if (!child) {
		alarm(seconds);
		measure(op, n, rounds);
	}
	must(waitpid(child, &status, 0), "waitpid");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("failed %s no end within %u s\n", op->name, seconds);
	else if (WIFSIGNALED(status))
		printf("failed %s %s\n", op->name, strsignal(WTERMSIG(status)));
	fflush(stdout);
	return !status;
}

static void list(void)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		printf("%s\t%u\t%s\n", operations[i].name, operations[i].other ? 2 : 1,
		       operations[i].what);
}

int main(int argc, char **argv)
{
	unsigned int n = 1000, rounds = 5, seconds = 300, seen = 0;
	bool good = true;
	int opt;

	while ((opt = getopt(argc, argv, "n:r:t:l")) != -1) {
		if (opt == 'l') {
			list();
			return 0;
		}
		if (opt == 'n')
			n = (unsigned int)atoi(optarg);
		else if (opt == 'r')
			rounds = (unsigned int)atoi(optarg);
		else if (opt == 't')
			seconds = (unsigned int)atoi(optarg);
		else
			errx(2, "usage: ops [-n OPERATIONS] [-r ROUNDS] [-t SECONDS] [-l] [OPERATION]...");
	}
	if (!n || n > MAX_OPERATIONS || !rounds || rounds > MAX_ROUNDS || !seconds ||
	    seconds > MAX_SECONDS)
		errx(2, "operations, rounds or seconds out of range");
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		if (!wanted(operations[i].name, argv + optind))
			continue;
		good = apart(&operations[i], n, rounds, seconds) && good;
		seen++;
	}
	if (argc > optind && seen != (unsigned int)(argc - optind))
		errx(2, "an operation of these is unknown: 'ops -l' lists them");
	return !good;
}
