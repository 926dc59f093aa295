/* SPDX-License-Identifier: GPL-2.0 */
/* A fuzzer's input, taken from its beginning; zeros when it is used up. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vmx/base/types.h"

struct input {
	const u8 *p;
	size_t left;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A number of @len bytes, at most 8 */
static inline u64 take(struct input *in, u32 len)
{
	u64 val = 0;

	if (len > in->left)
		len = (u32)in->left;
	memcpy(&val, in->p, len);
	in->p += len;
	in->left -= len;
	return val;
}

#endif /* FUZZ_INPUT_H */
