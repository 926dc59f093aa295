// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/html.h"

#define NO_CHAR	0xfffd

/* The next character; of bytes that are none, the first is NO_CHAR (RFC 3629). */
static uint32_t next_char(const unsigned char **s)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *c = *s;
	int n = *c < 0x80 ? 0 : *c < 0xc0 ? -1 : *c < 0xe0 ? 1 : *c < 0xf0 ? 2 : *c < 0xf8 ? 3 : -1;
	uint32_t v = n > 0 ? *c & (0x3f >> n) : *c;
	int i;

	++*s;
	for (i = 1; i <= n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return NO_CHAR;
		v = v << 6 | (c[i] & 0x3f);
	}
	if (n < 0 || v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return NO_CHAR;
	*s += n;
	return v;
}

/* Zero-width, bidirectional, soft hyphen, variation selectors, tags. */
static bool is_hidden(uint32_t c)
{
	static const struct { uint32_t first, last; } ranges[] = {
		{ 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c }, { 0x115f, 0x1160 },
		{ 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0x3164, 0x3164 }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb },
		{ 0xe0000, 0xe0fff },
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

static const char *escape_of(uint32_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_text(FILE *f, const char *s)
{
	const unsigned char *at = (const unsigned char *)s, *from;
	uint32_t c;

	while (*at) {
		from = at;
		c = next_char(&at);
		if (c == NO_CHAR || c < ' ' || (c >= 0x7f && c < 0xa0))
			fputs("\xef\xbf\xbd", f);
		else if (escape_of(c))
			fputs(escape_of(c), f);
		else if (is_hidden(c))
			fprintf(f, "[U+%04X]", c);
		else
			fwrite(from, 1, at - from, f);
	}
}
