/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Each input finds the machine as it was after its launch.  Everything compiled
 * with -include and this file has its variables in two sections that rewind()
 * puts back, with what rewind_also() names.
 */
#ifndef REWIND_H
#define REWIND_H

#pragma clang section bss = "rewind_bss" data = "rewind_data"

void rewind_also(void *mem, unsigned long size);
void rewind_ram(unsigned char *ram, unsigned long size);	/* of an anonymous mapping */
void rewind_mark(void);		/* to here */
void rewind_all(void);

#endif /* REWIND_H */
