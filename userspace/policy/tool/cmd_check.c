// SPDX-License-Identifier: GPL-2.0-only
/* underpin policy check, compile */
#include <stdio.h>

#include "base/hex.h"
#include "compile/compile.h"
#include "tool/cmd.h"

static json_t *summary(const struct pol_image *p)
{
	char digest[65];

	pol_hex(p->digest, sizeof(p->digest), digest);
	return json_pack("{s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i}", "cloud",
			 pol_str(p, p->cloud), "digest", digest, "users", p->n_user, "roles",
			 p->n_role, "assignments", p->n_assign, "permissions", p->n_permit,
			 "types", p->n_rtype, "instances", p->n_inst, "slas", p->n_sla, "bytes",
			 (int)p->size);
}

static void print_summary(const char *path, const struct pol_image *p)
{
	printf("%s: cloud %s: %u users, %u roles, %u assignments, %u permissions, %u types, "
	       "%u instances, %u SLAs, %zu bytes compiled\n", path, pol_str(p, p->cloud),
	       p->n_user, p->n_role, p->n_assign, p->n_permit, p->n_rtype, p->n_inst, p->n_sla,
	       p->size);
}

static int load_all(const struct cmd_opts *o, struct pol_image **p, json_t *list)
{
	int i, bad = 0;
	struct pol_err e;

	for (i = 0; i < o->n_arg; i++) {
		p[i] = pol_load(o->arg[i], &e);
		if (p[i]) {
			json_array_append_new(list, summary(p[i]));
			if (!o->json)
				print_summary(o->arg[i], p[i]);
			continue;
		}
		bad = 1;
		json_array_append_new(list, json_pack("{s:s,s:s}", "policy", o->arg[i], "error",
						      e.msg));
		if (!o->json)
			fprintf(stderr, "underpin policy: %s\n", e.msg);
	}
	return bad;
}

static void print_findings(const json_t *findings)
{
	size_t i;
	json_t *f;

	json_array_foreach(findings, i, f)
		printf("%s: %s\n", json_string_value(json_object_get(f, "kind")),
		       json_string_value(json_object_get(f, "path")));
}

int cmd_check(const struct cmd_opts *o)
{
	struct pol_image *p[64] = { NULL };
	json_t *list = json_array(), *chains = json_array();
	int bad, i;

	if (o->never) {
		json_decref(list);
		json_decref(chains);
		return cmd_never(o);
	}
	bad = load_all(o, p, list);
	if (!bad && o->n_arg > 1)
		bad = chain_check(p, o->n_arg, chains);
	if (o->json)
		cmd_print_json(json_pack("{s:b,s:O,s:O}", "ok", !bad, "policies", list, "chains",
					 chains));
	else
		print_findings(chains);
	for (i = 0; i < o->n_arg; i++)
		pol_free(p[i]);
	json_decref(list);
	json_decref(chains);
	return bad ? CMD_BAD : CMD_OK;
}

int cmd_compile(const struct cmd_opts *o)
{
	struct pol_image *p;
	struct pol_err e;
	int ret;

	if (!o->out)
		return cmd_error(o, CMD_USAGE, "compile: name the output file with -O FILE");
	p = pol_load(o->arg[0], &e);
	if (!p)
		return cmd_error(o, CMD_BAD, e.msg);
	ret = pol_image_write(p, o->out, &e);
	if (ret)
		ret = cmd_error(o, CMD_SYSTEM, e.msg);
	else if (o->json)
		cmd_print_json(summary(p));
	else
		print_summary(o->out, p);
	pol_free(p);
	return ret;
}
