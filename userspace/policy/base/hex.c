// SPDX-License-Identifier: GPL-2.0-only
#include "base/hex.h"

char *pol_hex(const uint8_t *in, size_t n, char *out)
{
	static const char digit[] = "0123456789abcdef";
	char *to = out;

	for (; n--; in++) {
		*to++ = digit[*in >> 4];
		*to++ = digit[*in & 15];
	}
	*to = 0;
	return out;
}

static int value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool pol_unhex(const char *s, uint8_t *out, size_t n)
{
	for (; n--; s += 2) {
		s += *s == '-';
		if (value(s[0]) < 0 || value(s[1]) < 0)
			return false;
		*out++ = value(s[0]) << 4 | value(s[1]);
	}
	return !*s;
}
