// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of the policy library: what random policies and scenarios do not reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "compile/compile.h"
#include "conf.h"
#include "engine/admin.h"
#include "engine/sla.h"
#include "net/json_out.h"
#include "net/message.h"
#include "provider/provider.h"
#include "tool/cmd.h"
#include "trust/audit.h"
#include "trust/key.h"
#include "vrm/jwt.h"
#include "../../vmx/abi/ticket.h"

#define NS	"xmlns=\"urn:underpin:policy:1\""

/* Compiles sheets given as texts. NULL with @e set if one is refused. */
static struct pol_image *compile(struct pol_err *e, ...)
{
	struct pol_image *p = NULL;
	struct m_model m;
	const char *text;
	char name[16];
	int n = 0, ret = 0;
	va_list ap;

	e->msg[0] = 0;
	assert_int_equal(model_init(&m), 0);
	va_start(ap, e);
	while (!ret && (text = va_arg(ap, const char *))) {
		snprintf(name, sizeof(name), "%d.xml", n++);
		ret = model_load_sheet(&m, name, text, strlen(text), e);
	}
	va_end(ap);
	if (!ret)
		p = pol_compile(&m, e);
	model_free(&m);
	return p;
}

#define TEN	"0123456789"
#define ROLES(body)	"<roles " NS " cloud=\"c\">" body "</roles>"
#define TYPES		"<resources " NS "><type name=\"t\" layer=\"platform\" actions=\"a b\"/>" \
			"<instance name=\"i\" type=\"t\"/></resources>"

static void test_bad_sheets(void **state)
{
	static const struct {
		const char *sheet, *message;
	} cases[] = {
		{ "", "empty" },
		{ "<roles", "well-formed" },
		{ "<nothing/>", "is no sheet" },
		{ "<roles/>", "[cvc-elt.1]" },
		{ "<!DOCTYPE x [<!ENTITY a \"b\">]><roles " NS " cloud=\"c\"/>", "not allowed" },
		{ "<roles " NS "/>", "cloud' is required" },
		{ ROLES("<role/>"), "[cvc-complex-type.4]" },
		{ ROLES("<role name=\"a\"/>\n<role name=\"a\"/>"),
		  "0.xml:2: role 'a' is defined twice" },
		{ ROLES("<role name=\"a\"><inherits role=\"b\"/></role>"), "not defined" },
		{ ROLES("<role name=\"a\"><inherits role=\"a\"/></role>"), "inherits itself" },
		{ ROLES("<role name=\"a\"><inherits role=\"b\"/></role><role name=\"b\">"
			"<inherits role=\"a\"/></role>"), "break the cycle" },
		{ ROLES("<role name=\"a\" period=\"p\"/>"), "period 'p' is not defined" },
		{ ROLES("<role name=\"a\"/><role name=\"Pr\303\274fer\"/>"),
		  "role 'Pr\303\274fer': a ticket carries a name" },
		{ ROLES("<role name=\"" TEN TEN TEN TEN TEN TEN "1234\"/>"), "a ticket carries" },
		{ "<slas " NS "><sla id=\"" TEN TEN TEN TEN TEN TEN "1234\" side=\"consumer\" peer=\"p\" "
		  "from=\"2025-01-01T00:00:00Z\" until=\"2026-01-01T00:00:00Z\"/></slas>",
		  "a ticket carries" },
		{ ROLES("<role name=\"a\" cardinality=\"0\"/>"), "[cvc-minInclusive-valid]" },
		{ "<users " NS "><user name=\"u\" until=\"tomorrow\"/></users>",
		  "[cvc-pattern-valid]" },
		{ "<users " NS "><user name=\"u\" until=\"2026-02-30T00:00:00Z\"/></users>",
		  "is no instant" },
		{ "<users " NS "><user name=\"u\"><attribute name=\"user.x\" value=\"1\"/></user></users>",
		  "attribute 'user.x' is not defined" },
		{ "<users " NS "><user name=\"u\"><credential method=\"x509\" subject=\"s\"/></user></users>",
		  "an issuer is needed" },
		{ "<assignments " NS "><assign role=\"r\"/></assignments>",
		  "role 'r' is not defined" },
		{ "<constraints " NS "><attribute name=\"nowhere.x\" type=\"set\"/></constraints>",
		  "[cvc-pattern-valid]" },
		{ "<constraints " NS "><period name=\"p\" zone=\"Mars/Base\"><window from=\"00:00\" "
		  "until=\"01:00\"/></period></constraints>", "unknown here" },
		{ "<constraints " NS "><period name=\"p\" zone=\"../etc/passwd\"><window from=\"00:00\" "
		  "until=\"01:00\"/></period></constraints>", "is no time zone" },
		{ "<constraints " NS "><condition name=\"c\"><less attribute=\"env.layer\" value=\"x\"/>"
		  "</condition></constraints>", "less does not take type string" },
		{ "<constraints " NS "><condition name=\"c\"><holds function=\"f\"/></condition></constraints>",
		  "function 'f' is not defined" },
		{ "<constraints " NS "><function name=\"f\"><holds function=\"f\"/></function></constraints>",
		  "not defined" },
		{ "<constraints " NS "><ssd name=\"s\" roles=\"a\"/></constraints>",
		  "forbids nothing" },
		{ "<permissions " NS "><permit role=\"r\" action=\"a\"/></permissions>",
		  "not defined" },
		{ "<slas " NS "><sla id=\"s\" side=\"provider\" peer=\"p\" from=\"2027-01-01T00:00:00Z\" "
		  "until=\"2026-01-01T00:00:00Z\"/></slas>", "ends before it begins" },
		{ "<slas " NS "><sla id=\"s\" side=\"provider\" peer=\"c\" from=\"2025-01-01T00:00:00Z\" "
		  "until=\"2026-01-01T00:00:00Z\"/></slas>", "with this cloud itself" },
		{ "<slas " NS "><sla id=\"s\" side=\"consumer\" peer=\"p\" isolation=\"physical\" "
		  "from=\"2025-01-01T00:00:00Z\" until=\"2026-01-01T00:00:00Z\"/></slas>",
		  "isolation is for the provider's side" },
	};
	struct pol_image *p;
	struct pol_err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strncmp(cases[i].sheet, "<roles " NS " cloud", 40))
			p = compile(&e, cases[i].sheet, ROLES(""), NULL);
		else
			p = compile(&e, cases[i].sheet, NULL);
		if (p || !strstr(e.msg, cases[i].message))
			fail_msg("%s\nsays '%s', not '%s'", cases[i].sheet, e.msg,
				 cases[i].message);
	}
}

static void test_static_constraints(void **state)
{
	static const char users[] = "<users " NS "><user name=\"u\"/><user name=\"v\"/></users>";
	static const char roles[] = ROLES("<role name=\"a\"/><role name=\"b\"/>"
					  "<role name=\"top\"><inherits role=\"b\"/></role>"
					  "<role name=\"one\" cardinality=\"1\"/>");
	static const char ssd[] = "<constraints " NS ">"
				  "<ssd name=\"s\" roles=\"a b\"/></constraints>";
	struct pol_image *p;
	struct pol_err e;

	(void)state;
	p = compile(&e, users, roles, ssd, "<assignments " NS "><assign user=\"u\" role=\"a\"/>"
		    "<assign user=\"u\" role=\"top\"/></assignments>", NULL);
	assert_null(p);
	assert_non_null(strstr(e.msg, "would hold 2 roles of separation of duty 's'"));
	p = compile(&e, users, roles, ssd, "<assignments " NS "><assign user=\"u\" role=\"one\"/>"
		    "<assign user=\"v\" role=\"one\"/></assignments>", NULL);
	assert_null(p);
	assert_non_null(strstr(e.msg, "more users than its cardinality 1"));
	/* Those whom a condition or another cloud brings cannot be counted. */
	p = compile(&e, users, roles, ssd, "<constraints " NS "><attribute name=\"claim.x\" "
		    "type=\"boolean\"/><condition name=\"c\"><holds attribute=\"claim.x\"/></condition>"
		    "</constraints>", "<assignments " NS "><assign user=\"u\" role=\"one\" condition=\"c\"/>"
		    "\n<assign id=\"all\" role=\"one\" condition=\"c\"/></assignments>", NULL);
	assert_null(p);
	assert_string_equal(e.msg, "4.xml:2: assignment all gives role 'one', of which there are at "
			    "most 1 users, to users who are not named: name one, or remove the "
			    "cardinality");
	p = compile(&e, roles, "<slas " NS "><sla id=\"s\" side=\"provider\" peer=\"p\" "
		    "from=\"2025-01-01T00:00:00Z\" until=\"2026-01-01T00:00:00Z\">"
		    "<map local=\"one\" remote=\"x\"/></sla></slas>", NULL);
	assert_null(p);
	assert_non_null(strstr(e.msg, "SLA 's' gives role 'one'"));
	p = compile(&e, users, roles, ssd, "<assignments " NS "><assign user=\"u\" role=\"a\"/>"
		    "<assign user=\"v\" role=\"b\"/><assign user=\"u\" role=\"one\"/></assignments>",
		    NULL);
	assert_non_null(p);
	pol_free(p);
}

/* A mediation rule that the ACM would not permit to any mapped role is refused. */
static void test_mediation_subset(void **state)
{
	static const char roles[] = ROLES("<role name=\"g\"/>");
	static const char fmt[] = "<slas " NS "><sla id=\"s\" side=\"provider\" peer=\"p\" "
		"from=\"2025-01-01T00:00:00Z\" until=\"2026-01-01T00:00:00Z\"><map local=\"g\" "
		"remote=\"x\"/><visible type=\"t\"/>"
		"<mediate action=\"%s\" type=\"t\"/></sla></slas>";
	char sla[600];
	struct pol_image *p;
	struct pol_err e;

	(void)state;
	snprintf(sla, sizeof(sla), fmt, "b");
	p = compile(&e, roles, TYPES, "<permissions " NS "><permit role=\"g\" action=\"a\" "
		    "type=\"t\"/></permissions>", sla, NULL);
	assert_null(p);
	assert_non_null(strstr(e.msg, "mediates what no mapped role may do"));
	/* A rule for one mapped role is not excused by what another may do. */
	snprintf(sla, sizeof(sla), "<slas " NS "><sla id=\"s\" side=\"provider\" peer=\"p\" "
		 "from=\"2025-01-01T00:00:00Z\" until=\"2026-01-01T00:00:00Z\"><map local=\"g\" "
		 "remote=\"x\"/><map local=\"h\" remote=\"y\"/><visible type=\"t\"/>"
		 "<mediate role=\"h\" action=\"a\" type=\"t\"/></sla></slas>");
	p = compile(&e, ROLES("<role name=\"g\"/><role name=\"h\"/>"), TYPES, "<permissions " NS
		    "><permit role=\"g\" action=\"a\" type=\"t\"/></permissions>", sla, NULL);
	assert_null(p);
	assert_non_null(strstr(e.msg, "mediates what no mapped role may do here as h"));
	snprintf(sla, sizeof(sla), fmt, "a");
	p = compile(&e, roles, TYPES, "<permissions " NS "><permit role=\"g\" action=\"a\" "
		    "type=\"t\"/></permissions>", sla, NULL);
	assert_non_null(p);
	pol_free(p);
}

