// SPDX-License-Identifier: GPL-2.0
/* The program underpin-libvirt, which "underpin libvirt" runs: domains that are protected VMs. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include "userspace/cli/cli.h"
#include "userspace/libvirt/edit.h"
#include "userspace/vm/qemu_args.h"
#include "userspace/vm/serve.h"

#define WORDS	1024		/* of a QEMU command, at most */
#define BLANKS	"\n\\ "		/* between them */

struct options {
	const char *uri, *library, *expect, *domain;
	bool print, json;
	virConnectPtr conn;
	virDomainPtr dom;
	xmlDoc *doc;
};

static int virt_error(const char *what)
{
	cli_error("%s: %s", what, virGetLastErrorMessage());
	return CLI_FAILED;
}

/* Messages are ours to word. */
static void silent(void *user, virErrorPtr error)
{
	(void)user;
	(void)error;
}

static int parse_one(struct options *o, int opt)
{
	unsigned char digest[32];

	switch (opt) {
	case 'c':
		o->uri = optarg;
		return 0;
	case 'l':
		o->library = optarg;
		return 0;
	case 'p':
		o->print = true;
		return 0;
	case 'o':
		return cli_parse_output(optarg, &o->json);
	case 'e':
		o->expect = optarg;
		if (!cli_unhex(optarg, digest, sizeof(digest)))
			return 0;
		return cli_usage_error("--expect: \"%s\" is not a SHA-256 in hexadecimal", optarg);
	}
	return cli_usage_error("libvirt: see above");
}

static int parse(struct options *o, int argc, char **argv, const char *shorts)
{
	static const struct option longs[] = {
		{ "connect", required_argument, NULL, 'c' },
		{ "library", required_argument, NULL, 'l' },
		{ "expect", required_argument, NULL, 'e' },
		{ "print", no_argument, NULL, 'p' },
		{ "output", required_argument, NULL, 'o' },
		{ }
	};
	int opt;

	*o = (struct options){ .library = EDIT_LIBRARY };
	optind = 0;
	while ((opt = getopt_long(argc, argv, "+c:o:", longs, NULL)) != -1) {
		if (opt != '?' && !strchr(shorts, opt))
			return cli_usage_error("libvirt %s: another verb's option", argv[0]);
		if (parse_one(o, opt))
			return -1;
	}
	o->domain = argv[optind];
	if (!o->domain)
		return cli_usage_error("libvirt %s: the domain is missing", argv[0]);
	if (argv[optind + 1])
		return cli_usage_error("libvirt %s: \"%s\" is too much", argv[0],
				       argv[optind + 1]);
	return 0;
}

static void close_all(struct options *o)
{
	xmlFreeDoc(o->doc);
	if (o->dom)
		virDomainFree(o->dom);
	if (o->conn)
		virConnectClose(o->conn);
}

