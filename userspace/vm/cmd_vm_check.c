// SPDX-License-Identifier: GPL-2.0
/* underpin vm check: can the VM of this QEMU command be protected, with its devices? */
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include "userspace/cli/cli.h"
#include "userspace/vm/qemu_args.h"
#include "userspace/vm/vm.h"

static void print_json(const struct qemu_problems *p)
{
	json_object *all = json_object_new_object(), *list = json_object_new_array();
	size_t i;

	for (i = 0; i < p->n; i++)
		json_object_array_add(list, json_object_new_string(p->text[i]));
	json_object_object_add(all, "problems", list);
	puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
	json_object_put(all);
}

int cmd_vm_check(int argc, char **argv)
{
	static const struct option longs[] = { { "output", required_argument, NULL, 'o' }, { } };
	struct qemu_problems p;
	bool json = false;
	size_t i;
	int opt;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "+o:", longs, NULL)) != -1)
		if (opt != 'o' || cli_parse_output(optarg, &json))
			return opt == 'o' ? CLI_USAGE : cli_usage_error("vm check: see above");
	if (!argv[optind])
		return cli_usage_error("vm check: the QEMU command is missing");
	qemu_needs(argv + optind, &p);
	if (json)
		print_json(&p);
	else
		for (i = 0; i < p.n; i++)
			puts(p.text[i]);
	return p.n ? CLI_NOT_READY : CLI_OK;
}
