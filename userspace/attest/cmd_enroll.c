// SPDX-License-Identifier: GPL-2.0
/*
 * underpin attest enroll: how an owner comes to believe an attestation key.  The host asks
 * (request), the owner makes a credential (challenge), the host opens it (answer), and the owner
 * compares (accept).  Three texts go between them, by whatever way.
 */
#include <errno.h>
#include <getopt.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/tpm.h"
#include "userspace/cli/cli.h"

#define REQUEST_FORMAT		"underpin-enrolment-1"
#define CREDENTIAL_FORMAT	"underpin-credential-1"
#define KEPT_FORMAT		"underpin-enrolment-kept-1"

struct enroll_options {
	const char *ak, *tcti, *authorities, *keep, *file;
};

static int parse(int argc, char **argv, struct enroll_options *o)
{
	static const struct option options[] = {
		{ "ak", required_argument, NULL, 'a' },
		{ "tcti", required_argument, NULL, 't' },
		{ "authorities", required_argument, NULL, 'c' },
		{ "keep", required_argument, NULL, 'k' },
		{ }
	};
	int opt;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'a')
			o->ak = optarg;
		else if (opt == 't')
			o->tcti = optarg;
		else if (opt == 'c')
			o->authorities = optarg;
		else if (opt == 'k')
			o->keep = optarg;
		else
			return cli_usage_error("%s: see above", argv[0]);
	}
	if (optind < argc)
		o->file = argv[optind++];
	if (optind < argc)
		return cli_usage_error("%s: \"%s\" is too much", argv[0], argv[optind]);
	return CLI_OK;
}

static int say(json_object *o)
{
	puts(json_object_to_json_string_ext(o, EVIDENCE_JSON));
	json_object_put(o);
	return CLI_OK;
}

/* An object of this format, to be put, or NULL after a message. */
static json_object *read_object(const char *path, const char *format)
{
	size_t len;
	char *text = (char *)attest_read(path, &len);
	json_object *o = text ? json_tokener_parse(text) : NULL;
	const char *found = json_object_is_type(o, json_type_object) ? member_text(o, "format") :
			    NULL;

	if (found && !strcmp(found, format)) {
		free(text);
		return o;
	}
	if (text)
		cli_error("%s: it is no %s", path, format);
	json_object_put(o);
	free(text);
	return NULL;
}

/* --- the host --- */

static int cmd_request(int argc, char **argv)
{
	struct enroll_options o = { };
	int err = parse(argc, argv, &o);
	struct enrolment e = { };
	json_object *json;
	uint32_t ak;

	if (err)
		return err;
	if (!o.ak || o.file || o.authorities || o.keep)
		return cli_usage_error("%s: --ak is needed, and --tcti may be", argv[0]);
	if (tpm_handle(o.ak, &ak))
		return CLI_USAGE;
	if (tpm_enroll(o.tcti, ak, &e)) {
		enrolment_free(&e);
		return CLI_FAILED;
	}
	json = json_object_new_object();
	json_object_object_add(json, "format", json_object_new_string(REQUEST_FORMAT));
	json_object_object_add(json, "certificate",
			       attest_hex(e.certificate.at, e.certificate.len));
	json_object_object_add(json, "ak", attest_hex(e.ak.at, e.ak.len));
	enrolment_free(&e);
	return say(json);
}

static int cmd_answer(int argc, char **argv)
{
	struct enroll_options o = { };
	int err = parse(argc, argv, &o);
	uint8_t opened[CREDENTIAL_SECRET];
	char hex[2 * CREDENTIAL_SECRET + 1];
	struct credential c = { };
	json_object *json;
	uint32_t ak;

	if (err)
		return err;
	if (!o.ak || !o.file || o.authorities || o.keep)
		return cli_usage_error("%s: --ak and a file of the owner's are needed", argv[0]);
	if (tpm_handle(o.ak, &ak))
		return CLI_USAGE;
	json = read_object(o.file, CREDENTIAL_FORMAT);
	if (!json)
		return CLI_FAILED;
	if (!member_bytes(json, "object", &c.object) || !member_bytes(json, "secret", &c.secret)) {
		cli_error("%s: object or secret is missing or malformed", o.file);
		err = CLI_FAILED;
	} else if (tpm_answer(o.tcti, ak, &c, opened)) {
		err = CLI_FAILED;
	} else {
		cli_hex(hex, opened, sizeof(opened));
		puts(hex);
	}
	credential_free(&c);
	json_object_put(json);
	return err;
}

/* --- the owner --- */

