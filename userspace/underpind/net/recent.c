// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/recent.h"

static void forget(struct recent_request *q)
{
	free(q->who);
	free(q->action);
	free(q->resource);
	free(q->answer);
	memset(q, 0, sizeof(*q));
}

void recent_request(struct recent *r, const char *id, int64_t now, uint32_t took_ms,
		    const char *const texts[4])
{
	struct recent_request *q = &r->request[r->next];

	r->next = (r->next + 1) % RECENT_REQUESTS;
	forget(q);
	q->time = now;
	q->took_ms = took_ms;
	snprintf(q->id, sizeof(q->id), "%s", id);
	q->who = strdup(texts[0]);
	q->action = strdup(texts[1]);
	q->resource = strdup(texts[2]);
	q->answer = strdup(texts[3]);
}

void recent_until(struct recent *r, int64_t minute)
{
	uint32_t i;

	if (minute - r->minute > RECENT_MINUTES)
		r->minute = minute - RECENT_MINUTES;
	while (r->minute < minute) {
		r->minute++;
		for (i = 0; i < r->n_code; i++)
			r->code[i].count[r->minute % RECENT_MINUTES] = 0;
	}
}

/* Names may come from other clouds: there are never more than fit. */
static struct recent_code *code_of(struct recent *r, const char *name)
{
	uint32_t i;

	for (i = 0; i < r->n_code; i++)
		if (!strcmp(r->code[i].name, name))
			return &r->code[i];
	if (r->n_code == RECENT_CODES)
		return &r->code[RECENT_CODES - 1];
	snprintf(r->code[r->n_code].name, sizeof(r->code[0].name), "%s",
		 r->n_code == RECENT_CODES - 1 ? "others" : name);
	return &r->code[r->n_code++];
}

void recent_refused(struct recent *r, int64_t minute, const char *code)
{
	recent_until(r, minute);
	code_of(r, code)->count[r->minute % RECENT_MINUTES]++;
}

void recent_end(struct recent *r)
{
	uint32_t i;

	for (i = 0; i < RECENT_REQUESTS; i++)
		forget(&r->request[i]);
}
