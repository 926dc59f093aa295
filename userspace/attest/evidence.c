// SPDX-License-Identifier: GPL-2.0
/* Evidence: one encoding, read strictly. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/evidence.h"
#include "userspace/cli/cli.h"

const char *weakness_name(enum weakness weakness)
{
#define WEAKNESS_WORDS(name, words)	words,
	static const char * const names[WEAKNESS_COUNT] = { WEAKNESSES(WEAKNESS_WORDS) };

	return names[weakness];
}

static void put_le32(uint8_t *p, uint32_t value)
{
	int i;

	for (i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

void evidence_statement(uint8_t statement[STATEMENT_SIZE], uint32_t flags,
			const uint8_t nonce[NONCE_SIZE], const uint8_t public[PUBLIC_SIZE])
{
	memcpy(statement, STATEMENT_MAGIC, 8);
	put_le32(statement + 8, STATEMENT_VERSION);
	put_le32(statement + 12, flags);
	memcpy(statement + 16, nonce, NONCE_SIZE);
	memcpy(statement + 48, public, PUBLIC_SIZE);
}

/* --- writing --- */

static void add(json_object *o, const char *name, json_object *value)
{
	json_object_object_add(o, name, value);
}

static json_object *pcrs_json(const struct evidence *e)
{
	json_object *o = json_object_new_object();
	char number[4];
	uint32_t i;

	for (i = 0; i < EVIDENCE_PCRS; i++) {
		if (!(e->pcrs >> i & 1))
			continue;
		snprintf(number, sizeof(number), "%u", i);
		add(o, number, attest_hex(e->pcr[i], SHA256_SIZE));
	}
	return o;
}

static json_object *quote_json(const struct evidence *e)
{
	json_object *o = json_object_new_object();

	add(o, "ak", json_object_new_string(e->ak));
	add(o, "message", attest_hex(e->message.at, e->message.len));
	add(o, "signature", attest_hex(e->signature.at, e->signature.len));
	add(o, "pcrs", pcrs_json(e));
	return o;
}

static json_object *vm_json(const struct evidence *e)
{
	json_object *o = json_object_new_object();

	add(o, "report", attest_hex(e->vm_report, REPORT_SIZE));
	add(o, "signature", attest_hex(e->vm_signature, SIGNATURE_SIZE));
	return o;
}

json_object *evidence_json(const struct evidence *e)
{
	json_object *o = json_object_new_object(), *logs = json_object_new_object();
	json_object *launch = json_object_new_object();

	add(o, "format", json_object_new_string(EVIDENCE_FORMAT));
	add(o, "nonce", attest_hex(e->nonce, NONCE_SIZE));
	add(o, "quote", e->quoted ? quote_json(e) : NULL);
	add(o, "txt", e->has_txt ? attest_hex(e->txt, TXT_PACKED) : NULL);
	add(logs, "launch", attest_hex(e->launch_log.at, e->launch_log.len));
	add(logs, "firmware", attest_hex(e->firmware_log.at, e->firmware_log.len));
	add(o, "logs", logs);
	add(launch, "flags", json_object_new_int64(e->flags));
	add(launch, "public", attest_hex(e->public, PUBLIC_SIZE));
	add(launch, "signature", attest_hex(e->launch_signature, SIGNATURE_SIZE));
	add(o, "launch", launch);
	add(o, "vm", e->has_vm ? vm_json(e) : NULL);
	return o;
}

/* --- reading --- */

