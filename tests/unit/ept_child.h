/* SPDX-License-Identifier: GPL-2.0 */
/* Each case in a process of its own: the code under test is initialised once in its life. */
#ifndef EPT_CHILD_H
#define EPT_CHILD_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int test_number, test_failures;

static inline void result(int ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline void result(int ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%sok %d - ", ok ? "" : "not ", ++test_number);
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	test_failures += !ok;
}

/* True if @fn returns, and neither fails nor crashes. */
static inline int in_child(void (*fn)(void *), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		fn(arg);
		fflush(stdout);
		_Exit(0);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

#endif /* EPT_CHILD_H */
