/* SPDX-License-Identifier: GPL-2.0-only */
/* "underpin policy": what its verbs share. */
#ifndef POL_CMD_H
#define POL_CMD_H

#include <jansson.h>

#include "engine/pdp.h"

/* Exit codes, the same for every verb; documented in underpin-policy(1). */
enum cmd_exit {
	CMD_OK = 0,		/* done; permitted; nothing differs */
	CMD_NO = 1,		/* denied; an expectation failed; something differs */
	CMD_USAGE = 2,		/* the command line is wrong */
	CMD_BAD = 3,		/* the policy, ticket or audit log is wrong */
	CMD_SYSTEM = 4,		/* a file, the network or memory failed */
};

/* Options of all verbs; each takes those that its table entry lists. */
struct cmd_opts {
	bool json;
	const char *out;	/* -O */
	const char *user, *action, *resource, *type, *role, *at, *sla_role;
	struct pdp_attr attr[POL_ATTRS_MAX];
	uint32_t n_attr;
	uint64_t limit;
	const char *url, *cert, *key, *ca, *token, *id, *session, *reason, *after;
	const char *never;	/* ROLE ACTION RESOURCE */
	const char *host, *image, *nonce, *vm, *definition;	/* that a ticket must be for */
	char **arg;
	int n_arg;
};

/**
 * cmd_policy() - the noun "policy" of the underpin program
 * @argc: arguments, the noun's own name first
 *
 * Return: an enum cmd_exit.
 */
int cmd_policy(int argc, char **argv) __attribute__((visibility("default")));

/**
 * cmd_print_json() - write a JSON value and a newline to standard output
 * @j: the value; the reference is taken
 */
void cmd_print_json(json_t *j);

/* Reports to standard error, or as JSON, and returns @code. */
int cmd_error(const struct cmd_opts *o, int code, const char *msg);

/* @s as an instant; now if it is NULL. 0 or -EINVAL. */
int cmd_time(const char *s, int64_t *t);

/* What one of an SLA's two modules is asked. */
struct cmd_sla {
	const char *id, *peer;
	const char *role;	/* the consumer's: held here; the provider's: as it was sent */
	bool provider;
	bool chained;		/* has an SLA mapped it before? */
};

struct cmd_sla_answer {
	bool permit;
	const char *role;		/* that a permit maps to: the provider's */
	struct pol_reason sla;		/* what the SLA module said ... */
	struct pol_decision acm;	/* ... and the provider's ACM; n is 0 if not asked */
	const struct pol_reason *last;	/* the one that decided */
};

/**
 * cmd_sla_ask() - what a policy's SLA module says, and as provider its ACM then
 * @rq: the request; its user is not looked at
 */
void cmd_sla_ask(const struct pol_image *p, const struct cmd_sla *s, const struct pdp_request *rq,
		 struct cmd_sla_answer *a);

/**
 * chain_check() - can roles escalate through the SLAs of several clouds?
 * @p: their policies
 * @n: how many
 * @out: findings are appended, a JSON object each
 *
 * Return: whether any role comes back to its cloud as more than itself, or one has more
 * chains than are searched: then nothing is known of those after it.
 */
bool chain_check(struct pol_image **p, int n, json_t *out);

/* What a daemon answered, to be freed. */
struct cmd_answer {
	size_t len;
	char *text;
};

/**
 * cmd_post() - send a text to the daemon that the options name
 * @path: like "/v1/request"
 * @b: zeroed, filled
 *
 * Return: NULL, or what is wrong.
 */
const char *cmd_post(const struct cmd_opts *o, const char *path, const char *text,
		     struct cmd_answer *b);

int cmd_check(const struct cmd_opts *o);
int cmd_never(const struct cmd_opts *o);
int cmd_compile(const struct cmd_opts *o);
int cmd_explain(const struct cmd_opts *o);
int cmd_test(const struct cmd_opts *o);
int cmd_diff(const struct cmd_opts *o);
int cmd_audit(const struct cmd_opts *o);
int cmd_ticket(const struct cmd_opts *o);
int cmd_request(const struct cmd_opts *o);
int cmd_lint(const struct cmd_opts *o);
int cmd_list(const struct cmd_opts *o);
int cmd_release(const struct cmd_opts *o);
int cmd_end_session(const struct cmd_opts *o);
int cmd_remove(const struct cmd_opts *o);

#endif
