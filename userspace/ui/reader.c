// SPDX-License-Identifier: GPL-2.0
/*
 * The page's values are what "underpin" prints, and are made nowhere else.  It runs in a process
 * of its own: the one that reads HTTP from whoever is on this machine has no rights.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "userspace/cli/cli.h"
#include "userspace/ui/reader.h"

#define SECONDS		10u		/* until underpin is ended */
#define ANSWER_MAX	(64u << 20)	/* 1,024 CPUs have 4 MiB */
#define EXIT_NO_PROGRAM	127

struct answer {
	uint32_t good, len;
};

static bool pass(int fd, const void *bytes, size_t len)
{
	ssize_t n;

	for (; len; len -= n, bytes = (const char *)bytes + n) {
		n = send(fd, bytes, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool take(int fd, void *bytes, size_t len)
{
	return recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

static void run(enum reader_what what, const char *report, int out, int err)
{
	const char *argv[8] = { "underpin" };
	size_t n = 1;

	if (what == READER_VMS)
		argv[n++] = "vm";
	argv[n++] = what == READER_VMS ? "list" : "status";
	argv[n++] = "-o";
	argv[n++] = "json";
	if (report) {
		argv[n++] = "--replay";
		argv[n++] = report;
	}
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	alarm(SECONDS);
	execvp(argv[0], (char *const *)argv);
	_exit(EXIT_NO_PROGRAM);
}

static size_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) || st.st_size > ANSWER_MAX ? 0 : (size_t)st.st_size;
}

/* What was printed, if it came to its end; else what was said of it. */
static bool answer(int fd, int out, int err, int status)
{
	static const char none[] = "underpin did not answer: is it in PATH?";
	bool ended = WIFEXITED(status) && (WEXITSTATUS(status) == CLI_OK ||
					   WEXITSTATUS(status) == CLI_NOT_READY);
	struct answer a = { .good = ended && size_of(out) };
	int from = a.good ? out : err;
	void *text = MAP_FAILED;
	bool passed;

	a.len = size_of(from);
	if (a.len)
		text = mmap(NULL, a.len, PROT_READ, MAP_SHARED, from, 0);
	if (text == MAP_FAILED) {
		a = (struct answer) { .len = sizeof(none) - 1 };
		return pass(fd, &a, sizeof(a)) && pass(fd, none, a.len);
	}
	passed = pass(fd, &a, sizeof(a)) && pass(fd, text, a.len);
	munmap(text, a.len);
	return passed;
}

static bool serve(int fd, enum reader_what what, const char *report)
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	pid_t pid = out < 0 || err < 0 ? -1 : fork();
	int status = -1;
	bool passed;

	if (!pid)
		run(what, report, out, err);
	if (pid > 0)
		waitpid(pid, &status, 0);
	passed = answer(fd, out, err, status);
	close(out);
	close(err);
	return passed;
}

int reader_start(const char *report)
{
	int pair[2];
	uint8_t what;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	pid = fork();
	if (pid) {
		close(pair[1]);
		return pid < 0 ? -1 : pair[0];
	}
	close(pair[0]);
	while (take(pair[1], &what, 1) && what < READER_KINDS && serve(pair[1], what, report))
		;
	_exit(0);
}

char *reader_ask(int fd, enum reader_what what, bool *good)
{
	uint8_t byte = what;
	struct answer a;
	char *text;

	if (!pass(fd, &byte, 1) || !take(fd, &a, sizeof(a)) || a.len > ANSWER_MAX)
		return NULL;
	text = malloc((size_t)a.len + 1);
	if (!text || !take(fd, text, a.len)) {
		free(text);
		return NULL;
	}
	text[a.len] = 0;
	*good = a.good;
	return text;
}