static uint32_t ask(struct pol_image *p, const char *user, const char *role)
{
	struct pdp_request in = { .user = user, .authenticated = true, .mapped = POL_NONE,
				  .role = role, .action = "a", .instance = "i", .now = 1795340000 };
	struct pol_decision d;
	struct pdp_store st;
	struct pol_query q;

	pdp_decide(p, &in, &st, &q, &d);
	assert_true(d.n > 0);
	return d.reason[0].code;
}

/* However little room there is, a reason's text is whole characters: fit for JSON. */
static void test_reason_cut(void **state)
{
	struct pdp_attr attr[] = { { "request.s", NULL, C_REQUEST },
				   { "request.g", NULL, C_REQUEST } };
	struct pdp_request in = { .user = "u", .authenticated = true, .mapped = POL_NONE,
				  .action = "a", .instance = "i", .now = 1795340000,
				  .attr = attr, .n_attr = 2 };
	char texts[3][300] = { "", "x", "xy" }, text[1400];
	struct pol_decision d;
	struct pdp_store st;
	struct pol_image *p;
	struct pol_query q;
	struct pol_err e;
	json_t *j;
	size_t i;

	(void)state;
	p = compile(&e, ROLES("<role name=\"r\"/>"), TYPES, "<users " NS "><user name=\"u\"/></users>",
		    "<assignments " NS "><assign user=\"u\" role=\"r\"/></assignments>",
		    "<constraints " NS "><attribute name=\"request.s\" type=\"string\"/>"
		    "<attribute name=\"request.g\" type=\"set\"/><condition name=\"c\"><equals "
		    "attribute=\"request.s\" value=\"v\"/></condition><condition name=\"d\"><contains "
		    "attribute=\"request.g\" other=\"request.s\"/></condition></constraints>",
		    "<permissions " NS "><permit role=\"r\" action=\"a\" type=\"t\" condition=\"c\"/>"
		    "<permit role=\"r\" action=\"a\" type=\"t\" condition=\"d\"/></permissions>",
		    NULL);
	assert_non_null(p);
	for (i = 0; i < 200; i++)
		strcat(texts[i % 3], i % 3 ? "\xe2\x82\xac" : "\xc3\xa9");
	for (i = 0; i < 3 * (sizeof(text) - 1); i++) {
		attr[0].value = texts[i % 3];
		attr[1].value = texts[(i + 1) % 3];
		pdp_decide(p, &in, &st, &q, &d);
		assert_int_equal(d.reason[i & 1].code, R_RULE_CONDITION);
		reason_text(p, &q, &d.reason[i & 1], text, i / 3 + 1);
		j = json_string(text);
		if (!j)
			fail_msg("%zu bytes end in half a character: %s", i / 3 + 1, text);
		json_decref(j);
	}
	pol_free(p);
}

/* Bounds refuse; they do not truncate. */
static void test_bounds(void **state)
{
	char *roles = malloc(1 << 20), *assigns = malloc(1 << 20), *permits = malloc(1 << 20);
	int r = sprintf(roles, "<roles " NS " cloud=\"c\">"), a, n, i;
	struct pol_image *p;
	struct pol_err e;

	(void)state;
	a = sprintf(assigns, "<assignments " NS ">");
	for (i = 0; i < POL_HELD_MAX + 1; i++) {
		r += sprintf(roles + r, "<role name=\"r%d\"/>", i);
		a += sprintf(assigns + a, "<assign user=\"many\" role=\"r%d\"/>", i);
	}
	sprintf(roles + r, "</roles>");
	sprintf(assigns + a, "<assign user=\"few\" role=\"r0\"/></assignments>");
	n = sprintf(permits, "<permissions " NS ">");
	for (i = 0; i < POL_CANDIDATES_MAX; i++)
		n += sprintf(permits + n, "<permit role=\"r0\" action=\"a\" type=\"t\"/>");
	sprintf(permits + n, "</permissions>");
	p = compile(&e, roles, TYPES, "<users " NS "><user name=\"many\"/><user name=\"few\"/></users>",
		    assigns, permits, NULL);
	assert_non_null(p);
	assert_int_equal(ask(p, "many", NULL), R_TOO_MANY_ROLES);
	assert_int_equal(ask(p, "few", NULL), R_PERMIT);
	pol_free(p);
	sprintf(permits + n, "<permit role=\"r0\" action=\"a\" instance=\"i\"/></permissions>");
	p = compile(&e, roles, TYPES, "<users " NS "><user name=\"many\"/><user name=\"few\"/></users>",
		    assigns, permits, NULL);
	assert_non_null(p);
	assert_int_equal(ask(p, "few", NULL), R_TOO_MANY_RULES);
	pol_free(p);
	free(roles);
	free(assigns);
	free(permits);
}

static void test_xml_limits(void **state)
{
	size_t size = XML_DEPTH_LIMIT * 8 + 400, n;
	char *deep = malloc(size), *wide;
	struct pol_err e;
	struct m_model m;
	int i;

	(void)state;
	n = sprintf(deep, "<constraints " NS "><condition name=\"c\">");
	for (i = 0; i < XML_DEPTH_LIMIT; i++)
		n += sprintf(deep + n, "<not>");
	assert_int_equal(model_init(&m), 0);
	assert_int_equal(model_load_sheet(&m, "deep.xml", deep, n, &e), -E2BIG);
	assert_non_null(strstr(e.msg, "elements within elements"));
	free(deep);
	/* Never looked into: a sheet past the limit is refused by its size alone. */
	wide = malloc((64u << 20) + 1);
	assert_non_null(wide);
	assert_int_equal(model_load_sheet(&m, "wide.xml", wide, (64u << 20) + 1, &e), -E2BIG);
	free(wide);
	model_free(&m);
}

static int64_t change_at(const struct zone *z, int64_t t)
{
	uint32_t i = z->n_change;

	while (i && z->change[i - 1].at > t)
		i--;
	return z->change[i - 1].offset;
}

/* Against the C library, over a century, in zones with every kind of rule. */
static void test_zones(void **state)
{
	static const char *const zones[] = {
		"UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata",
		"Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "America/Nuuk",
		"Antarctica/Troll", "Europe/Dublin", "Asia/Gaza", "America/Santiago", "Africa/Cairo",
	};
	struct pol_err e;
	struct zone z;
	struct tm tm;
	time_t t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		assert_int_equal(zone_load(&z, zones[i], &e), 0);
		setenv("TZ", zones[i], 1);
		tzset();
		for (t = 0; t < 4102400000; t += 86400 * 3 + 1801) {
			localtime_r(&t, &tm);
			if (tm.tm_gmtoff != change_at(&z, t))
				fail_msg("%s at %lld: %ld, not %lld", zones[i], (long long)t,
					 tm.tm_gmtoff, (long long)change_at(&z, t));
		}
		zone_free(&z);
	}
	setenv("TZ", "UTC", 1);
	assert_int_equal(zone_load(&z, "Europe/Nowhere", &e), -ENOENT);
}

static bool open_at(struct pol_image *p, const char *when)
{
	int64_t t;

	assert_int_equal(pol_time(when, &t), 0);
	return period_contains(p, 0, t);
}

/* The two nights a year when local time jumps. */
static void test_daylight_saving(void **state)
{
	struct pol_image *p;
	struct pol_err e;

	(void)state;
	p = compile(&e, ROLES(""), "<constraints " NS "><period name=\"p\" zone=\"Europe/Berlin\">"
		    "<window from=\"02:30\" until=\"03:00\"/></period></constraints>", NULL);
	assert_non_null(p);
	/* Spring: 02:30 does not exist on 29 March 2026. */
	assert_false(open_at(p, "2026-03-29T00:59:59Z"));
	assert_false(open_at(p, "2026-03-29T01:30:00Z"));
	assert_true(open_at(p, "2026-03-28T01:30:00Z"));
	/* Autumn: it happens twice on 25 October 2026. */
	assert_true(open_at(p, "2026-10-25T00:30:00Z"));
	assert_false(open_at(p, "2026-10-25T01:00:00Z"));
	assert_true(open_at(p, "2026-10-25T01:30:00Z"));
	assert_false(open_at(p, "2026-10-25T02:00:00Z"));
	/* The zone's database says nothing of the next century. */
	assert_false(open_at(p, "2150-01-01T01:30:00Z"));
	pol_free(p);
	p = compile(&e, ROLES(""), "<constraints " NS "><period name=\"p\" zone=\"UTC\">"
		    "<window days=\"fri\" from=\"22:00\" until=\"06:00\"/></period>"
		    "</constraints>", NULL);
	assert_true(open_at(p, "2026-11-20T23:00:00Z"));	/* a Friday */
	assert_true(open_at(p, "2026-11-21T05:59:59Z"));
	assert_false(open_at(p, "2026-11-21T06:00:00Z"));
	assert_false(open_at(p, "2026-11-20T05:00:00Z"));
	assert_false(open_at(p, "2026-11-21T23:00:00Z"));
	pol_free(p);
}

