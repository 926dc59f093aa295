// SPDX-License-Identifier: GPL-2.0
/*
 * What the layer does at a launch, and after it, by the layer's own code:
 *
 * launch public SEED		prints the key
 * launch sign SEED NONCE FLAGS	writes flags, key and the signature for the nonce
 * launch log PCR SEED IMAGE CONFIG IOMMU [END]	writes the log
 * launch vm SEED DATA MEASUREMENT REPORTS VM_FLAGS FLAGS STATE	writes a VM's report and signature
 *
 * SEED, NONCE, DATA, MEASUREMENT, REPORTS (digests of 32 bytes each, one behind the other) and
 * IMAGE in hexadecimal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jobs.h"
#undef ARRAY_SIZE
#include "userspace/attest/evidence.h"
#include "userspace/attest/launchlog.h"
#include "userspace/cli/cli.h"

static int usage(void)
{
	fprintf(stderr, "launch: see its first lines\n");
	return 2;
}

static int write_signature(struct ed25519_key *key, const char *nonce_hex, uint32_t flags)
{
	uint8_t nonce[NONCE_SIZE], statement[STATEMENT_SIZE], signature[SIGNATURE_SIZE], le[4];
	int i;

	if (cli_unhex(nonce_hex, nonce, sizeof(nonce)))
		return usage();
	evidence_statement(statement, flags, nonce, key->public);
	sign(key, statement, sizeof(statement), signature);
	for (i = 0; i < 4; i++)
		le[i] = (uint8_t)(flags >> 8 * i);
	fwrite(le, 1, sizeof(le), stdout);
	fwrite(key->public, 1, PUBLIC_SIZE, stdout);
	fwrite(signature, 1, sizeof(signature), stdout);
	return 0;
}

static int write_log(struct ed25519_key *key, int argc, char **argv)
{
	static uint8_t log[5 * (LAUNCH_CONTENT + 200)];
	uint32_t pcr = (uint32_t)atoi(argv[2]);
	uint8_t image[SHA256_SIZE];
	size_t len = 0;

	if (cli_unhex(argv[4], image, sizeof(image)))
		return usage();
	launch_log_write(log, &len, pcr, LAUNCH_IMAGE, image, sizeof(image));
	launch_log_write(log, &len, pcr, LAUNCH_CONFIG, argv[5], (uint32_t)strlen(argv[5]));
	launch_log_write(log, &len, pcr, LAUNCH_IOMMU, argv[6], (uint32_t)strlen(argv[6]));
	launch_log_write(log, &len, pcr, LAUNCH_KEY, key->public, PUBLIC_SIZE);
	if (argc > 7)
		launch_log_write(log, &len, pcr, LAUNCH_END, argv[7], (uint32_t)strlen(argv[7]));
	fwrite(log, 1, len, stdout);
	return 0;
}

/* As vmx/vm/report.c fills it. */
static int write_report(struct ed25519_key *key, char **argv)
{
	struct up_vm_proof p = { .report = {
		.magic = UP_VM_REPORT_MAGIC, .version = UP_VM_REPORT_VERSION,
		.flags = (u32)atoi(argv[7]), .vm_flags = (u32)atoi(argv[6]), .vcpus = 1,
		.state = (u32)atoi(argv[8]), .frames_measured = 65536,
	} };
	size_t reports = strlen(argv[5]) / 64;

	if (reports > UP_VM_REPORTS || cli_unhex(argv[3], p.report.data, 64) ||
	    cli_unhex(argv[4], p.report.measurement, 32) ||
	    cli_unhex(argv[5], (u8 *)p.report.report, 32 * reports))
		return usage();
	p.report.reports = (1u << reports) - 1;
	memcpy(p.report.key, key->public, PUBLIC_SIZE);
	sign(key, &p.report, sizeof(p.report), p.signature);
	fwrite(&p, 1, sizeof(p), stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";
	const char *hex = !strcmp(verb, "log") && argc > 6 ? argv[3] : argv[2];
	struct ed25519_key key;
	uint8_t seed[32];
	char text[65];

	if (argc < 3 || cli_unhex(hex, seed, sizeof(seed)))
		return usage();
	key_of(&key, seed);
	if (!strcmp(verb, "sign") && argc == 5)
		return write_signature(&key, argv[3], (uint32_t)atoi(argv[4]));
	if (!strcmp(verb, "vm") && argc == 9)
		return write_report(&key, argv);
	if (!strcmp(verb, "log") && argc > 6)
		return write_log(&key, argc, argv);
	if (strcmp(verb, "public"))
		return usage();
	cli_hex(text, key.public, PUBLIC_SIZE);
	puts(text);
	return 0;
}
