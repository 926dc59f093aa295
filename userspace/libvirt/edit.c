// SPDX-License-Identifier: GPL-2.0
/*
 * See edit.h.  libvirt hands QEMU an environment by <qemu:commandline><qemu:env/>, an element of
 * a name space of its own; LD_PRELOAD there may name libraries of others', which stay.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libxml/parser.h>
#include "userspace/libvirt/edit.h"

#define QEMU_NS		"http://libvirt.org/schemas/domain/qemu/1.0"
#define PRELOAD		"LD_PRELOAD"
#define EXPECT		"UNDERPIN_EXPECT"
#define NAME		"underpin-protect.so"

#define X(text)		((const xmlChar *)(text))

static bool is_qemu(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && n->ns &&
	       !strcmp((const char *)n->ns->href, QEMU_NS) &&
	       !strcmp((const char *)n->name, name);
}

static xmlNode *commandline(xmlDoc *doc, bool make)
{
	xmlNode *domain = xmlDocGetRootElement(doc), *n;
	xmlNs *ns;

	for (n = domain->children; n; n = n->next)
		if (is_qemu(n, "commandline"))
			return n;
	if (!make)
		return NULL;
	ns = xmlSearchNsByHref(doc, domain, X(QEMU_NS));
	if (!ns)
		ns = xmlNewNs(domain, X(QEMU_NS), X("qemu"));
	return xmlNewChild(domain, ns, X("commandline"), NULL);
}

static bool names(xmlNode *n, const char *variable)
{
	xmlChar *name = xmlGetProp(n, X("name"));
	bool is = name && !strcmp((const char *)name, variable);

	xmlFree(name);
	return is;
}

/* The variable's element, where libvirt takes the last of several. */
static xmlNode *variable(xmlNode *line, const char *name)
{
	xmlNode *n, *found = NULL;

	for (n = line ? line->children : NULL; n; n = n->next)
		if (is_qemu(n, "env") && names(n, name))
			found = n;
	return found;
}

static void drop(xmlNode *n)
{
	if (!n)
		return;
	xmlUnlinkNode(n);
	xmlFreeNode(n);
}

static void set(xmlNode *line, const char *name, const char *value)
{
	xmlNode *n = variable(line, name);

	if (!n) {
		n = xmlNewChild(line, line->ns, X("env"), NULL);
		xmlNewProp(n, X("name"), X(name));
	}
	xmlSetProp(n, X("value"), X(value));
}

/* Names of libraries are separated by colons or spaces (ld.so(8)). */
static bool is_ours(const char *path)
{
	size_t len = strlen(path), ours = strlen(NAME);

	return len >= ours && !strcmp(path + len - ours, NAME) &&
	       (len == ours || path[len - ours - 1] == '/');
}

/* The other libraries of @n, separated by colons; NULL: there are none. */
static char *others(xmlNode *n, bool *ours)
{
	xmlChar *value = n ? xmlGetProp(n, X("value")) : NULL;
	char *word, *save = NULL, *rest = NULL, *more;

	*ours = false;
	for (word = value ? strtok_r((char *)value, ": ", &save) : NULL; word;
	     word = strtok_r(NULL, ": ", &save)) {
		if (is_ours(word)) {
			*ours = true;
			continue;
		}
		if (asprintf(&more, "%s%s%s", rest ? rest : "", rest ? ":" : "", word) < 0)
			abort();
		free(rest);
		rest = more;
	}
	xmlFree(value);
	return rest;
}

xmlDoc *edit_parse(const char *xml)
{
	xmlDoc *doc = xmlReadMemory(xml, (int)strlen(xml), "domain", NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;

	if (root && !strcmp((const char *)root->name, "domain"))
		return doc;
	xmlFreeDoc(doc);
	return NULL;
}

char *edit_text(xmlDoc *doc)
{
	xmlChar *text = NULL;
	int len;

	xmlDocDumpFormatMemoryEnc(doc, &text, &len, "UTF-8", 1);
	return (char *)text;
}

void edit_enable(xmlDoc *doc, const char *library, const char *expect)
{
	xmlNode *line = commandline(doc, true);
	bool ours;
	char *rest = others(variable(line, PRELOAD), &ours), *all;

	if (asprintf(&all, "%s%s%s", library, rest ? ":" : "", rest ? rest : "") < 0)
		abort();
	set(line, PRELOAD, all);
	free(all);
	free(rest);
	if (expect)
		set(line, EXPECT, expect);
	else
		drop(variable(line, EXPECT));
}

static bool is_empty(const xmlNode *n)
{
	const xmlNode *c;

	for (c = n->children; c; c = c->next)
		if (c->type == XML_ELEMENT_NODE)
			return false;
	return true;
}

void edit_disable(xmlDoc *doc)
{
	xmlNode *line = commandline(doc, false);
	xmlNode *preload = variable(line, PRELOAD);
	bool ours;
	char *rest = others(preload, &ours);

	if (ours && rest)
		set(line, PRELOAD, rest);
	else if (ours)
		drop(preload);
	free(rest);
	drop(variable(line, EXPECT));
	if (line && is_empty(line))
		drop(line);
}

void edit_look(xmlDoc *doc, struct edit_state *state)
{
	xmlNode *line = commandline(doc, false), *expect = variable(line, EXPECT);
	char *rest = others(variable(line, PRELOAD), &state->preloaded);

	state->others = rest;
	state->expect = expect ? (char *)xmlGetProp(expect, X("value")) : NULL;
	free(rest);
}

void edit_forget(struct edit_state *state)
{
	xmlFree(state->expect);
}
