// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ticket like another, but for one field, signed by its issuer all the same:
 *
 *   resign KEY IN OUT host|image|nonce|vm|definition|expired|future|byte
 *
 * and of version 2: challenge|measurement|vcpus|frames|soon.
 *
 * Or of whatever bytes, in hexadecimal, from an offset on, which it signs, or leaves the signature:
 *
 *   at:OFFSET:HEX
 *   edit:OFFSET:HEX
 *
 * "byte" changes a byte and leaves the signature.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "trust/key.h"

static int change(struct ticket *t, const char *field)
{
	const struct {
		const char *name;
		uint8_t *at;
	} fields[] = {
		{ "host", t->host }, { "image", t->image }, { "nonce", t->nonce },
		{ "vm", t->vm }, { "definition", t->definition },
		{ "challenge", t->challenge }, { "measurement", t->measurement },
	};
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(field, fields[i].name)) {
			*fields[i].at ^= 1;
			return 0;
		}
	if (!strcmp(field, "expired"))
		t->issued -= t->lifetime;
	else if (!strcmp(field, "future"))
		t->issued += 3600;
	else if (!strcmp(field, "vcpus"))
		t->vcpus++;
	else if (!strcmp(field, "frames"))
		t->frames--;
	else if (!strcmp(field, "soon"))
		t->ticks = 1;
	else
		return -1;
	return 0;
}

static int set_bytes(uint8_t *buf, const char *field)
{
	unsigned int at;
	int digits;

	if (sscanf(field, "%*[a-z]:%u:%n", &at, &digits) != 1)
		return -1;
	for (field += digits; *field; field += 2)
		if (at >= TICKET_SIZE || sscanf(field, "%2hhx", &buf[at++]) != 1)
			return -1;
	return 0;
}

static int resign(const char *path, uint8_t *buf, const char *field)
{
	bool raw = !strncmp(field, "at:", 3);
	struct pol_err e;
	struct ticket t;
	struct key *k;
	int ret;

	if (!strcmp(field, "byte")) {
		buf[TICKET_AT_LIFETIME] ^= 1;
		return 0;
	}
	if (!strncmp(field, "edit:", 5))
		return set_bytes(buf, field);
	k = key_load(path, true, &e);
	if (raw)
		ret = !k || set_bytes(buf, field) ||
		      key_sign(k, buf, TICKET_AT_SIGNATURE, buf + TICKET_AT_SIGNATURE);
	else
		ret = !k || ticket_parse(buf, TICKET_SIZE, &t) || change(&t, field) ||
		      ticket_sign(&t, k, buf);
	key_free(k);
	return ret;
}

int main(int argc, char **argv)
{
	uint8_t buf[TICKET_SIZE];
	FILE *f = argc == 5 ? fopen(argv[2], "r") : NULL;

	if (!f || fread(buf, 1, sizeof(buf), f) != sizeof(buf) || resign(argv[1], buf, argv[4]))
		return 1;
	fclose(f);
	f = fopen(argv[3], "w");
	return !f || fwrite(buf, 1, sizeof(buf), f) != sizeof(buf) || fclose(f);
}
