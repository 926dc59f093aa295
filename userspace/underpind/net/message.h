/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages between daemons: JSON, version 1 (docs/access-control.md). */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <jansson.h>

#include "engine/pdp.h"
#include "trust/ticket.h"

#define MSG_VERSION	1
#define MSG_MAX		65536		/* bytes of one message */
#define MSG_HOPS_MAX	12
#define MSG_TRACE_MAX	32

struct msg_hop {
	const char *cloud;
	const char *layer;
};

/* A request; strings belong to @root. NULL where it is silent. */
struct msg_request {
	json_t *root;
	uint8_t digest[32];		/* of what a retry may not change */
	const char *id;			/* 32 hexadecimal digits, the same at every hop */
	int64_t issued_ms;		/* since 1970, by the sender's clock */
	int64_t deadline_ms;		/* what is left of the time to answer */
	const char *action, *instance, *type, *role, *session, *assertion;
					/* without @instance: any of that @type */
	const char *user;		/* vouched for by the layer above */
	const char *mapped_role;	/* local role that the layer above's SLA mapped */
	const char *mapped_by;		/* that SLA */
	const char *origin;		/* cloud that the SLA is with */
	const char *sla, *sla_role;	/* across clouds: by which SLA, as which role */
	bool chained;			/* an SLA has mapped the role before */
	bool isolated;			/* an SLA shares only what is physically isolated */
	struct pdp_attr attr[POL_ATTRS_MAX];
	uint32_t n_attr;
	struct msg_hop hop[MSG_HOPS_MAX];
	uint32_t n_hop;
};

/**
 * msg_parse() - take a request apart
 * @buf: untrusted bytes
 * @len: how many
 * @rq: filled; msg_free() it on success
 *
 * Unknown members are refused: a later version says so in "v".
 *
 * Return: 0 or -EINVAL.
 */
int msg_parse(const char *buf, size_t len, struct msg_request *rq, struct pol_err *e);
void msg_free(struct msg_request *rq);

enum msg_verdict {
	MSG_PERMIT,
	MSG_DENY,		/* final */
	MSG_FAIL,		/* may be retried with the same id */
};

/* What one module said; on the wire an array of these, in this order. */
struct msg_step {
	const char *cloud, *layer, *module, *verdict, *code;
	const char *text;		/* for people of this cloud, or NULL */
	const char *by;			/* another cloud that says so, or NULL */
	char *own;			/* @text, if it is the step's to free */
};

/* An answer, and what each module on the way said; the last word comes first. */
struct msg_answer {
	enum msg_verdict verdict;
	const char *cloud, *layer, *module, *code;
	struct msg_step step[MSG_TRACE_MAX];
	uint32_t n_step;
	json_t *root;			/* of the answer taken apart: strings belong to it */
	uint8_t ticket[TICKET_SIZE];
	bool has_ticket;
};

void msg_answer_init(struct msg_answer *a);
void msg_answer_free(struct msg_answer *a);

/**
 * msg_trace() - add what a module said
 * @text: for people of this cloud, or NULL; copied. The other strings outlive @a
 */
void msg_trace(struct msg_answer *a, const char *cloud, const char *layer, const char *module,
	       const char *verdict, const char *code, const char *text);

/* Drops an answer that was taken apart, and what it said after the first @n_step steps. */
void msg_answer_drop(struct msg_answer *a, uint32_t n_step);

/* Takes back what was said last. */
void msg_untrace(struct msg_answer *a);

/* Takes the texts away: another cloud learns which module spoke, not why (S2.5). */
void msg_strip_texts(struct msg_answer *a);

/* An answer as JSON text, to be freed; @id as in the request. NULL without memory. */
char *msg_answer_text(const struct msg_answer *a, const char *id);

/**
 * msg_answer_parse() - take an answer apart
 * @id: that it must carry
 * @a: initialised, once; the steps of the sender are appended to its own
 * @peer: the other cloud whose answer it is, or NULL: its texts are dropped, and
 *	  its steps marked as said by it
 *
 * Return: 0, or -EINVAL with @a as it was.
 */
int msg_answer_parse(const char *buf, size_t len, const char *id, struct msg_answer *a,
		     const char *peer);

#endif
