// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of the daemon's parts that need no other daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "net/html.h"
#include "net/loop.h"
#include "net/recent.h"
#include "trust/tls.h"
#include "vrm/clock.h"
#include "vrm/sender.h"

/* --- the loop --- */

struct heard {
	int n, fd;
	uint32_t events;
};

static void hear(void *ctx, int fd, uint32_t events)
{
	struct heard *h = ctx;

	h->n++;
	h->fd = fd;
	h->events = events;
}

/* A pipe whose reading end has number @fd. */
static int pipe_at(int fd)
{
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	if (p[0] != fd) {
		assert_int_equal(dup2(p[0], fd), fd);
		close(p[0]);
	}
	return p[1];
}

/* A library that closes a descriptor without a word must not cost the next one its number. */
static void test_loop_reuse(void **state)
{
	struct heard first = { 0 }, second = { 0 };
	struct loop l;
	int w, fd = 40;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	w = pipe_at(fd);
	assert_int_equal(loop_watch(&l, fd, EPOLLIN, hear, &first), 0);
	close(w);
	close(fd);
	/* For the same events, and for others. */
	w = pipe_at(fd);
	assert_int_equal(loop_watch(&l, fd, EPOLLIN, hear, &first), 0);
	assert_int_equal(write(w, "x", 1), 1);
	assert_int_equal(loop_once(&l, 0), 1);
	assert_int_equal(first.n, 1);
	close(w);
	close(fd);
	w = pipe_at(fd);
	assert_int_equal(loop_watch(&l, fd, EPOLLIN | EPOLLPRI, hear, &second), 0);
	assert_int_equal(write(w, "x", 1), 1);
	assert_int_equal(loop_once(&l, 0), 1);
	assert_int_equal(second.n, 1);
	/* What the first owner says late does not end the second's wait. */
	loop_forget(&l, fd, &first);
	assert_int_equal(loop_once(&l, 0), 1);
	assert_int_equal(second.n, 2);
	loop_forget(&l, fd, &second);
	assert_int_equal(loop_once(&l, 0), 0);
	/* A wait that was ended is begun anew. */
	assert_int_equal(loop_watch(&l, fd, EPOLLIN, hear, &first), 0);
	assert_int_equal(loop_once(&l, 0), 1);
	assert_int_equal(first.n, 2);
	close(w);
	close(fd);
	assert_int_not_equal(loop_watch(&l, fd, EPOLLIN, hear, &first), 0);
	loop_exit(&l);
}

/* --- clocks --- */

static void assert_late(struct clock_of *c, int64_t age, int64_t now, bool known, int64_t late)
{
	int64_t got;

	assert_int_equal(clock_late(c, age, now, &got), known);
	if (known)
		assert_int_equal(got, late);
}

static void test_clocks(void **state)
{
	struct clock_of agree = { 0 }, differ = { 0 };

	(void)state;
	/* Clocks that agree need not be known. */
	assert_late(&agree, 3, 1000, true, 0);
	assert_late(&agree, 253, 1001, true, 0);
	assert_late(&agree, 2003, 1002, true, 1750);
	/* The others are after one message, whichever way they differ. */
	assert_late(&differ, -6000, 1000, false, 0);
	assert_late(&differ, -5990, 1001, true, 0);
	assert_late(&differ, -4000, 1002, true, 1750);
	/* The least age counts, be it heard of later. */
	assert_late(&differ, -6100, 1003, true, 0);
	assert_late(&differ, -4100, 1004, true, 1750);
	/* For one more window; and after the next, a clock that was set is believed. */
	assert_late(&differ, -4000, 1000 + CLOCK_WINDOW_MS, true, 1850);
	assert_late(&differ, -4000, 1000 + 2 * CLOCK_WINDOW_MS, true, 0);
	/* What was not heard of for long is not known any more. */
	assert_late(&differ, -4000, 1000 + 9 * CLOCK_WINDOW_MS, false, 0);
	assert_late(&differ, -4000, 1001 + 9 * CLOCK_WINDOW_MS, true, 0);
	assert_late(&agree, 2000, 1000 + 9 * CLOCK_WINDOW_MS, false, 0);
}

