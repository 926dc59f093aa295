/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef POL_HEX_H
#define POL_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * pol_hex() - bytes as hexadecimal digits
 * @in: the bytes
 * @n: how many
 * @out: 2 * @n + 1 bytes
 *
 * Return: @out.
 */
char *pol_hex(const uint8_t *in, size_t n, char *out);

/**
 * pol_unhex() - bytes from hexadecimal digits
 * @s: the digits, and nothing else; a dash before a byte, as in a UUID, is passed over
 * @out: @n bytes
 * @n: how many
 *
 * Return: whether @s was just that.
 */
bool pol_unhex(const char *s, uint8_t *out, size_t n);

#endif
