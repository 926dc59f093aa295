/* SPDX-License-Identifier: GPL-2.0 */
/* The root image's world (tests/unit/root_world.h) beneath a fuzzer. */
#ifndef ROOT_FUZZ_H
#define ROOT_FUZZ_H

#include "input.h"
#include "../unit/root_world.h"

/** root_fuzz_mark() - every later input finds the world as it is now */
static inline void root_fuzz_mark(void)
{
	rewind_also(fake_owner_table, TABLE_END * sizeof(u64));
	for (u32 i = 0; i < CPUS; i++)
		rewind_also(cpus[i], sizeof(struct percpu));
	rewind_ram(fake_ram, fake_ram_size);
	rewind_mark();
}

/** root_fuzz_run() - an input: at most @most steps; @first makes the world, and marks it */
static inline int root_fuzz_run(struct input in, u32 most, void (*first)(void),
				void (*step)(struct input *in))
{
	if (!fake_ram)
		first();
	else
		rewind_all();
	for (u32 i = 0; i < most && in.left; i++)
		step(&in);
	r_end();
	return 0;
}

#endif /* ROOT_FUZZ_H */