/* --- certificates --- */

struct made {
	X509 *crt;
	EVP_PKEY *key;
};

/* What a certificate is to be like; what is silent is as it should be. */
struct like {
	const char *o, *ou, *second_o;
	int o_len, ou_len;		/* if there is a NUL in it */
	const char *key;		/* "rsa1024", "rsa2048", or Ed25519 */
	const EVP_MD *digest;
	const char *purpose, *usage;
	bool ca;
	long from, until;		/* seconds from now */
};

static EVP_PKEY *make_key(const char *kind)
{
	if (!kind)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(kind + 3));
}

static void add_part(X509_NAME *n, const char *what, const char *text, int len)
{
	if (text)
		assert_int_equal(X509_NAME_add_entry_by_txt(n, what, V_ASN1_UTF8STRING,
							    (const unsigned char *)text,
							    len ? len : -1, -1, 0), 1);
}

static void add_extension(X509 *c, int nid, const char *value)
{
	X509_EXTENSION *x = value ? X509V3_EXT_conf_nid(NULL, NULL, nid, value) : NULL;

	if (x)
		assert_int_equal(X509_add_ext(c, x, -1), 1);
	X509_EXTENSION_free(x);
}

/* By its own key if @by is NULL. */
static struct made make(const struct made *by, const char *cn, const struct like *l)
{
	static long serial = 1;
	struct made m = { X509_new(), make_key(l->key) };
	X509_NAME *n = X509_get_subject_name(m.crt);

	X509_set_version(m.crt, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(m.crt), serial++);
	X509_gmtime_adj(X509_getm_notBefore(m.crt), l->from ? l->from : -60);
	X509_gmtime_adj(X509_getm_notAfter(m.crt), l->until ? l->until : 3600);
	add_part(n, "O", l->o, l->o_len);
	add_part(n, "O", l->second_o, 0);
	add_part(n, "OU", l->ou, l->ou_len);
	add_part(n, "CN", cn, 0);
	X509_set_issuer_name(m.crt, by ? X509_get_subject_name(by->crt) : n);
	X509_set_pubkey(m.crt, m.key);
	add_extension(m.crt, NID_basic_constraints, l->ca ? "critical,CA:TRUE" : NULL);
	add_extension(m.crt, NID_ext_key_usage, l->purpose);
	add_extension(m.crt, NID_key_usage, l->usage);
	assert_true(X509_sign(m.crt, by ? by->key : m.key, l->digest) > 0);
	return m;
}

static void drop(struct made *m)
{
	X509_free(m->crt);
	EVP_PKEY_free(m->key);
}

static void write_crt(const char *path, const X509 *crt)
{
	FILE *f = fopen(path, "w");

	assert_true(PEM_write_X509(f, crt) == 1);
	fclose(f);
}

/* A list of what @ca revoked: @bad, or nothing. */
static void write_crl(const char *path, const struct made *ca, const X509 *bad, long until)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, -60), *next = X509_gmtime_adj(NULL, until);
	X509_REVOKED *r = X509_REVOKED_new();
	FILE *f = fopen(path, "w");

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->crt));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, next);
	if (bad) {
		X509_REVOKED_set_serialNumber(r, (ASN1_INTEGER *)X509_get0_serialNumber(bad));
		X509_REVOKED_set_revocationDate(r, now);
		X509_CRL_add0_revoked(crl, X509_REVOKED_dup(r));
	}
	assert_true(X509_CRL_sign(crl, ca->key, NULL) > 0);
	assert_true(PEM_write_X509_CRL(f, crl) == 1);
	fclose(f);
	X509_REVOKED_free(r);
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	X509_CRL_free(crl);
}

static void identify(const struct senders *s, const struct conf *c, const X509 *crt,
		     struct sender *out)
{
	unsigned char *der = NULL;
	int n = i2d_X509((X509 *)crt, &der);

	sender_identify(s, c, der, n, out);
	OPENSSL_free(der);
}

struct clouds {
	struct conf c;
	struct made own, west;
	char dir[32];
};

