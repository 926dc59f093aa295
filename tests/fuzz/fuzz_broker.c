// SPDX-License-Identifier: GPL-2.0
/*
 * A broker's askers, and who answers in its place: a name and evidence of any bytes, whose nonce
 * is put right half of the time so that what lies behind it is reached; and anything in the place
 * of a sealed secret.  The first byte chooses.  No secret is given, and nothing opens that was not
 * sealed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "userspace/attest/report.h"
#include "userspace/broker/answer.h"
#include "userspace/broker/nonce.h"
#include "userspace/broker/release.h"
#include "userspace/cli/cli.h"

#define LIFETIME	3600
#define NONCE_AT	"\"nonce\":\""

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What it must be: nothing that a fuzzer can sign. */
static const char policy[] =
	"{\"format\":\"" POLICY_FORMAT "\",\"accept\":[\"unrooted\"],\"images\":[],"
	"\"configurations\":[],\"iommu\":[\"full\"],\"measurements\":[],\"askers\":[\"vm\"],"
	"\"reports\":{\"0\":[],\"1\":[],\"2\":[],\"3\":[]}}";

static char folder[] = "/tmp/fuzz-broker-XXXXXX";
static uint8_t private[SEAL_KEY], public[SEAL_KEY];

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void put(const char *name, const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	require(file && fputs(text, file) >= 0 && !fclose(file) && !chmod(path, 0600));
}

static void end(void)
{
	char path[64];
	const char * const names[] = { "disk.policy", "disk.secret" };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct release r;

	(void)argc;
	(void)argv;
	require(mkdtemp(folder) && !atexit(end) && nonce_begin() && seal_key(private, public));
	put("disk.policy", policy);
	put("disk.secret", "secret");
	require(!release_read(&r, folder, "disk"));
	release_free(&r);
	return 0;
}

/* The digits behind "nonce": become those of a nonce that the broker has made. */
static void put_nonce(char *text, size_t len)
{
	char *at = memmem(text, len, NONCE_AT, strlen(NONCE_AT));
	char hex[2 * NONCE_SIZE + 1];
	uint8_t nonce[NONCE_SIZE];

	if (!at || (size_t)(text + len - at) < strlen(NONCE_AT) + 2 * NONCE_SIZE)
		return;
	require(nonce_make(nonce) && !nonce_wrong(nonce, LIFETIME));
	cli_hex(hex, nonce, sizeof(nonce));
	memcpy(at + strlen(NONCE_AT), hex, 2 * NONCE_SIZE);
}

static void ask(const char *name, char *text, size_t len, bool fresh)
{
	uint8_t sealed[SECRET_MAX + SEAL_MORE];
	char reason[REASON_SIZE] = "";

	if (fresh)
		put_nonce(text, len);
	require(!answer_evidence(folder, LIFETIME, name, (uint8_t *)text, len, sealed, reason));
	require(*reason && strlen(reason) < REASON_SIZE);
}

/* A name ends where it does in a URL's string, at a NUL. */
static void ask_for(char *text, size_t len)
{
	char *evidence = memchr(text, 0, len);

	if (evidence)
		ask(text, evidence + 1, (size_t)(text + len - evidence - 1), false);
}

static void open_sealed(const uint8_t *sealed, size_t len)
{
	uint8_t aad[SECRET_AAD], nonce[NONCE_SIZE] = { 1 };
	struct seal_context c = secret_context(aad, nonce, "disk");
	uint8_t *text = malloc(len > SEAL_MORE ? len - SEAL_MORE : 1);

	require(!seal_open(private, &c, sealed, len, text));
	free(text);
}

/* Sealed to whatever key is asked for, and opened by another: no crash, no secret. */
static void seal_to_anybody(const uint8_t *data, size_t len)
{
	uint8_t aad[SECRET_AAD], nonce[NONCE_SIZE] = { 2 }, key[SEAL_KEY] = { 0 };
	struct seal_context c = secret_context(aad, nonce, "disk");
	uint8_t sealed[6 + SEAL_MORE], text[6];

	memcpy(key, data, len < SEAL_KEY ? len : SEAL_KEY);
	if (!seal_to(key, &c, "secret", 6, sealed))
		return;
	if (!memcmp(key, public, SEAL_KEY))
		require(seal_open(private, &c, sealed, sizeof(sealed), text));
	else
		require(!seal_open(private, &c, sealed, sizeof(sealed), text));
	/* And with one byte changed, by its owner. */
	require(seal_to(public, &c, "secret", 6, sealed));
	sealed[len % sizeof(sealed)] ^= len < SEAL_KEY ? 1 : key[0] | 1;
	require(!seal_open(private, &c, sealed, sizeof(sealed), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy any;
	char *text;

	if (!size)
		return 0;
	text = malloc(size > 1 ? size - 1 : 1);	/* of its very size, for ASan */
	memcpy(text, data + 1, size - 1);
	switch (*data % 6) {
	case 0:
	case 1:
		ask("disk", text, size - 1, *data % 6);
		break;
	case 2:
		ask_for(text, size - 1);
		break;
	case 3:
		open_sealed((uint8_t *)text, size - 1);
		break;
	case 4:
		seal_to_anybody((uint8_t *)text, size - 1);
		break;
	default:
		if (!policy_read(&any, (uint8_t *)text, size - 1))
			policy_free(&any);
	}
	free(text);
	return 0;
}
