/* SPDX-License-Identifier: GPL-2.0 */
/* An ordinary VM that is on the attacker's side: 64 KiB, real mode (hostile.c). */
#ifndef ATTACK_HOSTILE_H
#define ATTACK_HOSTILE_H

#include "attack.h"

#define HOSTILE_TABLE	0x600	/* uint16_t count; entries from 0x610 */
#define HOSTILE_WHAT	0x500
#define HOSTILE_COPY	0x7000	/* where it copies gfn 8 to */
#define HOSTILE_GFN	8
#define HOSTILE_PAGES	16

enum hostile_what { HOSTILE_IDLE, HOSTILE_COPIES, HOSTILE_MSRS, HOSTILE_PORTS, HOSTILE_CALLS };

struct hostile_entry {
	uint32_t index, write, value, fault;
};

/** hostile_start() - it waits at its first instruction but one */
struct victim *hostile_start(void);

/** hostile_run() - let it do its work; Return: true if it came to its end */
bool hostile_run(struct victim *o, enum hostile_what what, struct atk_run *r);

/** hostile_eptp() - tables of its memory, with gfn HOSTILE_GFN at @pfn */
uint64_t hostile_eptp(struct victim *o, uint64_t pfn);

/* hostile_table() - set what is to be tried, and see what came of it */
void hostile_table(struct victim *o, struct hostile_entry *e, unsigned int n);
void hostile_result(struct victim *o, struct hostile_entry *e, unsigned int n);

#endif /* ATTACK_HOSTILE_H */
