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
 * the signal if it is no SIGTRAP.
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include "cases.h"

#define RFLAGS_TF	0x100
#define MAX_STOPS	64
#define MAX_STEPS	400
#define FIRST_BREAK	2	/* behind ENDBR64 and one more */
#ifndef PTRACE_SINGLEBLOCK
#define PTRACE_SINGLEBLOCK	33
#endif

static const struct step_case *now;
static struct stop {
	long at;
	int signal;
} stops[MAX_STOPS];
static int nr_stops;

/* Return: true when @rip is in the code that is stepped through. */
static int note(uint64_t rip, int signal)
{
	long at = (long)(rip - (uint64_t)now->start);

	if (at < 0 || rip > (uint64_t)now->end)
		return 0;
	if (nr_stops < MAX_STOPS)
		stops[nr_stops++] = (struct stop){ at, signal };
	return 1;
}

static void show(const char *way, uint64_t rax)
{
	int i;

	printf("%s %s rax=%lx", way, now->name, (unsigned long)rax);
	for (i = 0; i < nr_stops; i++) {
		printf(" +%ld", stops[i].at);
		if (stops[i].signal != SIGTRAP)
			printf(":%s", sigabbrev_np(stops[i].signal));
	}
	printf("\n");
	fflush(stdout);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	note((uint64_t)regs[REG_RIP], signal);
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
		inside = note(regs.rip, signal);
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

int main(void)
{
	static const int signals[] = { SIGTRAP, SIGILL, SIGSEGV, SIGBUS };
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
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
	if (iopl(3))
		err(2, "iopl");
	for (now = step_cases; now < step_cases_end; now++) {
		nr_stops = 0;
		by_tf();
		for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
			by_ptrace(ways[i].name, ways[i].request);
	}
	return 0;
}