/* Byte for byte what docs/ticket.md says. */
static void test_ticket_layout(void **state)
{
	struct ticket t = { .lifetime = 0x0e0f, .issued = 0x1122334455667788, .role = "r",
			    .sla = "s" }, back;
	uint8_t b[TICKET_SIZE];

	(void)state;
	memset(t.vm, 1, 16);
	memset(t.definition, 2, 32);
	memset(t.host, 3, 32);
	memset(t.image, 4, 32);
	memset(t.nonce, 5, 32);
	memset(t.id, 6, 16);
	memset(t.issuer, 7, 32);
	memset(t.signature, 8, 64);
	t.lifetime = 0x0a0b;
	ticket_write(&t, b);
	assert_memory_equal(b, "UPTICKT1\1\0\xa0\1\0\0\0\0\1", 17);
	assert_int_equal(b[32], 2);
	assert_int_equal(b[64], 3);
	assert_int_equal(b[96], 4);
	assert_int_equal(b[128], 5);
	assert_int_equal(b[160], 6);
	assert_memory_equal(b + 176, "\x0b\x0a\0\0\0\0\0\0r\0", 10);
	assert_memory_equal(b + 248, "s\0", 2);
	assert_memory_equal(b + 312, "\x88\x77\x66\x55\x44\x33\x22\x11\7", 9);
	assert_int_equal(b[352], 8);
	assert_int_equal(b[415], 8);
	assert_int_equal(ticket_parse(b, TICKET_SIZE, &back), TICKET_OK);
	assert_memory_equal(&back, &t, sizeof(t));
}

/* What is written here is what the layer reads. */
static void test_ticket_for_the_layer(void **state)
{
	static const struct {
		int at;
		uint8_t value;
		enum ticket_error want;
	} cases[] = {
		{ 7, '3', TICKET_BAD_MAGIC }, { 7, '1', TICKET_BAD_VERSION },
		{ 8, 1, TICKET_BAD_VERSION }, { 12, 1, TICKET_BAD_RESERVED },
		{ 244, 1, TICKET_BAD_RESERVED }, { 229, 0x10, TICKET_BAD_LIFETIME },
		{ 248, 0, TICKET_BAD_NAME }, { 311, 'x', TICKET_BAD_NAME },
	};
	struct ticket t = { .layer = 1, .ticks = 0x0a0b0c, .frames = 0x0102030405, .vcpus = 77,
			    .role = "r", .issued = 0x1122334455667788 }, back;
	struct ticket_expect x = { .age = 1 << 30 };
	struct up_ticket up;
	uint8_t b[TICKET_SIZE];
	size_t i;

	(void)state;
	memset(t.vm, 1, 16);
	memset(t.definition, 2, 32);
	memset(t.host, 3, 32);
	memset(t.image, 4, 32);
	memset(t.nonce, 5, 32);
	memset(t.challenge, 6, 32);
	memset(t.measurement, 7, 32);
	memset(t.issuer, 8, 32);
	memset(t.signature, 9, 64);
	ticket_write(&t, b);
	assert_int_equal(sizeof(up), TICKET_SIZE);
	memcpy(&up, b, sizeof(up));
	assert_int_equal(up.magic, UP_TICKET_MAGIC);
	assert_int_equal(up.version, UP_TICKET_VERSION);
	assert_int_equal(up.size, sizeof(up));
	assert_int_equal(up.flags, 0);
	assert_memory_equal(up.vm, t.vm, 16);
	assert_memory_equal(up.definition, t.definition, 32);
	assert_memory_equal(up.host, t.host, 32);
	assert_memory_equal(up.image, t.image, 32);
	assert_memory_equal(up.nonce, t.nonce, 32);
	assert_memory_equal(up.challenge, t.challenge, 32);
	assert_memory_equal(up.measurement, t.measurement, 32);
	assert_int_equal(up.lifetime, t.ticks);
	assert_int_equal(up.frames, t.frames);
	assert_int_equal(up.vcpus, t.vcpus);
	assert_memory_equal(up.role, t.role, 64);
	assert_int_equal(up.issued, t.issued);
	assert_memory_equal(up.issuer, t.issuer, 32);
	assert_memory_equal(up.signature, t.signature, 64);
	assert_int_equal(ticket_parse(b, TICKET_SIZE, &back), TICKET_OK);
	assert_memory_equal(&back, &t, sizeof(t));
	/* Its age is the layer's to judge. */
	assert_int_equal(ticket_match(&t, &x), TICKET_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ticket_write(&t, b);
		b[cases[i].at] = cases[i].value;
		assert_int_equal(ticket_parse(b, TICKET_SIZE, &back), cases[i].want);
	}
}

static void test_ticket_errors(void **state)
{
	static const struct {
		int at;
		uint8_t value;
		enum ticket_error want;
	} cases[] = {
		{ 0, 'X', TICKET_BAD_MAGIC }, { 8, 2, TICKET_BAD_VERSION },
		{ 10, 0, TICKET_BAD_SIZE },
		{ 12, 1, TICKET_BAD_RESERVED }, { 180, 1, TICKET_BAD_RESERVED },
		{ 176, 0, TICKET_BAD_LIFETIME }, { 177, 0xff, TICKET_BAD_LIFETIME },
		{ 184, 0, TICKET_BAD_NAME }, { 184, '\n', TICKET_BAD_NAME },
		{ 247, 'x', TICKET_BAD_NAME }, { 250, 'x', TICKET_BAD_NAME },
	};
	struct ticket t = { .lifetime = 60, .role = "r", .sla = "s" };
	uint8_t b[TICKET_SIZE], other[32] = { 9 };
	struct ticket_expect x = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ticket_write(&t, b);
		b[cases[i].at] = cases[i].value;
		assert_int_equal(ticket_parse(b, TICKET_SIZE, &t), cases[i].want);
		t = (struct ticket){ .lifetime = 60, .role = "r", .sla = "s" };
	}
	assert_int_equal(ticket_parse(b, TICKET_SIZE - 1, &t), TICKET_BAD_SIZE);
	x.host = other;
	assert_int_equal(ticket_match(&t, &x), TICKET_OTHER_HOST);
	x = (struct ticket_expect){ .image = other };
	assert_int_equal(ticket_match(&t, &x), TICKET_OTHER_IMAGE);
	x = (struct ticket_expect){ .nonce = other };
	assert_int_equal(ticket_match(&t, &x), TICKET_OTHER_LAUNCH);
	x = (struct ticket_expect){ .vm = other };
	assert_int_equal(ticket_match(&t, &x), TICKET_OTHER_VM);
	x = (struct ticket_expect){ .definition = other };
	assert_int_equal(ticket_match(&t, &x), TICKET_OTHER_DEFINITION);
	x = (struct ticket_expect){ .age = 60 };
	assert_int_equal(ticket_match(&t, &x), TICKET_EXPIRED);
	x.age = 59;
	assert_int_equal(ticket_match(&t, &x), TICKET_OK);
}

/* @k is freed. */
static struct key *key_in_file(EVP_PKEY *k, bool private)
{
	char path[] = "/tmp/policy-unit-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	struct pol_err e;
	struct key *out;

	assert_true(PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(f);
	EVP_PKEY_free(k);
	out = key_load(path, private, &e);
	unlink(path);
	assert_non_null(out);
	return out;
}

static struct key *new_key(bool private)
{
	return key_in_file(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), private);
}

/* RFC 8032, 7.1, test 2: one library signs, another one verifies. */
static void test_signature(void **state)
{
	static const char secret[] =
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
	static const char *const wanted[] = {
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
		"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
	};
	uint8_t raw[32], sig[64];
	char hex[65];
	struct key *k, *public;

	(void)state;
	assert_true(pol_unhex(secret, raw, sizeof(raw)));
	k = key_in_file(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, 32), true);
	assert_int_equal(key_sign(k, "\x72", 1, sig), 0);
	assert_string_equal(pol_hex(sig, 32, hex), wanted[0]);
	assert_string_equal(pol_hex(sig + 32, 32, hex), wanted[1]);
	public = key_of(key_public(k));
	assert_true(key_verify(public, "\x72", 1, sig));
	assert_false(key_verify(public, "\x73", 1, sig));
	/* Without the private part there is no signature. */
	assert_int_equal(key_sign(public, "\x72", 1, sig), -EIO);
	key_free(public);
	public = new_key(false);
	assert_int_equal(key_sign(public, "\x72", 1, sig), -EIO);
	key_free(public);
	key_free(k);
}

static void test_audit(void **state)
{
	struct key *k = new_key(true), *other = new_key(true);
	struct audit_head start, h;
	struct audit log;
	struct pol_err e;
	char text[32];
	sqlite3 *db;
	int i;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), 0);
	assert_int_equal(audit_init(&log, db, k, &e), 0);
	for (i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "{\"n\":%d}", i);
		assert_int_equal(audit_append(&log, text, i != 1 && i != 2, &e), 0);
	}
	assert_int_equal(audit_verify(db, k, &start, &h, &e), 0);
	assert_int_equal(h.n, 5);
	/* Cut off within a transaction: what is left is covered by no signature. */
	assert_int_equal(audit_append(&log, "{}", false, &e), 0);
	assert_int_equal(audit_verify(db, k, &start, &h, &e), -EBADMSG);
	assert_non_null(strstr(e.msg, "record 6 is not signed"));
	assert_int_equal(audit_append(&log, "{}", true, &e), 0);
	assert_int_equal(audit_verify(db, k, &start, &h, &e), 0);
	audit_exit(&log);
	assert_int_equal(audit_verify(db, other, &start, &h, &e), -EBADMSG);
	sqlite3_exec(db, "UPDATE audit SET signature=zeroblob(64) WHERE n=4", NULL, NULL, NULL);
	assert_int_equal(audit_verify(db, NULL, &start, &h, &e), 0);
	assert_int_equal(audit_verify(db, k, &start, &h, &e), -EBADMSG);
	assert_non_null(strstr(e.msg, "record 4"));
	sqlite3_exec(db, "UPDATE audit SET record='{}' WHERE n=2", NULL, NULL, NULL);
	assert_int_equal(audit_verify(db, NULL, &start, &h, &e), -EBADMSG);
	assert_non_null(strstr(e.msg, "record 2"));
	sqlite3_exec(db, "DELETE FROM audit WHERE n=1", NULL, NULL, NULL);
	assert_int_equal(audit_verify(db, NULL, &start, &h, &e), -EBADMSG);
	assert_non_null(strstr(e.msg, "record 1 is missing"));
	sqlite3_close(db);
	key_free(k);
	key_free(other);
}

static void append(struct audit *log, const char *text, bool sign)
{
	struct pol_err e;

	assert_int_equal(audit_append(log, text, sign, &e), 0);
}

/* Appends what names @next as the next signer, if there is one, and lets it sign. */
static void hand_on(struct audit *log, const struct key *next, bool sign)
{
	char text[128], hex[65];

	snprintf(text, sizeof(text), "{\"event\":\"audit-key\",\"key\":\"%s\"}",
		 pol_hex(key_public(next), 32, hex));
	append(log, text, sign);
	log->signer = next;
}

