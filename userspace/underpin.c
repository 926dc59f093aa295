// SPDX-License-Identifier: GPL-2.0
/* The underpin program: nouns and their verbs. */
#include "userspace/check/check.h"
#include "userspace/cli/cli.h"
#include "userspace/vm/vm.h"

/* Programs of their own, since they need libraries that a host's tool does not. */
static int cmd_policy(int argc, char **argv)
{
	(void)argc;
	return cli_exec("underpin-policy", argv);
}

static int cmd_attest(int argc, char **argv)
{
	(void)argc;
	return cli_exec("underpin-attest", argv);
}

static int cmd_libvirt(int argc, char **argv)
{
	(void)argc;
	return cli_exec("underpin-libvirt", argv);
}

static int cmd_ui(int argc, char **argv)
{
	(void)argc;
	return cli_exec("underpin-ui", argv);
}

static const struct cli_command nouns[] = {
	{ "check", cmd_check, "[-o json] [--dmar FILE | --report FILE | --replay FILE]",
	  "is this host fit? each requirement, with its cure" },
	{ "status", cmd_status, "[-o json] [--replay FILE]", "the layer, its CPUs and counters" },
	{ "metrics", cmd_metrics, "[--replay FILE]", "the same for Prometheus" },
	{ "last-words", cmd_last_words, "[-o json]",
	  "after a hang and a reset: which CPU was at which step of the launch" },
	{ "vm", cmd_vm, "COMMAND ...", "protected VMs", true },
	{ "attest", cmd_attest, "COMMAND ...", "evidence, and what it is worth (underpin-attest)",
	  true },
	{ "libvirt", cmd_libvirt, "COMMAND ...", "libvirt's domains (underpin-libvirt)", true },
	{ "ui", cmd_ui, "[--listen ADDRESS:PORT] [--replay FILE]",
	  "the layer in a browser of this machine (underpin-ui)", true },
	{ "policy", cmd_policy, "COMMAND ...", "who may provision what (underpin-policy)", true },
	{ }
};

int main(int argc, char **argv)
{
	return cli_dispatch("underpin", nouns, argc, argv);
}
