/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The views of memory: every kind of table through which somebody reaches frames.
 * A file that keeps one adds a row, and no other file names it: ept/transition.c
 * goes over all rows, in no order.
 */
#ifndef EPT_VIEW_H
#define EPT_VIEW_H

#include "vmx/base/types.h"

/**
 * struct view - what a change of owner asks of one kind of table
 * @ready: @pfn can be lost; false: a frame is wanting, and nothing has changed
 * @lose: the host can reach @pfn no more; the caller takes a flush_ticket() after it
 * @clean: true when nothing stands at @pfn in the host's place that could be taken for
 *	   the frame itself; false: call again after a flush
 * @gain: @pfn is the host's again, or shared with it, and zeroed
 *
 * All hold frames_lock; NULL: nothing to do.
 */
struct view {
	bool (*ready)(u64 pfn);
	void (*lose)(u64 pfn);
	bool (*clean)(u64 pfn);
	void (*gain)(u64 pfn);
};

/**
 * struct flusher - who may remember translations that a table has lost
 * @done: true once all have forgotten what was removed before @ticket was taken
 */
struct flusher {
	bool (*done)(u64 ticket);
};

/* Rows of one array: without an alignment of its own, the compiler would pad each. */
#define ROW_OF(list)	__attribute__((used, section(list), aligned(8)))
#define VIEW	static const struct view ROW_OF("views")
#define FLUSHER	static const struct flusher ROW_OF("flushers")

extern const struct view __start_views[], __stop_views[];
extern const struct flusher __start_flushers[], __stop_flushers[];

#endif /* EPT_VIEW_H */
