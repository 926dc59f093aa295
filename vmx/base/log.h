/* SPDX-License-Identifier: GPL-2.0 */
/* The root image's log: a ring in its own memory, and COM1 while launching. */
#ifndef VMX_LOG_H
#define VMX_LOG_H

#include "vmx/base/types.h"

/**
 * up_log() - write one line to the log ring (and to the early serial port)
 * @fmt: like printf, with %s %c %d %u %x %lx %lu %llx %llu %p and zero-padded widths
 *
 * A newline is added.  Root context; any CPU; takes the log lock for the copy.
 */
void up_log(const char *fmt, ...) __printf(1, 2);

/**
 * up_panic() - the layer cannot go on: log, then stop this CPU for good
 * @fmt: as up_log()
 *
 * Fail closed: no VM and no host instruction runs on this CPU afterwards.
 */
void up_panic(const char *fmt, ...) __printf(1, 2) __noreturn;

#define up_assert(cond) \
	do { \
		if (!(cond)) \
			up_panic("%s:%d: %s", __FILE__, __LINE__, #cond); \
	} while (0)

#endif /* VMX_LOG_H */
