// SPDX-License-Identifier: GPL-2.0
/* underpin attest verify: is this evidence what a policy asks for? */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include "userspace/attest/verify.h"
#include "userspace/cli/cli.h"

static const char * const words[] = {
	[VERIFY_PASS] = "PASS", [VERIFY_FAIL] = "FAIL", [VERIFY_SKIP] = "SKIP",
};

struct verify_options {
	const char *policy, *nonce, *file;
	bool json;
};

static int parse(int argc, char **argv, struct verify_options *o)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "nonce", required_argument, NULL, 'n' },
		{ "output", required_argument, NULL, 'o' },
		{ }
	};
	int opt;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (opt == 'p')
			o->policy = optarg;
		else if (opt == 'n')
			o->nonce = optarg;
		else if (opt != 'o')
			return cli_usage_error("%s: see above", argv[0]);
		else if (cli_parse_output(optarg, &o->json))
			return CLI_USAGE;
	}
	if (!o->policy || !o->nonce || optind + 1 != argc)
		return cli_usage_error("%s: --policy, --nonce and one file of evidence are needed",
				       argv[0]);
	o->file = argv[optind];
	return CLI_OK;
}

static void print_text(const struct verify_result *r, const char *root)
{
	for (; r->step; r++)
		printf("%s  %-16s %s\n", words[r->result], r->step, r->reason);
	if (root)
		printf("accepted: %s\n", root);
	else
		puts("rejected");
}

static void print_json(const struct verify_result *r, const char *root)
{
	json_object *o = json_object_new_object(), *steps = json_object_new_array(), *step;

	for (; r->step; r++) {
		step = json_object_new_object();
		json_object_object_add(step, "step", json_object_new_string(r->step));
		json_object_object_add(step, "result", json_object_new_string(words[r->result]));
		json_object_object_add(step, "reason", json_object_new_string(r->reason));
		json_object_array_add(steps, step);
	}
	json_object_object_add(o, "accepted", json_object_new_boolean(!!root));
	if (root)
		json_object_object_add(o, "root", json_object_new_string(root));
	json_object_object_add(o, "steps", steps);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
}

static int verify(const struct verify_options *o, const struct policy *policy,
		  const uint8_t nonce[NONCE_SIZE])
{
	struct verify_result results[VERIFY_STEPS];
	size_t len;
	uint8_t *text = attest_read(o->file, &len);
	const char *root;

	if (!text)
		return CLI_FAILED;
	root = verify_evidence(text, len, policy, nonce, results);
	free(text);
	if (o->json)
		print_json(results, root);
	else
		print_text(results, root);
	return root ? CLI_OK : CLI_NOT_READY;
}

int cmd_verify(int argc, char **argv)
{
	struct verify_options o = { };
	uint8_t nonce[NONCE_SIZE], *text;
	int err = parse(argc, argv, &o);
	struct policy policy;
	const char *wrong;
	size_t len;

	if (err)
		return err;
	if (cli_unhex(o.nonce, nonce, sizeof(nonce)))
		return cli_usage_error("--nonce: 64 hexadecimal digits are needed");
	text = attest_read(o.policy, &len);
	if (!text)
		return CLI_FAILED;
	wrong = policy_read(&policy, text, len);
	free(text);
	if (wrong) {
		cli_error("%s: %s; see docs/attestation.md", o.policy, wrong);
		return CLI_FAILED;
	}
	err = verify(&o, &policy, nonce);
	policy_free(&policy);
	return err;
}