/* Two clouds whose authorities are called @own and @west. */
static void clouds_make(struct clouds *w, const char *own, const char *west)
{
	const struct like ca = { .ca = true };

	memset(w, 0, sizeof(*w));
	strcpy(w->dir, "/tmp/policy-daemon-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	w->own = make(NULL, own, &ca);
	w->west = make(NULL, west, &ca);
	w->c.n_peer = 1;
	strcpy(w->c.peer[0].cloud, "west");
	snprintf(w->c.own.issuer, sizeof(w->c.own.issuer), "CN=%s", own);
	snprintf(w->c.peer[0].issuer, sizeof(w->c.peer[0].issuer), "CN=%s", west);
	snprintf(w->c.own.ca, sizeof(w->c.own.ca), "%s/own.pem", w->dir);
	snprintf(w->c.peer[0].ca, sizeof(w->c.peer[0].ca), "%s/west.pem", w->dir);
	write_crt(w->c.own.ca, w->own.crt);
	write_crt(w->c.peer[0].ca, w->west.crt);
}

static void clouds_drop(struct clouds *w)
{
	unlink(w->c.own.ca);
	unlink(w->c.peer[0].ca);
	unlink(w->c.own.crl);
	assert_int_equal(rmdir(w->dir), 0);
	drop(&w->own);
	drop(&w->west);
}

/* Which certificates of this cloud's authority are somebody's, and whose. */
static void test_senders(void **state)
{
	static const struct {
		const char *what;
		struct like like;
		enum sender_kind kind;
	} cases[] = {
		{ "a user", { .o = "c" }, SENDER_USER },
		{ "a daemon", { .o = "underpind", .ou = "platform" }, SENDER_UPPER },
		{ "a daemon of no layer", { .o = "underpind", .ou = "cellar" }, SENDER_NONE },
		{ "a daemon of no layer", { .o = "underpind" }, SENDER_NONE },
		{ "a NUL in O", { .o = "underpind\0x", .o_len = 11, .ou = "platform" },
		  SENDER_USER },
		{ "a NUL in OU", { .o = "underpind", .ou = "platform\0y", .ou_len = 10 },
		  SENDER_NONE },
		{ "two Os", { .o = "underpind", .second_o = "c", .ou = "platform" }, SENDER_USER },
		{ "two Os", { .o = "c", .second_o = "underpind", .ou = "platform" }, SENDER_USER },
		{ "for clients", { .o = "c", .purpose = "clientAuth,serverAuth",
				   .usage = "digitalSignature" }, SENDER_USER },
		{ "for servers", { .o = "c", .purpose = "serverAuth" }, SENDER_NONE },
		{ "to sign certificates", { .o = "c", .usage = "keyCertSign" }, SENDER_NONE },
		{ "an authority", { .o = "c", .ca = true }, SENDER_NONE },
		{ "RSA 2048", { .o = "c", .key = "rsa2048" }, SENDER_USER },
		{ "RSA 1024", { .o = "c", .key = "rsa1024" }, SENDER_NONE },
		{ "ended", { .o = "c", .from = -120, .until = -60 }, SENDER_NONE },
		{ "of tomorrow", { .o = "c", .from = 60 }, SENDER_NONE },
	};
	struct senders *s;
	struct clouds w;
	struct sender out;
	struct pol_err e;
	struct made m;
	size_t i;

	(void)state;
	clouds_make(&w, "east CA", "west CA");
	s = senders_load(&w.c, &e);
	assert_non_null(s);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m = make(&w.own, "x", &cases[i].like);
		identify(s, &w.c, m.crt, &out);
		if (out.kind != cases[i].kind)
			fail_msg("%s: %d, not %d", cases[i].what, out.kind, cases[i].kind);
		drop(&m);
	}
	senders_free(s);
	clouds_drop(&w);
}

