// SPDX-License-Identifier: GPL-2.0
/*
 * The program underpin-broker, which "underpin attest broker" runs: secrets for VMs that prove
 * themselves.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "userspace/attest/attest.h"
#include "userspace/broker/http.h"
#include "userspace/broker/nonce.h"
#include "userspace/broker/release.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/sysfile.h"

#define LIFETIME	120

static const char usage[] =
	"usage: underpin attest broker --listen ADDRESS:PORT --certificate FILE --key FILE --release DIR [--lifetime SECONDS]\n"
	"\n"
	"gives secrets to VMs whose evidence a policy accepts: DIR has NAME.policy and NAME.secret\n"
	"\n"
	"See underpin(8).";

struct broker_options {
	const char *listen, *certificate, *key;
	struct http_options http;
};

static int parse(int argc, char **argv, struct broker_options *o)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "certificate", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "release", required_argument, NULL, 'r' },
		{ "lifetime", required_argument, NULL, 't' },
		{ }
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'l')
			o->listen = optarg;
		else if (opt == 'c')
			o->certificate = optarg;
		else if (opt == 'k')
			o->key = optarg;
		else if (opt == 'r')
			o->http.release = optarg;
		else if (opt != 't')
			return cli_usage_error("%s: see above", argv[0]);
		else if (cli_number("--lifetime", optarg, 1, 3600, &o->http.lifetime))
			return CLI_USAGE;
	}
	if (!o->listen || !o->certificate || !o->key || !o->http.release || optind != argc)
		return cli_usage_error("%s: --listen, --certificate, --key and --release are needed",
				       argv[0]);
	return CLI_OK;
}

static int serve(struct broker_options *o, const struct address *at)
{
	struct MHD_Daemon *d;
	sigset_t ends;
	int n, signal;

	o->http.certificate = (char *)attest_read(o->certificate, NULL);
	o->http.key = (char *)attest_read(o->key, NULL);
	n = release_check(o->http.release);
	if (!o->http.certificate || !o->http.key || n < 0)
		return CLI_FAILED;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	d = nonce_begin() ? http_start(&o->http, at) : NULL;
	if (!d) {
		cli_error("%s: no server begins there: is the port free, are certificate and key PEM and one pair?",
			  o->listen);
		return CLI_FAILED;
	}
	cli_note("%d secrets; port %u", n, http_port(d));
	sigwait(&ends, &signal);
	http_stop(d);
	return CLI_OK;
}

int main(int argc, char **argv)
{
	struct broker_options o = { .http.lifetime = LIFETIME };
	struct address at;
	int err;

	if (argc == 2 && cli_is_help(argv[1])) {
		puts(usage);
		return CLI_OK;
	}
	err = parse(argc, argv, &o);
	if (err)
		return err;
	if (!address_read(&at, o.listen))
		return cli_usage_error("--listen: \"%s\" is no address such as 0.0.0.0:7443",
				       o.listen);
	err = serve(&o, &at);
	free(o.http.certificate);
	free(o.http.key);
	return err;
}
