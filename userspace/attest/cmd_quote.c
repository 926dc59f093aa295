// SPDX-License-Identifier: GPL-2.0
/* underpin attest quote: evidence of this host, for a verifier's nonce. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/launchlog.h"
#include "userspace/attest/live.h"
#include "userspace/attest/physical.h"
#include "userspace/attest/tpm.h"
#include "userspace/cli/cli.h"

/* What the layer said for this nonce: flags, public key, signature. */
#define LAUNCH_SIZE	(4 + PUBLIC_SIZE + SIGNATURE_SIZE)

struct quote_options {
	const char *nonce, *ak, *tcti, *launch, *launch_log, *firmware_log, *registers, *pcrs;
	const char *vm, *vm_report;
	bool no_tpm;
};

static const struct option options[] = {
	{ "nonce", required_argument, NULL, 'n' },
	{ "ak", required_argument, NULL, 'a' },
	{ "tcti", required_argument, NULL, 't' },
	{ "launch", required_argument, NULL, 'l' },
	{ "launch-log", required_argument, NULL, 'L' },
	{ "firmware-log", required_argument, NULL, 'F' },
	{ "pcrs", required_argument, NULL, 'p' },
	{ "registers", required_argument, NULL, 'r' },
	{ "no-tpm", no_argument, NULL, 'N' },
	{ "vm", required_argument, NULL, 'v' },
	{ "vm-report", required_argument, NULL, 'V' },
	{ }
};

static int parse(int argc, char **argv, struct quote_options *o)
{
	int opt;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'n':
			o->nonce = optarg;
			break;
		case 'a':
			o->ak = optarg;
			break;
		case 't':
			o->tcti = optarg;
			break;
		case 'l':
			o->launch = optarg;
			break;
		case 'L':
			o->launch_log = optarg;
			break;
		case 'F':
			o->firmware_log = optarg;
			break;
		case 'p':
			o->pcrs = optarg;
			break;
		case 'r':
			o->registers = optarg;
			break;
		case 'N':
			o->no_tpm = true;
			break;
		case 'v':
			o->vm = optarg;
			break;
		case 'V':
			o->vm_report = optarg;
			break;
		default:
			return cli_usage_error("%s: see above", argv[0]);
		}
	}
	if (optind < argc)
		return cli_usage_error("%s: \"%s\" is too much", argv[0], argv[optind]);
	if (!o->nonce || !o->ak == !o->no_tpm)
		return cli_usage_error("%s: --nonce and one of --ak and --no-tpm are needed",
				       argv[0]);
	if (!o->launch != !o->launch_log || (o->vm && o->vm_report))
		return cli_usage_error("%s: --launch and --launch-log go together, --vm and --vm-report do not",
				       argv[0]);
	return CLI_OK;
}

/* "0,7,14": beside 15, 17 and 19, which are always quoted. */
static int parse_pcrs(const char *text, uint32_t *pcrs)
{
	unsigned long pcr;
	char *end;

	*pcrs = 1u << PCR_WEAK | 1u << 17 | 1u << PCR_STRONG;
	while (text && *text) {
		pcr = strtoul(text, &end, 10);
		if (end == text || pcr >= EVIDENCE_PCRS || (*end && *end != ','))
			return cli_usage_error("--pcrs: \"%s\" is not a list such as 0,7,14",
					       text);
		*pcrs |= 1u << pcr;
		text = *end ? end + 1 : end;
	}
	return CLI_OK;
}

static int read_file(const char *path, struct bytes *bytes)
{
	bytes->at = attest_read(path, &bytes->len);
	return bytes->at ? 0 : -1;
}

static int read_launch(const char *path, struct evidence *e)
{
	struct bytes launch;
	size_t i;

	if (read_file(path, &launch))
		return -1;
	if (launch.len == LAUNCH_SIZE) {
		for (i = 0; i < 4; i++)
			e->flags |= (uint32_t)launch.at[i] << 8 * i;
		memcpy(e->public, launch.at + 4, PUBLIC_SIZE);
		memcpy(e->launch_signature, launch.at + 4 + PUBLIC_SIZE, SIGNATURE_SIZE);
	} else {
		cli_error("%s: it has %zu bytes, not the %d of what the layer says", path,
			  launch.len, LAUNCH_SIZE);
	}
	free(launch.at);
	return launch.len == LAUNCH_SIZE ? 0 : -1;
}

