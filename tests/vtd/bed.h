/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two halves of the bed's module know of each other: bed_linux.c, which is Linux's,
 * and cases.c, which is built as the root image is.
 */
#ifndef VTD_BED_H
#define VTD_BED_H

#ifdef __KERNEL__
#include <linux/stdarg.h>
#else
#include <stdarg.h>
#endif

#define BED_FRAMES	16	/* for VMs, one after the other */
#define BED_RANGES	32
#define BED_EDU_BYTES	4088	/* QEMU 7.2 ends itself at 4096 */

struct bed {
	/* What Linux has found and allocated */
	unsigned long direct;		/* its direct map */
	unsigned long owner_table;
	unsigned long table_frames;
	unsigned long regs, regs_pa, regs_bytes;	/* of the unit */
	unsigned long layer_pfn, layer_frames;		/* 4 MiB for the layer */
	unsigned long frames_pfn;	/* BED_FRAMES of the host's, and a neighbour behind them */
	unsigned long pattern_pa, result_pa;	/* two more of the host's */
	unsigned int ranges;
	struct { unsigned long start_pfn, end_pfn; } ram[BED_RANGES];
	const unsigned char *dmar;
	unsigned long dmar_bytes;
	unsigned int maxphyaddr;
	unsigned int source;		/* edu's bus, device and function */
	/* What is asked for */
	unsigned int cycles;
	unsigned int use;		/* what Linux does with the unit: enum unit_use */
	int registers;			/* hide queued invalidation */
	unsigned long offset;		/* of device addresses, where Linux translates */
	const char *drop;		/* what to leave out: "" nothing */
};

extern struct bed bed;

/* cases.c: runs all cases, and gives the unit back. */
void bed_run(void);

/* bed_linux.c: edu copies BED_EDU_BYTES from or to RAM, and has ended. */
void bed_edu(unsigned long pa, int to_ram);
/* bed_linux.c: lines of the kernel's log. */
void bed_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void bed_vsay(const char *fmt, va_list args);
void bed_die(void);	/* does not return */

#endif /* VTD_BED_H */
