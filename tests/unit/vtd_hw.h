/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VT-d unit as the specification lets one be: it remembers what it has read until it is
 * told to forget, reads tables past the caches or behind a write buffer where its
 * capabilities say so, and works through its queue when it likes.
 */
#ifndef VTD_HW_H
#define VTD_HW_H

#include "iommu/regs.h"

#define HW_BASE		0xfed90000ULL
#define HW_FRO		0x220
#define HW_IRO		0xf0
#define HW_DEVICES	2
#define HW_TABLES	0x380000	/* tables lie below */
#define HW_IRTES	16	/* that a unit remembers */
#define HW_SLOW		1500	/* longer than one call of iommu/queue.c polls */

enum hw_mutant {
	HW_SOUND,
	HW_KEEPS_IOTLB,		/* a flush of translations is left out */
	HW_KEEPS_CONTEXT,	/* of context entries */
	HW_NO_FLUSH_LINE,	/* a table's entry is not flushed from the cache */
	HW_NO_FLUSH_LINES,	/* nor a new table */
	HW_NO_WRITE_BUFFER,	/* the write buffer is not flushed */
	HW_EARLY_STATUS,	/* completion is believed before it is there */
	HW_NO_CACHING_MODE,	/* caching mode is overlooked */
	HW_KEEPS_INTERRUPTS,	/* a flush of interrupt entries is left out */
	HW_NO_LOSE, HW_NO_GAIN, HW_NO_FLUSHER,
	HW_MUTANTS
};

struct hw_translation {
	bool valid;
	bool nothing;	/* remembered that there was no translation: caching mode */
	bool read, write;
	u64 iova, pa;
};

struct hw {
	u64 cap, ecap;
	u64 rtaddr, root;		/* register; in force */
	u64 irta, interrupts;		/* the same */
	u64 iqa, iqt, iqh, iva;
	u32 last_type;			/* of the descriptors that the queue has done */
	u32 gsts, fsts, fectl[4], iectl[4], pmen;
	u64 fault[2];
	bool iotlb_waits;		/* register invalidation under way */
	bool slow;			/* works when it was waited for long enough, */
	u32 waited;			/* HW_SLOW times */
	enum hw_mutant mutant;
	struct { bool valid; u64 lo, hi; } context[HW_DEVICES];
	struct hw_translation iotlb[HW_DEVICES][16];
	struct { bool valid; u64 lo, hi; } irte[HW_IRTES];
	u32 context_flushes, iotlb_flushes;
	void (*watch)(void);		/* after each write of a register */
};

extern struct hw hw;

/** hw_init() - a unit after reset; the capabilities are the caller's */
void hw_init(u64 cap, u64 ecap);

/** hw_relax() - cpu_relax(), as far as the unit notices that it is waited for */
void hw_relax(void);

/** hw_flush_lines() - flush_lines(), as far as the unit sees it */
void hw_flush_lines(const void *page);

/** hw_work() - what was asked for is done now */
void hw_work(void);

/**
 * hw_dma() - a device reads or writes, by what is remembered if anything is
 * Return: true: at @pa; false: refused, and the fault is recorded.
 */
bool hw_dma(u32 device, u64 iova, bool write, u64 *pa);

/** hw_interrupt() - the entry that a request with index @i is remapped by, if it is present */
bool hw_interrupt(u32 i, u64 *lo, u64 *hi);

/** hw_look() - hw_dma() of which nothing is remembered, and no fault recorded */
bool hw_look(u32 device, u64 iova, bool write, u64 *pa);

/** hw_reaches() - whether hw_dma() would, without anything being remembered by that */
bool hw_reaches(u32 device, u64 iova);

#endif
