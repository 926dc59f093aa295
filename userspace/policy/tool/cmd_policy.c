// SPDX-License-Identifier: GPL-2.0-only
/* The verbs of "underpin policy", as a table. */
#include <getopt.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "tool/cmd.h"

static const struct {
	const char *name;
	int (*run)(const struct cmd_opts *o);
	int min, max;		/* arguments */
	const char *usage;
	const char *what;
} verbs[] = {
	{ "check", cmd_check, 1, 64, "POLICY... [--never 'ROLE ACTION RESOURCE']",
	  "validate sheets; of several clouds also the chains of their SLAs; prove a \"never\"" },
	{ "compile", cmd_compile, 1, 1, "POLICY -O FILE",
	  "write the compiled form, which loads faster" },
	{ "explain", cmd_explain, 1, 1, "POLICY -a ACTION (-r INSTANCE | -t TYPE) [-u USER]",
	  "decide one request and say why" },
	{ "test", cmd_test, 2, 2, "POLICY TABLE",
	  "compare decisions with a table of expectations; report rules never met" },
	{ "diff", cmd_diff, 2, 2, "POLICY POLICY [--limit N]",
	  "find requests that two policies answer differently" },
	{ "audit", cmd_audit, 2, 3, "verify DATABASE [PUBLIC-KEY]",
	  "check an audit log's chain and signatures, offline" },
	{ "ticket", cmd_ticket, 2, 3, "show|verify FILE [PUBLIC-KEY]",
	  "print or check a ticket" },
	{ "request", cmd_request, 0, 0,
	  "--url URL --cert F --key F --ca F -a ACTION -r INSTANCE [-O TICKET]",
	  "ask a daemon, and print the path of the request" },
	{ "lint", cmd_lint, 1, 1, "POLICY",
	  "find what a policy says and cannot mean" },
	{ "list", cmd_list, 1, 1, "allocations|tickets|sessions|directory|slas|audit --url URL ...",
	  "what a daemon has, for its operators; -A NAME=VALUE filters" },
	{ "release", cmd_release, 1, 1, "RESOURCE --reason TEXT --url URL ...",
	  "take an allocation back, whoever has it" },
	{ "end-session", cmd_end_session, 1, 1, "SESSION --reason TEXT --url URL ...",
	  "end a session that list sessions shows" },
	{ "remove", cmd_remove, 1, 1, "ID --reason TEXT --url URL ...",
	  "take an entry out of a directory" },
};

#define N_VERBS	(sizeof(verbs) / sizeof(verbs[0]))

static void help(FILE *f)
{
	size_t i;

	fputs("usage: underpin policy VERB ...\n\n", f);
	for (i = 0; i < N_VERBS; i++)
		fprintf(f, "  %-11s %s\n              %s\n", verbs[i].name, verbs[i].usage,
			verbs[i].what);
	fputs("\nPOLICY is a directory of XML sheets or a compiled policy.\n\n"
	      "  -o json         print JSON\n"
	      "  -u USER         user of the request      -R ROLE   role to act in\n"
	      "  -a ACTION       action                   -r NAME   instance\n"
	      "  -t TYPE         resource type            -@ TIME   2026-11-22T09:00:00Z\n"
	      "  -A NAME=VALUE   attribute, request.* or claim.*; may be repeated\n"
	      "  -O FILE         output file              --limit N requests that diff tries\n"
	      "  --sla-role ROLE decide for a role that an SLA mapped\n"
	      "  --url, --cert, --key, --ca, --token, --id, --session   of request\n"
	      "  --reason TEXT, --after CURSOR, --limit N               of what operators ask\n"
	      "  --host HEX, --image HEX, --nonce HEX, --vm UUID, --definition HEX\n"
	      "                  that a ticket must be for; the nonce is of the layer's launch\n\n"
	      "exit: 0 permitted or done; 1 denied, differs or expectation failed;\n"
	      "      2 usage; 3 policy, ticket or log is wrong; 4 system error\n", f);
}