static int verify_log(sqlite3 *db, const struct key *k)
{
	struct audit_head start, h;
	struct pol_err e;

	return audit_verify(db, k, &start, &h, &e);
}

static void test_audit_keys(void **state)
{
	struct key *first = new_key(true), *second = new_key(true), *third = new_key(true);
	struct audit log;
	struct pol_err e;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), 0);
	assert_int_equal(audit_init(&log, db, first, &e), 0);
	append(&log, "{}", true);
	hand_on(&log, second, true);
	/* The second has signed nothing: it vouches for nothing. */
	assert_int_equal(verify_log(db, first), 0);
	assert_int_equal(verify_log(db, second), -EBADMSG);
	assert_int_equal(audit_continues(&log, &e), -EINVAL);
	append(&log, "{}", true);
	assert_int_equal(audit_continues(&log, &e), 0);
	hand_on(&log, third, true);
	append(&log, "{}", true);
	/* Each of them, and nobody else. */
	assert_int_equal(verify_log(db, first), 0);
	assert_int_equal(verify_log(db, second), 0);
	assert_int_equal(verify_log(db, third), 0);
	sqlite3_exec(db, "UPDATE audit SET signature=zeroblob(64) WHERE n=3", NULL, NULL, NULL);
	assert_int_equal(verify_log(db, first), -EBADMSG);
	/* These come in later: their signatures cover that record. */
	assert_int_equal(verify_log(db, second), 0);
	assert_int_equal(verify_log(db, third), 0);
	/* One that was named in no record. */
	log.signer = first;
	append(&log, "{}", true);
	assert_int_equal(verify_log(db, third), -EBADMSG);
	/* Named in a record that is only covered: whoever wrote it did not sign it by itself. */
	sqlite3_exec(db, "DELETE FROM audit", NULL, NULL, NULL);
	audit_forget(&log);
	append(&log, "{}", true);
	hand_on(&log, second, false);
	append(&log, "{}", true);
	assert_int_equal(verify_log(db, first), -EBADMSG);
	assert_int_equal(verify_log(db, second), -EBADMSG);
	audit_exit(&log);
	sqlite3_close(db);
	key_free(first);
	key_free(second);
	key_free(third);
}

/* Asks for everything that there is, and for the reasons' texts. */
static void ask_all(const struct pol_image *p)
{
	struct pol_query q = { .authenticated = true, .mapped = POL_NONE, .want = POL_NONE,
			       .now = 1795340000 };
	struct pol_decision d;
	char text[1400];
	uint32_t i, kind;

	for (i = 0; i < p->n_str; i++)
		for (kind = P_USER; kind <= P_ZONE; kind++)
			pol_find(p, kind, pol_str(p, i));
	for (q.user = 0; q.user < p->n_user; q.user++)
		for (q.inst = 0; q.inst < p->n_inst; q.inst++)
			for (q.action = 0; q.action < p->n_action; q.action++) {
				q.type = p->inst[q.inst].type;
				pep_decide(p, &q, &d);
				for (i = 0; i < d.n; i++)
					reason_text(p, &q, &d.reason[i], text, sizeof(text));
			}
}

/* Every byte of an image in turn: refused, or harmless to ask. */
static void test_image_damage(void **state)
{
	struct pol_image *p, *bad;
	struct pol_err e;
	uint8_t *b;
	size_t i;

	(void)state;
	p = pol_load("tests/policy/fuzz/seed-policy", &e);
	assert_non_null(p);
	b = malloc(p->size);
	for (i = 0; i < 2 * p->size; i++) {
		memcpy(b, p->base, p->size);
		b[i / 2] ^= i & 1 ? 0xff : 1;
		bad = pol_image_parse(b, p->size, &e);
		if (bad)
			ask_all(bad);
		pol_free(bad);
	}
	for (i = 0; i < p->size; i += 97)
		assert_null(pol_image_parse(b, i, &e));
	free(b);
	pol_free(p);
}

/* Parses @p with @size bytes at @at of its copy replaced. */
static bool takes(const struct pol_image *p, const void *at, const void *with, size_t size)
{
	uint8_t *b = malloc(p->size);
	struct pol_image *q;
	struct pol_err e;

	memcpy(b, p->base, p->size);
	memcpy(b + ((const uint8_t *)at - (const uint8_t *)p->base), with, size);
	q = pol_image_parse(b, p->size, &e);
	free(b);
	pol_free(q);
	return q;
}

/* No field that a node, a function or a condition does not use can hold anything. */
static void test_image_spare_fields(void **state)
{
	const struct pol_node *all, *holds;
	const struct pol_func *f;
	struct pol_node n;
	struct pol_func g;
	struct pol_cond c;
	struct pol_image *p;
	struct pol_err e;
	uint32_t i;

	(void)state;
	p = pol_load("tests/policy/fuzz/seed-policy", &e);
	assert_non_null(p);
	all = &p->node[p->cond[0].node];
	assert_int_equal(all->op, OP_ALL);
	for (holds = p->node; holds->op != OP_HOLDS; holds++)
		;
	for (f = p->func; f->apply == F_EXPR; f++)
		;
	assert_true(takes(p, all, all, sizeof(n)));
#define REFUSED(where, copy, set) do { \
		copy = *(where); \
		set; \
		assert_false(takes(p, where, &copy, sizeof(copy))); \
	} while (0)
	for (i = RIGHT_LITERAL; i <= RIGHT_ATTR; i++)
		REFUSED(all, n, n.right_kind = i; n.right = 1 << 30; n.n_right = 1);
	REFUSED(all, n, n.left_kind = LEFT_ATTR; n.left = 1 << 30);
	REFUSED(all, n, n.left_kind = LEFT_FUNC);
	REFUSED(all, n, n.n_right = 1);
	REFUSED(all, n, n.type = T_STRING);
	REFUSED(all, n, n.op = OP_NOT);
	REFUSED(all, n, n.end = p->cond[0].node + 1);
	REFUSED(holds, n, n.n_right = 1);
	REFUSED(holds, n, n.right_kind = RIGHT_ATTR; n.right = holds->left);
	REFUSED(f, g, g.node = 0);
	REFUSED(f, g, g.cost = 1);
	REFUSED(p->cond + 1, c, c.node++);
#undef REFUSED
	pol_free(p);
}

/* What a user's record says of his only assignment is what the list says. */
static void test_image_only_assignment(void **state)
{
	const struct pol_user *one;
	struct pol_given given;
	struct pol_image *p;
	struct pol_err e;

	(void)state;
	p = pol_load("tests/policy/fuzz/seed-policy", &e);
	assert_non_null(p);
	for (one = p->user; one->n_assign != 1; one++)
		;
	given = one->only;
	assert_memory_equal(&given, &p->assignlist[one->assign], sizeof(given));
	assert_true(takes(p, &one->only, &given, sizeof(given)));
	given.role = (given.role + 1) % p->n_role;
	assert_false(takes(p, &one->only, &given, sizeof(given)));
	pol_free(p);
}

/* What a search goes along ends: rules of one key go on, and a table has an empty place. */
static void test_image_searches_end(void **state)
{
	struct pol_name *full;
	struct pol_image *p;
	struct pol_err e;
	uint32_t i;

	(void)state;
	p = pol_load("tests/policy/fuzz/seed-policy", &e);
	assert_non_null(p);
	i = 0;
	assert_false(takes(p, &p->permit[0].next, &i, sizeof(i)));
	i = 1;
	assert_true(takes(p, &p->permit[0].next, &i, sizeof(i)));
	assert_false(takes(p, &p->permit[1].next, &i, sizeof(i)));
	full = malloc(p->n_name * sizeof(*full));
	for (i = 0; i < p->n_name; i++)
		full[i] = (struct pol_name){ .kind = P_ATTR };
	assert_false(takes(p, p->name, full, p->n_name * sizeof(*full)));
	full[0].kind = 0;
	assert_true(takes(p, p->name, full, p->n_name * sizeof(*full)));
	free(full);
	pol_free(p);
}

