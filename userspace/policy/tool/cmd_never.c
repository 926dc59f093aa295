// SPDX-License-Identifier: GPL-2.0-only
/* underpin policy check POLICY --never 'ROLE ACTION RESOURCE' */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "compile/compile.h"
#include "tool/cmd.h"
#include "tool/never.h"

/* What the three words name; POL_NONE: all there are. */
struct question {
	uint32_t role, action, type, inst;
	bool as_such;			/* of one instance, or of a type as such, alone */
};

static int ask_of(const struct pol_image *p, const char *text, struct question *q, char *msg,
		  size_t size)
{
	char role[256], action[256], resource[1024], rest;
	const char *type;

	if (sscanf(text, "%255s %255s %1023s %c", role, action, resource, &rest) != 3)
		return snprintf(msg, size, "--never takes 'ROLE ACTION RESOURCE': * is any, "
				"type:NAME a type and all of it");
	type = strncmp(resource, "type:", 5) ? NULL : resource + 5;
	q->role = pol_find(p, P_ROLE, role);
	q->action = pol_find(p, P_ACTION, action);
	q->type = type ? pol_find(p, P_RTYPE, type) : POL_NONE;
	q->inst = type ? POL_NONE : pol_find(p, P_INST, resource);
	if (q->role == POL_NONE && strcmp(role, "*"))
		return snprintf(msg, size, "--never: there is no role '%s'", role);
	if (q->action == POL_NONE && strcmp(action, "*"))
		return snprintf(msg, size, "--never: there is no action '%s'", action);
	if (q->type == POL_NONE && q->inst == POL_NONE && strcmp(resource, "*"))
		return snprintf(msg, size, "--never: there is no resource '%s'", resource);
	return 0;
}

static bool has_action(const struct pol_image *p, uint32_t type, uint32_t action)
{
	const struct pol_rtype *t = &p->rtype[type];
	uint32_t i;

	for (i = 0; i < t->n_action; i++)
		if (p->actionlist[t->action + i] == action)
			return true;
	return false;
}

struct asking {
	const struct pol_image *p;
	const struct question *q;
	struct never_ask ask;
	struct never_answer *a;
	uint64_t questions, subjects, instants, steps;
	int ret;
};

/* True: ends the asking. */
static bool ask_one(struct asking *s)
{
	if (!has_action(s->p, s->ask.type, s->ask.action))
		return false;
	s->questions++;
	s->ret = never_search(s->p, &s->ask, s->a);
	s->subjects += s->a->subjects;
	s->instants += s->a->instants;
	s->steps += s->a->steps;
	return s->ret || s->a->granted;
}

/* A type as such, and then each instance of it. */
static bool ask_resources(struct asking *s)
{
	const struct pol_image *p = s->p;
	uint32_t i;

	s->ask.inst = POL_NONE;
	for (i = 0; i < p->n_rtype; i++) {
		s->ask.type = i;
		if (s->q->inst == POL_NONE && (s->q->type == POL_NONE || s->q->type == i) &&
		    ask_one(s))
			return true;
	}
	for (i = 0; i < p->n_inst; i++) {
		s->ask.type = p->inst[i].type;
		s->ask.inst = i;
		if ((s->q->inst == i || (s->q->inst == POL_NONE && (s->q->type == POL_NONE ||
		     s->q->type == s->ask.type))) && ask_one(s))
			return true;
	}
	return false;
}

static void ask_all(struct asking *s)
{
	uint32_t r, a;

	for (r = 0; r < s->p->n_role; r++)
		for (a = 0; a < s->p->n_action; a++) {
			s->ask.role = r;
			s->ask.action = a;
			if ((s->q->role == POL_NONE || s->q->role == r) &&
			    (s->q->action == POL_NONE || s->q->action == a) && ask_resources(s))
				return;
		}
}

static void when(int64_t t, char *buf, size_t size)
{
	time_t at = t;
	struct tm tm = { 0 };

	gmtime_r(&at, &tm);
	strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The request, as "explain" would take it. */
static json_t *request(const struct asking *s)
{
	const struct never_answer *a = s->a;
	json_t *j, *attrs = json_object();
	char at[40];
	uint32_t i;

	when(a->now, at, sizeof(at));
	for (i = 0; i < a->n_attr; i++)
		json_object_set_new(attrs, a->attr[i].name, json_string(a->attr[i].value));
	j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "role", pol_str(s->p,
		      s->p->role[s->ask.role].name), "action", pol_str(s->p,
		      s->p->action[s->ask.action]), s->ask.inst == POL_NONE ? "type" : "resource",
		      s->ask.inst == POL_NONE ? pol_str(s->p, s->p->rtype[s->ask.type].name) :
		      pol_str(s->p, s->p->inst[s->ask.inst].name), "who", a->user ? a->user :
		      a->sla ? a->peer : "anybody with an assertion", "time", at, "attributes",
		      attrs);
	if (a->sla) {
		json_object_set_new(j, "sla", json_string(a->sla));
		json_object_set_new(j, "sla_role", json_string(a->sla_role));
	}
	return j;
}

static void print_request(const json_t *j)
{
	const char *key;
	json_t *v;

	printf("granted:");
	json_object_foreach((json_t *)j, key, v)
		if (json_is_string(v))
			printf(" %s=%s", key, json_string_value(v));
	json_object_foreach(json_object_get(j, "attributes"), key, v)
		printf(" %s='%s'", key, json_string_value(v));
	putchar('\n');
}

static int report(const struct cmd_opts *o, const struct asking *s)
{
	json_t *j = s->a->granted ? request(s) : NULL;

	if (s->ret)
		return cmd_error(o, CMD_SYSTEM, s->a->why);
	if (o->json) {
		cmd_print_json(json_pack("{s:b,s:I,s:I,s:I,s:I,s:o*}", "never", !s->a->granted,
					 "questions", (json_int_t)s->questions, "subjects",
					 (json_int_t)s->subjects, "instants",
					 (json_int_t)s->instants, "steps", (json_int_t)s->steps,
					 "granted", j));
	} else if (j) {
		print_request(j);
		json_decref(j);
	} else {
		printf("never: %llu questions, %llu subjects, %llu kinds of instants, %llu steps\n",
		       (unsigned long long)s->questions, (unsigned long long)s->subjects,
		       (unsigned long long)s->instants, (unsigned long long)s->steps);
	}
	return s->a->granted ? CMD_NO : CMD_OK;
}

int cmd_never(const struct cmd_opts *o)
{
	struct never_answer a = { .granted = false };
	struct asking s = { .a = &a };
	struct question q = { 0 };
	struct pol_image *p;
	struct pol_err e;
	char msg[1400];
	int ret;

	if (o->n_arg != 1)
		return cmd_error(o, CMD_USAGE, "--never: give one policy");
	if (cmd_time(o->at, &s.ask.from))
		return cmd_error(o, CMD_USAGE, "-@ takes an instant like 2026-11-22T09:00:00Z");
	p = pol_load(o->arg[0], &e);
	if (!p)
		return cmd_error(o, CMD_BAD, e.msg);
	s.p = p;
	s.q = &q;
	if (ask_of(p, o->never, &q, msg, sizeof(msg))) {
		pol_free(p);
		return cmd_error(o, CMD_USAGE, msg);
	}
	ask_all(&s);
	ret = report(o, &s);
	never_free(&a);
	pol_free(p);
	return ret;
}
