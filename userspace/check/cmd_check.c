// SPDX-License-Identifier: GPL-2.0
/* underpin check: each requirement, what was found, and the cure. */
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include "userspace/check/check.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/observe.h"

/* First what insmod refuses, in the order of module/check.c. */
static const struct check checks[] = {
	{ "vmx",		true,	check_vmx },
	{ "vmx-unlocked",	true,	check_vmx_unlocked },
	{ "vmx-features",	true,	check_vmx_features },
	{ "ept-features",	true,	check_ept_features },
	{ "vmx-uniform",	true,	check_uniform },
	{ "stores-off",		true,	check_stores },
	{ "vmx-off",		true,	check_vmx_off },
	{ "vmx-unused",		true,	check_vmx_unused },
	{ "paging",		true,	check_paging },
	{ "no-fred",		true,	check_fred },
	{ "cpu-count",		true,	check_cpu_count },
	{ "cpus-online",	true,	check_cpus_online },
	{ "memory",		true,	check_memory },
	{ "sleep-ports",	true,	check_sleep_ports },
	{ "no-paravirt",	true,	check_paravirt },
	{ "module-loadable",	true,	check_lockdown },
	{ "module-loaded",	false,	check_module },
	{ "device",		false,	check_device },
	{ "kvm",		false,	check_kvm },
	{ "kvm-ept",		true,	check_kvm_ept },
	{ "qemu",		false,	check_qemu },
	{ "iommu",		false,	check_iommu },
	{ "tpm",		false,	check_tpm },
	{ "microcode",		false,	check_microcode },
	{ "speculation",	false,	check_speculation },
	{ "smt",		false,	check_smt },
};

static const char * const result_names[] = {
	[CHECK_PASS] = "PASS", [CHECK_FAIL] = "FAIL", [CHECK_SKIP] = "SKIP",
};

static void print_text(const struct check *c, enum check_result result,
		       const struct check_report *r)
{
	printf("%s  %-16s %s\n", result_names[result], c->name, r->found);
	if (result == CHECK_FAIL)
		printf("      %-16s %s: %s\n", "", c->required ? "required" : "advised", r->cure);
}

static json_object *result_json(const struct check *c, enum check_result result,
				const struct check_report *r)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string(c->name));
	json_object_object_add(o, "result", json_object_new_string(result_names[result]));
	json_object_object_add(o, "required", json_object_new_boolean(c->required));
	json_object_object_add(o, "found", json_object_new_string(r->found));
	if (result == CHECK_FAIL)
		json_object_object_add(o, "cure", json_object_new_string(r->cure));
	return o;
}

/* Runs all checks, and says what they found.  Return: whether something required is missing. */
static bool run_checks(bool json)
{
	json_object *all = json_object_new_array();
	bool missing = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		struct check_report report = { };
		enum check_result result = checks[i].run(&report);

		missing |= result == CHECK_FAIL && checks[i].required;
		if (json)
			json_object_array_add(all, result_json(&checks[i], result, &report));
		else
			print_text(&checks[i], result, &report);
	}
	if (json)
		puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
	json_object_put(all);
	return missing;
}

struct check_options {
	const char *report, *replay, *dmar;
	bool json;
};

static int parse(int argc, char **argv, struct check_options *o)
{
	static const struct option options[] = {
		{ "dmar", required_argument, NULL, 'd' },
		{ "output", required_argument, NULL, 'o' },
		{ "report", required_argument, NULL, 'r' },
		{ "replay", required_argument, NULL, 'p' },
		{ }
	};
	int opt;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (opt == 'd')
			o->dmar = optarg;
		else if (opt == 'r')
			o->report = optarg;
		else if (opt == 'p')
			o->replay = optarg;
		else if (opt != 'o')
			return cli_usage_error("%s: see above", argv[0]);
		else if (cli_parse_output(optarg, &o->json))
			return CLI_USAGE;
	}
	if (optind < argc)
		return cli_usage_error("%s: \"%s\" is too much", argv[0], argv[optind]);
	if (!!o->report + !!o->replay + !!o->dmar > 1)
		return cli_usage_error("%s: one of --dmar, --report and --replay", argv[0]);
	return CLI_OK;
}

int cmd_check(int argc, char **argv)
{
	struct check_options o = { };
	int err = parse(argc, argv, &o);
	bool missing;

	if (err)
		return err;
	if (o.dmar)
		return check_dmar_file(o.dmar, o.json);
	if (o.replay && observe_replay(o.replay))
		return CLI_FAILED;
	if (o.report)
		observe_record();
	missing = run_checks(o.json);
	if (o.report) {
		survey();
		err = observe_save(o.report);
	}
	observe_forget();
	if (err)
		return CLI_FAILED;
	return missing ? CLI_NOT_READY : CLI_OK;
}