static void write_sheet(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The reason of a decision within a session; as @mapped, or as user u in @role. */
static uint32_t decide_as(struct admin *a, const char *key, const char *role, const char *mapped,
			  int64_t now)
{
	struct pol_image *p = admin_get(a);
	struct pdp_request in = { .user = mapped ? NULL : "u", .authenticated = true,
				  .mapped = mapped ? pol_find(p, P_ROLE, mapped) : POL_NONE,
				  .role = role, .action = "a", .instance = "i", .now = now,
				  .tick = now };
	struct pol_decision d;
	struct pdp_store st;
	struct pol_query q;

	admin_decide(a, p, key, &in, &st, &q, &d);
	admin_put(a, p);
	return d.reason[0].code;
}

static uint32_t in_session(struct admin *a, const char *key, const char *role, int64_t now)
{
	return decide_as(a, key, role, NULL, now);
}

static void write_session_policy(const char *dir)
{
	write_sheet(dir, "roles.xml", ROLES("<role name=\"x\"/><role name=\"y\"/>"
		    "<role name=\"z\" max-active=\"1\" max-active-seconds=\"100\"/>"));
	write_sheet(dir, "types.xml", TYPES);
	write_sheet(dir, "users.xml", "<users " NS "><user name=\"u\"/></users>");
	write_sheet(dir, "c.xml", "<constraints " NS "><dsd name=\"d\" roles=\"x y\"/></constraints>");
	write_sheet(dir, "a.xml", "<assignments " NS "><assign user=\"u\" role=\"x\"/><assign "
		    "user=\"u\" role=\"y\"/><assign user=\"u\" role=\"z\"/></assignments>");
	write_sheet(dir, "p.xml", "<permissions " NS "><permit role=\"x\" action=\"a\" type=\"t\"/>"
		    "<permit role=\"y\" action=\"a\" type=\"t\"/><permit role=\"z\" action=\"a\" "
		    "type=\"t\"/></permissions>");
}

static void test_sessions(void **state)
{
	char dir[] = "/tmp/policy-unit-XXXXXX", cmd[64], key[16];
	uint32_t code;
	int i;
	struct pol_err e;
	struct admin a;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_session_policy(dir);
	assert_int_equal(admin_init(&a, pol_load(dir, &e), &e), 0);
	assert_int_equal(in_session(&a, "s1", "x", 1000), R_PERMIT);
	assert_int_equal(in_session(&a, "s1", "y", 1000), R_DSD);
	assert_int_equal(in_session(&a, "s2", "y", 1000), R_PERMIT);
	assert_int_equal(in_session(&a, "s1", "z", 1000), R_PERMIT);
	assert_int_equal(in_session(&a, "s2", "z", 1000), R_MAX_ACTIVE);
	assert_int_equal(in_session(&a, "s1", "z", 1099), R_PERMIT);
	assert_int_equal(in_session(&a, "s1", "z", 1100), R_MAX_SECONDS);
	/* A reload keeps the sessions, a bad one the policy too. */
	write_sheet(dir, "roles.xml", ROLES("<role name=\"new\"/><role name=\"z\" max-active=\"1\"/>"
		    "<role name=\"y\"/><role name=\"x\"/>"));
	assert_int_equal(admin_reload(&a, pol_load(dir, &e), &e), 0);
	assert_int_equal(in_session(&a, "s1", "y", 1000), R_DSD);
	assert_int_equal(in_session(&a, "s2", "z", 1000), R_MAX_ACTIVE);
	write_sheet(dir, "roles.xml", "<roles");
	assert_int_equal(admin_reload(&a, pol_load(dir, &e), &e), -EINVAL);
	assert_int_equal(in_session(&a, "s1", "x", 1000), R_PERMIT);
	write_sheet(dir, "roles.xml", "<roles " NS " cloud=\"d\"><role name=\"x\"/><role name=\"y\"/>"
		    "<role name=\"z\"/></roles>");
	assert_int_equal(admin_reload(&a, pol_load(dir, &e), &e), -EINVAL);
	assert_string_equal(e.msg, "the policy is of cloud 'd', this daemon of 'c'");
	assert_int_equal(in_session(&a, "s1", "x", 1000), R_PERMIT);
	/* Idle sessions end, and give back what they held. */
	assert_int_equal(in_session(&a, "s2", "z", 2000 + ADMIN_SESSION_IDLE), R_PERMIT);
	/* As many sessions as there is room for, and no more; others go on. */
	for (i = 0, code = R_PERMIT; code == R_PERMIT && i <= ADMIN_SESSIONS_MAX; i++) {
		snprintf(key, sizeof(key), "n%d", i);
		code = in_session(&a, key, "x", 9000);
	}
	assert_int_equal(code, R_TOO_MANY_SESSIONS);
	assert_true(i >= ADMIN_SESSIONS_MAX - 2);
	assert_int_equal(in_session(&a, key, "x", 9000), R_TOO_MANY_SESSIONS);
	assert_int_equal(in_session(&a, "n0", "x", 9000), R_PERMIT);
	assert_int_equal(in_session(&a, NULL, "x", 9000), R_PERMIT);
	assert_int_equal(in_session(&a, key, "x", 9061 + ADMIN_SESSION_IDLE), R_PERMIT);
	admin_exit(&a);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
}

static uint32_t as_mapped(struct admin *a, const char *key, int64_t now)
{
	return decide_as(a, key, NULL, "x", now);
}

/* Session names are the subjects': none can share, exhaust or do without them. */
static void test_session_bounds(void **state)
{
	char dir[] = "/tmp/policy-unit-XXXXXX", cmd[64], key[160];
	struct pol_image *old;
	struct pdp_request in = { .user = "u", .authenticated = true, .mapped = POL_NONE,
				  .role = "z", .action = "a", .instance = "i", .now = 1000,
				  .tick = 1000 };
	struct pol_decision d;
	struct pdp_store st;
	struct pol_query q;
	struct pol_err e;
	struct admin a;
	int i;

	(void)state;
	write_session_policy(mkdtemp(dir));
	assert_int_equal(admin_init(&a, pol_load(dir, &e), &e), 0);
	memset(key, 'k', sizeof(key));
	key[ADMIN_KEY_MAX] = 0;
	assert_int_equal(in_session(&a, key, "x", 1000), R_BAD_SESSION);
	assert_int_equal(in_session(&a, "", "x", 1000), R_BAD_SESSION);
	key[ADMIN_KEY_MAX - 1] = 0;
	assert_int_equal(in_session(&a, key, "x", 1000), R_PERMIT);
	assert_int_equal(in_session(&a, NULL, "z", 1000), R_NO_SESSION);
	assert_int_equal(in_session(&a, NULL, "x", 1000), R_PERMIT);
	/* One user takes 64, whatever the sessions are called; another is not touched by that. */
	for (i = 0; i < ADMIN_USER_MAX; i++) {
		snprintf(key, sizeof(key), "u:u|%d|x", i);
		assert_int_equal(in_session(&a, key, "x", 1000), R_PERMIT);
	}
	assert_int_equal(in_session(&a, "u:u|more", "x", 1000), R_TOO_MANY_SESSIONS);
	assert_int_equal(in_session(&a, key, "x", 1000), R_PERMIT);
	assert_int_equal(in_session(&a, "u:uu|more", "x", 1000), R_PERMIT);
	assert_int_equal(in_session(&a, "u:u|more", "x", 2000 + ADMIN_SESSION_IDLE), R_PERMIT);
	for (i = 0; i < ADMIN_CLOUD_MAX; i++) {
		snprintf(key, sizeof(key), "r:w|%d", i);
		assert_int_equal(as_mapped(&a, key, 2000 + ADMIN_SESSION_IDLE), R_PERMIT);
	}
	assert_int_equal(as_mapped(&a, "r:w|more", 2000 + ADMIN_SESSION_IDLE),
			 R_TOO_MANY_SESSIONS);
	/* Under a policy that was replaced meanwhile a session is new, not absent. */
	old = admin_get(&a);
	assert_int_equal(admin_reload(&a, pol_load(dir, &e), &e), 0);
	admin_decide(&a, old, "u:u|new", &in, &st, &q, &d);
	assert_true(d.permit);
	admin_put(&a, old);
	admin_exit(&a);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
}

/* The text of a refusal within a session, as a daemon reports it. */
static void assert_session_text(struct admin *a, const char *key, const char *role, int64_t now,
				const char *want)
{
	struct pol_image *p = admin_get(a);
	struct pdp_request in = { .user = "u", .authenticated = true, .mapped = POL_NONE,
				  .role = role, .action = "a", .instance = "i", .now = now,
				  .tick = now };
	struct pol_decision d;
	struct pdp_store st;
	struct pol_query q;
	char text[1400];

	admin_decide(a, p, key, &in, &st, &q, &d);
	reason_text(p, &q, &d.reason[0], text, sizeof(text));
	if (!strstr(text, want))
		fail_msg("'%s', not '%s'", text, want);
	admin_put(a, p);
}

static void test_session_texts(void **state)
{
	char dir[] = "/tmp/policy-unit-XXXXXX", cmd[64];
	struct pol_err e;
	struct admin a;

	(void)state;
	write_session_policy(mkdtemp(dir));
	write_sheet(dir, "d.xml", "<constraints " NS "><period name=\"late\" zone=\"Europe/Berlin\">"
		    "<window from=\"22:00\" until=\"23:00\"/></period></constraints>");
	assert_int_equal(admin_init(&a, pol_load(dir, &e), &e), 0);
	assert_session_text(&a, "s1", "x", 1000, "acting as role x");
	assert_session_text(&a, "s1", "y", 1000, "session d: at most 1, and these are 2: x y");
	assert_session_text(&a, "s1", "z", 1000, "acting as role z");
	assert_session_text(&a, "s2", "z", 1000, "role z: at most 1, and it is active in 1");
	assert_session_text(&a, "s1", "z", 1130, "role z: at most 100 s, and it has been for 130 s");
	write_sheet(dir, "roles.xml", ROLES("<role name=\"x\" period=\"late\"/><role name=\"y\"/>"
		    "<role name=\"z\"/>"));
	assert_int_equal(admin_reload(&a, pol_load(dir, &e), &e), 0);
	/* 1 August, 10:00 in UTC, is summer time in Berlin. */
	assert_session_text(&a, "s3", "x", 1785578400,
			    "role x, late: local time Sat 2026-08-01 12:00:00 in Europe/Berlin");
	admin_exit(&a);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
}

/* A role that comes home as another's: found beforehand. */
static void test_chains(void **state)
{
	static const char from[] = "from=\"2025-01-01T00:00:00Z\" until=\"2090-01-01T00:00:00Z\"";
	struct pol_image *p[2];
	char east[900], west[900];
	struct pol_err e;
	json_t *out = json_array();

	(void)state;
	snprintf(east, sizeof(east), "<slas " NS "><sla id=\"go\" side=\"consumer\" peer=\"w\" %s>"
		 "<map local=\"low\" remote=\"m\"/></sla><sla id=\"back\" side=\"provider\" peer=\"w\" "
		 "chain=\"true\" %s><map local=\"high\" remote=\"n\"/></sla></slas>", from, from);
	snprintf(west, sizeof(west), "<slas " NS "><sla id=\"go\" side=\"provider\" peer=\"e\" %s>"
		 "<map local=\"mid\" remote=\"m\"/></sla><sla id=\"back\" side=\"consumer\" peer=\"e\" "
		 "chain=\"true\" %s><map local=\"mid\" remote=\"n\"/></sla></slas>", from, from);
	p[0] = compile(&e, "<roles " NS " cloud=\"e\"><role name=\"low\"/><role name=\"high\"/></roles>",
		       east, NULL);
	p[1] = compile(&e, "<roles " NS " cloud=\"w\"><role name=\"mid\"/></roles>", west, NULL);
	assert_non_null(p[0]);
	assert_non_null(p[1]);
	assert_true(chain_check(p, 2, out));
	assert_string_equal(json_string_value(json_object_get(json_array_get(out, 0), "path")),
			    "low@e -> mid@w -> high@e");
	pol_free(p[0]);
	json_array_clear(out);
	/* The last SLA must take a role that was mapped before, or there is no way home. */
	memset(strstr(east, "chain=\"true\""), ' ', 12);
	p[0] = compile(&e, "<roles " NS " cloud=\"e\"><role name=\"low\"/><role name=\"high\"/></roles>",
		       east, NULL);
	assert_non_null(p[0]);
	assert_false(chain_check(p, 2, out));
	assert_int_equal(json_array_size(out), 0);
	pol_free(p[0]);
	snprintf(east, sizeof(east), "<slas " NS "><sla id=\"go\" side=\"consumer\" peer=\"w\" %s>"
		 "<map local=\"low\" remote=\"m\"/></sla><sla id=\"back\" side=\"provider\" peer=\"w\" "
		 "chain=\"true\" %s><map local=\"high\" remote=\"n\"/></sla></slas>", from, from);
	/* Coming home as the same, or less, is a loop and no escalation. */
	p[0] = compile(&e, "<roles " NS " cloud=\"e\"><role name=\"low\"><inherits role=\"high\"/></role>"
		       "<role name=\"high\"/></roles>", east, NULL);
	assert_false(chain_check(p, 2, out));
	assert_int_equal(json_array_size(out), 1);
	pol_free(p[0]);
	pol_free(p[1]);
	json_decref(out);
}

/* Cloud @c of a ring: @n roles, and its SLAs with every other cloud. */
static struct pol_image *ring(char c, const char *clouds, int n, int maps)
{
	static const char when[] = "from=\"2025-01-01T00:00:00Z\" until=\"2090-01-01T00:00:00Z\"";
	size_t size = 64 * n + 64 * maps * strlen(clouds) + 4096, r, s;
	char *roles = malloc(size), *slas = malloc(size);
	struct pol_image *p;
	struct pol_err e;
	const char *to;
	int i, side;

	r = snprintf(roles, size, "<roles " NS " cloud=\"%c\">", c);
	for (i = 0; i < n; i++)
		r += snprintf(roles + r, size - r, "<role name=\"r%d\"/>", i);
	snprintf(roles + r, size - r, "</roles>");
	s = snprintf(slas, size, "<slas " NS ">");
	for (to = clouds; *to; to++)
		for (side = 0; side < 2 && *to != c; side++) {
			s += snprintf(slas + s, size - s, "<sla id=\"%c%c\" side=\"%s\" peer=\"%c\" "
				      "chain=\"true\" %s>", side ? c : *to, side ? *to : c,
				      side ? "consumer" : "provider", *to, when);
			for (i = 0; i < maps; i++)
				s += snprintf(slas + s, size - s, "<map local=\"r%d\" remote=\"m%d\"/>",
					      n - 1 - i, i);
			s += snprintf(slas + s, size - s, "</sla>");
		}
	snprintf(slas + s, size - s, "</slas>");
	p = compile(&e, roles, slas, NULL);
	if (!p)
		fail_msg("%s", e.msg);
	free(roles);
	free(slas);
	return p;
}

/* Clouds of any size are searched to the end; what is not, is said and is no success. */
static void test_chains_bounds(void **state)
{
	struct pol_image *p[11];
	json_t *out = json_array();
	int i;

	(void)state;
	p[0] = ring('a', "ab", 120000, 1);
	p[1] = ring('b', "ab", 120000, 1);
	assert_false(chain_check(p, 2, out));
	assert_int_equal(json_array_size(out), 2);	/* the last role of each, come home */
	assert_string_equal(json_string_value(json_object_get(json_array_get(out, 0), "path")),
			    "r119999@a -> r119999@b -> r119999@a");
	pol_free(p[0]);
	pol_free(p[1]);
	json_array_clear(out);
	for (i = 0; i < 11; i++)
		p[i] = ring('a' + i, "abcdefghijk", 1, 1);
	assert_true(chain_check(p, 11, out));
	assert_string_equal(json_string_value(json_object_get(json_array_get(out,
			    json_array_size(out) - 1), "kind")), "unfinished");
	for (i = 0; i < 11; i++)
		pol_free(p[i]);
	json_decref(out);
}

static size_t b64url(const uint8_t *in, size_t n, char *out)
{
	size_t len = EVP_EncodeBlock((unsigned char *)out, in, n), i;

	for (i = 0; i < len; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	while (len && out[len - 1] == '=')
		len--;
	out[len] = 0;
	return len;
}

/* Signs @claims under @header as JWS does: r and s, not DER, for P-256. */
static void make_token_of(EVP_PKEY *k, const char *header, const char *claims, char *out)
{
	bool p256 = EVP_PKEY_get_id(k) == EVP_PKEY_EC;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t sig[128], raw[64];
	const uint8_t *der = sig;
	size_t n, sn = sizeof(sig);
	ECDSA_SIG *es;

	n = b64url((uint8_t *)header, strlen(header), out);
	out[n++] = '.';
	n += b64url((const uint8_t *)claims, strlen(claims), out + n);
	assert_int_equal(EVP_DigestSignInit(c, NULL, p256 ? EVP_sha256() : NULL, NULL, k), 1);
	assert_int_equal(EVP_DigestSign(c, sig, &sn, (uint8_t *)out, n), 1);
	EVP_MD_CTX_free(c);
	if (p256) {
		es = d2i_ECDSA_SIG(NULL, &der, sn);
		assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(es), raw, 32), 32);
		assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(es), raw + 32, 32), 32);
		ECDSA_SIG_free(es);
	} else {
		memcpy(raw, sig, 64);
	}
	out[n++] = '.';
	b64url(raw, 64, out + n);
}

