// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ops.h"
#include "base/store.h"

#define STORE_MAGIC	"UPPOLI4"
#define LINE		64	/* of a cache: where sections begin, for some records fill one */
#define HUGE_PAGE	(2ul << 20)
#define STORE_MAX	(1u << 31)	/* bytes of one image */

struct store_header {
	char magic[8];
	uint32_t cloud;
	uint32_t n_section;
	struct {
		uint64_t off;
		uint32_t n;
		uint32_t size;
	} section[STORE_NSECTIONS];
};

static const uint32_t record_size[] = {
#define X(name, type) sizeof(type),
	POL_SECTIONS(X)
#undef X
};

static void attach(struct pol_image *p)
{
	const struct store_header *h = p->base;
	const char *base = p->base;

	p->cloud = h->cloud;
	p->refs = 1;
#define X(name, type) \
	p->name = (const type *)(base + h->section[SEC_##name].off); \
	p->n_##name = h->section[SEC_##name].n;
	POL_SECTIONS(X)
#undef X
}

/*
 * A decision reads a few lines all over a large block: huge pages spare it the walk of the
 * page tables for each. Where the kernel has none to give, the advice changes nothing.
 */
static void *new_block(size_t size)
{
	size_t head;
	char *at = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	head = -(uintptr_t)at % HUGE_PAGE;
	if (head)
		munmap(at, head);
	munmap(at + head + size, HUGE_PAGE - head);
	madvise(at + head, size, MADV_HUGEPAGE);
	return at + head;
}

static struct pol_image *new_image(size_t size)
{
	size_t unit = size > HUGE_PAGE / 2 ? HUGE_PAGE : 4096;
	struct pol_image *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->size = size;
	p->room = (size + unit - 1) & ~(unit - 1);
	p->base = new_block(p->room);
	if (!p->base) {
		free(p);
		return NULL;
	}
	return p;
}

static struct pol_image *finish(struct pol_image *p)
{
	SHA256(p->base, p->size, p->digest);
	attach(p);
	if (mprotect(p->base, p->room, PROT_READ)) {
		pol_free(p);
		return NULL;
	}
	return p;
}

struct pol_image *store_build(const struct store_section *s, uint32_t cloud)
{
	struct store_header h = { .magic = STORE_MAGIC, .cloud = cloud,
				  .n_section = STORE_NSECTIONS };
	uint64_t size = sizeof(h);
	struct pol_image *p;
	int i;

	for (i = 0; i < STORE_NSECTIONS; i++) {
		size = (size + LINE - 1) & ~(LINE - 1ull);
		h.section[i].off = size;
		h.section[i].n = s[i].n;
		h.section[i].size = record_size[i];
		size += (uint64_t)s[i].n * record_size[i];
	}
	p = size < STORE_MAX ? new_image(size) : NULL;
	if (!p)
		return NULL;
	memcpy(p->base, &h, sizeof(h));
	for (i = 0; i < STORE_NSECTIONS; i++)
		if (s[i].n)
			memcpy((char *)p->base + h.section[i].off, s[i].data,
			       (size_t)s[i].n * record_size[i]);
	return finish(p);
}

/* Every field that indexes another section; POL_NONE is allowed where @none. */
#define IDX(sec, type, field, target, none) \
	{ SEC_##sec, offsetof(type, field), SEC_##target, none }

static const struct {
	uint8_t section;
	uint8_t offset;
	uint8_t target;
	uint8_t none;
} indices[] = {
	IDX(attr, struct pol_attr, name, str, 0),
	IDX(val, struct pol_val, attr, attr, 0),
	IDX(func, struct pol_func, name, str, 0),
	IDX(cond, struct pol_cond, name, str, 0),
	IDX(cond, struct pol_cond, node, node, 0),
	IDX(zone, struct pol_zone, name, str, 0),
	IDX(period, struct pol_period, name, str, 0),
	IDX(period, struct pol_period, zone, zone, 0),
	IDX(sod, struct pol_sod, name, str, 0),
	IDX(user, struct pol_user, name, str, 0),
	IDX(role, struct pol_role, name, str, 0),
	IDX(role, struct pol_role, period, period, 1),
	IDX(assign, struct pol_assign, id, str, 1),
	IDX(assign, struct pol_assign, user, user, 1),
	IDX(assign, struct pol_assign, role, role, 0),
	IDX(assign, struct pol_assign, period, period, 1),
	IDX(assign, struct pol_assign, cond, cond, 1),
	IDX(assignlist, struct pol_given, assign, assign, 0),
	IDX(assignlist, struct pol_given, role, role, 0),
	IDX(assignlist, struct pol_given, period, period, 1),
	IDX(assignlist, struct pol_given, cond, cond, 1),
	IDX(anyassign, struct pol_given, assign, assign, 0),
	IDX(anyassign, struct pol_given, role, role, 0),
	IDX(anyassign, struct pol_given, period, period, 1),
	IDX(anyassign, struct pol_given, cond, cond, 1),
	IDX(permit, struct pol_permit, id, str, 1),
	IDX(permit, struct pol_permit, role, role, 0),
	IDX(permit, struct pol_permit, action, action, 0),
	IDX(permit, struct pol_permit, period, period, 1),
	IDX(permit, struct pol_permit, cond, cond, 1),
	IDX(permit, struct pol_permit, next, permit, 1),
	IDX(rtype, struct pol_rtype, name, str, 0),
	IDX(inst, struct pol_inst, name, str, 0),
	IDX(inst, struct pol_inst, type, rtype, 0),
	IDX(sla, struct pol_sla, id, str, 0),
	IDX(sla, struct pol_sla, peer, str, 0),
	IDX(map, struct pol_map, local, role, 0),
	IDX(map, struct pol_map, remote, str, 0),
	IDX(mediate, struct pol_permit, id, str, 1),
	IDX(mediate, struct pol_permit, role, role, 1),
	IDX(mediate, struct pol_permit, action, action, 0),
	IDX(mediate, struct pol_permit, period, period, 1),
	IDX(mediate, struct pol_permit, cond, cond, 1),
};

/* Every pair of fields that cuts a slice out of another section. */
#define SLICE(sec, type, first, target) \
	{ SEC_##sec, offsetof(type, first), offsetof(type, n_##first), SEC_##target }

static const struct {
	uint8_t section;
	uint8_t first;
	uint8_t n;
	uint8_t target;
} slices[] = {
	SLICE(zone, struct pol_zone, change, change),
	SLICE(period, struct pol_period, window, window),
	SLICE(period, struct pol_period, between, between),
	SLICE(user, struct pol_user, assign, assignlist),
	SLICE(user, struct pol_user, val, val),
	SLICE(role, struct pol_role, closure, rolelist),
	SLICE(role, struct pol_role, sod, sodlist),
	SLICE(rtype, struct pol_rtype, action, actionlist),
	SLICE(inst, struct pol_inst, val, val),
	SLICE(sla, struct pol_sla, map, map),
	SLICE(sla, struct pol_sla, visible, visible),
	SLICE(sla, struct pol_sla, mediate, mediate),
};

/* Sections that are lists of indices. */
static const struct {
	uint8_t section;
	uint8_t target;
} lists[] = {
	{ SEC_rolelist, SEC_role }, { SEC_actionlist, SEC_action }, { SEC_sodlist, SEC_sod },
	{ SEC_action, SEC_str }, { SEC_sheet, SEC_str },
};

static uint32_t u32_at(const struct store_header *h, int sec, uint32_t i, uint32_t off)
{
	const char *p = (const char *)h + h->section[sec].off;
	uint32_t v;

	memcpy(&v, p + (size_t)i * h->section[sec].size + off, sizeof(v));
	return v;
}

static bool table_ok(const struct store_header *h)
{
	uint32_t i, v, n;
	size_t k;

	for (k = 0; k < sizeof(indices) / sizeof(indices[0]); k++)
		for (i = 0; i < h->section[indices[k].section].n; i++) {
			v = u32_at(h, indices[k].section, i, indices[k].offset);
			if (v >= h->section[indices[k].target].n &&
			    !(indices[k].none && v == POL_NONE))
				return false;
		}
	for (k = 0; k < sizeof(slices) / sizeof(slices[0]); k++)
		for (i = 0; i < h->section[slices[k].section].n; i++) {
			v = u32_at(h, slices[k].section, i, slices[k].first);
			n = u32_at(h, slices[k].section, i, slices[k].n);
			if ((uint64_t)v + n > h->section[slices[k].target].n)
				return false;
		}
	for (k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
		for (i = 0; i < h->section[lists[k].section].n; i++)
			if (u32_at(h, lists[k].section, i, 0) >= h->section[lists[k].target].n)
				return false;
	return true;
}

static bool object_ok(const struct pol_image *p, uint32_t object)
{
	return (object >> 1) < (object & 1 ? p->n_inst : p->n_rtype);
}

static bool val_ok(const struct pol_image *p, uint32_t type, int64_t num, uint32_t n)
{
	uint32_t i;

	if (type == T_STRING)
		return num >= 0 && num < p->n_str;
	if (type != T_SET)
		return true;
	if (num < 0 || (uint64_t)num + n > p->n_value)
		return false;
	for (i = 0; i < n; i++)
		if (p->value[num + i] < 0 || p->value[num + i] >= p->n_str)
			return false;
	return true;
}

static bool right_list_ok(const struct pol_image *p, const struct pol_node *n, uint32_t type)
{
	uint32_t i;

	if ((n->right_kind == RIGHT_LIST) != (type == T_SET) ||
	    (n->right_kind == RIGHT_LITERAL && n->n_right != 1) ||
	    (uint64_t)n->right + n->n_right > p->n_value)
		return false;
	for (i = 0; (type == T_STRING || type == T_SET) && i < n->n_right; i++)
		if (p->value[n->right + i] < 0 || p->value[n->right + i] >= p->n_str)
			return false;
	return true;
}

static bool right_ok(const struct pol_image *p, const struct pol_node *n)
{
	uint32_t type = pol_op_right(n->op, n->type);

	if ((n->op == OP_HOLDS) != (n->right_kind == RIGHT_NONE))
		return false;
	switch (n->right_kind) {
	case RIGHT_NONE:
		return !n->right && !n->n_right;
	case RIGHT_ATTR:
		return !n->n_right && n->right < p->n_attr && p->attr[n->right].type == type;
	case RIGHT_LITERAL:
	case RIGHT_LIST:
		return right_list_ok(p, n, type);
	default:
		return false;
	}
}

/* A function may call only those before it: no recursion. */
static bool left_ok(const struct pol_image *p, const struct pol_node *n, uint32_t i)
{
	const struct pol_func *f;

	if (n->left_kind == LEFT_ATTR)
		return n->left < p->n_attr && p->attr[n->left].type == n->type;
	if (n->left_kind != LEFT_FUNC || n->left >= p->n_func)
		return false;
	f = &p->func[n->left];
	return f->type == n->type && (f->apply != F_EXPR || p->node[f->node].end <= i);
}

/* It has children, not sides: what is left of a side would be taken for an index. */
static bool composite_ok(const struct pol_image *p, uint32_t i)
{
	const struct pol_node *n = &p->node[i];

	if (n->type || n->left_kind != LEFT_NONE || n->right_kind != RIGHT_NONE || n->left ||
	    n->right || n->n_right)
		return false;
	return n->end > i + 1 && (n->op != OP_NOT || p->node[i + 1].end == n->end);
}

static bool node_ok(const struct pol_image *p, uint32_t i)
{
	const struct pol_node *n = &p->node[i];

	if (n->op >= OP_NOPS || n->type >= T_NTYPES || n->end <= i || n->end > p->n_node)
		return false;
	if (n->op <= OP_NOT)
		return composite_ok(p, i);
	return n->end == i + 1 && pol_op_takes(n->op, n->type) && left_ok(p, n, i) &&
	       right_ok(p, n);
}

static bool func_ok(const struct pol_image *p, const struct pol_func *f)
{
	if (f->apply >= F_NAPPLY || f->type != (f->apply == F_EXPR ? T_BOOLEAN : T_INTEGER))
		return false;
	if (f->apply == F_EXPR)
		return f->node < p->n_node && f->attr == POL_NONE && f->zone == POL_NONE;
	return f->node == POL_NONE && f->attr < p->n_attr &&
	       (f->zone == POL_NONE || f->zone < p->n_zone) &&
	       pol_apply_takes(f->apply, p->attr[f->attr].type, f->zone != POL_NONE);
}

/* Steps over the tree of @root, which is the next one; its cost is within the bound. */
static bool tree_ok(const struct pol_image *p, uint32_t root, uint32_t *at, uint32_t *cost)
{
	const struct pol_node *n;
	uint32_t end;

	if (root != *at || root >= p->n_node)
		return false;
	*cost = 0;
	for (end = p->node[root].end; *at < end; ++*at) {
		n = &p->node[*at];
		*cost += n->left_kind == LEFT_FUNC ? p->func[n->left].cost + 1 : 1;
		if (*cost > EXPR_COST_MAX)
			return false;
	}
	return true;
}

/* The nodes are the functions' trees and then the conditions', in order, with no others. */
static bool trees_ok(const struct pol_image *p)
{
	uint32_t i, at = 0, cost;

	for (i = 0; i < p->n_func; i++) {
		cost = 0;
		if (p->func[i].apply == F_EXPR && !tree_ok(p, p->func[i].node, &at, &cost))
			return false;
		if (cost != p->func[i].cost)
			return false;
	}
	for (i = 0; i < p->n_cond; i++)
		if (!tree_ok(p, p->cond[i].node, &at, &cost))
			return false;
	return at == p->n_node;
}

/* Children must nest within their parents, and no deeper than the evaluator goes. */
static bool nesting_ok(const struct pol_image *p)
{
	uint32_t stack[XML_DEPTH_LIMIT], depth = 0, i;

	for (i = 0; i < p->n_node; i++) {
		while (depth && stack[depth - 1] == i)
			depth--;
		if (depth && p->node[i].end > stack[depth - 1])
			return false;
		if (p->node[i].op > OP_NOT)
			continue;
		if (depth == XML_DEPTH_LIMIT)
			return false;
		stack[depth++] = p->node[i].end;
	}
	return true;
}

static bool names_ok(const struct pol_image *p)
{
	const uint32_t limit[] = {
		[P_USER] = p->n_user, [P_ROLE] = p->n_role, [P_ACTION] = p->n_action,
		[P_RTYPE] = p->n_rtype, [P_INST] = p->n_inst, [P_ATTR] = p->n_attr,
		[P_FUNC] = p->n_func, [P_COND] = p->n_cond, [P_PERIOD] = p->n_period,
		[P_SLA] = p->n_sla, [P_ZONE] = p->n_zone,
	};
	const struct pol_name *n;
	uint32_t empty = 0;

	for (n = p->name; n < p->name + p->n_name; n++) {
		empty += !n->kind;
		if (n->kind && (n->kind > P_ZONE || n->idx >= limit[n->kind] ||
				(uint64_t)n->off + n->len >= p->n_bytes))
			return false;
	}
	return empty;
}

static bool slots_ok(const struct pol_image *p)
{
	uint32_t i, kind, empty = 0;

	for (i = 0; i < p->n_slot; i++) {
		kind = p->slot[i].key >> 60;
		empty += !kind;
		if (kind ? kind != P_CRED && kind != P_PERM : p->slot[i].key != 0)
			return false;
		if (kind && p->slot[i].idx >= (kind == P_CRED ? p->n_user : p->n_permit))
			return false;
	}
	return empty;
}

/* A search of a hash table ends at an empty place: each has one. */
static bool tables_ok(const struct pol_image *p)
{
	uint32_t i, empty = 0;

	if ((p->n_name & (p->n_name - 1)) || (p->n_slot & (p->n_slot - 1)) ||
	    (p->n_strslot & (p->n_strslot - 1)) || !names_ok(p) || !slots_ok(p))
		return false;
	for (i = 0; i < p->n_strslot; i++) {
		empty += p->strslot[i] == POL_NONE;
		if (p->strslot[i] != POL_NONE && p->strslot[i] >= p->n_str)
			return false;
	}
	return empty;
}

static bool strings_ok(const struct pol_image *p)
{
	uint32_t i;

	for (i = 0; i < p->n_str; i++)
		if (p->str[i].len > POL_STR_MAX ||
		    (uint64_t)p->str[i].off + p->str[i].len >= p->n_bytes ||
		    p->bytes[p->str[i].off + p->str[i].len] ||
		    memchr(p->bytes + p->str[i].off, 0, p->str[i].len))
			return false;
	return p->cloud < p->n_str;
}

static bool zones_ok(const struct pol_image *p)
{
	uint32_t i;

	for (i = 0; i < p->n_zone; i++)
		if (!p->zone[i].n_change ||
		    p->change[p->zone[i].change].at != INT64_MIN)
			return false;
	for (i = 0; i < p->n_change; i++)
		if (p->change[i].offset > 93600 || p->change[i].offset < -93600)
			return false;
	return true;
}

/* A user's only assignment lies with him, too: the same one, or none. */
static bool users_ok(const struct pol_image *p)
{
	static const struct pol_given none;
	const struct pol_user *u;
	uint32_t i;

	for (i = 0; i < p->n_user; i++) {
		u = &p->user[i];
		if (memcmp(&u->only, u->n_assign == 1 ? &p->assignlist[u->assign] : &none,
			   sizeof(none)))
			return false;
	}
	return true;
}

static bool records_ok(const struct pol_image *p)
{
	uint32_t i;

	if (!p->n_attr || p->attr[0].type != T_TIME || p->attr[0].category != C_ENV)
		return false;
	for (i = 0; i < p->n_attr; i++)
		if (p->attr[i].type >= T_NTYPES || p->attr[i].category >= C_NCATEGORIES)
			return false;
	for (i = 0; i < p->n_val; i++)
		if (!val_ok(p, p->attr[p->val[i].attr].type, p->val[i].num, p->val[i].n))
			return false;
	for (i = 0; i < p->n_func; i++)
		if (!func_ok(p, &p->func[i]))
			return false;
	for (i = 0; i < p->n_node; i++)
		if (!node_ok(p, i))
			return false;
	for (i = 0; i < p->n_permit; i++)
		if (!object_ok(p, p->permit[i].object) || p->permit[i].next <= i)
			return false;
	for (i = 0; i < p->n_mediate; i++)
		if (!object_ok(p, p->mediate[i].object))
			return false;
	for (i = 0; i < p->n_visible; i++)
		if (!object_ok(p, p->visible[i]))
			return false;
	for (i = 0; i < p->n_rtype; i++)
		if (p->rtype[i].layer >= L_NLAYERS)
			return false;
	return true;
}

static bool header_ok(const struct store_header *h, size_t len)
{
	int i;

	if (len < sizeof(*h) || memcmp(h->magic, STORE_MAGIC, 8) ||
	    h->n_section != STORE_NSECTIONS)
		return false;
	for (i = 0; i < STORE_NSECTIONS; i++)
		if (h->section[i].size != record_size[i] || h->section[i].off % LINE ||
		    h->section[i].off > len ||
		    (uint64_t)h->section[i].n * record_size[i] > len - h->section[i].off)
			return false;
	return true;
}

struct pol_image *pol_image_parse(const void *buf, size_t len, struct pol_err *e)
{
	struct pol_image *p = len && len < STORE_MAX ? new_image(len) : NULL;

	if (!p) {
		pol_fail(e, EINVAL, "compiled policy: %zu bytes cannot be one", len);
		return NULL;
	}
	memcpy(p->base, buf, len);
	if (!header_ok(p->base, len)) {
		pol_fail(e, EINVAL, "no compiled policy of this version: compile the sheets anew");
		goto fail;
	}
	p = finish(p);
	if (!p) {
		pol_fail(e, ENOMEM, "out of memory");
		return NULL;
	}
	if (strings_ok(p) && table_ok(p->base) && tables_ok(p) && zones_ok(p) && users_ok(p) &&
	    records_ok(p) && nesting_ok(p) && trees_ok(p))
		return p;
	pol_fail(e, EINVAL, "compiled policy is damaged: compile the sheets anew");
fail:
	pol_free(p);
	return NULL;
}

int pol_image_write(const struct pol_image *p, const char *path, struct pol_err *e)
{
	char tmp[4096];
	size_t done = 0;
	ssize_t n = 0;
	int fd;

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.new", path) >= sizeof(tmp))
		return pol_fail(e, ENAMETOOLONG, "%s: name too long", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return pol_fail(e, errno, "%s: %m", tmp);
	while (done < p->size && (n = write(fd, (char *)p->base + done, p->size - done)) > 0)
		done += n;
	if (done < p->size || fsync(fd) || close(fd) || rename(tmp, path)) {
		unlink(tmp);
		return pol_fail(e, errno ? errno : EIO, "%s: cannot be written: %m", path);
	}
	return 0;
}
