/* SPDX-License-Identifier: GPL-2.0-only */
/* What a daemon was asked of late, and whom it asked, for its status page. */
#ifndef RECENT_H
#define RECENT_H

#include <stdint.h>

#define RECENT_REQUESTS	50
#define RECENT_MINUTES	60
#define RECENT_CODES	12	/* the last one is all others */

/* A request that was answered. */
struct recent_request {
	int64_t time;			/* seconds since 1970 */
	uint32_t took_ms;
	char id[33];
	char *who, *action, *resource;	/* or NULL without memory */
	char *answer;			/* JSON, as it was given */
};

/* Refusals for one reason. */
struct recent_code {
	char name[64];
	uint32_t count[RECENT_MINUTES];	/* by minute, modulo RECENT_MINUTES */
};

struct recent {
	struct recent_request request[RECENT_REQUESTS];
	uint32_t next;			/* place of the oldest */
	struct recent_code code[RECENT_CODES];
	uint32_t n_code;
	int64_t minute;			/* of loop_ms(); all before it are in their places */
};

/* Another daemon, as this one sees it. */
struct asked {
	uint32_t asked, unanswered;
	int64_t answered_ms;		/* loop_ms() at its last answer, or 0 */
};

/**
 * recent_request() - remember a request
 * @r: forgets its oldest one
 * @id: 32 digits
 * @now: seconds since 1970
 * @took_ms: until it was answered
 * @texts: who asked, for which action, on what, and the answer; copied
 */
void recent_request(struct recent *r, const char *id, int64_t now, uint32_t took_ms,
		    const char *const texts[4]);

/**
 * recent_refused() - count a refusal
 * @minute: of a clock that is not set back
 * @code: its reason
 */
void recent_refused(struct recent *r, int64_t minute, const char *code);

/* Lets minutes pass in which nothing was refused. */
void recent_until(struct recent *r, int64_t minute);

/* What it has is freed. */
void recent_end(struct recent *r);

#endif
