// SPDX-License-Identifier: GPL-2.0-only
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/json_out.h"

#define FIRST_CAP	2048	/* most answers and records fit */

static void put(struct json_out *o, const char *s, size_t n)
{
	size_t cap = o->cap ? o->cap : FIRST_CAP;
	char *text;

	while (cap < o->len + n + 1)
		cap *= 2;
	if (cap != o->cap) {
		text = realloc(o->text, cap);
		if (!text) {
			o->failed = true;
			return;
		}
		o->text = text;
		o->cap = cap;
	}
	memcpy(o->text + o->len, s, n);
	o->len += n;
}

/* A comma, unless this is the first of its object or array, or a member's value. */
static void separate(struct json_out *o)
{
	char last = o->len ? o->text[o->len - 1] : '[';

	if (last != '[' && last != '{' && last != ':')
		put(o, ",", 1);
}

void json_out_open(struct json_out *o, char bracket)
{
	separate(o);
	put(o, &bracket, 1);
}

void json_out_close(struct json_out *o, char bracket)
{
	put(o, &bracket, 1);
}

static void put_escaped(struct json_out *o, unsigned char c)
{
	char code[8] = { '\\', c };
	int n = 2;

	if (c != '"' && c != '\\')
		n = snprintf(code, sizeof(code), "\\u%04X", c);
	put(o, code, n);
}

void json_out_text(struct json_out *o, const char *s)
{
	const char *plain;

	separate(o);
	o->failed |= !json_out_takes(s);
	put(o, "\"", 1);
	for (plain = s; ; s++) {
		if ((unsigned char)*s >= ' ' && *s != '"' && *s != '\\')
			continue;
		put(o, plain, s - plain);
		if (!*s)
			break;
		put_escaped(o, *s);
		plain = s + 1;
	}
	put(o, "\"", 1);
}

void json_out_name(struct json_out *o, const char *name)
{
	json_out_text(o, name);
	put(o, ":", 1);
}

void json_out_member(struct json_out *o, const char *name, const char *s)
{
	if (!s)
		return;
	json_out_name(o, name);
	json_out_text(o, s);
}

void json_out_number(struct json_out *o, int64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)n);

	separate(o);
	put(o, digits, len);
}

void json_out_flag(struct json_out *o, const char *name)
{
	json_out_name(o, name);
	put(o, "true", 4);
}

/* Nearly every text is ASCII; of others jansson says, who also reads them. */
bool json_out_takes(const char *s)
{
	const char *c;
	json_t *j;

	for (c = s; *c && !(*c & 0x80); c++)
		;
	if (!*c)
		return true;
	j = json_string(s);
	json_decref(j);
	return j;
}

char *json_out_end(struct json_out *o)
{
	put(o, "", 1);
	if (!o->failed)
		return o->text;
	free(o->text);
	*o = (struct json_out){ .failed = true };
	return NULL;
}
