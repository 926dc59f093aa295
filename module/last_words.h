/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which step of a launch a CPU has reached, where a reset leaves it: the three alarm bytes
 * of the CMOS clock (MC146818).  The module writes them, "underpin last-words" reads them.
 *
 * Each byte is one that the clock takes for "any", or that no alarm has: with the alarm
 * interrupt off, as it must be, they do nothing.
 */
#ifndef MODULE_LAST_WORDS_H
#define MODULE_LAST_WORDS_H

#include <linux/types.h>

/* Registers of the clock: the alarm's seconds, minutes and hours; and what is switched on. */
#define WORDS_STEP		1	/* 0xc0 | checksum << 4 | step */
#define WORDS_CPU_LOW		3
#define WORDS_CPU_HIGH		5	/* 0xe8 | CPU >> 8 */
#define WORDS_SWITCHES		11
#define WORDS_ALARM_ON		0x20	/* alarm interrupt: somebody else uses it */
#define WORDS_ANY		0xff	/* no alarm, no words */

enum launch_step {
	STEP_COMES, STEP_CAPTURE, STEP_ENTER, STEP_DEMOTED, STEP_BACK, STEP_WAIT, STEP_SETTLE,
	STEP_LEAVE, STEP_LEFT, NR_STEPS
};

static inline const char *launch_step_text(enum launch_step step)
{
	static const char * const text[NR_STEPS] = {
		[STEP_COMES] = "has not come to the launch",
		[STEP_CAPTURE] = "builds its page table, or takes down Linux's state",
		[STEP_ENTER] = "changes to that page table, or is in the root image before VMLAUNCH",
		[STEP_DEMOTED] = "is demoted, and takes its own page table again",
		[STEP_BACK] = "has come back undemoted",
		[STEP_WAIT] = "waits for the other CPUs",
		[STEP_SETTLE] = "runs on the layer while the module sets itself up",
		[STEP_LEAVE] = "leaves the layer",
		[STEP_LEFT] = "has left the layer",
	};

	return text[step];
}

static inline __u8 words_checksum(unsigned int cpu, unsigned int step)
{
	return (cpu ^ cpu >> 2 ^ cpu >> 4 ^ cpu >> 6 ^ cpu >> 8 ^ step ^ step >> 2) & 3;
}

/* words_make() - the bytes of the three registers, in their order */
static inline void words_make(unsigned int cpu, unsigned int step, __u8 bytes[3])
{
	bytes[0] = 0xc0 | words_checksum(cpu, step) << 4 | step;
	bytes[1] = cpu & 0xff;
	bytes[2] = 0xe8 | (cpu >> 8 & 3);
}

/* words_read() - do these bytes say something?  And what? */
static inline _Bool words_read(const __u8 bytes[3], unsigned int *cpu, unsigned int *step)
{
	__u8 again[3];

	*step = bytes[0] & 0xf;
	*cpu = (bytes[2] & 3) << 8 | bytes[1];
	words_make(*cpu, *step, again);
	return *step < NR_STEPS && again[0] == bytes[0] && again[2] == bytes[2];
}

#endif /* MODULE_LAST_WORDS_H */
