/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Points at which the fault tests end the daemon, as a crash would. Compiled in
 * only with -DUNDERPIND_FAULTS, for a test build; otherwise nothing.
 */
#ifndef FAULT_H
#define FAULT_H

#ifdef UNDERPIND_FAULTS
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ends the process at once if UNDERPIND_FAULT names this point. */
static inline void fault(const char *point)
{
	const char *at = getenv("UNDERPIND_FAULT");

	if (at && !strcmp(at, point))
		_exit(70);
}
#else
static inline void fault(const char *point)
{
	(void)point;
}
#endif

#endif
