// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xmlreader.h>
#include <libxml/xmlschemas.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sheets/xml.h"

#define XSD(n)	extern const char pol_xsd_##n[], pol_xsd_##n##_end[];
XSD(common) XSD(constraints) XSD(users) XSD(roles) XSD(assignments) XSD(permissions)
XSD(resources) XSD(slas)

const char *const xml_kind_name[K_NKINDS] = {
	"constraints", "users", "roles", "assignments", "permissions", "resources", "slas",
};

static const struct {
	const char *begin, *end;
} xsd[K_NKINDS] = {
	{ pol_xsd_constraints, pol_xsd_constraints_end },
	{ pol_xsd_users, pol_xsd_users_end },
	{ pol_xsd_roles, pol_xsd_roles_end },
	{ pol_xsd_assignments, pol_xsd_assignments_end },
	{ pol_xsd_permissions, pol_xsd_permissions_end },
	{ pol_xsd_resources, pol_xsd_resources_end },
	{ pol_xsd_slas, pol_xsd_slas_end },
};

static xmlSchemaPtr schema[K_NKINDS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Nothing outside a document is ever loaded, whatever it asks for. */
static xmlParserInputPtr load_nothing(const char *url, const char *id, xmlParserCtxtPtr ctxt)
{
	(void)url;
	(void)id;
	(void)ctxt;
	return NULL;
}

static void quiet(void *ctx, const char *fmt, ...)
{
	(void)ctx;
	(void)fmt;
}

/* A sheet's schema with the common one's content in the place of its include. */
static char *splice(int kind)
{
	static const char include[] = "<xs:include schemaLocation=\"common.xsd\"/>";
	const char *at = memmem(xsd[kind].begin, xsd[kind].end - xsd[kind].begin, include,
				sizeof(include) - 1);
	const char *from = memmem(pol_xsd_common, pol_xsd_common_end - pol_xsd_common,
				  "<xs:simpleType", 14);
	const char *to = memmem(pol_xsd_common, pol_xsd_common_end - pol_xsd_common,
				"</xs:schema>", 12);
	char *text = NULL;

	if (!at || !from || !to ||
	    asprintf(&text, "%.*s%.*s%.*s", (int)(at - xsd[kind].begin), xsd[kind].begin,
		     (int)(to - from), from,
		     (int)(xsd[kind].end - (at + sizeof(include) - 1)),
		     at + sizeof(include) - 1) < 0)
		return NULL;
	return text;
}

static void load_schemas(void)
{
	xmlSchemaParserCtxtPtr p;
	char *text;
	int i;

	xmlInitParser();
	xmlSetExternalEntityLoader(load_nothing);
	for (i = 0; i < K_NKINDS; i++) {
		text = splice(i);
		p = text ? xmlSchemaNewMemParserCtxt(text, strlen(text)) : NULL;
		schema[i] = p ? xmlSchemaParse(p) : NULL;
		xmlSchemaFreeParserCtxt(p);
		free(text);
	}
}

struct walk {
	const char *name;
	struct pol_err *e;
	xmlTextReaderPtr reader;
	int failed;
};

/* The names that the XML Schema recommendation gives the rules met most. */
static const struct {
	int code;
	const char *rule;
} rules[] = {
	{ XML_SCHEMAV_CVC_ENUMERATION_VALID, "cvc-enumeration-valid" },
	{ XML_SCHEMAV_CVC_PATTERN_VALID, "cvc-pattern-valid" },
	{ XML_SCHEMAV_CVC_MAXLENGTH_VALID, "cvc-maxLength-valid" },
	{ XML_SCHEMAV_CVC_MINLENGTH_VALID, "cvc-minLength-valid" },
	{ XML_SCHEMAV_CVC_MAXINCLUSIVE_VALID, "cvc-maxInclusive-valid" },
	{ XML_SCHEMAV_CVC_MININCLUSIVE_VALID, "cvc-minInclusive-valid" },
	{ XML_SCHEMAV_CVC_DATATYPE_VALID_1_2_1, "cvc-datatype-valid.1.2.1" },
	{ XML_SCHEMAV_CVC_COMPLEX_TYPE_3_2_1, "cvc-complex-type.3.2.1" },
	{ XML_SCHEMAV_CVC_COMPLEX_TYPE_4, "cvc-complex-type.4" },
	{ XML_SCHEMAV_CVC_COMPLEX_TYPE_2_1, "cvc-complex-type.2.1" },
	{ XML_SCHEMAV_CVC_COMPLEX_TYPE_2_3, "cvc-complex-type.2.3" },
	{ XML_SCHEMAV_ELEMENT_CONTENT, "cvc-complex-type.2.4" },
	{ XML_SCHEMAV_CVC_ELT_1, "cvc-elt.1" },
};

static const char *rule_name(int code)
{
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].code == code)
			return rules[i].rule;
	return "schema";
}

