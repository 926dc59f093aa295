// SPDX-License-Identifier: GPL-2.0
/* underpin attest show: what evidence says, and its parts as files for other tools. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/evidence.h"
#include "userspace/attest/launchlog.h"
#include "userspace/cli/cli.h"

static int write_part(const char *dir, const char *name, const void *bytes, size_t len)
{
	char path[4096];
	FILE *file;
	size_t n;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -1;
	file = fopen(path, "w");
	n = file ? fwrite(bytes, 1, len, file) : 0;
	if (!file || fclose(file) || n != len) {
		cli_error("%s: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}

/* As tpm2_checkquote takes them: -u ak.pem -m message -s signature -f pcrs. */
static int extract(const struct evidence *e, const char *dir)
{
	uint8_t pcrs[EVIDENCE_PCRS * SHA256_SIZE];
	size_t len = 0;
	uint32_t i;

	for (i = 0; i < EVIDENCE_PCRS; i++) {
		if (!(e->pcrs >> i & 1))
			continue;
		memcpy(pcrs + len, e->pcr[i], SHA256_SIZE);
		len += SHA256_SIZE;
	}
	if (e->quoted && (write_part(dir, "ak.pem", e->ak, strlen(e->ak)) ||
			  write_part(dir, "message", e->message.at, e->message.len) ||
			  write_part(dir, "signature", e->signature.at, e->signature.len) ||
			  write_part(dir, "pcrs", pcrs, len)))
		return CLI_FAILED;
	if (write_part(dir, "launch.log", e->launch_log.at, e->launch_log.len) ||
	    write_part(dir, "firmware.log", e->firmware_log.at, e->firmware_log.len))
		return CLI_FAILED;
	return CLI_OK;
}

static void print_content(const struct launch_log *launch, enum launch_event event)
{
	char hex[2 * LAUNCH_CONTENT + 1];

	if (!launch->content[event].bytes)
		return;
	cli_hex(hex, launch->content[event].bytes, launch->content[event].len);
	printf("%s: %s\n", launch_event_words(event), hex);
}

static void print_vm(const uint8_t r[REPORT_SIZE])
{
	uint32_t flags = REPORT_U32(r, vm_flags), i;
	const char *wrong = report_wrong(r);
	char hex[2 * 64 + 1];

	if (wrong) {
		printf("VM: %s\n", wrong);
		return;
	}
	printf("VM: %u, %s, %u vCPUs%s\nasked by: %s\n", REPORT_U32(r, id), report_state(r),
	       REPORT_U32(r, vcpus), flags & UP_VM_GHCI ? ", GHCI" : "",
	       flags & UP_VM_ASKED ? "the VM" : "the host");
	cli_hex(hex, REPORT_BYTES(r, measurement), SHA256_SIZE);
	printf("measurement: %s\n", hex);
	for (i = 0; i < UP_VM_REPORTS; i++) {
		if (!(REPORT_U32(r, reports) >> i & 1))
			continue;
		cli_hex(hex, REPORT_BYTES(r, report) + i * SHA256_SIZE, SHA256_SIZE);
		printf("report %u: %s\n", i, hex);
	}
	for (i = 0; i < UP_VM_RTMRS; i++) {
		cli_hex(hex, REPORT_BYTES(r, rtmr) + i * 48, 48);
		printf("RTMR %u: %s\n", i, hex);
	}
	cli_hex(hex, REPORT_BYTES(r, data), 64);
	printf("data: %s\n", hex);
}

static void print_txt(const struct evidence *e)
{
	enum txt_verdict verdict;
	struct txt_regs r;

	if (!e->has_txt) {
		puts("TXT, by the host: nothing");
		return;
	}
	txt_regs_unpack(&r, e->txt);
	verdict = txt_verdict(&r);
	printf("TXT, by the host: %s: %s\n", txt_verdict_word(verdict),
	       txt_verdict_reason(verdict));
}

static void print_evidence(const struct evidence *e)
{
	struct launch_log launch;
	const char *wrong = launch_log_read(e->launch_log.at, e->launch_log.len, &launch);
	char hex[2 * SHA256_SIZE + 1];
	uint32_t i;

	cli_hex(hex, e->nonce, NONCE_SIZE);
	printf("nonce: %s\nquote: %s\n", hex, e->quoted ? "by a TPM" : "none");
	for (i = 0; i < EVIDENCE_PCRS; i++) {
		if (!(e->pcrs >> i & 1))
			continue;
		cli_hex(hex, e->pcr[i], SHA256_SIZE);
		printf("PCR %u: %s\n", i, hex);
	}
	print_txt(e);
	for (i = LAUNCH_IMAGE; i < LAUNCH_COUNT; i++)
		print_content(&launch, i);
	if (wrong)
		printf("launch: %s\n", wrong);
	for (i = 0; i < WEAKNESS_COUNT; i++)
		if (e->flags >> i & 1)
			printf("weakness: %s\n", weakness_name(i));
	if (e->has_vm)
		print_vm(e->vm_report);
}

int cmd_show(int argc, char **argv)
{
	static const struct option options[] = {
		{ "extract", required_argument, NULL, 'x' },
		{ }
	};
	const char *dir = NULL, *wrong;
	struct evidence e;
	int opt, err = CLI_OK;
	uint8_t *text;
	size_t len;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt != 'x')
			return cli_usage_error("%s: see above", argv[0]);
		dir = optarg;
	}
	if (optind + 1 != argc)
		return cli_usage_error("%s: one file of evidence is needed", argv[0]);
	text = attest_read(argv[optind], &len);
	if (!text)
		return CLI_FAILED;
	wrong = evidence_read(&e, text, len);
	free(text);
	if (wrong) {
		cli_error("%s: %s", argv[optind], wrong);
		err = CLI_NOT_READY;
	} else {
		print_evidence(&e);
		err = dir ? extract(&e, dir) : CLI_OK;
	}
	evidence_free(&e);
	return err;
}