static void make_token(EVP_PKEY *k, const char *alg, const char *claims, char *out)
{
	char header[64];

	snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", alg);
	make_token_of(k, header, claims, out);
}

static struct jwt_keys *public_key(EVP_PKEY *k)
{
	char path[] = "/tmp/policy-unit-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	struct jwt_keys *out;
	struct pol_err e;

	assert_int_equal(PEM_write_PUBKEY(f, k), 1);
	fclose(f);
	out = jwt_keys_load(path, &e);
	unlink(path);
	assert_non_null(out);
	return out;
}

/* Is @token taken? If not, for what @error says. */
static void assert_token(const char *token, const struct jwt_keys *k, const char *error)
{
	const struct jwt_rules rules = { "i", "a", 1000, 30 };
	struct pol_err e = { "" };
	struct jwt out;
	int ret = jwt_verify(token, k, &rules, &out, &e);

	jwt_free(&out);
	if (!ret == !error && (!error || strstr(e.msg, error)))
		return;
	fail_msg("%s: '%s', not '%s'", token, e.msg, error ? error : "");
}

#define CLAIMS(more)	"{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"exp\":2000" more "}"
#define TIMES(more)	"{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\"" more "}"

/*
 * What RFC 7519 says must be so, by its sections; the time is 1000, the skew 30. What it
 * leaves to the issuer's and this side's agreement (that "exp", "iss", "aud" and "sub"
 * must be there) is asked for, too.
 */
static void test_assertions(void **state)
{
	static const struct {
		const char *claims, *error;
	} cases[] = {
		{ CLAIMS(""), NULL },
		/* 2, NumericDate: a number, not always a whole one */
		{ TIMES(",\"exp\":2000.5"), NULL },
		{ TIMES(",\"exp\":1000.5"), NULL },
		{ TIMES(",\"exp\":1.5e3"), NULL },
		{ TIMES(",\"exp\":\"2000\""), "'exp' is no number" },
		{ TIMES(",\"exp\":null"), "'exp' is no number" },
		{ CLAIMS(",\"nbf\":999.25"), NULL },
		{ CLAIMS(",\"nbf\":\"999\""), "'nbf' is no number" },
		{ CLAIMS(",\"iat\":999.25"), NULL },
		{ CLAIMS(",\"iat\":\"999\""), "'iat' is no number" },
		/* 4: claim names are unique; those not understood are ignored */
		{ CLAIMS(",\"iss\":\"i\""), "no JSON object" },
		{ CLAIMS(",\"other\":{\"a\":[1,{}]}"), NULL },
		/* 4.1.1 iss, case-sensitive */
		{ "{\"iss\":\"j\",\"sub\":\"s\",\"aud\":\"a\",\"exp\":2000}", "another issuer" },
		{ "{\"iss\":\"I\",\"sub\":\"s\",\"aud\":\"a\",\"exp\":2000}", "another issuer" },
		{ "{\"iss\":[\"i\"],\"sub\":\"s\",\"aud\":\"a\",\"exp\":2000}", "another issuer" },
		{ "{\"sub\":\"s\",\"aud\":\"a\",\"exp\":2000}", "another issuer" },
		/* 4.1.2 sub, a text */
		{ "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":2000}", "no subject" },
		{ "{\"iss\":\"i\",\"sub\":\"\",\"aud\":\"a\",\"exp\":2000}", "no subject" },
		{ "{\"iss\":\"i\",\"sub\":7,\"aud\":\"a\",\"exp\":2000}", "no subject" },
		/* 4.1.3 aud: a text or a list of texts; who is not in it rejects */
		{ "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":[\"x\",\"a\"],\"exp\":2000}", NULL },
		{ "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"b\",\"exp\":2000}", "another audience" },
		{ "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"A\",\"exp\":2000}", "another audience" },
		{ "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":[],\"exp\":2000}", "another audience" },
		{ "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":[\"a\",7],\"exp\":2000}", "list of texts" },
		{ "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":7,\"exp\":2000}", "no audience" },
		{ "{\"iss\":\"i\",\"sub\":\"s\",\"exp\":2000}", "no audience" },
		/* 4.1.4 exp: not on or after it, without leeway */
		{ TIMES(",\"exp\":1001"), NULL },
		{ TIMES(",\"exp\":1000"), "expired" },
		{ TIMES(",\"exp\":999.9"), "expired" },
		{ TIMES(",\"exp\":-1"), "expired" },
		{ TIMES(""), "does not say when it expires" },
		/* 4.1.5 nbf: not before it, with the leeway for clocks that differ */
		{ CLAIMS(",\"nbf\":1000"), NULL },
		{ CLAIMS(",\"nbf\":1030"), NULL },
		{ CLAIMS(",\"nbf\":1030.5"), "not yet" },
		{ CLAIMS(",\"nbf\":1031"), "not yet" },
		/* 4.1.7 jti, a text */
		{ CLAIMS(",\"jti\":\"x\""), NULL },
		{ CLAIMS(",\"jti\":7"), "'jti' is no text" },
		/* 7.2, step 10: a JSON object, in UTF-8 */
		{ "[]", "no JSON object" },
		{ "", "no JSON object" },
		{ CLAIMS("") "x", "no JSON object" },
		{ CLAIMS(",\"x\":\"\xff\""), "no JSON object" },
	};
	/* 7.2, steps 1 to 7, and RFC 7515, section 4.1 */
	static const struct {
		const char *header, *error;
	} headers[] = {
		{ "{\"alg\":\"EdDSA\"}", NULL },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"other\":1}", NULL },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"any\"}", NULL },
		{ "{\"alg\":\"none\"}", "not signed with" },
		{ "{\"alg\":\"eddsa\"}", "not signed with" },
		{ "{\"alg\":\"HS256\"}", "not signed with" },
		{ "{\"alg\":[\"EdDSA\"]}", "not signed with" },
		{ "{}", "not signed with" },
		{ "{\"alg\":\"none\",\"alg\":\"EdDSA\"}", "header" },
		{ "{\"alg\":\"EdDSA\",\"crit\":[\"b64\"],\"b64\":false}", "header" },
		{ "[]", "header" },
		{ "", "header" },
	};
	EVP_PKEY *pair[2] = { EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), EVP_EC_gen("P-256") };
	static const char *const algs[2] = { "EdDSA", "ES256" };
	struct jwt_keys *key[2];
	char token[4096];
	size_t i;
	int k;

	(void)state;
	for (k = 0; k < 2; k++)
		key[k] = public_key(pair[k]);
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		make_token_of(pair[0], headers[i].header, cases[0].claims, token);
		assert_token(token, key[0], headers[i].error);
	}
	for (k = 0; k < 2; k++) {
		for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			make_token(pair[k], algs[k], cases[i].claims, token);
			assert_token(token, key[k], cases[i].error);
		}
		make_token(pair[k], algs[k], cases[0].claims, token);
		assert_token(token, key[!k], "not signed with");
		/* The key decides the algorithm, not the token. */
		make_token(pair[k], algs[!k], cases[0].claims, token);
		assert_token(token, key[k], "not signed with");
		make_token(pair[k], algs[k], cases[0].claims, token);
		strcat(token, "=");
		assert_token(token, key[k], "not the issuer's");
		token[strlen(token) - 1] = 0;
		token[strlen(token) - 3] ^= 1;
		assert_token(token, key[k], "not the issuer's");
		strcat(token, ".x");
		assert_token(token, key[k], "not three parts");
		assert_token("x", key[k], "not three parts");
	}
	for (k = 0; k < 2; k++) {
		jwt_keys_free(key[k]);
		EVP_PKEY_free(pair[k]);
	}
}