/* The domain's document, as it starts the next time.  Return: CLI_OK or why not */
static int open_domain(struct options *o)
{
	char *xml;

	virSetErrorFunc(NULL, silent);
	o->conn = virConnectOpen(o->uri);
	if (!o->conn)
		return virt_error("libvirt");
	o->dom = virDomainLookupByName(o->conn, o->domain);
	if (!o->dom)
		o->dom = virDomainLookupByUUIDString(o->conn, o->domain);
	if (!o->dom) {
		cli_error("%s: there is no such domain; virsh list --all shows them", o->domain);
		return CLI_FAILED;
	}
	xml = virDomainGetXMLDesc(o->dom, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	o->doc = xml ? edit_parse(xml) : NULL;
	free(xml);
	if (o->doc)
		return CLI_OK;
	cli_error("%s: libvirt's XML of it is not understood", o->domain);
	return CLI_FAILED;
}

static int put_back(struct options *o)
{
	char *text = edit_text(o->doc);
	virDomainPtr defined = NULL;
	int ret = CLI_OK;

	if (o->print) {
		fputs(text, stdout);
	} else {
		defined = virDomainDefineXML(o->conn, text);
		if (!defined)
			ret = virt_error(o->domain);
		else if (virDomainIsActive(o->dom) == 1)
			cli_note("%s runs: this is in force when it is started the next time",
				 o->domain);
	}
	if (defined)
		virDomainFree(defined);
	xmlFree(text);
	return ret;
}

static int cmd_enable(int argc, char **argv)
{
	struct options o;
	int ret;

	if (parse(&o, argc, argv, "clep"))
		return CLI_USAGE;
	ret = open_domain(&o);
	if (!ret && access(o.library, R_OK) && !o.print)
		cli_note("%s is not there: the domain will start unprotected until it is installed",
			 o.library);
	if (!ret) {
		edit_enable(o.doc, o.library, o.expect);
		ret = put_back(&o);
	}
	close_all(&o);
	return ret;
}

static int cmd_disable(int argc, char **argv)
{
	struct options o;
	int ret;

	if (parse(&o, argc, argv, "cp"))
		return CLI_USAGE;
	ret = open_domain(&o);
	if (!ret) {
		edit_disable(o.doc);
		ret = put_back(&o);
	}
	close_all(&o);
	return ret;
}

/* --- check ------------------------------------------------------------------------ */

struct rows {
	json_object *json;
	bool print_json, failed;
};

static void row(struct rows *r, bool ok, const char *name, const char *found, const char *cure)
{
	json_object *o;

	r->failed |= !ok;
	if (!r->print_json) {
		printf("%s  %-12s %s\n", ok ? "PASS" : "FAIL", name, found);
		if (!ok)
			printf("      %-12s required: %s\n", "", cure);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "name", json_object_new_string(name));
	json_object_object_add(o, "ok", json_object_new_boolean(ok));
	json_object_object_add(o, "found", json_object_new_string(found));
	if (!ok)
		json_object_object_add(o, "cure", json_object_new_string(cure));
	json_object_array_add(r->json, o);
}

/* libvirt puts no quotes around what this splits but around values with spaces in them. */
static size_t split(char *line, char **argv)
{
	size_t n = 0;
	char quote;

	while (*line && n < WORDS - 1) {
		line += strspn(line, BLANKS);
		if (!*line)
			break;
		quote = *line == '\'' || *line == '"' ? *line++ : 0;
		argv[n++] = line;
		line = quote ? strchr(line, quote) : line + strcspn(line, BLANKS);
		if (!line)
			break;
		if (*line)
			*line++ = 0;
	}
	argv[n] = NULL;
	return n;
}

/* The command that libvirt would start, without the environment before it. */
static void check_command(struct options *o, struct rows *r)
{
	char *text = edit_text(o->doc), *argv[WORDS], **qemu = argv;
	char *line = virConnectDomainXMLToNative(o->conn, "qemu-argv", text, 0);
	struct qemu_problems p;
	size_t i;

	xmlFree(text);
	if (!line) {
		row(r, false, "qemu", virGetLastErrorMessage(), "a domain of QEMU's");
		return;
	}
	split(line, argv);
	while (*qemu && **qemu != '/')
		qemu++;
	qemu_needs(qemu, &p);
	for (i = 0; i < p.n; i++)
		row(r, false, "device", p.text[i], "see underpin vm check");
	if (!p.n)
		row(r, true, "device", "nothing is known to stand in the way", "");
	free(line);
}

static int cmd_check(int argc, char **argv)
{
	struct edit_state state;
	struct rows r = { };
	struct options o;
	int ret;

	if (parse(&o, argc, argv, "co"))
		return CLI_USAGE;
	ret = open_domain(&o);
	if (ret) {
		close_all(&o);
		return ret;
	}
	r.print_json = o.json;
	r.json = json_object_new_array();
	edit_look(o.doc, &state);
	row(&r, state.preloaded, "library", state.preloaded ? "preloaded" : "not preloaded",
	    "underpin libvirt enable DOMAIN");
	row(&r, state.expect, "measurement", state.expect ? state.expect : "any is accepted",
	    "underpin libvirt enable --expect SHA256 DOMAIN; underpin vm expected computes it");
	row(&r, !access(SERVE_SOCKET, F_OK), "service", SERVE_SOCKET,
	    "underpin vm serve: systemctl start underpin-protect");
	check_command(&o, &r);
	if (o.json)
		puts(json_object_to_json_string_ext(r.json, JSON_C_TO_STRING_PRETTY));
	json_object_put(r.json);
	edit_forget(&state);
	close_all(&o);
	return r.failed ? CLI_NOT_READY : CLI_OK;
}

static const struct cli_command verbs[] = {
	{ "enable", cmd_enable, "[-c URI] [--expect SHA256] [--library FILE] [--print] DOMAIN",
	  "make a domain's VM a protected one, from its next start" },
	{ "disable", cmd_disable, "[-c URI] [--print] DOMAIN", "an ordinary one again" },
	{ "check", cmd_check, "[-c URI] [-o json] DOMAIN",
	  "is it, and what stands in the way" },
	{ }
};

int main(int argc, char **argv)
{
	return cli_dispatch("underpin libvirt", verbs, argc, argv);
}
