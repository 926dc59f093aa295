/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long a daemon's message was on its way, though the clocks of the two differ. The
 * least age of its recent messages is what the clocks differ by, and the least time that a
 * message takes: what a message is older than that, it was late.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_AGREE_MS	250		/* by which messages' times vary in any case */
#define CLOCK_WINDOW_MS	60000		/* the least age is of the last one to two of these */

struct clock_of {
	bool known[2];			/* in this window, and in the last */
	int64_t least[2];
	int64_t begun;			/* this window, by the monotonic clock */
};

/**
 * clock_late() - how late is a message, beyond CLOCK_AGREE_MS?
 * @c: what is known of the sender's clock; zeroed before its first use
 * @age: receiver's time less the time of issue, in milliseconds
 * @now: monotonic, in milliseconds
 * @late: that, never negative
 *
 * Return: false if it cannot be told: nothing was heard of the sender for long, and its
 * message is either late or by another clock. The next one can be told.
 */
bool clock_late(struct clock_of *c, int64_t age, int64_t now, int64_t *late);

#endif
