// SPDX-License-Identifier: GPL-2.0
/* The underpin program: nouns and their verbs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "userspace/check/check.h"
#include "userspace/cli/cli.h"
#include "userspace/vm/vm.h"

/* A program of its own, since it needs libraries that a host's tool does not. */
static int cmd_policy(int argc, char **argv)
{
	(void)argc;
	argv[0] = "underpin-policy";
	execvp(argv[0], argv);
	cli_error("%s: %s; install it into a directory of PATH", argv[0], strerror(errno));
	return CLI_FAILED;
}

static const struct cli_command nouns[] = {
	{ "check", cmd_check, "[-o json] [--dmar FILE | --report FILE | --replay FILE]", "is this host fit? each requirement, with its cure" },
	{ "status", cmd_status, "[-o json]", "the layer, its CPUs and counters" },
	{ "last-words", cmd_last_words, "[-o json]",
	  "after a hang and a reset: which CPU was at which step of the launch" },
	{ "vm", cmd_vm, "COMMAND ...", "protected VMs", true },
	{ "policy", cmd_policy, "COMMAND ...", "who may provision what (underpin-policy)", true },
	{ }
};

int main(int argc, char **argv)
{
	return cli_dispatch("underpin", nouns, argc, argv);
}
