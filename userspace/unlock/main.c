// SPDX-License-Identifier: GPL-2.0
/*
 * The program underpin-unlock, for the initramfs of a protected VM: proves to its owner's broker
 * what runs here, and gets a secret, which goes to a command's standard input, or to stdout.
 */
#include <errno.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "userspace/attest/seal.h"
#include "userspace/cli/cli.h"
#include "userspace/unlock/unlock.h"

#define TSM	"/sys/kernel/config/tsm/report/underpin"

static const char usage[] =
	"usage: underpin-unlock --broker ADDRESS:PORT --certificate FILE --secret NAME --evidence ADDRESS:PORT [--report DIR] [--timeout SECONDS] [-- COMMAND...]\n"
	"\n"
	"gets a secret for this protected VM; COMMAND reads it, as cryptsetup does with --key-file -\n"
	"\n"
	"See underpin(8).";

struct unlock_options {
	const char *certificate, *secret, *report;
	struct address broker, host;
	unsigned long timeout;
	char **command;
};

static int parse_address(struct address *a, const char *name, const char *text)
{
	return address_read(a, text) ? CLI_OK :
		cli_usage_error("%s: \"%s\" is no address such as 10.0.2.2:7443", name, text);
}

static int option(struct unlock_options *o, int opt)
{
	if (opt == 'b')
		return parse_address(&o->broker, "--broker", optarg);
	if (opt == 'e')
		return parse_address(&o->host, "--evidence", optarg);
	if (opt == 't')
		return cli_number("--timeout", optarg, 1, 3600, &o->timeout) ? CLI_USAGE : CLI_OK;
	if (opt == 'c')
		o->certificate = optarg;
	else if (opt == 's')
		o->secret = optarg;
	else if (opt == 'r')
		o->report = optarg;
	else
		return cli_usage_error("underpin-unlock: see above");
	return CLI_OK;
}

static int parse(int argc, char **argv, struct unlock_options *o)
{
	static const struct option options[] = {
		{ "broker", required_argument, NULL, 'b' },
		{ "certificate", required_argument, NULL, 'c' },
		{ "evidence", required_argument, NULL, 'e' },
		{ "report", required_argument, NULL, 'r' },
		{ "secret", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 't' },
		{ }
	};
	int opt, err = CLI_OK;

	while (!err && (opt = getopt_long(argc, argv, "+", options, NULL)) != -1)
		err = option(o, opt);
	if (err)
		return err;
	if (!o->broker.len || !o->host.len || !o->certificate || !o->secret)
		return cli_usage_error("underpin-unlock: --broker, --certificate, --secret and --evidence are needed");
	if (!secret_name_good(o->secret))
		return cli_usage_error("--secret: a name has 1 to 63 of a-z, 0-9 and -");
	o->command = optind < argc ? argv + optind : NULL;
	return CLI_OK;
}

static int get_nonce(const struct unlock_options *o, uint8_t nonce[UNLOCK_NONCE])
{
	char hex[2 * UNLOCK_NONCE + 1] = "";
	long n = broker_call(&o->broker, o->certificate, "/nonce", NULL, 0, (uint8_t *)hex,
			     sizeof(hex) - 1);

	if (n < 0)
		return -1;
	if (!cli_unhex(hex, nonce, UNLOCK_NONCE))
		return 0;
	cli_error("the broker: its nonce is malformed");
	return -1;
}

/* Return: how long the secret is, or -1 after a message. */
static long get_secret(const struct unlock_options *o, const uint8_t private[SEAL_KEY],
		       uint8_t asked[UNLOCK_ASKED], uint8_t *secret)
{
	uint8_t proof[UNLOCK_PROOF], sealed[SECRET_MAX + SEAL_MORE], aad[SECRET_AAD];
	struct seal_context c = secret_context(aad, asked, o->secret);
	char path[sizeof("/secret/") + SECRET_NAME], *evidence;
	size_t len;
	long n;

	if (tsm_report(o->report, asked, proof))
		return -1;
	evidence = host_evidence(&o->host, asked, proof, &len);
	if (!evidence)
		return -1;
	snprintf(path, sizeof(path), "/secret/%s", o->secret);
	n = broker_call(&o->broker, o->certificate, path, evidence, len, sealed, sizeof(sealed));
	free(evidence);
	if (n < 0)
		return -1;
	if (seal_open(private, &c, sealed, (size_t)n, secret))
		return n - SEAL_MORE;
	cli_error("the broker: its answer was not sealed to this VM, or was changed");
	return -1;
}

static int run(char **command, const uint8_t *secret, size_t len)
{
	int pipes[2], status = 0;
	pid_t child;

	if (pipe(pipes))
		return CLI_FAILED;
	child = fork();
	if (!child) {
		dup2(pipes[0], STDIN_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		signal(SIGPIPE, SIG_DFL);
		execvp(command[0], command);
		cli_error("%s: %s", command[0], strerror(errno));
		_exit(CLI_FAILED);
	}
	close(pipes[0]);
	if (child > 0)
		drain(pipes[1], secret, len);
	close(pipes[1]);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return CLI_FAILED;
	return WEXITSTATUS(status);
}

static void too_late(int signal)
{
	static const char text[] = "underpin: no secret in time: see --timeout\n";

	(void)signal;
	drain(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(CLI_FAILED);
}

static int unlock(const struct unlock_options *o)
{
	uint8_t private[SEAL_KEY], asked[UNLOCK_ASKED], secret[SECRET_MAX];
	int err = CLI_FAILED;
	long len;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, too_late);
	alarm((unsigned int)o->timeout);
	if (get_nonce(o, asked))
		return CLI_FAILED;
	if (!seal_key(private, asked + UNLOCK_NONCE)) {
		cli_error("no key can be made: OpenSSL is broken");
		return CLI_FAILED;
	}
	len = get_secret(o, private, asked, secret);
	OPENSSL_cleanse(private, sizeof(private));
	alarm(0);
	if (len >= 0 && o->command)
		err = run(o->command, secret, (size_t)len);
	else if (len >= 0)
		err = drain(STDOUT_FILENO, secret, (size_t)len) ? CLI_FAILED : CLI_OK;
	OPENSSL_cleanse(secret, sizeof(secret));
	return err;
}

int main(int argc, char **argv)
{
	struct unlock_options o = { .report = TSM, .timeout = 120 };
	int err;

	if (argc == 2 && cli_is_help(argv[1])) {
		puts(usage);
		return CLI_OK;
	}
	err = parse(argc, argv, &o);
	return err ? err : unlock(&o);
}
