// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "userspace/libvirt/edit.h"
#include "tests.h"

#define LIBRARY	"/opt/underpin-protect.so"
#define SHA	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

#define PLAIN \
	"<domain type='kvm'>\n" \
	"  <name>a &amp; b</name>\n" \
	"  <metadata><app:x xmlns:app='urn:app'>kept</app:x></metadata>\n" \
	"  <os><type>hvm</type></os>\n" \
	"</domain>\n"

#define WITH_OTHERS \
	"<domain type='kvm' xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>\n" \
	"  <name>b</name>\n" \
	"  <q:commandline>\n" \
	"    <q:arg value='-foo'/>\n" \
	"    <q:env name='LD_PRELOAD' value='/a.so:/b.so'/>\n" \
	"    <q:env name='X' value='y'/>\n" \
	"  </q:commandline>\n" \
	"</domain>\n"

static xmlDoc *parsed(const char *xml)
{
	xmlDoc *doc = edit_parse(xml);

	assert_non_null(doc);
	return doc;
}

static void says(xmlDoc *doc, bool preloaded, bool others, const char *expect)
{
	struct edit_state s;

	edit_look(doc, &s);
	assert_int_equal(s.preloaded, preloaded);
	assert_int_equal(s.others, others);
	if (expect)
		assert_string_equal(s.expect, expect);
	else
		assert_null(s.expect);
	edit_forget(&s);
}

static void has(xmlDoc *doc, const char *text, int times)
{
	char *all = edit_text(doc), *at = all;
	int n = 0;

	while ((at = strstr(at, text))) {
		n++;
		at += strlen(text);
	}
	xmlFree(all);
	assert_int_equal(n, times);
}

/* The text after @doc went out and came in again, as libvirt would have it. */
static void same(xmlDoc *doc, const char *xml)
{
	xmlDoc *was = parsed(xml);
	char *a = edit_text(doc), *b = edit_text(was);

	assert_string_equal(a, b);
	xmlFree(a);
	xmlFree(b);
	xmlFreeDoc(was);
}

void test_a_domain_is_enabled(void **state)
{
	xmlDoc *doc = parsed(PLAIN);

	(void)state;
	says(doc, false, false, NULL);
	edit_enable(doc, LIBRARY, SHA);
	says(doc, true, false, SHA);
	has(doc, "name=\"LD_PRELOAD\" value=\"" LIBRARY "\"", 1);
	has(doc, "<app:x xmlns:app=\"urn:app\">kept</app:x>", 1);
	has(doc, "a &amp; b", 1);
	/* Once is enough, and the last word counts. */
	edit_enable(doc, LIBRARY, OTHER);
	says(doc, true, false, OTHER);
	has(doc, "LD_PRELOAD", 1);
	has(doc, "UNDERPIN_EXPECT", 1);
	edit_enable(doc, LIBRARY, NULL);
	says(doc, true, false, NULL);
	xmlFreeDoc(doc);
}

void test_a_domain_is_disabled(void **state)
{
	xmlDoc *doc = parsed(PLAIN);

	(void)state;
	edit_disable(doc);
	same(doc, PLAIN);
	edit_enable(doc, LIBRARY, SHA);
	edit_disable(doc);
	says(doc, false, false, NULL);
	has(doc, "commandline", 0);
	has(doc, "kept", 1);
	xmlFreeDoc(doc);
}

void test_other_libraries_stay(void **state)
{
	xmlDoc *doc = parsed(WITH_OTHERS);

	(void)state;
	says(doc, false, true, NULL);
	edit_enable(doc, LIBRARY, SHA);
	edit_enable(doc, LIBRARY, SHA);
	says(doc, true, true, SHA);
	has(doc, LIBRARY ":/a.so:/b.so\"", 1);
	has(doc, "<q:arg value=\"-foo\"/>", 1);
	edit_disable(doc);
	same(doc, WITH_OTHERS);
	xmlFreeDoc(doc);
}

void test_what_is_no_domain(void **state)
{
	static const char * const bad[] = {
		"", "<domain", "<network/>", "text", "<a><domain/></a>"
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_null(edit_parse(bad[i]));
}
