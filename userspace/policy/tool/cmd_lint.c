// SPDX-License-Identifier: GPL-2.0-only
/*
 * underpin policy lint: what a policy says and cannot mean. Everything here is allowed:
 * a policy that compiles decides; this is what somebody should look at.
 */
#include <stdio.h>
#include <time.h>

#include "compile/compile.h"
#include "engine/decide.h"
#include "tool/cmd.h"

#define LOOK_STEP	60			/* seconds; windows are of whole minutes */
#define LOOK_AHEAD	(5ll * 366 * 86400)	/* until a period is said never to open */

struct lint {
	const struct cmd_opts *o;
	const struct pol_image *p;
	int64_t now;
	json_t *found;
};

static void find(struct lint *l, struct pol_at at, const char *kind, const char *name,
		 const char *what)
{
	char where[160];

	pol_where(l->p, at, where);
	if (!l->o->json)
		printf("%s: %s '%s' %s\n", where, kind, name, what);
	json_array_append_new(l->found, json_pack("{s:s,s:s,s:s,s:s}", "where", where, "kind",
						  kind, "name", name, "what", what));
}

static void periods(struct lint *l)
{
	const struct pol_image *p = l->p;
	uint32_t i;
	int64_t t;

	for (i = 0; i < p->n_period; i++) {
		for (t = l->now; t < l->now + LOOK_AHEAD; t += LOOK_STEP)
			if (period_contains(p, i, t))
				break;
		if (t >= l->now + LOOK_AHEAD)
			find(l, p->period[i].at, "period", pol_str(p, p->period[i].name),
			     "does not open in the next five years");
	}
}

/* Each role that somebody can act in: assigned, mapped by an SLA, or a junior of such. */
static bool *roles_in_use(const struct pol_image *p)
{
	bool *used = calloc(p->n_role + 1, sizeof(*used)), *all = calloc(p->n_role + 1,
									  sizeof(*all));
	uint32_t i, k;

	for (i = 0; used && i < p->n_assign; i++)
		if (p->assign[i].user == POL_NONE || p->user[p->assign[i].user].enabled)
			used[p->assign[i].role] = true;
	for (i = 0; used && i < p->n_sla; i++)
		for (k = 0; p->sla[i].side == SIDE_PROVIDER && k < p->sla[i].n_map; k++)
			used[p->map[p->sla[i].map + k].local] = true;
	for (i = 0; used && all && i < p->n_role; i++)
		for (k = 0; used[i] && k < p->role[i].n_closure; k++)
			all[p->rolelist[p->role[i].closure + k]] = true;
	free(used);
	return all;
}

static void roles(struct lint *l)
{
	const struct pol_image *p = l->p;
	bool *used = roles_in_use(p);
	uint32_t i;

	for (i = 0; used && i < p->n_role; i++)
		if (!used[i])
			find(l, p->role[i].at, "role", pol_str(p, p->role[i].name),
			     "is nobody's: no rule assigns it, and no SLA maps to it");
	for (i = 0; used && i < p->n_permit; i++)
		if (!used[p->permit[i].role])
			find(l, p->permit[i].at, "permission of",
			     pol_str(p, p->role[p->permit[i].role].name),
			     "can never be used: the role is nobody's");
	free(used);
}

static void users(struct lint *l)
{
	const struct pol_image *p = l->p;
	const struct pol_assign *a;
	const struct pol_user *u;
	uint32_t i;

	for (i = 0; i < p->n_assign; i++) {
		a = &p->assign[i];
		u = a->user == POL_NONE ? NULL : &p->user[a->user];
		if (u && !u->enabled)
			find(l, a->at, "assignment of", pol_str(p, u->name),
			     "has no effect: the user is disabled");
		else if (u && u->until <= l->now)
			find(l, a->at, "assignment of", pol_str(p, u->name),
			     "has no effect: the user's time has ended");
	}
	for (i = 0; i < p->n_sla; i++)
		if (p->sla[i].until <= l->now)
			find(l, p->sla[i].at, "SLA", pol_str(p, p->sla[i].id), "has ended");
}

/* TYPE=value, others behind commas without blanks: so names of certificates are written. */
static bool is_dn(const char *s)
{
	size_t n;

	for (;;) {
		n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-");
		if (!n || s[n] != '=' || !s[n + 1] || strchr(",+", s[n + 1]))
			return false;
		for (s += n + 1; *s && *s != ',' && *s != '+'; s++)
			if (*s == '\\' && s[1])
				s++;
		if (!*s)
			return true;
		s++;
	}
}

