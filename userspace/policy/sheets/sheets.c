// SPDX-License-Identifier: GPL-2.0-only
/* From a sheet's elements to the model's records: one handler an element. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sheets/model.h"
#include "sheets/xml.h"

struct sheet {
	struct m_model *m;
	const char *name;
	const xmlNode *node;
	struct pol_at at;
	struct pol_err *e;
	const char *parent[XML_DEPTH_MAX];	/* open elements, by depth */
	uint32_t open[XML_DEPTH_MAX];		/* their expression nodes */
	int depth;
	bool full;				/* a string found no room */
};

static int bad(struct sheet *s, const char *what)
{
	return pol_fail(s->e, EINVAL, "%s:%u: %s", s->name, s->at.line, what);
}

static int nomem(struct sheet *s)
{
	return pol_fail(s->e, ENOMEM, "%s:%u: out of memory, a text of more than %u bytes, "
			"or more than %u strings", s->name, s->at.line, POL_STR_MAX, POL_STRS_MAX);
}

/* A constraint whose name found no room must not look like no constraint. */
static uint32_t intern(struct sheet *s, const char *v, size_t n)
{
	uint32_t id = n > POL_STR_MAX ? POL_NONE : strtab_add(&s->m->strs, v, n);

	s->full |= id == POL_NONE;
	return id;
}

/* Schema types collapse white space; so does this, at both ends. */
static uint32_t word(struct sheet *s, const char *v)
{
	size_t n;

	if (!v)
		return POL_NONE;
	v += strspn(v, " \t\r\n");
	n = strlen(v);
	while (n && strchr(" \t\r\n", v[n - 1]))
		n--;
	return intern(s, v, n);
}

static uint32_t aid(struct sheet *s, const char *attr)
{
	return word(s, xml_attr(s->node, attr));
}

static uint32_t anum(struct sheet *s, const char *attr, uint32_t otherwise)
{
	const char *v = xml_attr(s->node, attr);

	return v ? strtoul(v, NULL, 10) : otherwise;
}

static uint32_t aflag(struct sheet *s, const char *attr, uint32_t otherwise)
{
	const char *v = xml_attr(s->node, attr);

	if (!v)
		return otherwise;
	v += strspn(v, " \t\r\n");
	return *v == 't' || *v == '1';
}

static uint32_t aenum(struct sheet *s, const char *attr, const char *const *names, uint32_t n,
		      uint32_t otherwise)
{
	const char *v = xml_attr(s->node, attr);
	uint32_t i;

	for (i = 0; v && i < n; i++)
		if (!strcmp(v, names[i]))
			return i;
	return otherwise;
}

static int atime(struct sheet *s, const char *attr, int64_t otherwise, int64_t *t)
{
	const char *v = xml_attr(s->node, attr);

	*t = otherwise;
	if (!v || !pol_time(v, t))
		return 0;
	return pol_fail(s->e, EINVAL, "%s:%u: %s=\"%s\" is no instant: write it like "
			"2026-11-22T09:00:00Z", s->name, s->at.line, attr, v);
}

/* Splits @attr's list at white space into m_model.name. */
static int anames(struct sheet *s, const char *attr, uint32_t *first, uint32_t *n)
{
	const char *v = xml_attr(s->node, attr);
	uint32_t id;
	size_t len = 0;

	*first = s->m->n_name;
	for (*n = 0; v && *(v += strspn(v, " \t\r\n")); v += len, ++*n) {
		len = strcspn(v, " \t\r\n");
		id = intern(s, v, len);
		if (id == POL_NONE || pol_vec_push(s->m, name, id))
			return nomem(s);
	}
	return 0;
}

/* Bits of a list of numbers or of names. */
static uint32_t abits(struct sheet *s, const char *attr, const char *const *names)
{
	const char *v = xml_attr(s->node, attr);
	uint32_t bits = 0, i;
	size_t len = 0;

	if (!v)
		return UINT32_MAX;
	for (; *(v += strspn(v, " \t\r\n")); v += len) {
		len = strcspn(v, " \t\r\n");
		if (!names) {
			bits |= 1u << (strtoul(v, NULL, 10) & 31);
			continue;
		}
		for (i = 0; i < 7; i++)
			if (len == 3 && !strncmp(v, names[i], 3))
				bits |= 1u << i;
	}
	return bits;
}

static uint16_t aclock(struct sheet *s, const char *attr)
{
	const char *v = xml_attr(s->node, attr);
	unsigned int h = 0, min = 0;

	if (v && sscanf(v, "%2u:%2u", &h, &min) != 2)
		return 0;
	return h * 60 + min;
}

