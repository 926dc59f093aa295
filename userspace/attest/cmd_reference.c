// SPDX-License-Identifier: GPL-2.0
/*
 * underpin attest reference: a policy's reference values, from a source tree, what the layer is
 * to be launched with, and what VMs are made of.  Needs no host.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "userspace/attest/policy.h"
#include "userspace/cli/cli.h"
#include "vmx/abi/call.h"

struct reference {
	json_object *policy;
	struct up_settings settings;
};

static const struct option options[] = {
	{ "source", required_argument, NULL, 's' },
	{ "image", required_argument, NULL, 'i' },
	{ "allow-no-iommu", no_argument, NULL, 'n' },
	{ "ticket-authority", required_argument, NULL, 't' },
	{ "host-identity", required_argument, NULL, 'h' },
	{ "vm", required_argument, NULL, 'v' },
	{ "accept", required_argument, NULL, 'a' },
	{ "iommu", required_argument, NULL, 'I' },
	{ "weakness", required_argument, NULL, 'w' },
	{ }
};

/* The list @name of the policy, made where it is missing. */
static json_object *list(struct reference *r, const char *name)
{
	json_object *found;

	if (json_object_object_get_ex(r->policy, name, &found))
		return found;
	found = json_object_new_array();
	json_object_object_add(r->policy, name, found);
	return found;
}

static void add(struct reference *r, const char *name, const char *word)
{
	json_object_array_add(list(r, name), json_object_new_string(word));
}

/* The tree builds its root image, the same bytes everywhere, and says their hash. */
static void make_root_hash(const char *tree, int to)
{
	dup2(to, STDOUT_FILENO);
	execlp("make", "make", "-s", "--no-print-directory", "-C", tree, "root-hash", NULL);
	_exit(127);
}

/* Its last line: before it make says what it compiles. */
static void read_last_line(int fd, char *text, int size)
{
	FILE *f = fdopen(fd, "r");

	while (f && fgets(text, size, f))
		;
	if (f)
		fclose(f);
	text[strcspn(text, "\n")] = 0;
}

static int add_source(struct reference *r, const char *tree)
{
	char text[256] = "";
	uint8_t hash[SHA256_SIZE];
	int pair[2], status = 0;
	pid_t pid;

	if (pipe(pair))
		return -1;
	pid = fork();
	if (!pid)
		make_root_hash(tree, pair[1]);
	close(pair[1]);
	read_last_line(pair[0], text, sizeof(text));
	if (pid > 0 && waitpid(pid, &status, 0) == pid && !status &&
	    !cli_unhex(text, hash, sizeof(hash))) {
		add(r, "images", text);
		return 0;
	}
	cli_error("--source: \"make root-hash\" in %s says no hash: is it the source tree?", tree);
	return -1;
}

/* What "underpin vm expected -o json" has said: a measurement, and digests in their order. */
static int add_vm(struct reference *r, const char *path)
{
	json_object *vm = json_object_from_file(path), *reports = NULL, *values;
	const char *measurement = NULL;
	char number[12];
	int n = 0;

	if (json_object_object_get_ex(vm, "measurement", &values))
		measurement = json_object_get_string(values);
	if (!measurement) {
		cli_error("--vm: %s is not what \"underpin vm expected -o json\" says", path);
		json_object_put(vm);
		return -1;
	}
	add(r, "measurements", measurement);
	if (json_object_object_get_ex(r->policy, "reports", &reports))
		json_object_get(reports);
	else
		reports = json_object_new_object();
	json_object_object_foreach(vm, name, value) {
		if (!strcmp(name, "measurement") || !strcmp(name, "frames"))
			continue;
		snprintf(number, sizeof(number), "%d", n++);
		if (!json_object_object_get_ex(reports, number, &values)) {
			values = json_object_new_array();
			json_object_object_add(reports, number, values);
		}
		json_object_array_add(values, json_object_get(value));
	}
	if (n)
		json_object_object_add(r->policy, "reports", json_object_get(reports));
	json_object_put(reports);
	json_object_put(vm);
	return 0;
}

static int add_bytes(const char *name, const char *text, unsigned char bytes[32])
{
	if (!cli_unhex(text, bytes, 32))
		return 0;
	cli_usage_error("--%s: \"%s\" is not 64 hexadecimal digits", name, text);
	return -1;
}

static int take(struct reference *r, int opt)
{
	uint8_t hash[SHA256_SIZE];

	switch (opt) {
	case 's':
		return add_source(r, optarg) ? CLI_FAILED : CLI_OK;
	case 'i':
		if (add_bytes("image", optarg, hash))
			return CLI_USAGE;
		json_object_array_add(list(r, "images"), attest_hex(hash, sizeof(hash)));
		return CLI_OK;
	case 'n':
		r->settings.flags |= 1;
		return CLI_OK;
	case 't':
		return add_bytes("ticket-authority", optarg, r->settings.authority) ?
			CLI_USAGE : CLI_OK;
	case 'h':
		return add_bytes("host-identity", optarg, r->settings.host) ? CLI_USAGE : CLI_OK;
	case 'v':
		return add_vm(r, optarg) ? CLI_FAILED : CLI_OK;
	case 'a':
		add(r, "accept", optarg);
		return CLI_OK;
	case 'I':
		add(r, "iommu", optarg);
		return CLI_OK;
	case 'w':
		add(r, "weaknesses", optarg);
		return CLI_OK;
	}
	return cli_usage_error("attest reference: see above");
}

/* What was not asked for is what is best. */
static int finish(struct reference *r)
{
	uint8_t digest[SHA256_SIZE];

	if (!json_object_object_get_ex(r->policy, "images", NULL))
		return cli_usage_error("attest reference: --source or --image is needed");
	if (!json_object_object_get_ex(r->policy, "accept", NULL))
		add(r, "accept", "strong");
	if (!json_object_object_get_ex(r->policy, "iommu", NULL))
		add(r, "iommu", "full");
	if (json_object_object_get_ex(r->policy, "measurements", NULL))
		add(r, "askers", "vm");
	attest_sha256(&r->settings, sizeof(r->settings), digest);
	json_object_array_add(list(r, "configurations"), attest_hex(digest, sizeof(digest)));
	puts(json_object_to_json_string_ext(r->policy, JSON_C_TO_STRING_PRETTY));
	return fflush(stdout) ? CLI_FAILED : CLI_OK;
}

int cmd_reference(int argc, char **argv)
{
	struct reference r = {
		.policy = json_object_new_object(),
		.settings = { .magic = UP_SETTINGS_MAGIC, .version = 2 },
	};
	int opt, ret = CLI_OK;

	json_object_object_add(r.policy, "format", json_object_new_string(POLICY_FORMAT));
	optind = 0;
	while (!ret && (opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		ret = take(&r, opt);
	if (!ret && optind < argc)
		ret = cli_usage_error("attest reference: \"%s\" is too much", argv[optind]);
	if (!ret)
		ret = finish(&r);
	json_object_put(r.policy);
	return ret;
}