static bool is_fingerprint(const char *s)
{
	return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static void credentials(struct lint *l)
{
	static const char dn[] = "can be no certificate's: write it as CN=...,O=..., the last part "
				 "first, without blanks between";
	const struct pol_at nowhere = { .sheet = UINT16_MAX };
	const char *subject, *issuer;
	const struct pol_slot *s;

	for (s = l->p->slot; s < l->p->slot + l->p->n_slot; s++) {
		if (s->key >> 60 != P_CRED)
			continue;
		subject = pol_str(l->p, s->key & 0xffffff);
		if ((s->key >> 56 & 3) == M_FINGERPRINT && !is_fingerprint(subject))
			find(l, nowhere, "fingerprint", subject, "can be no certificate's: it is "
			     "64 hexadecimal digits, small letters, without colons");
		if ((s->key >> 56 & 3) != M_X509)
			continue;
		issuer = pol_str(l->p, s->key >> 28 & 0xffffff);
		if (!is_dn(subject))
			find(l, nowhere, "subject", subject, dn);
		if (!is_dn(issuer))
			find(l, nowhere, "issuer", issuer, dn);
	}
}

/* Ids are for people: two rules of one id are told as one in a trace. */
static void ids(struct lint *l, const struct pol_permit *m, uint32_t n)
{
	bool *seen = calloc(l->p->n_str + 1, sizeof(*seen));
	uint32_t i;

	for (i = 0; seen && i < n; i++) {
		if (m[i].id == POL_NONE)
			continue;
		if (seen[m[i].id])
			find(l, m[i].at, "rule", pol_str(l->p, m[i].id),
			     "has the id of another rule");
		seen[m[i].id] = true;
	}
	free(seen);
}

/* The next character of valid UTF-8. */
static uint32_t next_char(const char **s)
{
	const unsigned char *c = (const unsigned char *)*s;
	int more = *c < 0xc0 ? 0 : *c < 0xe0 ? 1 : *c < 0xf0 ? 2 : 3;
	uint32_t v = more ? *c & (0x3f >> more) : *c;

	for (c++; more && (*c & 0xc0) == 0x80; more--)
		v = v << 6 | (*c++ & 0x3f);
	*s = (const char *)c;
	return v;
}

/* What changes the order of text, or is not seen: zero-width, bidirectional, soft hyphen. */
static bool is_hidden(uint32_t c)
{
	return c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/* Of the scripts whose letters look like each other's: 1 Latin, 2 Greek, 4 Cyrillic. */
static int script(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= 0xc0 && c <= 0x24f))
		return 1;
	if (c >= 0x370 && c <= 0x3ff)
		return 2;
	return c >= 0x400 && c <= 0x52f ? 4 : 0;
}

static void strings(struct lint *l)
{
	const struct pol_image *p = l->p;
	const struct pol_at nowhere = { .sheet = UINT16_MAX };
	const char *s;
	uint32_t i, c;
	int scripts;
	bool hidden;

	for (i = 0; i < p->n_str; i++) {
		scripts = 0;
		hidden = false;
		for (s = pol_str(p, i); *s;) {
			c = next_char(&s);
			hidden |= is_hidden(c);
			scripts |= script(c);
		}
		if (hidden)
			find(l, nowhere, "text", pol_str(p, i),
			     "has characters that are not seen, or change the order of others");
		if (scripts & (scripts - 1))
			find(l, nowhere, "text", pol_str(p, i),
			     "mixes letters of scripts that look alike");
	}
}

int cmd_lint(const struct cmd_opts *o)
{
	struct lint l = { .o = o, .found = json_array() };
	struct pol_image *p;
	struct pol_err e;
	size_t n;

	if (cmd_time(o->at, &l.now))
		return cmd_error(o, CMD_USAGE, "-@ takes an instant like 2026-11-22T09:00:00Z");
	p = pol_load(o->arg[0], &e);
	if (!p)
		return cmd_error(o, CMD_BAD, e.msg);
	l.p = p;
	periods(&l);
	roles(&l);
	users(&l);
	credentials(&l);
	ids(&l, p->permit, p->n_permit);
	ids(&l, p->mediate, p->n_mediate);
	strings(&l);
	n = json_array_size(l.found);
	if (o->json)
		cmd_print_json(json_pack("{s:b,s:O}", "ok", !n, "findings", l.found));
	else
		printf("%zu findings\n", n);
	json_decref(l.found);
	pol_free(p);
	return n ? CMD_NO : CMD_OK;
}
