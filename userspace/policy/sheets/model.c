// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "sheets/model.h"

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