void cmd_print_json(json_t *j)
{
	json_dumpf(j, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(j);
}

int cmd_error(const struct cmd_opts *o, int code, const char *msg)
{
	if (o && o->json)
		cmd_print_json(json_pack("{s:b,s:s}", "ok", 0, "error", msg));
	else
		fprintf(stderr, "underpin policy: %s\n", msg);
	return code;
}

int cmd_time(const char *s, int64_t *t)
{
	*t = time(NULL);
	return s ? pol_time(s, t) : 0;
}

static int add_attr(struct cmd_opts *o, char *text)
{
	char *eq = strchr(text, '=');
	struct pdp_attr *a = &o->attr[o->n_attr];

	if (!eq || o->n_attr == POL_ATTRS_MAX)
		return -EINVAL;
	*eq = 0;
	a->name = text;
	a->value = eq + 1;
	a->from = !strncmp(text, "claim.", 6) ? C_CLAIM : !strncmp(text, "env.", 4) ? C_ENV :
		  C_REQUEST;
	o->n_attr++;
	return 0;
}

enum {
	OPT_LIMIT = 256, OPT_URL, OPT_CERT, OPT_KEY, OPT_CA, OPT_TOKEN, OPT_ID, OPT_NONCE,
	OPT_SLA_ROLE, OPT_SESSION, OPT_HOST, OPT_IMAGE, OPT_VM, OPT_DEFINITION, OPT_REASON,
	OPT_AFTER, OPT_NEVER,
};

static const struct option longs[] = {
	{ "help", no_argument, NULL, 'h' }, { "output", required_argument, NULL, 'o' },
	{ "user", required_argument, NULL, 'u' }, { "action", required_argument, NULL, 'a' },
	{ "resource", required_argument, NULL, 'r' }, { "type", required_argument, NULL, 't' },
	{ "role", required_argument, NULL, 'R' }, { "at", required_argument, NULL, '@' },
	{ "attribute", required_argument, NULL, 'A' },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "url", required_argument, NULL, OPT_URL },
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "key", required_argument, NULL, OPT_KEY }, { "ca", required_argument, NULL, OPT_CA },
	{ "token", required_argument, NULL, OPT_TOKEN },
	{ "id", required_argument, NULL, OPT_ID },
	{ "nonce", required_argument, NULL, OPT_NONCE },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "image", required_argument, NULL, OPT_IMAGE },
	{ "vm", required_argument, NULL, OPT_VM },
	{ "definition", required_argument, NULL, OPT_DEFINITION },
	{ "sla-role", required_argument, NULL, OPT_SLA_ROLE },
	{ "session", required_argument, NULL, OPT_SESSION },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "never", required_argument, NULL, OPT_NEVER }, { NULL, 0, NULL, 0 },
};

/* 0, 1 for --help, or -EINVAL. */
static int take(struct cmd_opts *o, int c)
{
	const struct {
		int c;
		const char **to;
	} strings[] = {
		{ 'u', &o->user }, { 'a', &o->action }, { 'r', &o->resource }, { 't', &o->type },
		{ 'R', &o->role }, { '@', &o->at }, { 'O', &o->out }, { OPT_URL, &o->url },
		{ OPT_CERT, &o->cert }, { OPT_KEY, &o->key }, { OPT_CA, &o->ca },
		{ OPT_TOKEN, &o->token }, { OPT_ID, &o->id }, { OPT_NONCE, &o->nonce },
		{ OPT_SLA_ROLE, &o->sla_role }, { OPT_SESSION, &o->session },
		{ OPT_HOST, &o->host }, { OPT_IMAGE, &o->image }, { OPT_VM, &o->vm },
		{ OPT_DEFINITION, &o->definition }, { OPT_REASON, &o->reason },
		{ OPT_AFTER, &o->after }, { OPT_NEVER, &o->never },
	};
	char *end;
	size_t i;

	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (strings[i].c == c) {
			*strings[i].to = optarg;
			return 0;
		}
	switch (c) {
	case 'h':
		return 1;
	case 'o':
		o->json = !strcmp(optarg, "json");
		return o->json || !strcmp(optarg, "text") ? 0 : -EINVAL;
	case 'A':
		return add_attr(o, optarg);
	case OPT_LIMIT:
		o->limit = strtoull(optarg, &end, 10);
		return *end || *optarg < '0' || *optarg > '9' || !o->limit ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

int cmd_policy(int argc, char **argv)
{
	struct cmd_opts o = { .limit = 0 };
	size_t i;
	int c, ret = 0;

	optind = 1;
	while (!ret && (c = getopt_long(argc, argv, "ho:u:a:r:t:R:@:A:O:", longs, NULL)) != -1)
		ret = take(&o, c);
	if (ret || optind == argc) {
		help(ret == 1 ? stdout : stderr);
		return ret == 1 ? CMD_OK : CMD_USAGE;
	}
	o.arg = argv + optind + 1;
	o.n_arg = argc - optind - 1;
	for (i = 0; i < N_VERBS; i++) {
		if (strcmp(argv[optind], verbs[i].name))
			continue;
		if (o.n_arg >= verbs[i].min && o.n_arg <= verbs[i].max)
			return verbs[i].run(&o);
		fprintf(stderr, "usage: underpin policy %s %s\n", verbs[i].name, verbs[i].usage);
		return CMD_USAGE;
	}
	fprintf(stderr, "underpin policy: no verb '%s'; see underpin policy --help\n",
		argv[optind]);
	return CMD_USAGE;
}
