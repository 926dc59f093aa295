/* SPDX-License-Identifier: GPL-2.0 */
/* A domain's XML, and what of it makes its VM a protected one. */
#ifndef USERSPACE_LIBVIRT_EDIT_H
#define USERSPACE_LIBVIRT_EDIT_H

#include <stdbool.h>
#include <libxml/tree.h>

#define EDIT_LIBRARY	"/usr/lib/x86_64-linux-gnu/underpin/underpin-protect.so"

/* What a domain says of its protection; texts are the document's, or NULL. */
struct edit_state {
	bool preloaded;		/* the library */
	bool others;		/* other libraries are preloaded, too */
	char *expect;
};

/** edit_parse() - a domain's document.  Return: to be freed by xmlFreeDoc(), or NULL */
xmlDoc *edit_parse(const char *xml);

/** edit_text() - the document as text, to be freed by xmlFree() */
char *edit_text(xmlDoc *doc);

/**
 * edit_enable() - preload the library; the VM must measure @expect, if that is not NULL
 * @library: where it is
 *
 * What was there for another measurement is taken out; all else stays as it is.
 */
void edit_enable(xmlDoc *doc, const char *library, const char *expect);

/** edit_disable() - take out all that edit_enable() puts in */
void edit_disable(xmlDoc *doc);

/** edit_look() - how it stands; free with edit_forget() */
void edit_look(xmlDoc *doc, struct edit_state *state);
void edit_forget(struct edit_state *state);

#endif /* USERSPACE_LIBVIRT_EDIT_H */
