/* SPDX-License-Identifier: GPL-2.0 */
/* The root image's world (tests/unit/root_world.h) beneath a fuzzer. */
#ifndef ROOT_FUZZ_H
#define ROOT_FUZZ_H

#include "input.h"
#include "../unit/root_promises.h"

#define TWICE	16	/* one length in so many */

/** root_fuzz_mark() - every later input finds the world as it is now */
static inline void root_fuzz_mark(void)
{
	rewind_also(fake_owner_table, TABLE_END * sizeof(u64));
	for (u32 i = 0; i < CPUS; i++)
		rewind_also(cpus[i], sizeof(struct percpu));
	rewind_ram(fake_ram, fake_ram_size);
	rewind_mark();
}

/** root_fuzz_seen() - an input, by VMs that hold @secret.  Return: what the host saw, of @look */
static inline u64 root_fuzz_seen(struct input in, u32 most, void (*step)(struct input *in),
				 u64 secret, bool look)
{
	u64 seen = 0;

	rewind_all();
	promises_secret(secret);
	for (u32 i = 0; i < most && in.left; i++) {
		step(&in);
		if (look)
			seen = seen * 31 + promises_seen();
	}
	r_end();
	return seen;
}

/**
 * root_fuzz_run() - an input: at most @most steps; @first makes the world, and marks it
 *
 * Of some inputs two runs, with other secrets in the frames and registers of VMs: the host
 * cannot tell them apart (docs/proof.md).
 */
static inline int root_fuzz_run(struct input in, u32 most, void (*first)(void),
				void (*step)(struct input *in))
{
	bool twice = in.left % TWICE == 0;
	u64 seen;

	if (!fake_ram)
		first();
	seen = root_fuzz_seen(in, most, step, R_SECRET, twice);
	if (twice)
		r_expect(root_fuzz_seen(in, most, step, ~R_SECRET, true) == seen,
			 "the host sees what a VM holds");
	return 0;
}

#endif /* ROOT_FUZZ_H */
