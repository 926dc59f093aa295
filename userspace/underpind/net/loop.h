/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon's one thread waits here: for descriptors, by epoll, and for times.
 * Everything that is called back may set, change and end waits, its own too.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is called back finds its owner by the part of it that was given away. */
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))

struct loop_timer {
	struct loop_timer *next;
	int64_t at;			/* loop_ms() at which it is due */
	bool set;
	void (*due)(struct loop_timer *t);
};

/* Who waits for a descriptor. */
struct loop_watch {
	void (*ready)(void *ctx, int fd, uint32_t events);
	void *ctx;
	uint32_t events;		/* waited for; 0: nobody does */
};

struct loop {
	int epoll;
	struct loop_watch *watch;	/* by descriptor */
	int n_watch;
	struct loop_timer *timers;
};

/**
 * loop_init() - begin
 *
 * Return: 0 or -errno.
 */
int loop_init(struct loop *l);
void loop_exit(struct loop *l);

/* Now, in milliseconds that never go back. */
int64_t loop_ms(void);

/**
 * loop_watch() - wait for a descriptor, or change what is waited for
 * @events: EPOLLIN and the like, level-triggered
 * @ready: called with what has happened; a late call after loop_forget() is
 *	   possible if the number was watched again, and must do no harm
 *
 * A number that was closed without a word, and opened anew, is watched as any other:
 * the kernel alone is asked what it watches.
 *
 * Return: 0 or -errno.
 */
int loop_watch(struct loop *l, int fd, uint32_t events,
	       void (*ready)(void *ctx, int fd, uint32_t events), void *ctx);

/* Ends the wait that was begun with @ctx; another's for the same number goes on. */
void loop_forget(struct loop *l, int fd, const void *ctx);

/* Ends all waits that were begun with @ctx, which may be freed then. */
void loop_forget_all(struct loop *l, const void *ctx);

/* Sets or moves a timer to @ms milliseconds from now; it is called once. */
void loop_timer(struct loop *l, struct loop_timer *t, int64_t ms);
void loop_timer_end(struct loop *l, struct loop_timer *t);

/**
 * loop_once() - call what is due and what is ready
 * @max_ms: wait for at most this long; 0: look only
 *
 * Return: how many were called, or -errno.
 */
int loop_once(struct loop *l, int64_t max_ms);

#endif
