/* SPDX-License-Identifier: GPL-2.0 */
/* The root image's log: a ring in its own memory, and COM1 while launching. */
#ifndef VMX_LOG_H
#define VMX_LOG_H

#include "vmx/base/types.h"

#define UP_LOG_SIZE	32768u

/**
 * up_log() - write one line to the log ring (and to the early serial port)
 * @fmt: like printf, with %s %d %u %x %lx %lu %llx %llu and zero-padded widths
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

/**
 * log_due() - up_log() for what a guest can cause at will: the first lines, then a few
 * Root mode must not stay long, and the ring must keep what came before.
 */
bool log_due(void);

#define up_log_seldom(...) \
	do { \
		if (log_due()) \
			up_log(__VA_ARGS__); \
	} while (0)

/** note_denied() - count a refused request */
void note_denied(void);

/** denied_count() - refused requests so far */
u64 denied_count(void);

/** log_serial() - also write to the early serial port, if one is configured: launch, leaving */
void log_serial(bool on);

/**
 * log_read() - copy log text from a position on
 * @pos: bytes ever written before the wanted text; moved on (and over what was lost)
 * Return: bytes copied
 */
u32 log_read(u64 *pos, void *buf, u32 len);

#define up_assert(cond) \
	do { \
		if (!(cond)) \
			up_panic("%s:%d: %s", __FILE__, __LINE__, #cond); \
	} while (0)

#endif /* VMX_LOG_H */
