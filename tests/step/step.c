// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps through the code of tests/step/cases.S in every way that user space has, and
 * prints where it was stopped, so that two hosts can be compared:
 *
 *	tf	RFLAGS.TF, and SIGTRAP
 *	block	PTRACE_SINGLEBLOCK
 *	step	PTRACE_SINGLESTEP
 *	break	breakpoints in DR0 to DR3 at four instructions, each of which the kernel
 *		goes on from with RFLAGS.RF set
 *
 * A line is way, name, RAX in the end, and each stop: bytes from the code's start, with
 * the signal if it is no SIGTRAP, "rf" where the fault left RFLAGS.RF set, and RCX.
 *
 * Last, 32-bit code whose last instruction, CPUID, ends at 4 GiB: EIP is 0 then.
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include "cases.h"

#define RFLAGS_TF	0x100
#define RFLAGS_RF	0x10000
#define USER_CS		0x33
#define LAST_PAGE	0xfffff000u
#define MAX_STOPS	64
#define MAX_STEPS	400
#define FIRST_BREAK	2	/* behind ENDBR64 and one more */
#ifndef PTRACE_SINGLEBLOCK
#define PTRACE_SINGLEBLOCK	33
#endif

static const struct step_case *now;
static struct stop {
	long at;
	int signal, rf;
	uint64_t rcx;
} stops[MAX_STOPS];
static int nr_stops;

/* Return: true when @rip is in the code that is stepped through. */
static int note(uint64_t rip, uint64_t flags, uint64_t rcx, int signal)
{
	long at = (long)(rip - (uint64_t)now->start);

	if (at < 0 || rip > (uint64_t)now->end)
		return 0;
	if (nr_stops < MAX_STOPS)
		stops[nr_stops++] = (struct stop){ at, signal, flags & RFLAGS_RF, rcx };
	return 1;
}

static void show(const char *way, uint64_t rax)
{
	int i;

	printf("%s %s rax=%lx", way, now->name, (unsigned long)rax);
	for (i = 0; i < nr_stops; i++) {
		printf(" +%ld", stops[i].at);
		if (stops[i].signal != SIGTRAP)
			printf(":%s%s,%lx", sigabbrev_np(stops[i].signal),
			       stops[i].rf ? "rf" : "", (unsigned long)stops[i].rcx);
	}
	printf("\n");
	fflush(stdout);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if (!now) {
		printf("wrap cpuid %s at %#llx\n", sigabbrev_np(signal), regs[REG_RIP]);
		regs[REG_RIP] = (greg_t)step_wrap_back;
		regs[REG_CSGSFS] = (regs[REG_CSGSFS] & ~0xffffll) | USER_CS;
		return;
	}
	note((uint64_t)regs[REG_RIP], (uint64_t)regs[REG_EFL],
	     (uint64_t)regs[REG_RCX], signal);
	if (signal != SIGTRAP)
		regs[REG_RIP] = (greg_t)now->end;
}

static void by_tf(void)
{
	uint64_t rax = step_run(now->start, RFLAGS_TF);

	show("tf", rax);
}

static void set_debug_register(pid_t child, int reg, uint64_t val)
{
	size_t at = offsetof(struct user, u_debugreg) + (size_t)reg * sizeof(uint64_t);

	if (ptrace(PTRACE_POKEUSER, child, at, val))
		err(2, "debug register %d", reg);
}

/* At four stops of the single steps that went before. */
static void set_breakpoints(pid_t child)
{
	uint64_t enable = 0;
	int i;

	for (i = 0; i < 4 && FIRST_BREAK + i < nr_stops; i++) {
		set_debug_register(child, i, (uint64_t)now->start +
				   (uint64_t)stops[FIRST_BREAK + i].at);
		enable |= 1ull << (2 * i);
	}
	set_debug_register(child, 7, enable);
}

static void by_ptrace(const char *way, enum __ptrace_request request)
{
	int status, n, signal, inside;
	struct user_regs_struct regs;
	pid_t child = fork();

	if (child < 0)
		err(2, "fork");
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		kill(getpid(), SIGSTOP);
		step_run(now->start, 0);
		kill(getpid(), SIGUSR1);
		_exit(0);
	}
	waitpid(child, &status, 0);
	if (request == PTRACE_CONT)
		set_breakpoints(child);
	nr_stops = 0;
	for (n = 0; n < MAX_STEPS; n++) {
		if (ptrace(request, child, 0, 0) || waitpid(child, &status, 0) != child ||
		    !WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, child, 0, &regs))
			err(2, "%s %s", way, now->name);
		signal = WSTOPSIG(status);
		inside = note(regs.rip, regs.eflags, regs.rcx, signal);
		/* Bochs would stop behind SYSCALL, within the kernel: not as far as that. */
		if (signal == SIGUSR1 || (nr_stops && !inside))
			break;
		if (inside && signal != SIGTRAP) {
			regs.rip = (uint64_t)now->end;
			if (ptrace(PTRACE_SETREGS, child, 0, &regs))
				err(2, "%s %s", way, now->name);
		}
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	show(way, 0);
}

static void wrap(void)
{
	static const uint8_t cpuid[] = { 0x0f, 0xa2 };
	uint8_t *page = mmap((void *)(uintptr_t)LAST_PAGE, 4096,
			     PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (page == MAP_FAILED)
		err(2, "the last page below 4 GiB");
	memcpy(page + 4096 - sizeof(cpuid), cpuid, sizeof(cpuid));
	step_wrap((uint64_t)page + 4096 - sizeof(cpuid));
}

int main(void)
{
	static const int signals[] = { SIGTRAP, SIGILL, SIGSEGV, SIGBUS };
	struct sigaction action = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };
	static uint8_t stack[65536];
	stack_t on = { .ss_sp = stack, .ss_size = sizeof(stack) };
	static const struct {
		const char *name;
		enum __ptrace_request request;
	} ways[] = {
		{ "block", (enum __ptrace_request)PTRACE_SINGLEBLOCK },
		{ "step", PTRACE_SINGLESTEP },
		{ "break", PTRACE_CONT },
	};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], &action, NULL))
			err(2, "sigaction");
	if (sigaltstack(&on, NULL))
		err(2, "sigaltstack");
	if (mprotect(step_guard + 4096, 4096, PROT_NONE))
		err(2, "mprotect");
	if (iopl(3))
		err(2, "iopl");
	for (now = step_cases; now < step_cases_end; now++) {
		nr_stops = 0;
		by_tf();
		for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
			by_ptrace(ways[i].name, ways[i].request);
	}
	now = NULL;
	wrap();
	return 0;
}
