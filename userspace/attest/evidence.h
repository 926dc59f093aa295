/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Evidence (RFC 9334): what an attester hands to whoever verifies it, as one line of JSON.
 * docs/attestation.md has the format. There is exactly one encoding of a piece of
 * evidence: what json-c writes of it, with members in order and without blanks.
 */
#ifndef ATTEST_EVIDENCE_H
#define ATTEST_EVIDENCE_H

#include "userspace/attest/report.h"
#include "userspace/txt/txt.h"

#define EVIDENCE_FORMAT		"underpin-evidence-1"
#define EVIDENCE_JSON		(JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define EVIDENCE_MAX		(1 << 20)
#define EVIDENCE_PCRS		24

/* What the layer signs: magic, version, flags, nonce, public key. */
#define STATEMENT_SIZE		80
#define STATEMENT_MAGIC		"UPLAUNCH"
#define STATEMENT_VERSION	1

/* A row: a weakness that the layer knows of, and its bit in the statement's flags. */
#define WEAKNESSES(X) \
	X(DEBUG, "debug-build") \
	X(NO_IOMMU, "no-iommu") \
	X(PART_IOMMU, "partial-iommu") \
	X(SMT, "smt-with-l1tf-or-mds") \
	X(SMM, "smm-not-covered") \
	X(SLEEP, "sleep-not-denied")

#define WEAKNESS_NAME(name, words) WEAKNESS_##name,
enum weakness { WEAKNESSES(WEAKNESS_NAME) WEAKNESS_COUNT };

struct bytes {
	uint8_t *at;
	size_t len;
};

struct evidence {
	uint8_t nonce[NONCE_SIZE];
	bool quoted;			/* else unrooted */
	char *ak;			/* PEM */
	struct bytes message, signature;
	uint32_t pcrs;			/* a bit each */
	uint8_t pcr[EVIDENCE_PCRS][SHA256_SIZE];
	bool has_txt;			/* what the host says of TXT: nobody signs it */
	uint8_t txt[TXT_PACKED];
	struct bytes launch_log, firmware_log;
	uint32_t flags;
	uint8_t public[PUBLIC_SIZE];
	uint8_t launch_signature[SIGNATURE_SIZE];
	bool has_vm;
	uint8_t vm_report[REPORT_SIZE];
	uint8_t vm_signature[SIGNATURE_SIZE];
};

/** member_text() - a member that is a string, or NULL */
const char *member_text(json_object *o, const char *name);

/** member_fixed() - a member of so many bytes in hexadecimal.  Return: is it one? */
bool member_fixed(json_object *o, const char *name, uint8_t *bytes, size_t len);

/** member_bytes() - a member of bytes in hexadecimal, to be freed.  Return: is it one? */
bool member_bytes(json_object *o, const char *name, struct bytes *bytes);

/** weakness_name() - "no-iommu" */
const char *weakness_name(enum weakness weakness);

/** evidence_statement() - the bytes that the launch's key signs */
void evidence_statement(uint8_t statement[STATEMENT_SIZE], uint32_t flags,
			const uint8_t nonce[NONCE_SIZE], const uint8_t public[PUBLIC_SIZE]);

/** evidence_json() - its one encoding, to be put */
json_object *evidence_json(const struct evidence *e);

/**
 * evidence_read() - from its one encoding
 * @e: to be freed by evidence_free() in any case
 *
 * Return: NULL, or what is wrong.
 */
const char *evidence_read(struct evidence *e, const uint8_t *text, size_t len);

/** evidence_free() */
void evidence_free(struct evidence *e);

#endif /* ATTEST_EVIDENCE_H */
