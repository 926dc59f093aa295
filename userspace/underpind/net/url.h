/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef URL_H
#define URL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * url_ok() - is this SCHEME://HOST[:PORT], and no more?
 * @scheme: like "https://"
 *
 * HOST is a name, an IPv4 address, or an IPv6 address in brackets.
 */
bool url_ok(const char *s, const char *scheme);

/* Digits and nothing else, that mean a number in [@min, @max]. */
bool url_number(const char *s, uint32_t min, uint32_t max, uint32_t *out);

#endif