/* Every claim that a policy could ask for is taken, or the assertion is not. */
static void test_assertion_claims(void **state)
{
	const struct jwt_rules rules = { "i", "a", 1000, 30 };
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct jwt_keys *key = public_key(pair);
	char token[8192], claims[4096];
	struct pol_err e;
	struct jwt out;
	int n, i, many;

	(void)state;
	for (many = 60; many <= 61; many++) {	/* with iss, sub, aud and exp: 64, 65 */
		n = snprintf(claims, sizeof(claims), "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\","
			     "\"exp\":2000");
		for (i = 0; i < many; i++)
			n += snprintf(claims + n, sizeof(claims) - n, ",\"c%d\":\"v%d\"", i, i);
		snprintf(claims + n, sizeof(claims) - n, "}");
		make_token(pair, "EdDSA", claims, token);
		assert_int_equal(jwt_verify(token, key, &rules, &out, &e), many > 60 ? -EINVAL : 0);
		if (many > 60) {
			assert_non_null(strstr(e.msg, "more than 64 claims"));
		} else {
			assert_string_equal(out.name[63], "claim.c59");
			assert_string_equal(out.value[63], "v59");
		}
		jwt_free(&out);
	}
	make_token(pair, "EdDSA", CLAIMS(",\"t\":true,\"n\":-7,\"r\":1.5,\"l\":[\"x\",\"y\"],"
					 "\"bad\":[\"x y\"],\"o\":{}"), token);
	assert_int_equal(jwt_verify(token, key, &rules, &out, &e), 0);
	assert_int_equal(out.n_claim, 7);
	assert_string_equal(out.value[4], "true");
	assert_string_equal(out.value[5], "-7");
	assert_string_equal(out.value[6], "x y");
	jwt_free(&out);
	jwt_keys_free(key);
	EVP_PKEY_free(pair);
}

static void jwk(EVP_PKEY *k, const char *more, char *out, size_t size)
{
	uint8_t raw[65];
	char x[64], y[64];
	size_t n = sizeof(raw);

	if (EVP_PKEY_get_id(k) == EVP_PKEY_ED25519) {
		assert_int_equal(EVP_PKEY_get_raw_public_key(k, raw, &n), 1);
		b64url(raw, 32, x);
		snprintf(out, size, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"%s}", x,
			 more);
		return;
	}
	assert_int_equal(EVP_PKEY_get_octet_string_param(k, "pub", raw, sizeof(raw), &n), 1);
	b64url(raw + 1, 32, x);
	b64url(raw + 33, 32, y);
	snprintf(out, size, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"%s}", x, y,
		 more);
}

/* A set of keys: the old one and the new one while both are in use, and others. */
static void test_key_sets(void **state)
{
	EVP_PKEY *k[3] = { EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), EVP_EC_gen("P-256"),
			   EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };
	char path[] = "/tmp/policy-unit-XXXXXX", one[3][400], token[4096];
	struct jwt_keys *keys;
	struct pol_err e;
	FILE *f = fdopen(mkstemp(path), "w");

	(void)state;
	jwk(k[0], ",\"kid\":\"old\",\"use\":\"sig\"", one[0], sizeof(one[0]));
	jwk(k[1], ",\"kid\":\"new\"", one[1], sizeof(one[1]));
	jwk(k[2], ",\"use\":\"enc\"", one[2], sizeof(one[2]));
	fprintf(f, "{\"keys\":[%s,{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},7,%s,%s]}",
		one[0], one[1], one[2]);
	fclose(f);
	keys = jwt_keys_load(path, &e);
	assert_non_null(keys);
	make_token(k[0], "EdDSA", CLAIMS(""), token);
	assert_token(token, keys, NULL);
	make_token(k[1], "ES256", CLAIMS(""), token);
	assert_token(token, keys, NULL);
	make_token_of(k[1], "{\"alg\":\"ES256\",\"kid\":\"new\"}", CLAIMS(""), token);
	assert_token(token, keys, NULL);
	make_token_of(k[1], "{\"alg\":\"ES256\",\"kid\":\"old\"}", CLAIMS(""), token);
	assert_token(token, keys, "not signed with");
	make_token(k[2], "EdDSA", CLAIMS(""), token);
	assert_token(token, keys, "not the issuer's");
	jwt_keys_free(keys);
	f = fopen(path, "w");
	fprintf(f, "{\"keys\":[%s]}", one[2]);
	fclose(f);
	assert_null(jwt_keys_load(path, &e));
	unlink(path);
	for (int i = 0; i < 3; i++)
		EVP_PKEY_free(k[i]);
}

#define P	"layer = platform\n"
#define BAD	"is unknown, is given twice, or its value is not allowed"

/* What a configuration must say, and what it must not. */
static void test_conf(void **state)
{
	static const char whole[] = "cloud = c\nlisten = 127.0.0.1:1\ncertificate = x\nkey = x\n"
		"trust = x\nstate = x\npolicy = x\ndirectory = x\naudit-key = x\nown.issuer = x\n"
		"own.ca = x\n";
	static const struct {
		const char *more, *error;
	} cases[] = {
		{ P, NULL },
		{ P "skew-seconds = 1800\n", NULL },
		{ "layer = application\n", NULL },
		{ P "own.platform = https://[::1]:8443\nown.application = https://a.example\n",
		  NULL },
		{ P "jwt-key = x\njwt-issuer = x\njwt-audience = x\n", NULL },
		{ "", "'layer' is missing" },
		{ "layer = cellar\n", "'layer' " BAD },
		{ P "skew-seconds = 1801\n", "'skew-seconds' " BAD },
		{ P "skew-seconds = 0\n", "'skew-seconds' " BAD },
		{ P "skew-seconds = 4294967297\n", "'skew-seconds' " BAD },
		{ P "skew-seconds = -4294967295\n", "'skew-seconds' " BAD },
		{ P "skew-seconds = +30\n", "'skew-seconds' " BAD },
		{ P "skew-seconds = 30 s\n", "'skew-seconds' " BAD },
		{ P "skew-seconds =\n", "'skew-seconds' " BAD },
		{ P "ticket-lifetime = 3601\n", "'ticket-lifetime' " BAD },
		{ P "queue = 4294972296\n", "'queue' " BAD },
		{ P "listen = 127.0.0.1:2\n", "'listen' " BAD },
		{ P "layer = platform\n", "'layer' " BAD },
		{ P "cloud = d\n", "'cloud' " BAD },
		{ P "own.issuer = y\n", "'own.issuer' " BAD },
		{ P "own.platform = http://a:1\n", "'own.platform' " BAD },
		{ P "own.platform = https://\n", "'own.platform' " BAD },
		{ P "own.platform = https://a:0\n", "'own.platform' " BAD },
		{ P "own.platform = https://a:65536\n", "'own.platform' " BAD },
		{ P "own.platform = https://a:4294975739\n", "'own.platform' " BAD },
		{ P "own.platform = https://a:1/v1\n", "'own.platform' " BAD },
		{ P "own.platform = https://b@a:1\n", "'own.platform' " BAD },
		{ P "own.cellar = https://a:1\n", "'own.cellar' " BAD },
		{ P "peer.c.issuer = x\npeer.c.ca = x\n", "is this cloud itself" },
		{ P "peer.d.issuer = x\n", "'peer.d.ca' is missing" },
		{ P "jwt-key = x\n", "all are given or none" },
		{ P "root-image = 00\n", "not 64 hexadecimal digits" },
		{ "layer = infrastructure\n", "the infrastructure layer needs" },
	};
	char path[] = "/tmp/policy-unit-XXXXXX";
	struct pol_err e;
	struct conf c;
	size_t i;
	FILE *f;
	int ret;

	(void)state;
	close(mkstemp(path));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = fopen(path, "w");
		fprintf(f, "%s%s", whole, cases[i].more);
		fclose(f);
		e.msg[0] = 0;
		ret = conf_load(&c, path, &e);
		assert_int_equal(!ret, !cases[i].error);
		if (ret && !strstr(e.msg, cases[i].error))
			fail_msg("'%s' says '%s'", cases[i].more, e.msg);
	}
	unlink(path);
}

