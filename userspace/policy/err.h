/* SPDX-License-Identifier: GPL-2.0-only */
/* An error message that names what is wrong and the cure. */
#ifndef POL_ERR_H
#define POL_ERR_H

struct pol_err {
	char msg[768];
};

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
