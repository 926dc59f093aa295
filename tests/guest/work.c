// SPDX-License-Identifier: GPL-2.0
/*
 * Work whose cost is compared, in a guest, of which this is the first program, and on a host:
 *
 *	work [fork|compile]...		prints "work NAME TICKS" of each; as first program it
 *					powers the machine off behind that
 *	work ticks NAME COMMAND...	the same of a command
 *
 * fork: processes that execute this program, one after another; compile: gcc's compiler proper
 * (/cc1) makes /work.s of /work.i. Its arguments as first program are the kernel's words
 * behind "--".
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKS	1000

static uint64_t ticks(void)
{
	return __builtin_ia32_rdtsc();
}

static void execute(char **argv)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		errx(1, "%s: not done", argv[0]);
}

static void storm(void)
{
	char *nothing[] = { "/init", "nothing", NULL };
	int i;

	for (i = 0; i < FORKS; i++)
		execute(nothing);
}

static void compile(void)
{
	char *cc1[] = { "/cc1", "-quiet", "-fpreprocessed", "-O2", "/work.i", "-o", "/work.s",
			NULL };
	struct stat st;

	execute(cc1);
	if (stat("/work.s", &st) || !st.st_size)
		errx(1, "/work.s: nothing was compiled");
	unlink("/work.s");
}

static void say(const char *name, uint64_t before)
{
	printf("work %s %lu\n", name, ticks() - before);
	fflush(stdout);
}

static void work(const char *name)
{
	uint64_t before = ticks();

	if (!strcmp(name, "fork"))
		storm();
	else if (!strcmp(name, "compile"))
		compile();
	else
		errx(2, "usage: work [fork|compile]... | work ticks NAME COMMAND...");
	say(name, before);
}

int main(int argc, char **argv)
{
	uint64_t before = ticks();
	int i;

	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	if (argc > 3 && !strcmp(argv[1], "ticks")) {
		execute(argv + 3);
		say(argv[2], before);
		return 0;
	}
	for (i = 1; i < argc; i++)
		work(argv[i]);
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 0;
}
