// SPDX-License-Identifier: GPL-2.0-only
/* underpin policy list, release, end-session, remove: what an operator asks a daemon. */
#include <stdio.h>
#include <time.h>

#include "tool/cmd.h"

static json_t *question(const struct cmd_opts *o, const char *verb, const char *what)
{
	json_t *filter = json_object(), *j;
	struct timespec t;
	uint32_t i;

	clock_gettime(CLOCK_REALTIME, &t);
	for (i = 0; i < o->n_attr; i++)
		json_object_set_new(filter, o->attr[i].name, json_string(o->attr[i].value));
	j = json_pack("{s:s,s:s,s:I,s:o}", "do", verb, "what", what, "issued",
		      (json_int_t)t.tv_sec * 1000 + t.tv_nsec / 1000000, "filter", filter);
	if (o->limit)
		json_object_set_new(j, "limit", json_integer(o->limit));
	if (o->after)
		json_object_set_new(j, "after", json_string(o->after));
	if (o->reason)
		json_object_set_new(j, "reason", json_string(o->reason));
	return j;
}

static void print_value(const char *name, const json_t *v)
{
	char when[32];
	time_t at = json_integer_value(v);
	struct tm tm;
	char *text;

	if (json_is_integer(v) && (!strcmp(name, "time") || !strcmp(name, "used") ||
				   !strcmp(name, "from") || !strcmp(name, "until")) &&
	    gmtime_r(&at, &tm) && strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm)) {
		printf("%s=%s", name, when);
		return;
	}
	text = json_is_string(v) ? NULL : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	printf("%s=%s", name, text ? text : json_string_value(v));
	free(text);
}

static void print_items(json_t *answer)
{
	const char *next = json_string_value(json_object_get(answer, "next")), *name;
	json_t *item, *v;
	bool first;
	size_t i;

	json_array_foreach(json_object_get(answer, "items"), i, item) {
		first = true;
		json_object_foreach(item, name, v) {
			if (!first)
				putchar(' ');
			print_value(name, v);
			first = false;
		}
		putchar('\n');
	}
	if (next)
		printf("there is more: --after '%s'\n", next);
}

static int finish(const struct cmd_opts *o, json_t *j)
{
	const char *error = json_string_value(json_object_get(j, "error"));

	if (error && !o->json)
		return cmd_error(o, CMD_NO, error);
	if (o->json)
		json_dumpf(j, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	else
		print_items(j);
	return error ? CMD_NO : CMD_OK;
}

static int ask(const struct cmd_opts *o, const char *verb)
{
	struct cmd_answer b = { 0 };
	const char *error;
	json_t *j;
	char *text;
	int ret;

	if (!o->url || !o->cert || !o->key || !o->ca)
		return cmd_error(o, CMD_USAGE, "give --url, --cert, --key and --ca");
	j = question(o, verb, o->arg[0]);
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	error = text ? cmd_post(o, "/v1/operate", text, &b) : "out of memory";
	j = error ? NULL : json_loadb(b.text ? b.text : "", b.len, 0, NULL);
	ret = j ? finish(o, j) : cmd_error(o, CMD_SYSTEM, error ? error : "the answer is no JSON");
	json_decref(j);
	free(b.text);
	free(text);
	return ret;
}

int cmd_list(const struct cmd_opts *o)
{
	return ask(o, "list");
}

int cmd_release(const struct cmd_opts *o)
{
	return ask(o, "release");
}

int cmd_end_session(const struct cmd_opts *o)
{
	return ask(o, "end-session");
}

int cmd_remove(const struct cmd_opts *o)
{
	return ask(o, "remove");
}
