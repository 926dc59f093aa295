/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A request on its way through the VRM. Each step lets it pass, refuses it, or
 * lets it wait until something else calls vrm_go_on().
 */
#ifndef WORK_H
#define WORK_H

#include "base/hex.h"
#include "daemon.h"
#include "net/json_out.h"

#define CLOCK_UNKNOWN	"clock-unknown"	/* to be sent again at once */

enum next {
	NEXT = 0,		/* the next step's turn */
	WAIT,			/* w->then's, or the next step's, when it is called to go on */
	DECIDED,		/* there is a verdict, to be recorded */
	ANSWERED,		/* there is an answer, which needs no record */
	OVER,			/* and it was given */
};

struct work {
	struct work *next, *prev;	/* of the daemon's */
	struct daemon *d;
	struct sender s;
	struct msg_request rq;
	struct msg_answer a;
	struct pol_image *p;
	int64_t begin_ms, end_ms;	/* monotonic */
	char sender[128];		/* its name in the state */
	enum next (*const *turn)(struct work *w);	/* whose it is */
	enum next (*then)(struct work *w);	/* goes before that step */
	bool claimed;			/* no other with its id may run */
	bool ours;			/* its id was not used for another request */
	bool begun;			/* the request is noted in the state */
	bool done;			/* its answer is there too */
	int status;			/* of HTTP */
	char *text;			/* that answer */
	char *kept;			/* one that was given before to this request */
	void (*answer)(void *ctx, char *text, int status);
	void *ctx;
	/* what it waits for */
	struct state_wait wait;
	struct vgds_lookup lookup;
	struct http_call call;
	const struct conf_peer *to;
	enum pol_layer to_layer;
	struct json_out body;		/* of what is sent */
	size_t body_len;		/* of that, without its times */
	int sent;			/* how often */
	/* subject */
	const char *user;		/* in the user sheet */
	bool authenticated;
	uint32_t mapped;
	const char *mapped_by, *origin;	/* or empty */
	struct jwt jwt;
	/* any of a type (S2.9) */
	bool any;
	uint32_t next_inst;		/* of the policy: those before were tried */
	uint32_t any_steps;		/* of the trace, before one was chosen */
	/* decision */
	struct pdp_attr attr[POL_ATTRS_MAX];
	struct pdp_request in;
	struct pdp_store store;
	struct pol_query q;
	struct pol_decision decision;
	json_t *why;			/* its reasons, as texts */
	uint32_t decided;		/* steps, with the one that says the first of them */
};

/* Goes on with a request that waited. */
void vrm_go_on(struct work *w);

/* Waits for something that was begun, and not before; @then is called when it has come. */
static inline enum next vrm_wait(struct work *w, enum next (*then)(struct work *w))
{
	w->then = then;
	return WAIT;
}

/* What is said, and what it means for the request: for steps to return. */
void vrm_say(struct work *w, const char *module, const char *verdict, const char *code,
	 const char *text);
enum next vrm_refuse(struct work *w, const char *module, const char *code, const char *text);
enum next vrm_refuse_reason(struct work *w, const struct pol_reason *r);
/* Cannot answer now: the same request may be sent again. */
enum next vrm_fail(struct work *w, const char *module, const char *code, const char *text);

const char *vrm_layer(const struct work *w);
int64_t vrm_left_ms(const struct work *w);
int64_t vrm_now_ms(void);		/* since 1970 */
/* The user whose certificate a sender's is, or POL_NONE. */
uint32_t vrm_user(const struct pol_image *p, const struct sender *s);
/* Whose request it is: a user's, another cloud's, or that of an assertion's subject. */
const char *vrm_whose(const struct work *w);
struct request_key vrm_request_key(const struct work *w);
/* What the audit log keeps of a decision, with everything that decided it. */
char *vrm_record(struct work *w, const char *event);
/* Another cloud learns which module refused, not why (S2.5). */
void vrm_strip_texts(struct work *w);

/* What was chosen of a type cannot be given: another one's turn. */
enum next vrm_choose_again(struct work *w);

/* Steps: vrm_subject.c, vrm_route.c */
enum next vrm_subject(struct work *w);
enum next vrm_route(struct work *w);

#endif