/* An RSA authority's signature by SHA-1 is none. */
static void test_senders_sha1(void **state)
{
	struct like user = { .o = "c", .digest = EVP_sha256() };
	struct senders *s;
	struct sender out;
	struct clouds w;
	struct pol_err e;
	struct made m;

	(void)state;
	clouds_make(&w, "east CA", "west CA");
	drop(&w.own);
	w.own = make(NULL, "east CA", &(struct like){ .ca = true, .key = "rsa2048",
						      .digest = EVP_sha256() });
	write_crt(w.c.own.ca, w.own.crt);
	s = senders_load(&w.c, &e);
	assert_non_null(s);
	m = make(&w.own, "x", &user);
	identify(s, &w.c, m.crt, &out);
	assert_int_equal(out.kind, SENDER_USER);
	drop(&m);
	user.digest = EVP_sha1();
	m = make(&w.own, "x", &user);
	identify(s, &w.c, m.crt, &out);
	assert_int_equal(out.kind, SENDER_NONE);
	drop(&m);
	senders_free(s);
	clouds_drop(&w);
}

/* Whose a certificate is, the authority's key says, whatever the authority is called. */
static void test_senders_names(void **state)
{
	const struct like daemon = { .o = "underpind", .ou = "application" }, user = { .o = "c" };
	struct senders *s;
	struct sender out;
	struct clouds w;
	struct pol_err e;
	struct made m;

	(void)state;
	clouds_make(&w, "Root CA", "Root CA");
	s = senders_load(&w.c, &e);
	assert_non_null(s);
	m = make(&w.west, "x", &daemon);
	identify(s, &w.c, m.crt, &out);
	assert_int_equal(out.kind, SENDER_REMOTE);
	assert_string_equal(out.peer->cloud, "west");
	drop(&m);
	m = make(&w.west, "x", &user);
	identify(s, &w.c, m.crt, &out);
	assert_int_equal(out.kind, SENDER_NONE);
	drop(&m);
	m = make(&w.own, "x", &user);
	identify(s, &w.c, m.crt, &out);
	assert_int_equal(out.kind, SENDER_USER);
	assert_string_equal(out.subject, "CN=x,O=c");
	assert_string_equal(out.issuer, "CN=Root CA");
	drop(&m);
	senders_free(s);
	/* One authority for two clouds, and one that is not called so. */
	write_crt(w.c.peer[0].ca, w.own.crt);
	assert_null(senders_load(&w.c, &e));
	assert_non_null(strstr(e.msg, "a cloud needs an authority of its own"));
	strcpy(w.c.own.issuer, "CN=east CA");
	assert_null(senders_load(&w.c, &e));
	assert_non_null(strstr(e.msg, "its name is 'CN=Root CA'"));
	clouds_drop(&w);
}

/* What is revoked is nobody's; a list that is too old, or another's, is no reason to believe. */
static void test_senders_revoked(void **state)
{
	struct made one, two;
	struct senders *s;
	struct sender out;
	struct clouds w;
	struct pol_err e;

	(void)state;
	clouds_make(&w, "east CA", "west CA");
	snprintf(w.c.own.crl, sizeof(w.c.own.crl), "%s/own.crl", w.dir);
	one = make(&w.own, "one", &(struct like){ .o = "c" });
	two = make(&w.own, "two", &(struct like){ .o = "c" });
	write_crl(w.c.own.crl, &w.own, one.crt, 3600);
	s = senders_load(&w.c, &e);
	assert_non_null(s);
	identify(s, &w.c, one.crt, &out);
	assert_int_equal(out.kind, SENDER_NONE);
	identify(s, &w.c, two.crt, &out);
	assert_int_equal(out.kind, SENDER_USER);
	senders_free(s);
	write_crl(w.c.own.crl, &w.own, one.crt, -1);
	assert_null(senders_load(&w.c, &e));
	assert_non_null(strstr(e.msg, "past its next update"));
	write_crl(w.c.own.crl, &w.west, NULL, 3600);
	assert_null(senders_load(&w.c, &e));
	assert_non_null(strstr(e.msg, "not signed by"));
	drop(&one);
	drop(&two);
	clouds_drop(&w);
}