/* Where a daemon listens. */
static void test_conf_listen(void **state)
{
	static const struct {
		const char *listen;
		bool good, ipv6;
	} cases[] = {
		{ "127.0.0.1:1", true, false }, { "0.0.0.0:65535", true, false },
		{ "[::1]:8443", true, true }, { "[::]:8443", true, true },
		{ "127.0.0.1", false, false }, { "127.0.0.1:", false, false },
		{ "127.0.0.1:0", false, false }, { "127.0.0.1:65536", false, false },
		{ "127.0.0.1:4294975739", false, false }, { "127.0.0.1:84x", false, false },
		{ "127.0.0.1:-1", false, false }, { "127.0.0.1:+1", false, false },
		{ "::1:8443", false, false }, { "[::1:8443", false, false },
		{ "[127.0.0.1]:8443", false, false }, { "localhost:8443", false, false },
		{ "127.0.0.256:8443", false, false }, { "", false, false },
	};
	char path[] = "/tmp/policy-unit-XXXXXX";
	struct pol_err e;
	struct conf c;
	size_t i;
	FILE *f;

	(void)state;
	close(mkstemp(path));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = fopen(path, "w");
		fprintf(f, "listen = %s\ncloud = c\ncertificate = x\nkey = x\ntrust = x\nstate = x\n"
			"policy = x\ndirectory = x\naudit-key = x\nown.issuer = x\nown.ca = x\n" P,
			cases[i].listen);
		fclose(f);
		if (!conf_load(&c, path, &e) != cases[i].good)
			fail_msg("listen = %s", cases[i].listen);
		if (cases[i].good)
			assert_int_equal(c.ipv6, cases[i].ipv6);
	}
	unlink(path);
}

/* A definition names its VM, and declares nothing, in whatever encoding. */
static void test_definitions(void **state)
{
	static const char id[] = "00000000-0000-4000-8000-000000000001";
	static const char good[] = "<domain><uuid>00000000-0000-4000-8000-000000000001</uuid>"
		"</domain>";
	static const char utf16[] = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><!DOCTYPE domain ["
		"<!ENTITY u \"00000000-0000-4000-8000-000000000001\">]><domain><uuid>&u;</uuid>"
		"</domain>";
	/* "<!DOCTYPE" in UTF-7 is "+ADwAIQ-DOCTYPE": one of its forms. */
	static const char utf7[] = "<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADwAIQ-DOCTYPE domain ["
		"]><domain><uuid>00000000-0000-4000-8000-000000000001</uuid></domain>";
	char wide[2 * sizeof(utf16)];
	size_t i;

	(void)state;
	assert_int_equal(provider_dir_check(good, sizeof(good) - 1, id), 0);
	assert_int_equal(provider_dir_check(good, sizeof(good) - 1, id + 1), -EINVAL);
	assert_int_equal(provider_dir_check(good, sizeof(good), id), -EINVAL);
	assert_int_equal(provider_dir_check(utf7, sizeof(utf7) - 1, id), -EINVAL);
	memcpy(wide, "\xff\xfe", 2);
	for (i = 0; i < sizeof(utf16) - 1; i++)
		memcpy(wide + 2 + 2 * i, (char[]){ utf16[i], 0 }, 2);
	assert_int_equal(provider_dir_check(wide, sizeof(wide), id), -EINVAL);
	assert_int_equal(provider_dir_check("", 0, id), -EINVAL);
}

#define STEP(cloud, more) "[\"" cloud "\",\"platform\",\"PEP\",\"permit\",\"permit\"" more "]"
#define LAST		"\"cloud\":\"c\",\"layer\":\"l\",\"module\":\"m\",\"code\":\"x\""
#define TEXT		",\"x\""

static int parse(struct msg_answer *a, const char *last, const char *steps, const char *peer)
{
	char text[1000];

	msg_answer_init(a);
	snprintf(text, sizeof(text), "{\"v\":1,\"id\":\"i\",\"verdict\":\"permit\",%s,"
		 "\"trace\":[%s]}", last, steps);
	return msg_answer_parse(text, strlen(text), "i", a, peer);
}

static int parse_answer(struct msg_answer *a, const char *steps, const char *peer)
{
	return parse(a, LAST, steps, peer);
}

/* Another cloud cannot speak as this one, nor to its terminals. */
static void test_foreign_steps(void **state)
{
	static const char *const bad[] = {
		STEP("ea\xc2\x9bst", TEXT), STEP("\xe2\x80\xaetsew", TEXT), STEP("east", ""),
		STEP("east", ",5"), STEP("east", TEXT ",\"b\",\"more\""), STEP("east", TEXT ",7"),
		STEP("", TEXT), "{}", "[]", "7",
	};
	struct msg_answer a;
	size_t i;

	(void)state;
	assert_int_equal(parse_answer(&a, STEP("east", TEXT ",\"east\""), "west"), 0);
	assert_string_equal(a.step[0].by, "west");
	assert_null(a.step[0].text);
	msg_answer_free(&a);
	assert_int_equal(parse_answer(&a, STEP("east", TEXT ",\"west\""), NULL), 0);
	assert_string_equal(a.step[0].by, "west");
	assert_string_equal(a.step[0].text, "x");
	msg_answer_free(&a);
	assert_int_equal(parse_answer(&a, STEP("\xc3\xb6st", TEXT), "west"), 0);
	msg_answer_free(&a);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse_answer(&a, bad[i], "west"), -EINVAL);
		assert_int_equal(a.n_step, 0);
		msg_answer_free(&a);
	}
}

/* Nor by the last word: what cannot be written to a log would not be. */
static void test_foreign_last_word(void **state)
{
	static const char *const bad[] = {
		"\"cloud\":\"c\",\"layer\":\"l\",\"module\":\"m\x1b[31m\",\"code\":\"x\"",
		"\"cloud\":\"c\",\"layer\":\"l\",\"module\":\"m\\u001b\",\"code\":\"x\"",
		"\"cloud\":\"c\",\"layer\":\"l\",\"module\":\"a b\",\"code\":\"x\"",
		"\"cloud\":\"c\",\"layer\":\"l\",\"module\":\"m\"",
		"\"cloud\":3,\"layer\":\"l\",\"module\":\"m\",\"code\":\"x\"",
	};
	struct msg_answer a;
	char last[400], many[129];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(&a, bad[i], STEP("east", TEXT), "west"), -EINVAL);
		msg_answer_free(&a);
	}
	for (i = 0; i < 64; i++)
		memcpy(many + 2 * i, "\xc3\xa9", 2);
	many[128] = 0;
	snprintf(last, sizeof(last), "\"cloud\":\"%s\",\"layer\":\"l\",\"module\":\"m\","
		 "\"code\":\"x\"", many);
	assert_int_equal(parse(&a, last, STEP("east", TEXT), NULL), -EINVAL);
	msg_answer_free(&a);
}

/* A trace that is full keeps the last word: it is the audit log's reason. */
static void test_full_trace(void **state)
{
	struct msg_answer a;
	int i;

	(void)state;
	msg_answer_init(&a);
	for (i = 0; i < MSG_TRACE_MAX + 3; i++)
		msg_trace(&a, "c", "l", "PEP", "permit", "permit", "x");
	msg_trace(&a, "c", "l", "VRM", "deny", "not-allocated", "last");
	assert_int_equal(a.n_step, MSG_TRACE_MAX);
	assert_string_equal(a.step[MSG_TRACE_MAX - 1].text, "last");
	assert_string_equal(a.code, "not-allocated");
	msg_answer_free(&a);
}

/* A text that is no UTF-8 costs the text, not the step, nor the answer. */
static void test_bad_text(void **state)
{
	struct msg_answer a;
	char *text;

	(void)state;
	msg_answer_init(&a);
	msg_trace(&a, "c", "l", "PEP", "deny", "rule-condition", "cut in the middle: \xc3");
	text = msg_answer_text(&a, "i");
	msg_answer_free(&a);
	assert_non_null(text);
	assert_non_null(strstr(text, "[\"c\",\"l\",\"PEP\",\"deny\",\"rule-condition\",\"\"]"));
	free(text);
}

/* Every character that needs care comes back as it was; what is no UTF-8 fails as a whole. */
static void test_json_out(void **state)
{
	static const char umlaut[] = "\xc3\xbc";
	static const char *const not[] = { "\xc3", "\xc0\x80", "\xed\xa0\x80", "a\x80" };
	struct json_out o = { .text = NULL };
	char all[128], *text, c;
	json_t *j;
	size_t i;

	(void)state;
	for (c = 1; c < 127; c++)
		all[c - 1] = c;
	strcpy(all + 126, "");
	json_out_open(&o, '{');
	json_out_member(&o, all, umlaut);
	json_out_member(&o, "none", NULL);
	json_out_name(&o, "list");
	json_out_open(&o, '[');
	for (i = 0; i < 2000; i++)
		json_out_text(&o, i & 1 ? all : "");
	json_out_number(&o, INT64_MIN);
	json_out_close(&o, ']');
	json_out_close(&o, '}');
	text = json_out_end(&o);
	j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_object_size(j), 2);
	assert_string_equal(json_string_value(json_object_get(j, all)), umlaut);
	assert_int_equal(json_array_size(json_object_get(j, "list")), 2001);
	assert_string_equal(json_string_value(json_array_get(json_object_get(j, "list"), 1999)),
			    all);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(j, "list"), 2000)),
			 INT64_MIN);
	json_decref(j);
	free(text);
	for (i = 0; i < sizeof(not) / sizeof(not[0]); i++) {
		o = (struct json_out){ .text = NULL };
		json_out_text(&o, not[i]);
		assert_null(json_out_end(&o));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_out),
		cmocka_unit_test(test_bad_sheets),
		cmocka_unit_test(test_static_constraints),
		cmocka_unit_test(test_mediation_subset),
		cmocka_unit_test(test_reason_cut),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_xml_limits),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_daylight_saving),
		cmocka_unit_test(test_ticket_layout),
		cmocka_unit_test(test_ticket_for_the_layer),
		cmocka_unit_test(test_ticket_errors),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_audit), cmocka_unit_test(test_audit_keys),
		cmocka_unit_test(test_image_damage),
		cmocka_unit_test(test_image_only_assignment),
		cmocka_unit_test(test_image_spare_fields),
		cmocka_unit_test(test_image_searches_end),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_session_bounds),
		cmocka_unit_test(test_session_texts),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_chains_bounds),
		cmocka_unit_test(test_assertions),
		cmocka_unit_test(test_assertion_claims),
		cmocka_unit_test(test_key_sets),
		cmocka_unit_test(test_foreign_steps),
		cmocka_unit_test(test_foreign_last_word),
		cmocka_unit_test(test_bad_text),
		cmocka_unit_test(test_full_trace),
		cmocka_unit_test(test_conf),
		cmocka_unit_test(test_conf_listen),
		cmocka_unit_test(test_definitions),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
