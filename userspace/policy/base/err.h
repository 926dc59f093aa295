/* SPDX-License-Identifier: GPL-2.0-only */
/* An error message that names what is wrong and the cure. */
#ifndef POL_ERR_H
#define POL_ERR_H

#include <stdarg.h>
#include <stddef.h>

struct pol_err {
	char msg[768];
};

/**
 * pol_print() - snprintf() that cuts off whole characters
 * @buf: where UTF-8 text goes
 * @size: bytes there, not 0
 *
 * Half a character would make the text unfit for JSON, in which it is to appear.
 *
 * Return: bytes written, always less than @size.
 */
size_t pol_print(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
size_t pol_vprint(char *buf, size_t size, const char *fmt, va_list ap);

/**
 * pol_say() - record a message
 * @e: where the message goes; may be NULL
 * @fmt: what is wrong, and the cure, without a newline
 */
void pol_say(struct pol_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Records a message; its value is -@code, so that one can write "return pol_fail(...)". */
#define pol_fail(e, code, ...) \
	({ \
		int code_ = (code); \
		pol_say((e), __VA_ARGS__); \
		-code_; \
	})

#endif
