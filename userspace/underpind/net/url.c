// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "net/url.h"

bool url_number(const char *s, uint32_t min, uint32_t max, uint32_t *out)
{
	size_t n = strspn(s, "0123456789");

	if (!n || n > 9 || s[n])
		return false;
	*out = strtoul(s, NULL, 10);
	return *out >= min && *out <= max;
}

bool url_ok(const char *s, const char *scheme)
{
	size_t n = strlen(scheme);
	const char *end;
	uint32_t port;

	if (strncmp(s, scheme, n) || strpbrk(s + n, "/@?#\\ ,"))
		return false;
	s += n;
	end = *s == '[' ? strchr(s, ']') : s + strcspn(s, ":");
	if (!end || end == s)
		return false;
	end += *end == ']';
	return !*end || (*end == ':' && url_number(end + 1, 1, 65535, &port));
}
