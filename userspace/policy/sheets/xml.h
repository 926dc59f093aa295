/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading untrusted XML: no network, no DTD, no entities, bounded size and depth. */
#ifndef POL_XML_H
#define POL_XML_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define XML_SHEET_MAX	(64u << 20)	/* bytes of one sheet */
#define XML_DEPTH_MAX	24		/* elements within elements */

/* The sheet kinds, in the order in which their names are resolved. */
enum xml_kind {
	K_CONSTRAINTS, K_USERS, K_ROLES, K_ASSIGNMENTS, K_PERMISSIONS, K_RESOURCES, K_SLAS,
	K_NKINDS
};

extern const char *const xml_kind_name[K_NKINDS];

struct xml_event {
	const xmlNode *node;
	const char *name;	/* local name of the element */
	uint32_t line;
	int depth;		/* of the root: 0 */
	bool end;		/* the element closes */
};

typedef int (*xml_fn)(void *ctx, const struct xml_event *ev, struct pol_err *e);

/**
 * xml_walk() - validate a sheet against its schema and show its elements
 * @name: how messages call the sheet
 * @buf: its bytes
 * @len: how many
 * @fn: called at each element's begin and end; a non-zero return ends the walk.
 *	It may see an element before the schema's verdict on it: only the walk's
 *	return says that the whole was valid.
 * @ctx: for @fn
 * @e: what is wrong: sheet, line, and the schema's rule
 *
 * Thread-safe. Source: S2.8.
 *
 * Return: 0, -E2BIG past a limit, -EINVAL for bad XML, or @fn's return.
 */
int xml_walk(const char *name, const char *buf, size_t len, xml_fn fn, void *ctx,
	     struct pol_err *e);

/**
 * xml_attr() - the value of an attribute of an element
 *
 * Return: the value, owned by the element, or NULL.
 */
const char *xml_attr(const xmlNode *node, const char *name);

#endif