#define PUSH(s, name, ...) (pol_vec_push((s)->m, name, __VA_ARGS__) ? nomem(s) : 0)
#define LAST(s, name) (&(s)->m->name[(s)->m->n_##name - 1])

/* A child needs its parent's record; an invalid sheet may lack it. */
#define NEED(s, name) \
	do { \
		if (!(s)->m->n_##name) \
			return bad(s, "misplaced element"); \
	} while (0)

static int el_attribute(struct sheet *s)
{
	const char *parent = s->parent[s->depth - 1];
	struct m_attrval v = { aid(s, "name"), aid(s, "value") };
	struct m_attr a = { .at = s->at, .name = aid(s, "name") };
	int ret;

	if (!strcmp(parent, "constraints")) {
		a.type = aenum(s, "type", pol_type_name, T_NTYPES, T_STRING);
		return PUSH(s, attr, a);
	}
	ret = PUSH(s, val, v);
	if (ret)
		return ret;
	if (!strcmp(parent, "user")) {
		NEED(s, user);
		LAST(s, user)->n_val++;
	} else {
		NEED(s, inst);
		LAST(s, inst)->n_val++;
	}
	return 0;
}

static int el_function(struct sheet *s)
{
	struct m_func f = {
		.at = s->at, .name = aid(s, "name"), .attr = aid(s, "to"),
		.zone = aid(s, "zone"), .node = s->m->n_node, .type = T_INTEGER,
		.apply = aenum(s, "apply", pol_apply_name, F_NAPPLY, F_EXPR),
	};

	if (f.apply == F_EXPR)
		f.type = T_BOOLEAN;
	return PUSH(s, func, f);
}

static int el_condition(struct sheet *s)
{
	return PUSH(s, cond, { s->at, aid(s, "name"), s->m->n_node });
}

static int el_node(struct sheet *s)
{
	struct m_node n = {
		.at = s->at, .attr = aid(s, "attribute"), .func = aid(s, "function"),
		.value = aid(s, "value"), .values = aid(s, "values"),
		.other = aid(s, "other"), .end = s->m->n_node + 1,
	};

	while (n.op < OP_NOPS && strcmp(pol_op_name[n.op], s->parent[s->depth]))
		n.op++;
	s->open[s->depth] = s->m->n_node;
	return PUSH(s, node, n);
}

static int end_node(struct sheet *s)
{
	s->m->node[s->open[s->depth]].end = s->m->n_node;
	return 0;
}

static int el_period(struct sheet *s)
{
	return PUSH(s, period, { .at = s->at, .name = aid(s, "name"), .zone = aid(s, "zone"),
				 .window = s->m->n_window, .between = s->m->n_between });
}

static int el_window(struct sheet *s)
{
	struct pol_window w = {
		abits(s, "days", pol_day_name), abits(s, "month-days", NULL),
		abits(s, "months", NULL), aclock(s, "from"), aclock(s, "until"),
	};

	NEED(s, period);
	LAST(s, period)->n_window++;
	return PUSH(s, window, w);
}

static int el_between(struct sheet *s)
{
	struct pol_between b;
	int ret = atime(s, "from", INT64_MIN, &b.from);

	ret = ret ? ret : atime(s, "until", INT64_MAX, &b.until);
	if (ret)
		return ret;
	NEED(s, period);
	LAST(s, period)->n_between++;
	return PUSH(s, between, b);
}

static int el_sod(struct sheet *s)
{
	struct m_sod d = { .at = s->at, .name = aid(s, "name"), .limit = anum(s, "at-most", 1) };
	int ret = anames(s, "roles", &d.role, &d.n_role);

	d.kind = strcmp(s->parent[s->depth], "ssd") ? SOD_DYNAMIC : SOD_STATIC;
	return ret ? ret : PUSH(s, sod, d);
}

static int el_user(struct sheet *s)
{
	struct m_user u = { .at = s->at, .name = aid(s, "name"), .val = s->m->n_val,
			    .enabled = aflag(s, "enabled", 1) };
	int ret = atime(s, "from", INT64_MIN, &u.from);

	ret = ret ? ret : atime(s, "until", INT64_MAX, &u.until);
	return ret ? ret : PUSH(s, user, u);
}

static int el_credential(struct sheet *s)
{
	struct m_cred c = { .at = s->at, .issuer = aid(s, "issuer"), .subject = aid(s, "subject"),
			    .method = aenum(s, "method", pol_method_name, M_NMETHODS, 0) };

	NEED(s, user);
	c.user = s->m->n_user - 1;
	return PUSH(s, cred, c);
}

static int el_roles(struct sheet *s)
{
	uint32_t cloud = aid(s, "cloud");

	if (s->m->cloud != POL_NONE && s->m->cloud != cloud)
		return bad(s, "another sheet of roles names another cloud: use one name");
	s->m->cloud = cloud;
	return 0;
}

static int el_role(struct sheet *s)
{
	return PUSH(s, role, { .at = s->at, .name = aid(s, "name"), .period = aid(s, "period"),
			       .cardinality = anum(s, "cardinality", 0),
			       .max_active = anum(s, "max-active", 0),
			       .max_seconds = anum(s, "max-active-seconds", 0),
			       .junior = s->m->n_name });
}

static int el_inherits(struct sheet *s)
{
	NEED(s, role);
	LAST(s, role)->n_junior++;
	return PUSH(s, name, aid(s, "role"));
}

static int el_assign(struct sheet *s)
{
	return PUSH(s, assign, { s->at, aid(s, "id"), aid(s, "user"), aid(s, "role"),
				 aid(s, "period"), aid(s, "condition") });
}

static struct m_permit permission(struct sheet *s)
{
	return (struct m_permit){ s->at, aid(s, "id"), aid(s, "role"), aid(s, "action"),
				  aid(s, "type"), aid(s, "instance"), aid(s, "period"),
				  aid(s, "condition") };
}

static int el_permit(struct sheet *s)
{
	return PUSH(s, permit, permission(s));
}

static int el_type(struct sheet *s)
{
	struct m_rtype t = { .at = s->at, .name = aid(s, "name"),
			     .layer = aenum(s, "layer", pol_layer_name, L_NLAYERS, 0) };
	int ret = anames(s, "actions", &t.action, &t.n_action);

	return ret ? ret : PUSH(s, rtype, t);
}

static int el_instance(struct sheet *s)
{
	const char *isolation = xml_attr(s->node, "isolation");

	return PUSH(s, inst, { .at = s->at, .name = aid(s, "name"), .type = aid(s, "type"),
			       .isolated = isolation && !strcmp(isolation, "physical"),
			       .val = s->m->n_val });
}

static int el_sla(struct sheet *s)
{
	static const char *const sides[] = { "consumer", "provider" };
	const char *isolation = xml_attr(s->node, "isolation");
	struct m_sla a = {
		.at = s->at, .id = aid(s, "id"), .peer = aid(s, "peer"),
		.side = aenum(s, "side", sides, 2, 0), .revoked = aflag(s, "revoked", 0),
		.chain = aflag(s, "chain", 0), .map = s->m->n_map,
		.visible = s->m->n_visible, .mediate = s->m->n_mediate,
		.isolation = isolation && !strcmp(isolation, "physical"),
	};
	int ret = atime(s, "from", INT64_MIN, &a.from);

	ret = ret ? ret : atime(s, "until", INT64_MAX, &a.until);
	return ret ? ret : PUSH(s, sla, a);
}

static int el_map(struct sheet *s)
{
	NEED(s, sla);
	LAST(s, sla)->n_map++;
	return PUSH(s, map, { aid(s, "local"), aid(s, "remote") });
}

static int el_visible(struct sheet *s)
{
	NEED(s, sla);
	LAST(s, sla)->n_visible++;
	return PUSH(s, visible, { aid(s, "type"), aid(s, "instance") });
}

static int el_mediate(struct sheet *s)
{
	NEED(s, sla);
	LAST(s, sla)->n_mediate++;
	return PUSH(s, mediate, permission(s));
}

static const struct element {
	const char *name;
	int (*begin)(struct sheet *s);
	int (*end)(struct sheet *s);
} elements[] = {
	{ "permit", el_permit, NULL },
	{ "assign", el_assign, NULL },
	{ "user", el_user, NULL },
	{ "role", el_role, NULL },
	{ "inherits", el_inherits, NULL },
	{ "credential", el_credential, NULL },
	{ "instance", el_instance, NULL },
	{ "attribute", el_attribute, NULL },
	{ "type", el_type, NULL },
	{ "roles", el_roles, NULL },
	{ "function", el_function, NULL },
	{ "condition", el_condition, NULL },
	{ "period", el_period, NULL },
	{ "window", el_window, NULL },
	{ "between", el_between, NULL },
	{ "ssd", el_sod, NULL },
	{ "dsd", el_sod, NULL },
	{ "sla", el_sla, NULL },
	{ "map", el_map, NULL },
	{ "visible", el_visible, NULL },
	{ "mediate", el_mediate, NULL },
	{ "all", el_node, end_node },
	{ "any", el_node, end_node },
	{ "not", el_node, end_node },
	{ "equals", el_node, end_node },
	{ "differs", el_node, end_node },
	{ "less", el_node, end_node },
	{ "at-most", el_node, end_node },
	{ "more", el_node, end_node },
	{ "at-least", el_node, end_node },
	{ "in", el_node, end_node },
	{ "contains", el_node, end_node },
	{ "subset", el_node, end_node },
	{ "intersects", el_node, end_node },
	{ "starts-with", el_node, end_node },
	{ "holds", el_node, end_node },
};

static int on_element(void *ctx, const struct xml_event *ev, struct pol_err *e)
{
	struct sheet *s = ctx;
	int ret;
	size_t i;

	(void)e;
	s->node = ev->node;
	s->depth = ev->depth;
	s->at.line = ev->line;
	s->parent[ev->depth] = ev->name;
	for (i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
		if (strcmp(ev->name, elements[i].name))
			continue;
		if (!ev->depth && strcmp(ev->name, "roles"))
			return bad(s, "misplaced element");
		if (ev->end)
			return elements[i].end ? elements[i].end(s) : 0;
		ret = elements[i].begin(s);
		return !ret && s->full ? nomem(s) : ret;
	}
	return 0;
}

int model_load_sheet(struct m_model *m, const char *name, const char *buf, size_t len,
		     struct pol_err *e)
{
	struct sheet s = { .m = m, .name = name, .e = e, .at.sheet = m->n_sheet };

	if (m->n_sheet == MODEL_SHEETS_MAX)
		return pol_fail(e, E2BIG, "%s: a policy base has at most %d sheets: merge some",
				name, MODEL_SHEETS_MAX);
	m->sheet[m->n_sheet] = strdup(name);
	if (!m->sheet[m->n_sheet])
		return pol_fail(e, ENOMEM, "%s: out of memory", name);
	m->n_sheet++;
	return xml_walk(name, buf, len, on_element, &s, e);
}

static int read_file(int dir, const char *name, char **buf, size_t *len, struct pol_err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t got = -1;
	struct stat st;

	*buf = NULL;
	if (fd < 0 || fstat(fd, &st))
		goto fail;
	if (!S_ISREG(st.st_mode) || st.st_size > XML_SHEET_MAX) {
		close(fd);
		return pol_fail(e, E2BIG, "%s: not a regular file of at most %u bytes", name,
				XML_SHEET_MAX);
	}
	*buf = malloc(st.st_size + 1);
	for (*len = 0; *buf && *len < (size_t)st.st_size; *len += got) {
		got = read(fd, *buf + *len, st.st_size - *len);
		if (got <= 0)
			break;
	}
	if (*buf && (got > 0 || !st.st_size)) {
		close(fd);
		return 0;
	}
fail:
	pol_fail(e, errno ? errno : EIO, "%s: cannot be read: %m", name);
	free(*buf);
	*buf = NULL;
	if (fd >= 0)
		close(fd);
	return errno ? -errno : -EIO;
}

static int is_sheet(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && d->d_name[0] != '.' && !strcmp(d->d_name + n - 4, ".xml");
}

static int load_one(struct m_model *m, int dir, const char *name, struct pol_err *e)
{
	size_t len = 0;
	char *buf;
	int ret = read_file(dir, name, &buf, &len, e);

	if (!ret)
		ret = model_load_sheet(m, name, buf, len, e);
	free(buf);
	return ret;
}

int model_load(struct m_model *m, const char *dir, struct pol_err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n, i, ret = 0;
	struct dirent **list;

	if (fd < 0)
		return pol_fail(e, errno, "%s: %m: give a directory of policy sheets", dir);
	n = scandir(dir, &list, is_sheet, alphasort);
	if (n < 0) {
		close(fd);
		return pol_fail(e, errno, "%s: %m", dir);
	}
	if (!n)
		ret = pol_fail(e, ENOENT, "%s: no *.xml in it: a policy base has at least a "
			       "roles sheet", dir);
	for (i = 0; i < n; i++) {
		ret = ret ? ret : load_one(m, fd, list[i]->d_name, e);
		free(list[i]);
	}
	free(list);
	close(fd);
	return ret;
}