/* The same names as a client sees them. */
static void test_server_names(void **state)
{
	static const struct {
		struct like like;
		bool o, ou;
	} cases[] = {
		{ { .o = "underpind", .ou = "platform" }, true, true },
		{ { .o = "underpind\0x", .o_len = 11, .ou = "platform" }, false, true },
		{ { .o = "underpind", .ou = "platform\0y", .ou_len = 10 }, true, false },
		{ { .o = "underpind", .second_o = "c", .ou = "platform" }, false, true },
		{ { .o = "underpin", .ou = "platforms" }, false, false },
		{ { .o = NULL }, false, false },
	};
	struct made m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m = make(NULL, "x", &cases[i].like);
		assert_int_equal(tls_name_is(m.crt, NID_organizationName, "underpind"), cases[i].o);
		assert_int_equal(tls_name_is(m.crt, NID_organizationalUnitName, "platform"),
				 cases[i].ou);
		drop(&m);
	}
}

/* --- what the status page is made of --- */

static void test_html(void **state)
{
	static const struct {
		const char *text, *html;
	} cases[] = {
		{ "web-1", "web-1" }, { "", "" },
		{ "<script>&\"'", "&lt;script&gt;&amp;&quot;&#39;" },
		{ "Pr\303\274fer \360\237\230\200", "Pr\303\274fer \360\237\230\200" },
		{ "a\nb\033\177", "a\357\277\275b\357\277\275\357\277\275" },
		{ "\302\205", "\357\277\275" },		/* C1 */
		{ "a\342\200\256b", "a[U+202E]b" },	/* right to left from here */
		{ "a\342\201\246b", "a[U+2066]b" },
		{ "a\342\200\213b", "a[U+200B]b" },	/* no width */
		/* No UTF-8: cut short, overlong, a surrogate, past the last, a rest alone. */
		{ "\303", "\357\277\275" },
		{ "\303<", "\357\277\275&lt;" },
		{ "\342\200<", "\357\277\275\357\277\275&lt;" },
		{ "\300\274", "\357\277\275\357\277\275" },
		{ "\355\240\200", "\357\277\275\357\277\275\357\277\275" },
		{ "\364\220\200\200", "\357\277\275\357\277\275\357\277\275\357\277\275" },
		{ "\277\377", "\357\277\275\357\277\275" },
	};
	char *text = NULL;
	size_t size, i;
	FILE *f;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = open_memstream(&text, &size);
		html_text(f, cases[i].text);
		fclose(f);
		assert_string_equal(text, cases[i].html);
		free(text);
	}
}

static uint32_t in_all(const struct recent *r, const char *code)
{
	uint32_t i, k, n = 0;

	for (i = 0; i < r->n_code; i++)
		for (k = 0; k < RECENT_MINUTES && !strcmp(r->code[i].name, code); k++)
			n += r->code[i].count[k];
	return n;
}

static void test_recent(void **state)
{
	static const char *const texts[] = { "alice", "view", "web-1", "{}" };
	struct recent *r = calloc(1, sizeof(*r));
	char name[40];
	int i;

	(void)state;
	/* A daemon's clock may be at any minute when it begins. */
	recent_refused(r, 1000000, "dsd");
	recent_refused(r, 1000000 + RECENT_MINUTES - 1, "dsd");
	assert_int_equal(in_all(r, "dsd"), 2);
	recent_until(r, 1000000 + RECENT_MINUTES);
	assert_int_equal(in_all(r, "dsd"), 1);
	recent_until(r, 3000000);
	assert_int_equal(in_all(r, "dsd"), 0);
	/* However many reasons there are, each refusal is counted, and nothing grows. */
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "code-%d", i);
		recent_refused(r, 3000000, name);
	}
	assert_int_equal(r->n_code, RECENT_CODES);
	assert_int_equal(in_all(r, "code-9"), 1);
	assert_int_equal(in_all(r, "others"), 40 - (RECENT_CODES - 2));
	for (i = 0; i < RECENT_REQUESTS + 3; i++) {
		snprintf(name, sizeof(name), "%032d", i);
		recent_request(r, name, i, 1, texts);
	}
	assert_string_equal(r->request[2].id, "00000000000000000000000000000052");
	assert_string_equal(r->request[3].id, "00000000000000000000000000000003");
	recent_end(r);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loop_reuse),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_senders),
		cmocka_unit_test(test_senders_sha1),
		cmocka_unit_test(test_senders_names),
		cmocka_unit_test(test_senders_revoked),
		cmocka_unit_test(test_server_names),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_recent),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
