// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "model.h"

const char *const pol_type_name[T_NTYPES] = { "boolean", "integer", "string", "set", "time" };
const char *const pol_layer_name[L_NLAYERS] = { "application", "platform", "infrastructure" };
const char *const pol_method_name[M_NMETHODS] = { "x509", "fingerprint", "jwt" };
const char *const pol_apply_name[F_NAPPLY] = { "expression", "count", "length", "hour",
					       "weekday" };
const char *const pol_op_name[OP_NOPS] = {
	"all", "any", "not", "equals", "differs", "less", "at-most", "more", "at-least",
	"in", "contains", "subset", "intersects", "starts-with", "holds",
};

const char *const pol_day_name[7] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

/* What the program itself knows of every request. */
static const struct {
	const char *name;
	enum pol_type type;
} builtin[] = {
	{ "env.now", T_TIME },		/* the decision's instant */
	{ "env.layer", T_STRING },	/* of the module that decides */
	{ "env.peer", T_STRING },	/* cloud that the request came from */
};

int model_init(struct m_model *m)
{
	struct m_attr a = { 0 };
	size_t i;

	memset(m, 0, sizeof(*m));
	m->cloud = POL_NONE;
	for (i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++) {
		a.name = m_add(m, builtin[i].name);
		a.type = builtin[i].type;
		if (a.name == POL_NONE || pol_vec_push(m, attr, a))
			return -ENOMEM;
	}
	return 0;
}

void model_free(struct m_model *m)
{
	uint32_t i;

	for (i = 0; i < m->n_sheet; i++)
		free(m->sheet[i]);
	strtab_free(&m->strs);
	free(m->attr);
	free(m->val);
	free(m->node);
	free(m->func);
	free(m->cond);
	free(m->window);
	free(m->between);
	free(m->period);
	free(m->sod);
	free(m->cred);
	free(m->user);
	free(m->role);
	free(m->assign);
	free(m->permit);
	free(m->rtype);
	free(m->inst);
	free(m->sla);
	free(m->map);
	free(m->visible);
	free(m->mediate);
	free(m->name);
	memset(m, 0, sizeof(*m));
}

int model_time(const char *s, int64_t *t)
{
	int y, mon, d, h, min, sec, n = 0;
	struct tm tm = { 0 }, back;
	time_t at;

	if (sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &y, &mon, &d, &h, &min, &sec, &n) != 6 ||
	    n != 20 || s[n])
		return -EINVAL;
	tm.tm_year = y - 1900;
	tm.tm_mon = mon - 1;
	tm.tm_mday = d;
	tm.tm_hour = h;
	tm.tm_min = min;
	tm.tm_sec = sec;
	back = tm;
	at = timegm(&tm);
	if (tm.tm_mday != back.tm_mday || tm.tm_mon != back.tm_mon ||
	    tm.tm_hour != back.tm_hour || tm.tm_min != back.tm_min || tm.tm_sec != back.tm_sec)
		return -EINVAL;
	*t = at;
	return 0;
}
