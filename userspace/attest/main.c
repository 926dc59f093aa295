// SPDX-License-Identifier: GPL-2.0
/* The program underpin-attest, which "underpin attest" runs. */
#include "userspace/attest/attest.h"
#include "userspace/cli/cli.h"

/* A program of its own: it links libmicrohttpd, which no verifier needs. */
static int cmd_broker(int argc, char **argv)
{
	(void)argc;
	return cli_exec("underpin-broker", argv);
}

static const struct cli_command verbs[] = {
	{ "broker", cmd_broker, "--listen ADDRESS:PORT --certificate FILE --key FILE --release DIR [--lifetime SECONDS]",
	  "give secrets to VMs that prove themselves (underpin-broker)", true },
	{ "enroll", cmd_enroll, "COMMAND ...",
	  "believe an attestation key: it is in the TPM that a certificate names", true },
	{ "log", cmd_log, "[-o json] FILE", "an event log's events, and the PCRs they lead to" },
	{ "quote", cmd_quote, "--nonce {HEX | -} {--ak HANDLE [--tcti TCTI] | --no-tpm} [--vm ID | --vm-report FILE] [--launch FILE --launch-log FILE] [--firmware-log FILE] [--registers FILE] [--pcrs LIST]",
	  "evidence of this host, for a verifier's nonce" },
	{ "reference", cmd_reference, "{--source DIR | --image HEX} [--allow-no-iommu] [--ticket-authority HEX --host-identity HEX] [--vm FILE]... [--accept WORD]... [--iommu WORD]... [--weakness WORD]...",
	  "a policy, from a source tree and what VMs are made of" },
	{ "show", cmd_show, "[--extract DIR] FILE", "what evidence says, unverified" },
	{ "txt", cmd_txt, "[-o json] [--memory FILE | [--registers FILE] [--heap FILE] [--acm FILE] [--slrt FILE] [--tboot FILE]]",
	  "what a dynamic launch by TXT left behind: is a measured environment up?" },
	{ "verify", cmd_verify, "[-o json] --policy FILE --nonce HEX FILE",
	  "is evidence what a policy asks for? each step, with its reason" },
	{ }
};

int main(int argc, char **argv)
{
	return cli_dispatch("underpin attest", verbs, argc, argv);
}
