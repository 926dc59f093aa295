// SPDX-License-Identifier: GPL-2.0-only
/* underpind: access control and provisioning of one layer of one cloud. */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>

#include "base/hex.h"
#include "check.h"
#include "compile/compile.h"
#include "daemon.h"
#include "status.h"
#include "vrm/work.h"

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' }, { "import", required_argument, NULL, 'i' },
	{ "check", no_argument, NULL, 'n' }, { "help", no_argument, NULL, 'h' },
	{ "archive", required_argument, NULL, 'a' }, { "version", no_argument, NULL, 'V' },
	{ "status-address", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

static int help(FILE *f, int code)
{
	fputs("usage: underpind -c FILE [--status-address ADDRESS:PORT | --check |\n"
	      "                          --import TABLE | --archive FILE]\n\n"
	      "  -c, --config FILE   configuration, underpind.conf(5)\n"
	      "  -n, --check         check configuration, keys, policy and directory, and exit\n"
	      "  -i, --import TABLE  put a table of resources into the directory, and exit\n"
	      "  -a, --archive FILE  move the audit log's records to another file, and exit\n"
	      "  -s, --status-address ADDRESS:PORT   show a status page there, for this machine\n"
	      "  -V, --version       say which version this is\n\n"
	      "SIGHUP reloads the configuration and what it names; what is bad leaves the old in\n"
	      "force.\n"
	      "exit: 0 stopped as asked; 1 cannot start; 2 usage\n", f);
	return code;
}

static int open_all(struct daemon *d, struct pol_err *e)
{
	struct conf *c = &d->conf;
	int ret;

	d->http = loop_init(&d->loop) ? NULL : http_open(&d->loop, c->peer_connections);
	if (!d->http)
		return pol_fail(e, ENOMEM, "out of memory or descriptors");
	if (outgoing_load(&d->outgoing, c, e))
		return -1;
	d->audit_key = key_load(c->audit_key, true, e);
	if (!d->audit_key)
		return -1;
	if (*c->ticket_key && !(d->ticket_key = key_load(c->ticket_key, true, e)))
		return -1;
	if (*c->jwt_key && !(d->jwt_keys = jwt_keys_load(c->jwt_key, e)))
		return -1;
	if (c->layer == L_INFRASTRUCTURE && !(d->provider = provider_open(c->provider, e)))
		return -1;
	pol_unhex(c->root_image, d->root_image, sizeof(d->root_image));
	ret = admin_init(&d->admin, pol_load(c->policy, e), e);
	if (!ret && strcmp(pol_str(d->admin.policy, d->admin.policy->cloud), c->cloud))
		ret = pol_fail(e, EINVAL, "the policy is of cloud '%s', the configuration of '%s'",
			       pol_str(d->admin.policy, d->admin.policy->cloud), c->cloud);
	ret = ret ? ret : state_open(&d->state, c->state, d->audit_key, e);
	ret = ret ? ret : sessions_restore(d, e);
	return ret ? ret : vgds_open(&d->vgds, c->directory, c->cloud, c->layer, &d->loop, d->http,
				     &d->outgoing.directory, e);
}

static void close_all(struct daemon *d)
{
	vgds_close(&d->vgds);
	state_close(&d->state);
	admin_exit(&d->admin);
	if (d->provider)
		d->provider->ops->close(d->provider);
	key_free(d->audit_key);
	key_free(d->ticket_key);
	jwt_keys_free(d->jwt_keys);
	http_close(d->http);
	outgoing_free(&d->outgoing);
	loop_exit(&d->loop);
}

/* What a request frees, the next one takes: given back, it would be faulted in each time. */
static void keep_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, 16 << 20);
	mallopt(M_TOP_PAD, 256 << 10);
	mallopt(M_MXFAST, 0);	/* or each large block is a reason to merge small ones */
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

static int version(void)
{
	printf("underpind %s\n", UNDERPIN_VERSION);
	return 0;
}

static int do_archive(struct daemon *d, const char *path, struct pol_err *e)
{
	char record[300];
	uint64_t n;
	int ret;

	snprintf(record, sizeof(record), "{\"time\":%lld,\"event\":\"archived\",\"cloud\":\"%s\","
		 "\"layer\":\"%s\"}", (long long)vrm_now_ms(), d->conf.cloud,
		 pol_layer_name[d->conf.layer]);
	ret = audit_archive(&d->state.audit, path, record, &n, e);
	if (!ret)
		printf("%llu records are in %s now\n", (unsigned long long)n, path);
	return ret;
}

static int check_senders(const struct conf *c, struct pol_err *e)
{
	struct senders *s = senders_load(c, e);

	senders_free(s);
	return s ? 0 : -EINVAL;
}

static int run(struct daemon *d, const char *status, struct pol_err *e)
{
	struct status *page = status ? status_open(d, status, e) : NULL;
	int ret = status && !page ? -EINVAL : server_run(d, e);

	status_close(page);
	return ret;
}

int main(int argc, char **argv)
{
	const char *config = NULL, *import = NULL, *archive = NULL, *status = NULL;
	struct daemon *d = calloc(1, sizeof(*d));
	bool check = false;
	struct pol_err e;
	int c, ret;

	while ((c = getopt_long(argc, argv, "c:i:a:s:nhV", longs, NULL)) != -1) {
		if (c == 'c')
			config = optarg;
		else if (c == 'i')
			import = optarg;
		else if (c == 'a')
			archive = optarg;
		else if (c == 's')
			status = optarg;
		else if (c == 'n')
			check = true;
		else
			break;
	}
	if (c != -1 || !config || optind != argc || !d) {
		free(d);
		return c == 'h' ? help(stdout, 0) : c == 'V' ? version() : help(stderr, 2);
	}
	keep_memory();
	d->conf_path = config;
	ret = conf_load(&d->conf, config, &e);
	ret = ret ? ret : check_identity(&d->conf, &e);
	ret = ret ? ret : check_senders(&d->conf, &e);
	ret = ret ? ret : open_all(d, &e);
	if (!ret && !archive)
		ret = audit_continues(&d->state.audit, &e);
	if (!ret && check)
		ret = vgds_check(&d->vgds, &e);
	if (!ret && archive)
		ret = do_archive(d, archive, &e);
	else if (!ret && import)
		ret = vgds_import(&d->vgds, import, &e);
	else if (!ret && !check)
		ret = run(d, status, &e);
	if (ret) {
		fprintf(stderr, "underpind: %s\n", e.msg);
		free(d);
		return 1;
	}
	close_all(d);
	free(d);
	return 0;
}
