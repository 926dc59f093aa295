// SPDX-License-Identifier: GPL-2.0
/* Files, digests and bytes as JSON. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/attest.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/sysfile.h"

uint8_t *attest_read(const char *path, size_t *len)
{
	uint8_t *bytes = (uint8_t *)sysfile_given(len, path);

	if (!bytes)
		cli_error("%s: %s", path, strerror(errno));
	return bytes;
}

void attest_sha256(const void *bytes, size_t len, uint8_t digest[SHA256_SIZE])
{
	if (EVP_Q_digest(NULL, "SHA256", NULL, bytes, len, digest, NULL))
		return;
	cli_error("SHA-256 fails: OpenSSL is broken");
	exit(CLI_FAILED);
}

json_object *attest_hex(const uint8_t *bytes, size_t len)
{
	char *text = malloc(2 * len + 1);
	json_object *o = NULL;

	if (text) {
		cli_hex(text, bytes, len);
		o = json_object_new_string_len(text, (int)(2 * len));
	}
	free(text);
	return o;
}