const char *member_text(json_object *o, const char *name)
{
	json_object *value;

	if (!json_object_object_get_ex(o, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

bool member_fixed(json_object *o, const char *name, uint8_t *bytes, size_t len)
{
	const char *hex = member_text(o, name);

	return hex && !cli_unhex(hex, bytes, len);
}

bool member_bytes(json_object *o, const char *name, struct bytes *bytes)
{
	const char *hex = member_text(o, name);

	if (!hex)
		return false;
	bytes->len = strlen(hex) / 2;
	bytes->at = malloc(bytes->len + 1);
	return bytes->at && !cli_unhex(hex, bytes->at, bytes->len);
}

static const char *read_pcrs(struct evidence *e, json_object *o)
{
	char *end;
	unsigned long pcr;

	if (!json_object_is_type(o, json_type_object))
		return "quote.pcrs is missing, or no object";
	json_object_object_foreach(o, name, value) {
		pcr = strtoul(name, &end, 10);
		(void)value;
		if (!*name || *end || pcr >= EVIDENCE_PCRS ||
		    !member_fixed(o, name, e->pcr[pcr], SHA256_SIZE))
			return "quote.pcrs has a member that is no PCR's SHA-256 value";
		e->pcrs |= 1u << pcr;
	}
	return NULL;
}

static const char *read_quote(struct evidence *e, json_object *o)
{
	const char *ak = member_text(o, "ak");

	e->quoted = true;
	if (!ak || !member_bytes(o, "message", &e->message) ||
	    !member_bytes(o, "signature", &e->signature))
		return "quote lacks its ak, message or signature, or one is malformed";
	e->ak = strdup(ak);
	return read_pcrs(e, json_object_object_get(o, "pcrs"));
}

static const char *read_txt(struct evidence *e, json_object *o)
{
	json_object *txt;

	if (!json_object_object_get_ex(o, "txt", &txt))
		return "txt is missing";
	e->has_txt = txt;
	return txt && !member_fixed(o, "txt", e->txt, TXT_PACKED) ?
		"txt is neither null nor TXT's registers" : NULL;
}

static const char *read_vm(struct evidence *e, json_object *o)
{
	json_object *vm;

	if (!json_object_object_get_ex(o, "vm", &vm))
		return "vm is missing";
	e->has_vm = vm;
	if (vm && (!json_object_is_type(vm, json_type_object) ||
		   !member_fixed(vm, "report", e->vm_report, REPORT_SIZE) ||
		   !member_fixed(vm, "signature", e->vm_signature, SIGNATURE_SIZE)))
		return "vm is neither null nor a report and its signature";
	return NULL;
}

static const char *read_members(struct evidence *e, json_object *o)
{
	json_object *quote, *logs = json_object_object_get(o, "logs");
	json_object *launch = json_object_object_get(o, "launch"), *flags;
	const char *format = member_text(o, "format"), *wrong;

	if (!format || strcmp(format, EVIDENCE_FORMAT))
		return "its format is another one than " EVIDENCE_FORMAT;
	if (!member_fixed(o, "nonce", e->nonce, NONCE_SIZE))
		return "its nonce is missing or malformed";
	if (!json_object_object_get_ex(o, "quote", &quote))
		return "quote is missing";
	if (quote && !json_object_is_type(quote, json_type_object))
		return "quote is neither null nor an object";
	wrong = quote ? read_quote(e, quote) : NULL;
	wrong = wrong ? wrong : read_txt(e, o);
	if (wrong)
		return wrong;
	if (!json_object_is_type(logs, json_type_object) ||
	    !member_bytes(logs, "launch", &e->launch_log) ||
	    !member_bytes(logs, "firmware", &e->firmware_log))
		return "a log is missing or malformed";
	if (!json_object_is_type(launch, json_type_object) ||
	    !json_object_object_get_ex(launch, "flags", &flags) ||
	    !json_object_is_type(flags, json_type_int) ||
	    !member_fixed(launch, "public", e->public, PUBLIC_SIZE) ||
	    !member_fixed(launch, "signature", e->launch_signature, SIGNATURE_SIZE))
		return "the launch's flags, key or signature is missing or malformed";
	e->flags = (uint32_t)json_object_get_int64(flags);
	return read_vm(e, o);
}

/* Unknown and doubled members, other spellings and what follows the end show here. */
static bool is_the_encoding(const struct evidence *e, const uint8_t *text, size_t len)
{
	json_object *o = evidence_json(e);
	const char *wanted = json_object_to_json_string_ext(o, EVIDENCE_JSON);
	bool same;

	if (len && text[len - 1] == '\n')
		len--;
	same = strlen(wanted) == len && !memcmp(wanted, text, len);
	json_object_put(o);
	return same;
}

const char *evidence_read(struct evidence *e, const uint8_t *text, size_t len)
{
	json_tokener *tokener;
	const char *wrong;
	json_object *o;

	memset(e, 0, sizeof(*e));
	if (len > EVIDENCE_MAX)
		return "it is longer than 1 MiB";
	tokener = json_tokener_new_ex(5);
	if (!tokener)
		return "there is no memory";
	o = json_tokener_parse_ex(tokener, (const char *)text, (int)len);
	json_tokener_free(tokener);
	if (!json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return "it is no JSON object, or its end is missing";
	}
	wrong = read_members(e, o);
	json_object_put(o);
	if (wrong)
		return wrong;
	if (is_the_encoding(e, text, len))
		return NULL;
	return "not the one encoding: a member is unknown, doubled, misplaced or misspelt";
}

void evidence_free(struct evidence *e)
{
	free(e->ak);
	free(e->message.at);
	free(e->signature.at);
	free(e->launch_log.at);
	free(e->firmware_log.at);
	memset(e, 0, sizeof(*e));
}
