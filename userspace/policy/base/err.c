// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "base/err.h"

/* How long text of @n bytes is without the character that its end cuts in half. */
static size_t whole(const char *s, size_t n)
{
	size_t lead = n, len;

	while (lead && ((unsigned char)s[lead - 1] & 0xc0) == 0x80)
		lead--;
	if (!lead || (unsigned char)s[lead - 1] < 0xc0)
		return n;
	lead--;
	len = 2 + ((unsigned char)s[lead] >= 0xe0) + ((unsigned char)s[lead] >= 0xf0);
	return n - lead < len ? lead : n;
}

size_t pol_vprint(char *buf, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(buf, size, fmt, ap);

	if (n < 0)
		n = 0;
	if ((size_t)n >= size)
		n = whole(buf, size - 1);
	buf[n] = 0;
	return n;
}

size_t pol_print(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = pol_vprint(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

void pol_say(struct pol_err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	pol_vprint(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
}
