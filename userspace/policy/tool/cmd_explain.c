// SPDX-License-Identifier: GPL-2.0-only
/* underpin policy explain */
#include <stdio.h>

#include "compile/compile.h"
#include "tool/cmd.h"

static json_t *reasons(const struct pol_image *p, const struct pol_query *q,
		       const struct pol_decision *d)
{
	json_t *list = json_array();
	char text[1400];
	uint32_t i;

	for (i = 0; i < d->n; i++) {
		reason_text(p, q, &d->reason[i], text, sizeof(text));
		json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "module",
			reason_module(d->reason[i].code), "code", reason_name(d->reason[i].code),
			"text", text));
	}
	return list;
}

static void print_text(const struct pol_decision *d, const json_t *list)
{
	json_t *r;
	size_t i;

	printf("%s\n", d->permit ? "permit" : "deny");
	json_array_foreach(list, i, r)
		printf("  %s: %s: %s\n", json_string_value(json_object_get(r, "module")),
		       json_string_value(json_object_get(r, "code")),
		       json_string_value(json_object_get(r, "text")));
	if (d->more)
		printf("  and %u more rules that refused\n", d->more);
}

static int explain(const struct cmd_opts *o, const struct pol_image *p)
{
	static const struct pol_session fresh;
	struct pdp_request in = {
		.user = o->user, .authenticated = o->user, .mapped = POL_NONE, .role = o->role,
		.action = o->action, .type = o->type, .instance = o->resource, .attr = o->attr,
		.n_attr = o->n_attr, .session = o->session ? &fresh : NULL,
	};
	struct pol_decision d;
	struct pdp_store st;
	struct pol_query q;
	json_t *list;

	if (cmd_time(o->at, &in.now))
		return cmd_error(o, CMD_USAGE, "-@ takes an instant like 2026-11-22T09:00:00Z");
	if (o->sla_role) {
		in.mapped = pol_find(p, P_ROLE, o->sla_role);
		in.authenticated = true;
		if (in.mapped == POL_NONE)
			return cmd_error(o, CMD_USAGE, "--sla-role: no such role");
	}
	pdp_decide(p, &in, &st, &q, &d);
	list = reasons(p, &q, &d);
	if (o->json)
		cmd_print_json(json_pack("{s:b,s:O,s:i}", "permit", d.permit, "reasons", list,
					 "more", d.more));
	else
		print_text(&d, list);
	json_decref(list);
	return d.permit ? CMD_OK : CMD_NO;
}

int cmd_explain(const struct cmd_opts *o)
{
	struct pol_image *p;
	struct pol_err e;
	int ret;

	if (!o->action || (!o->resource && !o->type))
		return cmd_error(o, CMD_USAGE, "explain: give -a ACTION and -r INSTANCE or "
				 "-t TYPE");
	p = pol_load(o->arg[0], &e);
	if (!p)
		return cmd_error(o, CMD_BAD, e.msg);
	ret = explain(o, p);
	pol_free(p);
	return ret;
}
