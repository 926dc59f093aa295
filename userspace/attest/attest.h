/* SPDX-License-Identifier: GPL-2.0 */
/* What the verbs of "underpin attest" share. */
#ifndef ATTEST_ATTEST_H
#define ATTEST_ATTEST_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NONCE_SIZE	32
#define PUBLIC_SIZE	32
#define SIGNATURE_SIZE	64
#define SHA256_SIZE	32

/** cmd_log() - the verb.  Return: exit status, as of all verbs */
int cmd_log(int argc, char **argv);

/** cmd_show() - see cmd_log() */
int cmd_show(int argc, char **argv);

/** cmd_reference() - see cmd_log() */
int cmd_reference(int argc, char **argv);

/** cmd_quote() - see cmd_log() */
int cmd_quote(int argc, char **argv);

/** cmd_enroll() - see cmd_log() */
int cmd_enroll(int argc, char **argv);

/** cmd_txt() - see cmd_log() */
int cmd_txt(int argc, char **argv);

/** cmd_verify() - see cmd_log() */
int cmd_verify(int argc, char **argv);

/** attest_read() - a file's bytes, to be freed, or NULL after a message */
uint8_t *attest_read(const char *path, size_t *len);

/** attest_sha256() - of one span */
void attest_sha256(const void *bytes, size_t len, uint8_t digest[SHA256_SIZE]);

/** attest_hex() - a JSON string of bytes */
json_object *attest_hex(const uint8_t *bytes, size_t len);

#endif /* ATTEST_ATTEST_H */