/* What the answer must be: its hash, so that whoever reads the file cannot answer. */
static int keep(const char *path, const uint8_t ak[SHA256_SIZE],
		const uint8_t secret[CREDENTIAL_SECRET])
{
	json_object *o = json_object_new_object();
	uint8_t digest[SHA256_SIZE];
	int err;

	attest_sha256(secret, CREDENTIAL_SECRET, digest);
	json_object_object_add(o, "format", json_object_new_string(KEPT_FORMAT));
	json_object_object_add(o, "ak", attest_hex(ak, SHA256_SIZE));
	json_object_object_add(o, "answer", attest_hex(digest, sizeof(digest)));
	err = json_object_to_file_ext(path, o, EVIDENCE_JSON);
	if (err)
		cli_error("%s: %s", path, strerror(errno));
	json_object_put(o);
	return err;
}

static int challenge(const struct enroll_options *o, const struct enrolment *e)
{
	uint8_t secret[CREDENTIAL_SECRET], ak[SHA256_SIZE];
	const char *wrong = enrolment_wrong(e, o->authorities, ak);
	struct credential c = { };
	json_object *json;

	if (wrong) {
		cli_error("%s: %s", o->file, wrong);
		return CLI_NOT_READY;
	}
	wrong = RAND_priv_bytes(secret, sizeof(secret)) == 1 ? credential_make(e, secret, &c) :
		"OpenSSL has no random numbers";
	if (wrong || keep(o->keep, ak, secret)) {
		if (wrong)
			cli_error("%s", wrong);
		credential_free(&c);
		return CLI_FAILED;
	}
	json = json_object_new_object();
	json_object_object_add(json, "format", json_object_new_string(CREDENTIAL_FORMAT));
	json_object_object_add(json, "object", attest_hex(c.object.at, c.object.len));
	json_object_object_add(json, "secret", attest_hex(c.secret.at, c.secret.len));
	credential_free(&c);
	return say(json);
}

static int cmd_challenge(int argc, char **argv)
{
	struct enroll_options o = { };
	int err = parse(argc, argv, &o);
	struct enrolment e = { };
	json_object *json;

	if (err)
		return err;
	if (!o.authorities || !o.keep || !o.file || o.ak || o.tcti)
		return cli_usage_error("%s: --authorities, --keep and a host's request are needed",
				       argv[0]);
	json = read_object(o.file, REQUEST_FORMAT);
	if (!json)
		return CLI_FAILED;
	if (member_bytes(json, "certificate", &e.certificate) && member_bytes(json, "ak", &e.ak)) {
		err = challenge(&o, &e);
	} else {
		cli_error("%s: certificate or ak is missing or malformed", o.file);
		err = CLI_FAILED;
	}
	enrolment_free(&e);
	json_object_put(json);
	return err;
}

static int cmd_accept(int argc, char **argv)
{
	uint8_t wanted[SHA256_SIZE], digest[SHA256_SIZE], answer[CREDENTIAL_SECRET];
	struct enroll_options o = { };
	int err = parse(argc, argv, &o);
	json_object *json;

	if (err)
		return err;
	if (!o.keep || !o.file || o.ak || o.tcti || o.authorities)
		return cli_usage_error("%s: --keep and the host's answer are needed", argv[0]);
	if (cli_unhex(o.file, answer, sizeof(answer)))
		return cli_usage_error("%s: an answer has 64 hexadecimal digits", argv[0]);
	json = read_object(o.keep, KEPT_FORMAT);
	if (!json)
		return CLI_FAILED;
	attest_sha256(answer, sizeof(answer), digest);
	if (!member_fixed(json, "answer", wanted, sizeof(wanted)) || !member_text(json, "ak")) {
		cli_error("%s: answer or ak is missing or malformed", o.keep);
		err = CLI_FAILED;
	} else if (memcmp(wanted, digest, sizeof(digest))) {
		cli_error("the answer is not the secret: the attestation key is not in that TPM");
		err = CLI_NOT_READY;
	} else {
		puts(member_text(json, "ak"));
	}
	json_object_put(json);
	return err;
}

static const struct cli_command verbs[] = {
	{ "request", cmd_request, "--ak HANDLE [--tcti TCTI]",
	  "host: this TPM's attestation key, made where there is none, and its certificate" },
	{ "challenge", cmd_challenge, "--authorities PEM --keep FILE REQUEST",
	  "owner: a credential that this TPM alone can open" },
	{ "answer", cmd_answer, "--ak HANDLE [--tcti TCTI] CREDENTIAL", "host: open it" },
	{ "accept", cmd_accept, "--keep FILE ANSWER",
	  "owner: was it opened?  then the key, for a policy's \"aks\"" },
	{ }
};

int cmd_enroll(int argc, char **argv)
{
	return cli_dispatch("underpin attest enroll", verbs, argc, argv);
}