/* Libxml2 repeats the namespace in each message; drop it, and the newline. */
static void tidy(char *dst, size_t size, const char *src)
{
	static const char ns[] = "{urn:underpin:policy:1}";
	size_t n = 0;

	while (*src && n + 1 < size) {
		if (!strncmp(src, ns, sizeof(ns) - 1)) {
			src += sizeof(ns) - 1;
			continue;
		}
		dst[n++] = *src == '\n' ? ' ' : *src;
		src++;
	}
	while (n && dst[n - 1] == ' ')
		n--;
	dst[n] = 0;
}

static void on_error(void *ctx, xmlErrorPtr err)
{
	struct walk *w = ctx;
	char text[400];
	int line = err->line;

	if (w->failed || err->level < XML_ERR_ERROR)
		return;
	w->failed = -EINVAL;
	if (line <= 0 || line >= 65535)
		line = w->reader ? xmlTextReaderGetParserLineNumber(w->reader) : 0;
	tidy(text, sizeof(text), err->message ? err->message : "not well-formed");
	pol_fail(w->e, EINVAL, "%s:%d: %s [%s]", w->name, line, text,
		 err->domain == XML_FROM_SCHEMASV ? rule_name(err->code) : "well-formed");
}

/*
 * The document is read as UTF-8 whatever it says of itself, so that a search
 * of its bytes finds every document type declaration: there is none to expand,
 * to load from elsewhere, or to define entities.
 */
static int precheck(const char *name, const char *buf, size_t len, struct pol_err *e)
{
	if (len > XML_SHEET_MAX)
		return pol_fail(e, E2BIG, "%s: %zu bytes; a sheet has at most %u: split it",
				name, len, XML_SHEET_MAX);
	if (!len)
		return pol_fail(e, EINVAL, "%s: empty; a sheet has one root element", name);
	if (memchr(buf, 0, len))
		return pol_fail(e, EINVAL, "%s: contains a zero byte; write the sheet in UTF-8",
				name);
	if (memmem(buf, len, "<!DOCTYPE", 9))
		return pol_fail(e, EINVAL, "%s: a document type declaration is not allowed: "
				"remove <!DOCTYPE and write entities out", name);
	return 0;
}

static xmlTextReaderPtr open_reader(const char *name, const char *buf, size_t len)
{
	return xmlReaderForMemory(buf, len, name, "UTF-8",
				  XML_PARSE_NONET | XML_PARSE_COMPACT);
}

static int root_kind(const char *name, const char *buf, size_t len, struct pol_err *e)
{
	xmlTextReaderPtr r = open_reader(name, buf, len);
	struct walk w = { name, e, NULL, 0 };
	const char *root = NULL;
	int kind = -1, i;

	if (!r)
		return pol_fail(e, ENOMEM, "%s: out of memory", name);
	xmlSetStructuredErrorFunc(&w, (xmlStructuredErrorFunc)on_error);
	while (!root && !w.failed && xmlTextReaderRead(r) == 1)
		if (xmlTextReaderNodeType(r) == XML_READER_TYPE_ELEMENT)
			root = (const char *)xmlTextReaderConstLocalName(r);
	for (i = 0; root && i < K_NKINDS; i++)
		if (!strcmp(root, xml_kind_name[i]))
			kind = i;
	if (!w.failed && kind < 0)
		pol_fail(e, EINVAL, "%s: root element '%s' is no sheet: use constraints, users, "
			 "roles, assignments, permissions, resources or slas", name,
			 root ? root : "");
	xmlSetStructuredErrorFunc(NULL, NULL);
	xmlFreeTextReader(r);
	return kind < 0 ? -EINVAL : kind;
}

