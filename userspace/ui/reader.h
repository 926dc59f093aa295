/* SPDX-License-Identifier: GPL-2.0 */
/* Who reads: a process that may open /dev/underpin, for one that may not. */
#ifndef UI_READER_H
#define UI_READER_H

#include <stdbool.h>

enum reader_what {
	READER_STATUS,		/* underpin status -o json */
	READER_VMS,		/* underpin vm list -o json */
	READER_KINDS,
};

/**
 * reader_start() - begin a process that runs "underpin", from PATH, when it is asked
 * @report: for --replay, or NULL
 *
 * It has the rights of the caller, and can be asked for nothing but the above.  It ends with
 * the descriptor.
 *
 * Return: a descriptor to ask it through, or -1 (errno).
 */
int reader_start(const char *report);

/**
 * reader_ask() - what underpin prints
 * @good: set if it had something to print; else the text is why not
 *
 * Return: NUL-terminated, to be freed, or NULL: the process is gone.
 */
char *reader_ask(int fd, enum reader_what what, bool *good);

#endif /* UI_READER_H */
