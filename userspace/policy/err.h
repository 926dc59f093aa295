/* SPDX-License-Identifier: GPL-2.0-only */
/* An error message that names what is wrong and the cure. */
#ifndef POL_ERR_H
#define POL_ERR_H

struct pol_err {
	char msg[768];
};

/**
 * pol_fail() - record a message and return an error
 * @e: where the message goes; may be NULL
 * @code: a positive errno value
 * @fmt: what is wrong, and the cure, without a newline
 *
 * Return: -@code, so that a caller can write "return pol_fail(...)".
 */
int pol_fail(struct pol_err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