/* An element's own line; libxml2 keeps 16 bits of it, beyond that the reader's is near. */
static uint32_t line_of(struct walk *w)
{
	long line = xmlGetLineNo(xmlTextReaderCurrentNode(w->reader));

	return line > 0 && line < 65535 ? line : xmlTextReaderGetParserLineNumber(w->reader);
}

static int show(struct walk *w, xml_fn fn, void *ctx, bool end)
{
	struct xml_event ev = {
		.node = xmlTextReaderCurrentNode(w->reader),
		.name = (const char *)xmlTextReaderConstLocalName(w->reader),
		.line = line_of(w),
		.depth = xmlTextReaderDepth(w->reader),
		.end = end,
	};

	if (ev.depth >= XML_DEPTH_MAX)
		return pol_fail(w->e, E2BIG, "%s:%u: more than %d elements within elements: "
				"flatten the expression", w->name, ev.line, XML_DEPTH_MAX);
	return fn(ctx, &ev, w->e);
}

static int step(struct walk *w, xml_fn fn, void *ctx)
{
	int ret;

	switch (xmlTextReaderNodeType(w->reader)) {
	case XML_READER_TYPE_ELEMENT:
		ret = show(w, fn, ctx, false);
		if (!ret && xmlTextReaderIsEmptyElement(w->reader))
			ret = show(w, fn, ctx, true);
		return ret;
	case XML_READER_TYPE_END_ELEMENT:
		return show(w, fn, ctx, true);
	case XML_READER_TYPE_ENTITY_REFERENCE:
	case XML_READER_TYPE_DOCUMENT_TYPE:
		return pol_fail(w->e, EINVAL, "%s: entities are not allowed: write the text out",
				w->name);
	default:
		return 0;
	}
}

/*
 * Errors come by libxml2's handler of this thread: with a handler of the
 * reader's, a parse error during validation is given the validator's data
 * for the parser's, and crashes.
 */
static int walk_all(struct walk *w, xmlSchemaValidCtxtPtr v, xml_fn fn, void *ctx)
{
	int ret = 0, more;

	xmlSchemaSetValidStructuredErrors(v, (xmlStructuredErrorFunc)on_error, w);
	if (xmlTextReaderSchemaValidateCtxt(w->reader, v, 0))
		return pol_fail(w->e, ENOMEM, "%s: out of memory", w->name);
	while ((more = xmlTextReaderRead(w->reader)) == 1) {
		if (w->failed)
			return w->failed;
		ret = step(w, fn, ctx);
		if (ret)
			return ret;
	}
	if (w->failed)
		return w->failed;
	if (more < 0 || xmlTextReaderIsValid(w->reader) != 1)
		return pol_fail(w->e, EINVAL, "%s: not a valid sheet", w->name);
	return 0;
}

int xml_walk(const char *name, const char *buf, size_t len, xml_fn fn, void *ctx,
	     struct pol_err *e)
{
	struct walk w = { name, e, NULL, 0 };
	xmlSchemaValidCtxtPtr v;
	int kind, ret;

	ret = precheck(name, buf, len, e);
	if (ret)
		return ret;
	pthread_once(&once, load_schemas);
	xmlSetGenericErrorFunc(NULL, quiet);
	kind = root_kind(name, buf, len, e);
	if (kind < 0)
		return kind;
	v = schema[kind] ? xmlSchemaNewValidCtxt(schema[kind]) : NULL;
	w.reader = open_reader(name, buf, len);
	xmlSetStructuredErrorFunc(&w, (xmlStructuredErrorFunc)on_error);
	if (v && w.reader)
		ret = walk_all(&w, v, fn, ctx);
	else
		ret = pol_fail(e, ENOMEM, "%s: cannot set up the schema of '%s'", name,
			       xml_kind_name[kind]);
	xmlFreeTextReader(w.reader);
	xmlSchemaFreeValidCtxt(v);
	xmlSetStructuredErrorFunc(NULL, NULL);
	return ret;
}

const char *xml_attr(const xmlNode *node, const char *name)
{
	const xmlAttr *a;

	for (a = node->properties; a; a = a->next)
		if (!a->ns && !strcmp((const char *)a->name, name))
			return a->children ? (const char *)a->children->content : "";
	return NULL;
}