/* A VM's own report, as it got it of the layer. */
static int read_vm(const char *path, struct evidence *e)
{
	struct bytes proof;
	int err = -1;

	if (read_file(path, &proof))
		return -1;
	if (proof.len == REPORT_SIZE + SIGNATURE_SIZE) {
		memcpy(e->vm_report, proof.at, REPORT_SIZE);
		memcpy(e->vm_signature, proof.at + REPORT_SIZE, SIGNATURE_SIZE);
		e->has_vm = true;
		err = 0;
	} else {
		cli_error("%s: it has %zu bytes, not the %zu of a VM's report", path, proof.len,
			  REPORT_SIZE + SIGNATURE_SIZE);
	}
	free(proof.at);
	return err;
}

/* From files, or from the layer beneath this host. */
static int collect_launch(const struct quote_options *o, struct evidence *e)
{
	unsigned long vm;

	if (o->launch && (read_launch(o->launch, e) || read_file(o->launch_log, &e->launch_log)))
		return CLI_FAILED;
	if (!o->launch && live_launch(e))
		return CLI_FAILED;
	if (o->vm_report && read_vm(o->vm_report, e))
		return CLI_FAILED;
	if (!o->vm)
		return CLI_OK;
	if (cli_number("--vm", o->vm, 0, UP_MAX_VMS - 1, &vm))
		return CLI_USAGE;
	return live_vm(e, (uint32_t)vm) ? CLI_FAILED : CLI_OK;
}

/*
 * What TXT's registers say, for a verifier who would take PCR 17 for more than it is worth.
 * Null where there is no TXT, or where they cannot be read.
 */
static int collect_txt(const struct quote_options *o, struct evidence *e)
{
	struct bytes image = { NULL, TXT_PAGE };
	struct txt_regs r;

	if (o->registers && read_file(o->registers, &image))
		return CLI_FAILED;
	if (!o->registers && !o->launch)
		image.at = physical_txt(PHYSICAL_MEMORY);
	if (image.at && !txt_regs_read(&r, image.at, image.len)) {
		cli_error("%s: it is no image of TXT's public registers: too short", o->registers);
		free(image.at);
		return CLI_FAILED;
	}
	e->has_txt = image.at && txt_verdict(&r) != TXT_VERDICT_ABSENT;
	if (e->has_txt)
		txt_regs_pack(&r, e->txt);
	free(image.at);
	return CLI_OK;
}

/* "-": a line of standard input, where whoever asks has it by a socket. */
static int read_nonce(const char *text, uint8_t nonce[NONCE_SIZE])
{
	char line[2 * NONCE_SIZE + 2];

	if (strcmp(text, "-"))
		return cli_unhex(text, nonce, NONCE_SIZE);
	if (!fgets(line, sizeof(line), stdin))
		return -1;
	line[strcspn(line, "\r\n")] = 0;
	return cli_unhex(line, nonce, NONCE_SIZE);
}

static int collect(const struct quote_options *o, struct evidence *e)
{
	uint32_t ak = 0;
	int err;

	if (read_nonce(o->nonce, e->nonce))
		return cli_usage_error("--nonce: 64 hexadecimal digits are needed");
	if (o->ak && tpm_handle(o->ak, &ak))
		return CLI_USAGE;
	if (parse_pcrs(o->pcrs, &e->pcrs))
		return CLI_USAGE;
	if (o->no_tpm)
		e->pcrs = 0;
	err = collect_launch(o, e);
	if (err)
		return err;
	err = collect_txt(o, e);
	if (err)
		return err;
	if (o->firmware_log && read_file(o->firmware_log, &e->firmware_log))
		return CLI_FAILED;
	if (!o->no_tpm && tpm_quote(e, o->tcti, ak))
		return CLI_FAILED;
	return CLI_OK;
}

int cmd_quote(int argc, char **argv)
{
	struct quote_options o = { };
	struct evidence e = { };
	json_object *json;
	int err = parse(argc, argv, &o);

	if (err)
		return err;
	err = collect(&o, &e);
	if (!err) {
		json = evidence_json(&e);
		puts(json_object_to_json_string_ext(json, EVIDENCE_JSON));
		json_object_put(json);
	}
	evidence_free(&e);
	return err;
}
