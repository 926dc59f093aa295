// SPDX-License-Identifier: GPL-2.0
/*
 * The program underpin-ui, which "underpin ui" runs: the layer in a browser of this machine.
 *
 * GET /		the page, and /page.css, /page.js
 * GET /status.json	what "underpin status -o json" prints
 * GET /vms.json	what "underpin vm list -o json" prints
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "userspace/cli/cli.h"
#include "userspace/loopback/loopback.h"
#include "userspace/ui/reader.h"

#define ADDRESS		"127.0.0.1:8378"
#define FRESH_MS	1000	/* whoever asks more often costs no more than that */

static const char usage[] =
	"usage: underpin ui [--listen 127.0.0.1:PORT | [::1]:PORT] [--replay FILE]\n"
	"\n"
	"shows the layer, its CPUs and protected VMs in a browser of this machine; changes nothing\n"
	"\n"
	"See underpin(8).";

extern const char ui_page_html[], ui_page_css[], ui_page_js[];

struct ui {
	struct loopback_site site;
	int reader;
	struct {
		char *text;
		bool good;
		int64_t read_ms;
	} last[READER_KINDS];
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static enum MHD_Result give(struct ui *ui, struct MHD_Connection *mc, enum reader_what what)
{
	int64_t now = now_ms();

	if (!ui->last[what].text || now - ui->last[what].read_ms >= FRESH_MS) {
		free(ui->last[what].text);
		ui->last[what].text = reader_ask(ui->reader, what, &ui->last[what].good);
		ui->last[what].read_ms = now;
	}
	if (!ui->last[what].text)
		return loopback_say(&ui->site, mc, MHD_HTTP_SERVICE_UNAVAILABLE,
				    "the process that reads is gone: start underpin ui again\n");
	return loopback_reply(&ui->site, mc,
			      ui->last[what].good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
			      ui->last[what].good ? "application/json" : "text/plain; charset=utf-8",
			      ui->last[what].text, MHD_RESPMEM_MUST_COPY);
}

/* One thread serves: what was last read needs no lock. */
static enum MHD_Result get(struct loopback_site *site, struct MHD_Connection *mc, const char *url)
{
	static const struct {
		const char *url, *type, *text;
	} files[] = {
		{ "/", "text/html; charset=utf-8", ui_page_html },
		{ "/page.css", "text/css; charset=utf-8", ui_page_css },
		{ "/page.js", "text/javascript; charset=utf-8", ui_page_js },
	};
	struct ui *ui = (struct ui *)site;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (!strcmp(url, files[i].url))
			return loopback_reply(site, mc, MHD_HTTP_OK, files[i].type, files[i].text,
					      MHD_RESPMEM_PERSISTENT);
	if (!strcmp(url, "/status.json"))
		return give(ui, mc, READER_STATUS);
	if (!strcmp(url, "/vms.json"))
		return give(ui, mc, READER_VMS);
	return loopback_say(site, mc, MHD_HTTP_NOT_FOUND, "there is no such page\n");
}

/* What HTTP comes from on this machine may be anybody's: root's rights stay with the reader. */
static int drop_rights(void)
{
	const struct passwd *nobody = getpwnam("nobody");

	if (!geteuid() && (!nobody || setgroups(0, NULL) ||
			   setresgid(nobody->pw_gid, nobody->pw_gid, nobody->pw_gid) ||
			   setresuid(nobody->pw_uid, nobody->pw_uid, nobody->pw_uid))) {
		cli_error("becoming the user nobody: %s", strerror(errno));
		return -1;
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int parse(int argc, char **argv, const char **address, const char **report)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "replay", required_argument, NULL, 'p' },
		{ }
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'l')
			*address = optarg;
		else if (opt == 'p')
			*report = optarg;
		else
			return cli_usage_error("%s: see above", argv[0]);
	}
	if (optind < argc)
		return cli_usage_error("%s: \"%s\" is too much", argv[0], argv[optind]);
	return CLI_OK;
}

static int serve(struct ui *ui, const char *address)
{
	struct MHD_Daemon *d;
	sigset_t ends;
	int caught;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	d = loopback_start(&ui->site, address, MHD_USE_INTERNAL_POLLING_THREAD);
	if (!d && errno == EINVAL)
		return cli_usage_error("--listen '%s': it is 127.0.0.1:PORT or [::1]:PORT, for there are no certificates here; from elsewhere, go there through ssh -L",
				       address);
	if (!d) {
		cli_error("--listen '%s': %s; is the port free, and not below 1024?", address,
			  strerror(errno));
		return CLI_FAILED;
	}
	cli_note("http://%s/", address);
	sigwait(&ends, &caught);
	MHD_stop_daemon(d);
	return CLI_OK;
}

int main(int argc, char **argv)
{
	struct ui ui = {
		.site = { .may = "script-src 'self'; connect-src 'self'; ", .get = get },
	};
	const char *address = ADDRESS, *report = NULL;
	int err;

	if (argc == 2 && cli_is_help(argv[1])) {
		puts(usage);
		return CLI_OK;
	}
	err = parse(argc, argv, &address, &report);
	if (err)
		return err;
	ui.reader = reader_start(report);
	if (ui.reader < 0) {
		cli_error("a process that reads: %s", strerror(errno));
		return CLI_FAILED;
	}
	if (drop_rights())
		return CLI_FAILED;
	return serve(&ui, address);
}
